//! What the update asks for is done here.

use super::Program;
use crate::app::{Effect, Message};
use crate::domain::SensitiveText;
use crate::runtime::{Ending, export};

impl Program {
    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Queue(jobs) => {
                if let Some(worker) = &self.worker {
                    worker.set_queue(jobs);
                }
            }
            Effect::Load(study, series, first) => self.loader.load(study, series, first),
            Effect::LoadBeside(study, series) => self.loader.load_beside(study, series),
            Effect::Prefetch(study, series) => self.loader.prefetch(study, series),
            Effect::Record(record) => self.keeper.record(record),
            Effect::Claim(study) => self.keeper.claim(study),
            Effect::List(listed, folder) => self.indexer.study(listed, folder),
            Effect::Unlist(study) => self.indexer.gone(study),
            Effect::Find(study) => self.indexer.find(study),
            Effect::Alert(text) => self.terminal.alert(self.alert, &text),
            Effect::Export { folder, volume, pictures, elsewhere } => {
                export::start((folder, elsewhere), volume, pictures, self.sender.clone());
            }
            Effect::Wake(serial, delay) => self.timers.wake(serial, delay),
            Effect::Cine(period) => self.timers.cine(period),
            Effect::Quality(quality) => self.terminal.tune(quality, self.configured.bandwidth()),
            Effect::NextTheme => {
                let name = self.themes.next();
                self.take(Message::ThemeChanged(name));
            }
            Effect::Suspend => {
                if let Err(error) = self.terminal.suspend() {
                    self.take(Message::Trouble(SensitiveText::foreign(&error.to_string())));
                }
            }
            Effect::Redraw => self.terminal.ask_and_redraw(),
            Effect::Quit => self.ending = Some(Ending::Quit),
        }
    }
}
