//! The study that opens next is the one that the header announced on the screen that was drawn last.

use crate::support::model;
use cspine::app::{Command, Effect, Message, Order, PromptKey, Record, Recorded, Remembered, Token};
use cspine::config::Keymap;
use cspine::domain::{CleanText, Completeness, Draft, EntryId, LogEntry, Stamp, Study, Uid};
use cspine::theme::Theme;
use cspine::ui::{self, Look};
use model::{BROKEN, Session, WHOLE, plain, report, uid};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const STUDIES: usize = 7;

/// One thing that happens in a session.
#[derive(Debug, Clone)]
enum Step {
    Found(usize),
    Result(usize, f32),
    Order,
    Filter(&'static str),
    Open(usize),
    Close,
    Defer,
    Undo,
    Stat,
    Elsewhere(Option<usize>),
    /// A key that opens the next study; results of these studies arrive after the screen was drawn and before the key.
    Next(Option<Command>, Vec<(usize, f32)>),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..=STUDIES;
    let result = (number.clone(), 0.0_f32..1.0);
    let decision = proptest::sample::select(vec![
        None,
        Some(Command::Positive),
        Some(Command::Negative),
        Some(Command::StudyUnreadable),
    ]);
    prop_oneof![
        2 => number.clone().prop_map(Step::Found),
        3 => result.clone().prop_map(|(n, value)| Step::Result(n, value)),
        1 => Just(Step::Order),
        1 => proptest::sample::select(vec!["", "n0", "n03", "state:unread", "is:opened", "none such"])
            .prop_map(Step::Filter),
        2 => number.clone().prop_map(Step::Open),
        1 => Just(Step::Close),
        1 => Just(Step::Defer),
        1 => Just(Step::Undo),
        1 => Just(Step::Stat),
        1 => proptest::option::of(number).prop_map(Step::Elsewhere),
        6 => (decision, proptest::collection::vec(result, 0..3)).prop_map(|(key, late)| Step::Next(key, late)),
    ]
}

struct Desk {
    session: Session,
    entries: i64,
}

impl Desk {
    /// What was to be kept is on disk.
    fn keep(&mut self) {
        let records: Vec<(Token, Draft)> = self
            .session
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Record(Record::Decision { token, draft }) => Some((*token, draft.clone())),
                _ => None,
            })
            .collect();
        for (token, draft) in records {
            self.entries += 1;
            let at = Stamp { utc_ms: self.entries * 1000, offset_minutes: 0 };
            let entry = LogEntry { id: EntryId(self.entries), who: CleanText::new("lm"), at, draft };
            self.session.send(Message::Recorded(Recorded::Decision { token, entry }));
        }
    }

    fn open(&self) -> Option<Uid> {
        self.session.model.reading.as_ref().map(|reading| reading.study.uid.clone())
    }

    fn load(&mut self) {
        if self.session.model.reading.as_ref().is_some_and(|reading| reading.volume().is_none()) {
            self.session.loaded();
        }
    }

    /// The name after "next:" in the header; `None` if none is announced.
    fn announced(&self) -> Option<String> {
        let mut terminal = Terminal::new(TestBackend::new(160, 40)).expect("a screen");
        let (theme, keymap) = (Theme::default(), Keymap::builtin());
        let look = Look { theme: &theme, keymap: &keymap };
        terminal.draw(|frame| drop(ui::draw(frame, &self.session.model, look))).expect("a drawn screen");
        let screen = terminal.backend().to_string();
        let header = screen.lines().next().unwrap_or_default().to_owned();
        let name = header.split("next: ").nth(1)?.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        Some(name.trim_matches('"').to_owned())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        let session = &mut self.session;
        match step {
            Step::Found(n) => drop(session.found(plain(n))),
            Step::Result(n, value) => drop(result(session, n, value)),
            Step::Order => {
                self.close();
                self.session.command(Command::Order);
            }
            Step::Filter(text) => {
                self.close();
                self.session.command(Command::Filter);
                self.session.key(PromptKey::Escape).command(Command::Filter).type_text(text).key(PromptKey::Enter);
            }
            Step::Open(n) => {
                self.close();
                self.session.send(Message::Select(uid(n)));
                self.session.command(Command::Open);
                self.load();
            }
            Step::Close => self.close(),
            Step::Defer => {
                self.session.command(Command::Defer);
                if self.session.model.prompt.is_some() {
                    self.session.type_text("later").key(PromptKey::Enter);
                }
                self.keep();
                self.load();
            }
            Step::Undo => {
                self.session.command(Command::Undo);
                self.keep();
                self.load();
            }
            Step::Stat => {
                self.session.command(Command::Stat);
                self.keep();
            }
            Step::Elsewhere(n) => {
                let others = n.map(|n| (uid(n), "kr".to_owned())).into_iter().collect();
                session.send(Message::Remembered(Remembered::OpenElsewhere(others)));
            }
            Step::Next(key, late) => return self.next(key, late),
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.session.model.reading.is_some() {
            self.session.command(Command::Close);
        }
    }

    /// Presses a key that opens the next study, and compares what opens with what the header said.
    fn next(&mut self, key: Option<Command>, late: Vec<(usize, f32)>) -> Result<(), TestCaseError> {
        let Some(before) = self.open() else { return Ok(()) };
        let announced = self.announced();
        // In the same turn of the loop, without a screen drawn between.
        for (n, value) in late.clone() {
            undrawn(&mut self.session, n, value);
        }
        let key_name = key.unwrap_or(Command::NextStudy);
        self.session.command(key_name);
        let mut announced = announced;
        if self.session.model.second_key.is_some() {
            // The screen was drawn with the question: what it announces holds when the second key comes, whatever arrives after it.
            announced = self.announced();
            self.session.command(key_name);
            let effects = std::mem::take(&mut self.session.effects);
            for (n, value) in late {
                result(&mut self.session, n, value);
            }
            self.session.effects = effects;
            self.session.woken();
        }
        self.keep();
        let opened = self.open().and_then(|uid| {
            let entry = self.session.model.worklist.entry(&uid)?;
            Some((uid.clone(), entry.name().to_owned()))
        });
        self.load();
        match (opened, announced) {
            (Some((uid, _)), None) => prop_assert_eq!(uid, before, "nothing was announced"),
            (Some((uid, name)), Some(announced)) if uid != before => prop_assert_eq!(name, announced),
            // The key did nothing: a fractured level, say; or the list is shown, with a reason.
            (Some(_), Some(_)) => prop_assert!(key.is_some() || self.session.model.notice.is_some()),
            (None, _) => prop_assert!(key.is_some() && self.session.model.notice.is_some()),
        }
        Ok(())
    }
}

fn study_of(n: usize) -> Study {
    plain(n)
}

fn event(n: usize, value: f32) -> Message {
    let levels = if value > 0.7 { BROKEN } else { WHOLE };
    let levels = levels.map(|level| level.map(|level| level * value));
    let analysis = cspine::domain::Analysis::Analysed(report(n, 140, levels, Completeness::Final));
    Message::Worker(cspine::inference::WorkerEvent::Finished { study: study_of(n).uid, series: 0, analysis })
}

fn result(session: &mut Session, n: usize, value: f32) -> &mut Session {
    session.send(event(n, value))
}

fn undrawn(session: &mut Session, n: usize, value: f32) {
    cspine::app::update(&mut session.model, event(n, value));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_opens_is_what_was_announced(steps in proptest::collection::vec(step(), 1..60)) {
        let mut session = Session::with_network((160, 40));
        session.model.reader = CleanText::new("lm");
        for n in 1..=4 {
            session.found(plain(n));
        }
        let mut desk = Desk { session, entries: 0 };
        desk.session.scanned(560).command(Command::Open);
        desk.load();
        for step in steps {
            desk.take(step)?;
        }
    }
}

#[test]
fn in_every_order_opened_and_deferred_studies_are_announced_after_the_others() {
    for order in Order::ALL {
        let mut session = Session::with_network((160, 40));
        session.model.reader = CleanText::new("lm");
        for n in 1..=3 {
            session.found(plain(n));
        }
        session.scanned(420);
        while session.model.worklist.order() != order {
            session.command(Command::Order);
        }
        session.send(Message::Select(uid(1))).command(Command::Open);
        let mut desk = Desk { session, entries: 0 };
        desk.load();
        let mut seen = vec![uid(1)];
        // Twice round the list: opened studies come again.
        for _ in 0..5 {
            let announced = desk.announced().expect("a next study");
            desk.session.command(Command::NextStudy);
            desk.load();
            let open = desk.open().expect("an open study");
            assert_eq!(desk.session.model.worklist.entry(&open).map(|entry| entry.name().to_owned()), Some(announced));
            seen.push(open);
        }
        seen[..3].sort();
        assert_eq!(seen[..3], [1, 2, 3].map(uid), "{order:?}: every study once before one comes again");
        assert_ne!(seen[3], seen[4], "{order:?}");
    }
}
