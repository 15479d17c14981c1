//! Rounds of questions to terminals whose answers and delays are ours.

use super::super::super::environment::Environment;
use super::super::super::event::Input;
use super::super::super::parser::Parser;
use super::super::super::tmux::Tmux;
use super::*;
use proptest::prelude::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A terminal as it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answering {
    /// Nothing: nobody is attached, or the line is down.
    Nobody,
    Kitty,
    Xterm,
    /// tmux with its passthrough on; the terminal beyond, which may be kitty, takes longer.
    Tmux {
        kitty: bool,
    },
}

impl Answering {
    /// Answers with the time after which each is given, in the order of the questions.
    fn answers(self, questions: &str) -> Vec<(Duration, String)> {
        let mut answers = Vec::new();
        let (mut rest, mut beyond) = (questions, Vec::new());
        let ok = |keys: &str| {
            let id = keys.split_once("i=").and_then(|(_, id)| id.split_once(',')).map_or("", |(id, _)| id);
            format!("\x1b_Gi={id};OK\x1b\\")
        };
        while !rest.is_empty() {
            let mut answer = None;
            let end = if let Some(wrapped) = rest.strip_prefix("\x1bPtmux;") {
                let end = wrapped.find("AAAA").expect("a question") + "AAAA\x1b\x1b\\\x1b\\".len();
                if self == (Self::Tmux { kitty: true }) {
                    beyond.push((ms(20), ok(&wrapped[..end])));
                }
                assert!(matches!(self, Self::Tmux { .. } | Self::Nobody), "a title in {self:?}: {wrapped:?}");
                "\x1bPtmux;".len() + end
            } else if let Some(asked) = rest.strip_prefix("\x1b_G") {
                let end = asked.find("\x1b\\").expect("an end") + 2;
                assert!(!matches!(self, Self::Tmux { .. }), "a title in {self:?}: {asked:?}");
                answer = (self == Self::Kitty).then(|| ok(&asked[..end]));
                3 + end
            } else if let Some(asked) = rest.strip_prefix("\x1b[") {
                let end = asked.find(|c: char| ('@'..='~').contains(&c)).expect("a final byte") + 1;
                answer = match (&asked[..end], self) {
                    ("c", Self::Kitty) => Some("\x1b[?62;c"),
                    ("c", Self::Xterm) => Some("\x1b[?63;1;2;4c"),
                    ("c", Self::Tmux { .. }) => Some("\x1b[?1;2c"),
                    (">q", Self::Kitty) => Some("\x1bP>|kitty(0.35)\x1b\\"),
                    (">q", Self::Xterm) => Some("\x1bP>|XTerm(379)\x1b\\"),
                    (">q", Self::Tmux { .. }) => Some("\x1bP>|tmux 3.4\x1b\\"),
                    ("6n", _) => Some("\x1b[4;2R"),
                    _ => None,
                }
                .map(str::to_owned);
                2 + end
            } else {
                rest.chars().next().map_or(1, char::len_utf8)
            };
            rest = &rest[end..];
            answers.extend(answer.filter(|_| self != Self::Nobody).map(|answer| (Duration::ZERO, answer)));
        }
        answers.extend(beyond);
        answers
    }

    fn surroundings(self) -> Surroundings {
        match self {
            Self::Tmux { .. } => Surroundings { environment: Environment::in_tmux(), tmux: Tmux::passing() },
            Self::Nobody | Self::Kitty | Self::Xterm => Surroundings::default(),
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Nobody => "",
            Self::Kitty => "kitty(0.35)",
            Self::Xterm => "XTerm(379)",
            Self::Tmux { .. } => "tmux 3.4",
        }
    }
}

/// A line with a delay, a terminal at its end, and the clock.
struct Line {
    conversation: Conversation,
    terminal: Answering,
    delay: Duration,
    now: Instant,
    coming: Vec<(Instant, Reply)>,
    news: usize,
}

impl Line {
    fn open(terminal: Answering, delay: Duration) -> Self {
        let now = Instant::now();
        let mut line = Self { conversation: Conversation::new(now), terminal, delay, now, coming: Vec::new(), news: 0 };
        line.ask(&terminal.surroundings().first_questions());
        line.begin(Scope::ALL);
        line
    }

    fn begin(&mut self, scope: Scope) {
        let outcome = self.conversation.begin(self.terminal.surroundings(), scope, self.now);
        self.follow(outcome);
    }

    fn ask(&mut self, questions: &[u8]) {
        let text = String::from_utf8_lossy(questions).into_owned();
        for (after, answer) in self.terminal.answers(&text) {
            let mut found = Vec::new();
            Parser::new().feed(answer.as_bytes(), &mut found);
            let Some(Input::Reply(reply)) = found.pop() else { panic!("no answer: {answer:?}") };
            // Nothing overtakes what was sent before, but what comes from beyond tmux comes later.
            let at = self.now + self.delay + after;
            let at = if after.is_zero() { self.coming.iter().map(|(at, _)| *at).fold(at, Instant::max) } else { at };
            self.coming.push((at, reply));
        }
        self.coming.sort_by_key(|(at, _)| *at);
    }

    fn follow(&mut self, outcome: Outcome) {
        self.news += usize::from(outcome.news);
        self.ask(&outcome.questions);
    }

    /// Lets time pass.
    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = self.coming.first().map(|(at, _)| *at).into_iter().chain(self.conversation.deadline()).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            let outcome = if self.coming.first().is_some_and(|(at, _)| *at <= self.now) {
                let (_, reply) = self.coming.remove(0);
                self.conversation.take(reply, self.now)
            } else {
                self.conversation.tick(self.now)
            };
            self.follow(outcome);
        }
        self.now = end;
    }

    fn seen(&self) -> (String, bool) {
        let known = self.conversation.known();
        (known.version.clone().unwrap_or_default(), known.graphics == Some(true))
    }
}

fn wanted(terminal: Answering) -> (String, bool) {
    let shows = matches!(terminal, Answering::Kitty | Answering::Tmux { kitty: true });
    (terminal.version().to_owned(), shows)
}

#[test]
fn each_terminal_is_known_after_one_round() {
    for terminal in
        [Answering::Kitty, Answering::Xterm, Answering::Tmux { kitty: true }, Answering::Tmux { kitty: false }]
    {
        let mut line = Line::open(terminal, ms(40));
        line.run_for(ms(1_000));
        assert!(line.conversation.is_settled());
        assert_eq!(line.seen(), wanted(terminal), "{terminal:?}");
        assert_eq!(line.conversation.known().width, Some(1));
    }
}

#[test]
fn detached_from_kitty_and_attached_in_xterm_and_back() {
    let (kitty, xterm) = (Answering::Tmux { kitty: true }, Answering::Tmux { kitty: false });
    let mut line = Line::open(kitty, ms(5));
    line.run_for(ms(1_000));
    for terminal in [xterm, kitty, xterm] {
        line.terminal = terminal;
        line.begin(Scope { beyond: true, width: false });
        assert!(line.conversation.known().version.is_some(), "until it has answered the earlier answers count");
        line.run_for(ms(1_000));
        assert_eq!(line.seen(), wanted(terminal), "{terminal:?}");
        assert_eq!(line.conversation.known().width, Some(1), "what was not asked stays");
    }
}

#[test]
fn without_focus_the_terminal_beyond_tmux_is_not_asked_and_what_it_said_counts() {
    let mut line = Line::open(Answering::Tmux { kitty: true }, ms(5));
    line.run_for(ms(1_000));
    let surroundings = line.terminal.surroundings();
    let outcome = line.conversation.begin(surroundings, Scope { beyond: false, width: false }, line.now);
    assert!(!String::from_utf8_lossy(&outcome.questions).contains("tmux;"));
    line.follow(outcome);
    line.run_for(ms(1_000));
    assert!(line.conversation.is_settled());
    assert_eq!(line.seen(), wanted(line.terminal));
}

#[test]
fn a_round_without_any_answer_teaches_nothing() {
    let mut line = Line::open(Answering::Kitty, ms(5));
    line.run_for(ms(1_000));
    line.terminal = Answering::Nobody;
    line.begin(Scope::ALL);
    line.run_for(LIMIT);
    assert!(line.conversation.is_settled());
    assert_eq!(line.seen(), wanted(Answering::Kitty));
}

#[test]
fn a_terminal_that_answers_after_it_was_given_up_is_asked_about_graphics_anew() {
    let (kitty, xterm) = (Answering::Tmux { kitty: true }, Answering::Tmux { kitty: false });
    for (before, after) in [(kitty, xterm), (Answering::Kitty, Answering::Xterm)] {
        let mut line = Line::open(before, ms(5));
        line.run_for(ms(1_000));
        (line.terminal, line.delay) = (after, ms(1_000));
        line.begin(Scope { beyond: true, width: false });
        line.run_for(LIMIT);
        assert_eq!(line.seen(), wanted(before), "until it has answered the earlier answers count");
        line.run_for(ms(3_000));
        assert!(line.conversation.is_settled());
        assert_eq!(line.seen(), wanted(after));
    }
}

#[test]
fn late_answers_to_an_earlier_round_are_not_those_of_this_one() {
    let mut line = Line::open(Answering::Xterm, ms(900));
    line.run_for(ms(850));
    assert!(line.conversation.is_settled(), "given up");
    line.terminal = Answering::Kitty;
    line.begin(Scope::ALL);
    line.conversation.open.push_front((1, line.now));
    line.run_for(ms(100));
    // xterm has answered the first round by now, the second one nobody yet.
    assert!(!line.conversation.is_settled());
    assert_eq!(line.conversation.round.answers, Answers::default());
    assert_eq!(line.conversation.round.graphics_asked, None);
    line.run_for(ms(4_000));
    assert_eq!(line.seen(), wanted(Answering::Kitty));
}

#[test]
fn a_late_answer_about_graphics_of_the_terminal_before_is_not_taken_for_this_one() {
    let mut line = Line::open(Answering::Tmux { kitty: true }, ms(700));
    line.run_for(ms(900));
    line.terminal = Answering::Tmux { kitty: false };
    // kitty's answers are still on their way.
    line.conversation.begin(line.terminal.surroundings(), Scope::ALL, line.now);
    let message = "OK".to_owned();
    let late = Reply::Graphics { id: query_image(1), placement: None, message };
    let outcome = line.conversation.take(late, line.now);
    assert_eq!(outcome, Outcome::default());
    assert_eq!(line.conversation.round.answers.graphics, None);
}

fn terminal() -> impl Strategy<Value = Answering> {
    prop_oneof![Just(Answering::Nobody), Just(Answering::Kitty), Just(Answering::Xterm),]
}

fn in_tmux() -> impl Strategy<Value = Answering> {
    prop_oneof![Just(Answering::Nobody), any::<bool>().prop_map(|kitty| Answering::Tmux { kitty })]
}

proptest! {
    /// Whoever comes and goes, and however late the answers are: in the end the terminal that is there is known.
    #[test]
    fn the_last_terminal_is_known(
        first in terminal(),
        changes in proptest::collection::vec((terminal(), 0_u64..1_500, 0_u64..1_200), 0..5),
        last in terminal().prop_filter("someone", |terminal| *terminal != Answering::Nobody),
        delay in 0_u64..1_500,
    ) {
        let mut line = Line::open(first, ms(delay));
        for (terminal, delay, pause) in changes {
            line.run_for(ms(pause));
            (line.terminal, line.delay) = (terminal, ms(delay));
            line.begin(Scope::ALL);
        }
        line.run_for(ms(3_000));
        (line.terminal, line.delay) = (last, ms(delay));
        line.begin(Scope::ALL);
        line.run_for(ms(6_000));
        prop_assert!(line.conversation.is_settled());
        prop_assert_eq!(line.seen(), wanted(last));
    }

    #[test]
    fn the_last_terminal_around_tmux_is_known(
        first in in_tmux(),
        changes in proptest::collection::vec((in_tmux(), 0_u64..1_500, 0_u64..1_200), 0..5),
        last in any::<bool>(),
        delay in 0_u64..1_500,
    ) {
        let first = if first == Answering::Nobody { Answering::Tmux { kitty: false } } else { first };
        let mut line = Line::open(first, ms(delay));
        for (terminal, delay, pause) in changes {
            line.run_for(ms(pause));
            let surroundings = first.surroundings();
            (line.terminal, line.delay) = (terminal, ms(delay));
            let outcome = line.conversation.begin(surroundings, Scope::ALL, line.now);
            line.follow(outcome);
        }
        line.run_for(ms(3_000));
        (line.terminal, line.delay) = (Answering::Tmux { kitty: last }, ms(delay));
        line.begin(Scope::ALL);
        line.run_for(ms(6_000));
        prop_assert!(line.conversation.is_settled());
        prop_assert_eq!(line.seen(), wanted(line.terminal));
    }
}
