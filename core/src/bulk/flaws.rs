//! What some mistakes of [`flaw`](crate::flaw) take more than a line for.

use super::machine::View;
use super::slots::State;

impl View<'_> {
    /// Puts back what was answered of the batch that an item was in.
    pub(super) fn put_back_batch_of(&mut self, item: usize) {
        let batch = self.core.window.get(item, self.slots).map(|slot| slot.batch);
        let mut number = self.core.window.head;
        while let Some(slot) = self.core.window.get_mut(number, self.slots) {
            if Some(slot.batch) == batch && slot.state == State::Answered {
                slot.state = State::Queued;
                let len = slot.len;
                self.core.queue(len);
            }
            number = number.wrapping_add(1);
        }
    }
}
