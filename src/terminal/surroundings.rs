//! The program's surroundings, and what can be asked in them without harm.

use super::answers::Answers;
use super::capabilities::Multiplexer;
use super::environment::Environment;
use super::event::Reply;
use super::kitty::{Commands, query_image};
use super::tmux::Tmux;

/// The question that every terminal answers: device attributes.
pub(super) const LAST_QUESTION: &[u8] = b"\x1b[c";
/// Where a character is written to learn how wide it is; fences ask from the second row.
pub(super) const WIDTH_ROW: u16 = 4;
/// U+00E4, of two bytes. Without UTF-8 they are two characters: in Latin-1 and its kin both can be seen. In no locale is it wide.
const WIDTH_QUESTION: &[u8] = b"\x1b[4;1H\xc3\xa4\x1b[6n\x1b[4;1H\x1b[K\x1b[H";
/// Device attributes of a VT100 and a VT102, as tmux, screen and the Linux console give them: such a terminal shows no graphics of
/// kitty's, and may make something else of the question.
const OLD: [u16; 2] = [1, 6];

/// What a round asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    /// The terminal beyond tmux, too: its answers go to the pane that has the focus.
    pub(super) beyond: bool,
    /// How wide a character is, which is written to the screen for that.
    pub(super) width: bool,
}

impl Scope {
    /// Everything, on a screen that is not drawn yet or will be drawn again.
    pub(super) const ALL: Self = Self { beyond: true, width: true };
}

/// Environment and multiplexer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    pub(super) environment: Environment,
    /// What tmux says, if it is there.
    pub(super) tmux: Tmux,
}

/// Whether an answer is about the width of a character, and not about a fence.
pub(super) fn is_about_width(reply: &Reply) -> bool {
    matches!(reply, Reply::CursorPosition { row: WIDTH_ROW, .. })
}

impl Surroundings {
    /// As they are now: asks tmux, which takes some milliseconds.
    pub(super) fn look(environment: Environment) -> Self {
        let is_tmux = environment.multiplexer == Some(Multiplexer::Tmux) && environment.has_tmux_socket;
        let tmux = if is_tmux { Tmux::ask() } else { Tmux::default() };
        Self { environment, tmux }
    }

    /// The multiplexer: by its own answer, else by the environment.
    pub(super) fn multiplexer(&self, answers: &Answers) -> Option<Multiplexer> {
        let version = answers.version.as_deref().unwrap_or_default().to_ascii_lowercase();
        let told = [
            ("tmux", Multiplexer::Tmux),
            ("zellij", Multiplexer::Zellij),
            ("libvterm", Multiplexer::Neovim),
            ("nvim", Multiplexer::Neovim),
        ];
        let told = told.into_iter().find(|(name, _)| version.starts_with(name));
        told.map(|(_, multiplexer)| multiplexer).or(self.environment.multiplexer)
    }

    pub(super) fn is_tmux(&self, answers: &Answers) -> bool {
        self.multiplexer(answers) == Some(Multiplexer::Tmux)
    }

    /// The questions with which the program begins, the one that every terminal answers last.
    pub(super) fn first_questions(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.may_ask_graphics_at_once() {
            out = self.graphics_question(1);
        }
        out.extend(self.questions(Scope::ALL));
        out
    }

    /// The questions that no terminal takes for anything else, the one that every terminal answers last.
    pub(super) fn questions(&self, scope: Scope) -> Vec<u8> {
        let mut out = Vec::new();
        if scope.width {
            out.extend_from_slice(WIDTH_QUESTION);
        }
        out.extend_from_slice(b"\x1b[?u\x1b[>q\x1b[16t\x1b[14t\x1b[?1;1;0S");
        out.extend_from_slice(LAST_QUESTION);
        out
    }

    /// The question about kitty's protocol alone. tmux and screen make a title of it unless it is wrapped.
    pub(super) fn graphics_question(&self, round: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let pane = (self.environment.multiplexer == Some(Multiplexer::Tmux)).then_some((0, 0));
        Commands { pane, is_quiet: false }.query(query_image(round), &mut out);
        out
    }

    /// Whether the question about graphics needs no answer before it: it saves a round trip.
    pub(super) fn may_ask_graphics_at_once(&self) -> bool {
        self.environment.names_kitty_graphics()
    }

    /// Whether the question about graphics harms nobody in a terminal of these answers.
    pub(super) fn may_ask_graphics(&self, answers: &Answers) -> bool {
        let class = answers.attributes.as_deref().and_then(<[u16]>::first);
        self.multiplexer(answers).is_none() && class.is_some_and(|class| !OLD.contains(class))
    }

    /// Whether the question about graphics reaches the terminal beyond tmux, and nothing else.
    pub(super) fn can_reach_beyond(&self, answers: &Answers) -> bool {
        self.is_tmux(answers) && self.environment.has_tmux_socket && self.tmux.can_reach_beyond()
    }
}
