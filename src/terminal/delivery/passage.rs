//! The way through tmux: where its pane lies on the terminal, whether it is seen, and who gets the terminal's answers.
//!
//! tmux draws the panes, but the images lie on the terminal outside, at places that only that terminal knows. So before an
//! image is sent through tmux the pane is looked at, and whatever happens to the pane, the images follow it or go. The
//! terminal's answers are keys to tmux: it gives them to the pane that has the focus, whichever asked. Without the focus
//! nothing is sent that has an answer.

use super::{Delivery, Event, Protocol, Step, TextFrame};
use crate::terminal::kitty::Commands;
use std::time::{Duration, Instant};

/// What is known of the pane is good for so long; then it is looked at again before something is sent.
const FRESH: Duration = Duration::from_millis(100);
/// The shortest time between two images of which the terminal tells nothing: nothing else keeps a slow link from filling up.
const QUIET_REST: Duration = Duration::from_millis(500);
/// After its panes have changed tmux redraws them, and lets nothing through meanwhile, without a word.
const REDRAWING: Duration = Duration::from_millis(200);

/// tmux's pane, as it was when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::terminal) struct Pane {
    /// The terminal's column of the pane's first one, from 0.
    pub(in crate::terminal) left: u16,
    /// The terminal's row of the pane's first one, from 0.
    pub(in crate::terminal) top: u16,
    /// Whether a terminal shows the pane, all of it, and nothing over it.
    pub(in crate::terminal) is_visible: bool,
    /// Whether keys, and with them the terminal's answers, come to this pane.
    pub(in crate::terminal) has_focus: bool,
}

/// What is known of an image that was sent to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// The terminal was free to answer that it does not show it.
    Verified,
    /// Sent without answers, once. tmux may have let nothing through.
    Once,
    /// Sent without answers, and once more for certainty.
    Twice,
}

impl Certainty {
    /// Of an image that is sent now, after what was known of it before.
    pub(super) fn of(is_quiet: bool, before: Option<Self>) -> Self {
        match (is_quiet, before) {
            (false, _) => Self::Verified,
            (true, Some(Self::Once)) => Self::Twice,
            (true, _) => Self::Once,
        }
    }

    /// Whether the image need not be sent again.
    pub(super) fn is_enough(self, is_quiet: bool) -> bool {
        match self {
            Self::Verified => true,
            Self::Once => false,
            // With answers there is certainty.
            Self::Twice => is_quiet,
        }
    }
}

impl Delivery {
    /// The commands for the way as it is now.
    pub(super) fn commands(&self) -> Commands {
        if !self.manner.through_tmux {
            return Commands::DIRECT;
        }
        let pane = self.pane.map(|(pane, _)| pane).unwrap_or_default();
        Commands { pane: Some((pane.left, pane.top)), is_quiet: !pane.has_focus }
    }

    /// Whether images cannot be shown now: another window or pane, a menu or a mode of tmux is in their place.
    pub(super) fn is_hidden(&self) -> bool {
        self.manner.through_tmux && self.pane.is_some_and(|(pane, _)| !pane.is_visible)
    }

    /// Whether the terminal is to give no answers.
    pub(super) fn is_quiet(&self) -> bool {
        self.commands().is_quiet
    }

    /// Whether nothing is to be sent just now.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// An image was sent without answers.
    pub(super) fn rest(&mut self, now: Instant) {
        self.rests_until = Some(now + QUIET_REST);
    }

    /// When that rest ends, if it is to come.
    pub(in crate::terminal) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.rests_until.filter(|until| *until > now)
    }

    /// What to do before an image is sent: nothing, or to find out where tmux's pane is.
    pub(super) fn look(&mut self, now: Instant) -> Option<Step> {
        let known = |(_, at): (Pane, Instant)| now.saturating_duration_since(at) <= FRESH;
        if !self.manner.through_tmux || (!self.is_pane_doubtful && self.pane.is_some_and(known)) {
            return None;
        }
        // Asked for once; the answer wakes the writer.
        Some(if std::mem::replace(&mut self.is_looking, true) { Step::Wait } else { Step::Look })
    }

    /// The pane has another size: others may have come beside it, and have the keys.
    pub(in crate::terminal) fn doubt_pane(&mut self) {
        self.is_pane_doubtful = true;
    }

    /// Takes away what a killed program left on the screen, once, before anything of ours is there; `None` if that is done.
    pub(super) fn sweep(&mut self, frame: &TextFrame, now: Instant) -> Option<Step> {
        if self.is_swept || self.manner.protocol != Protocol::Kitty {
            return None;
        }
        if let Some(step) = self.look(now) {
            return Some(step);
        }
        self.is_swept = true;
        let mut out = Vec::new();
        self.commands().sweep(frame.buffer.area.width, frame.buffer.area.height, &mut out);
        Some(Step::Send(out))
    }

    /// The pane as it is now, `None` if tmux does not say. Images that lie where the pane no longer is are taken away with the
    /// bytes that come back. They are for the terminal outside, past tmux: while it redraws its panes it lets nothing through.
    pub(in crate::terminal) fn set_pane(&mut self, pane: Option<Pane>, now: Instant, told: &mut Vec<Event>) -> Vec<u8> {
        let before = self.pane.map(|(pane, _)| pane).unwrap_or_default();
        // A pane of which nothing is known is not seen.
        let after = pane.unwrap_or_default();
        (self.is_looking, self.is_pane_doubtful) = (false, false);
        self.pane = Some((after, now));
        let mut outside = Vec::new();
        if !self.manner.through_tmux || self.manner.protocol != Protocol::Kitty || after == before {
            return outside;
        }
        if before.has_focus && !after.has_focus && !self.has_more() {
            // Its answer, if there is one yet to come, goes to another program.
            for shown in self.shown.values_mut() {
                let flying = self.flight.as_ref().and_then(|flight| flight.image);
                if flying.is_some() && shown.image == flying {
                    shown.certainty = Certainty::Once;
                }
            }
            told.extend(self.land(now));
        }
        if (before.is_visible, before.left, before.top) != (after.is_visible, after.left, after.top) {
            self.rests_until = self.rests_until.max(Some(now + REDRAWING));
            // Whoever was there before may have left something.
            self.is_swept = false;
        }
        let moved = (before.left, before.top) != (after.left, after.top);
        if before.is_visible && (!after.is_visible || moved) {
            // Through tmux an image goes in one piece: one of which something is left was not begun.
            let waiting = self.flight.take().filter(|flight| !flight.rest.is_empty());
            if let Some((id, _)) = waiting.and_then(|flight| flight.image) {
                self.images.forget(id);
            }
            for (id, placement) in std::mem::take(&mut self.shown).into_values().flat_map(|shown| shown.placements()) {
                Commands::DIRECT.unplace(id, placement, &mut outside);
            }
        }
        outside
    }
}
