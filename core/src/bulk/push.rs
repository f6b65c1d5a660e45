//! Items in, and out again before they are sent.

use super::machine::View;
use super::slots::State;
use super::{Cancelled, Refused, Slot, Ticket};
use crate::command::{AnyRequest, Effect};
use crate::conn::Failure;
use crate::error::Misuse;
use crate::resp::{Encoded, Encoder};
use crate::time::{Duration, Instant};

impl View<'_> {
    pub(super) fn push(
        &mut self,
        now: Instant,
        request: &dyn AnyRequest,
        safe: bool,
    ) -> Result<Ticket, Refused> {
        self.core.tick(now);
        let pushed = self.take(request, safe);
        match pushed {
            Ok(_) => self.core.stats.items = self.core.stats.items.wrapping_add(1),
            Err(_) => self.core.stats.refused = self.core.stats.refused.wrapping_add(1),
        }
        // What is full must be emptied: nobody may wait for more items.
        if matches!(pushed, Err(Refused::Items | Refused::Bytes)) {
            self.core.flush = self.core.window.tail;
        }
        pushed
    }

    fn take(&mut self, request: &dyn AnyRequest, safe: bool) -> Result<Ticket, Refused> {
        if self.core.closed {
            return Err(Refused::Closed);
        }
        let row = request.row();
        if row.effect != Effect::None {
            return Err(Refused::Effect);
        }
        if self.core.window.len() as usize >= self.slots.len() {
            return Err(Refused::Items);
        }
        let (start, len) = self.write(request)?;
        let slot = Slot { row, start, len, safe, state: State::Queued, ..Slot::EMPTY };
        let number = self.core.window.push(slot, self.slots).ok_or(Refused::Items)?;
        self.core.ring.take(start as usize, len as usize);
        self.core.stats.bytes = self.core.stats.bytes.wrapping_add(len as usize);
        self.core.queue(len);
        let interval = self.core.config.flush_interval;
        if self.core.flush_at == Instant::MAX && interval > Duration::ZERO {
            self.core.flush_at = self.core.now.saturating_add(interval);
        }
        Ok(Ticket(number))
    }

    /// Writes a request where there is room for it; where it starts, and how long it is.
    fn write(&mut self, request: &dyn AnyRequest) -> Result<(u32, u32), Refused> {
        let memory = self.bytes.len().min(u32::MAX as usize);
        let (behind, end) = self.core.ring.behind(memory);
        let written = encode(request, self.bytes.get_mut(behind..end))?;
        let len = written.len();
        if len > memory {
            return Err(Refused::TooLarge);
        }
        let start = self.core.ring.room(memory, len).ok_or(Refused::Bytes)?;
        if start != behind {
            let again = encode(request, self.bytes.get_mut(start..start.saturating_add(len)))?;
            if again.len() != len {
                return Err(Misuse::Inconsistent.into());
            }
        }
        Ok((start as u32, len as u32))
    }

    pub(super) fn cancel(&mut self, ticket: Ticket) -> Option<Cancelled> {
        let slot = self.core.window.get_mut(ticket.0, self.slots).filter(|slot| !slot.unwanted)?;
        let cancelled = match slot.state {
            State::Done => return None,
            State::Sent => Cancelled::Sent,
            State::Queued if slot.attempts > 0 => Cancelled::Sent,
            State::Queued => Cancelled::Dropped,
            _ => Cancelled::Resolved,
        };
        slot.unwanted = true;
        self.core.stats.dropped = self.core.stats.dropped.wrapping_add(1);
        if slot.state == State::Queued {
            slot.state = State::Done;
            let len = slot.len;
            self.unqueue(len);
            self.free();
        }
        Some(cancelled)
    }

    pub(super) fn give_up(&mut self, now: Instant) {
        self.core.tick(now);
        while let Some(len) = self.core.window.get(self.core.next, self.slots).map(|slot| slot.len) {
            self.resolve(self.core.next, State::Failed(Failure::NotSent));
            self.unqueue(len);
        }
    }

    /// An item of `len` bytes is not queued any more.
    pub(super) fn unqueue(&mut self, len: u32) {
        self.core.stats.queued = self.core.stats.queued.wrapping_sub(1);
        self.core.queued_bytes = self.core.queued_bytes.saturating_sub(len as usize);
        self.skip();
    }

    /// Steps to the first item that is queued.
    pub(super) fn skip(&mut self) {
        if self.core.stats.queued == 0 {
            self.core.next = self.core.window.tail;
            self.core.flush_at = Instant::MAX;
            self.core.held = false;
            return;
        }
        let (window, slots) = (self.core.window, &*self.slots);
        while window.get(self.core.next, slots).is_some_and(|slot| slot.state != State::Queued) {
            self.core.next = self.core.next.wrapping_add(1);
        }
    }

    /// Gives back the slots and bytes of the oldest items, as far as they are done.
    pub(super) fn free(&mut self) {
        loop {
            let head = self.core.window.head;
            let Some(len) = self.core.window.free(self.slots) else { return };
            // These never fall behind.
            for mark in [&mut self.core.next, &mut self.core.flush] {
                if *mark == head {
                    *mark = self.core.window.head;
                }
            }
            self.core.ring.release(len as usize);
            self.core.stats.bytes = self.core.stats.bytes.wrapping_sub(len as usize);
        }
    }
}

/// Writes or measures a request that can be kept as bytes.
fn encode(request: &dyn AnyRequest, room: Option<&mut [u8]>) -> Result<Encoded, Misuse> {
    let mut encoder = Encoder::new(room.unwrap_or_default());
    let in_parts = request.encode(&mut encoder).is_some();
    let encoded = encoder.finish();
    match encoded {
        _ if encoded.is_empty() => Err(Misuse::Empty),
        _ if in_parts || encoded.later_arg().is_some() => Err(Misuse::Streamed),
        _ => Ok(encoded),
    }
}
