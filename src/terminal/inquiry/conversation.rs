//! The questions to the terminal and its answers, in rounds. Pure: bytes go out, answers and the time come in.
//!
//! A round begins with the program, and again when another terminal may be there. Answers come in the order of the questions, so
//! that the last question of a round (device attributes, which every terminal answers) tells which round an answer belongs to;
//! only those about graphics, which may come from a terminal beyond tmux, carry the round's own number.

use super::super::answers::Answers;
use super::super::event::Reply;
use super::super::kitty::query_image;
use super::super::surroundings::{LAST_QUESTION, Scope, Surroundings};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long the answers are waited for: a loaded machine behind a slow line needs this; only a terminal that answers nothing
/// takes it all.
pub(in crate::terminal) const LIMIT: Duration = Duration::from_millis(800);
/// How long a terminal beyond tmux is waited for, which may have nothing to say.
const BEYOND: Duration = Duration::from_millis(500);
/// After so long without an answer the terminal beyond tmux is asked again.
const AGAIN: Duration = Duration::from_millis(60);
/// A question without an answer for so long has been lost.
const LOST: Duration = Duration::from_secs(10);

/// What a step led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// To be written to the terminal.
    pub(super) questions: Vec<u8>,
    /// What is known has changed, or a round has ended.
    pub(super) news: bool,
}

/// One round.
#[derive(Debug)]
struct Round {
    number: u32,
    scope: Scope,
    begun: Instant,
    /// When the question about graphics was last written.
    graphics_asked: Option<Instant>,
    answers: Answers,
    /// What answered questions of earlier rounds meanwhile.
    earlier: Answers,
    /// Given up without any answer: what is known of the round before stands in for it.
    is_borrowed: bool,
}

/// All rounds.
#[derive(Debug)]
pub(super) struct Conversation {
    round: Round,
    settled: bool,
    /// What is known: of the round before, until this one has ended.
    known: Answers,
    surroundings: Surroundings,
    /// Rounds whose last question is not answered yet, the oldest first.
    open: VecDeque<(u32, Instant)>,
}

impl Conversation {
    /// Before the first round, which [`Conversation::begin`] begins.
    pub(super) fn new(now: Instant) -> Self {
        let answers = Answers::default();
        let round = Round {
            number: 0,
            scope: Scope::ALL,
            begun: now,
            graphics_asked: None,
            answers: answers.clone(),
            earlier: answers.clone(),
            is_borrowed: false,
        };
        Self { round, settled: true, known: answers, surroundings: Surroundings::default(), open: VecDeque::new() }
    }

    /// What is known.
    pub(super) fn known(&self) -> &Answers {
        &self.known
    }

    /// The surroundings of the round.
    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Whether no round has begun.
    pub(super) fn is_first(&self) -> bool {
        self.round.number == 0
    }

    /// Whether nothing more is to be expected.
    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// Begins a round. The first questions of the program were written before this is called, hence nothing but what follows them.
    pub(super) fn begin(&mut self, surroundings: Surroundings, scope: Scope, now: Instant) -> Outcome {
        let number = self.round.number + 1;
        let mut answers = Answers::default();
        if !scope.width {
            answers.keep_width(&self.known);
        }
        if (!scope.beyond || !surroundings.tmux.has_focus()) && surroundings.is_tmux(&self.known) {
            answers.keep_graphics(&self.known);
        }
        self.open.retain(|(_, asked)| now.saturating_duration_since(*asked) < LOST);
        self.open.push_back((number, now));
        let earlier = Answers::default();
        self.round = Round { number, scope, begun: now, graphics_asked: None, answers, earlier, is_borrowed: false };
        self.settled = false;
        self.surroundings = surroundings;
        let mut questions = if number == 1 { Vec::new() } else { self.surroundings.questions(scope) };
        if self.surroundings.may_ask_graphics_at_once() {
            // It goes before the last question, whose answer then stands for both.
            self.round.graphics_asked = Some(now);
            if number > 1 {
                questions.splice(0..0, self.surroundings.graphics_question(number));
            }
        } else if self.asks_beyond() {
            questions.extend(self.ask_graphics(now));
        }
        Outcome { questions, news: false }
    }

    /// Whether the terminal beyond tmux is asked in this round.
    fn asks_beyond(&self) -> bool {
        self.round.scope.beyond && self.surroundings.can_reach_beyond(&self.round.answers)
    }

    fn ask_graphics(&mut self, now: Instant) -> Vec<u8> {
        self.round.graphics_asked = Some(now);
        self.surroundings.graphics_question(self.round.number)
    }

    /// The question about graphics, after the answers to all others. A last question of its own tells when it is left without
    /// an answer.
    fn ask_graphics_last(&mut self, now: Instant) -> Vec<u8> {
        let mut questions = self.ask_graphics(now);
        questions.extend_from_slice(LAST_QUESTION);
        self.open.push_back((self.round.number, now));
        self.round.begun = now;
        questions
    }

    /// Takes an answer in.
    pub(super) fn take(&mut self, reply: Reply, now: Instant) -> Outcome {
        if let Reply::Graphics { id, .. } = reply {
            if id != query_image(self.round.number) {
                return Outcome::default();
            }
            let is_news = self.round.answers.take(reply);
            return self.follow(is_news, Vec::new());
        }
        let is_last = matches!(reply, Reply::PrimaryAttributes(_));
        let round = self.open.front().map_or(self.round.number, |(round, _)| *round);
        if is_last {
            self.open.pop_front();
        }
        if round != self.round.number {
            self.round.earlier.take(reply);
            return Outcome::default();
        }
        let is_news = self.round.answers.take(reply);
        if is_last && std::mem::take(&mut self.round.is_borrowed) {
            return self.resume(now);
        }
        let mut questions = Vec::new();
        if is_last && self.round.graphics_asked.is_none() && self.surroundings.may_ask_graphics(&self.round.answers) {
            questions = self.ask_graphics_last(now);
        }
        self.follow(is_news, questions)
    }

    /// A terminal answers after all, perhaps another one than before: whether it shows graphics is asked again.
    fn resume(&mut self, now: Instant) -> Outcome {
        let beyond = self.asks_beyond();
        if !beyond && !self.surroundings.may_ask_graphics(&self.round.answers) {
            return self.follow(true, Vec::new());
        }
        self.round.answers.graphics = None;
        self.round.begun = now;
        self.settled = false;
        let questions = if beyond { self.ask_graphics(now) } else { self.ask_graphics_last(now) };
        Outcome { questions, news: false }
    }

    fn follow(&mut self, is_news: bool, questions: Vec<u8>) -> Outcome {
        if self.settled {
            if is_news {
                self.known = self.round.answers.clone();
            }
            return Outcome { questions, news: is_news };
        }
        let complete = self.is_complete();
        if complete {
            self.settle();
        }
        Outcome { questions, news: complete }
    }

    fn is_complete(&self) -> bool {
        let answers = &self.round.answers;
        let waits = if self.asks_beyond() {
            self.round.graphics_asked.is_some() && !answers.has_graphics()
        } else {
            self.open.iter().any(|(round, _)| *round == self.round.number)
        };
        answers.is_answered() && !waits
    }

    /// When [`Conversation::tick`] is to be called next; `None` where nothing is waited for.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.settled {
            return None;
        }
        let limit = self.limit();
        let again = self.round.graphics_asked.filter(|_| self.asks_beyond()).map(|asked| asked + AGAIN);
        Some(again.map_or(limit, |again| again.min(limit)))
    }

    fn limit(&self) -> Instant {
        let beyond = self.round.answers.is_answered() && self.asks_beyond();
        self.round.begun + if beyond { BEYOND } else { LIMIT }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) -> Outcome {
        if self.settled || self.deadline().is_some_and(|deadline| now < deadline) {
            return Outcome::default();
        }
        if now >= self.limit() {
            return self.give_up(now);
        }
        // While it draws its panes anew tmux passes nothing through, and says nothing of it.
        Outcome { questions: self.ask_graphics(now), news: false }
    }

    /// Goes on without the answers that have not come.
    fn give_up(&mut self, now: Instant) -> Outcome {
        if !self.round.answers.is_answered() {
            // What came for an earlier round is still what this terminal says; without any answer nothing was learned.
            let is_earlier = self.round.earlier.is_answered();
            self.round.answers.complete_from(if is_earlier { &self.round.earlier } else { &self.known });
            self.round.is_borrowed = !is_earlier;
            if is_earlier
                && self.round.graphics_asked.is_none()
                && self.surroundings.may_ask_graphics(&self.round.answers)
            {
                // The questions before it were lost, and so are their answers.
                self.open.clear();
                return Outcome { questions: self.ask_graphics_last(now), news: false };
            }
        }
        // Whatever comes now is taken for this round's.
        self.open.retain(|(round, _)| *round == self.round.number);
        self.settle();
        Outcome { questions: Vec::new(), news: true }
    }

    /// Ends the round with what is there.
    fn settle(&mut self) {
        self.settled = true;
        self.known = self.round.answers.clone();
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
