//! Room for what is read, and what becomes of its memory.

use super::close::Reason;
use super::connection::Connection;
#[cfg(feature = "alloc")]
use crate::buffer::Growing;
use crate::buffer::Storage;

/// Of a reply that is a string of so many bytes no more is read than it has: its memory can be given away then.
const LONG: usize = 64 << 10;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// Room for the next read, at least one byte. `None` if the connection is over, or if events
    /// wait: poll them first.
    ///
    /// A reply that does not fit is skipped from here on, in constant memory, and its request fails
    /// with `TooLarge`; one that is told in parts always fits into 32 bytes, unless it has a double of more
    /// than 28 characters, which no server sends.
    #[must_use = "an answer of None asks for poll_event"]
    pub fn recv_space(&mut self) -> Option<&mut [u8]> {
        if self.is_closed() || self.lent.answers.is_some() {
            return None;
        }
        self.release();
        let mut missing = self.missing();
        // Borrowed twice because a borrow that is returned from one branch lasts for all of them.
        if self.receive.space_for(missing).is_none() {
            if !self.drained {
                return None;
            }
            let settled = self.scanner.settled();
            if settled == 0 {
                self.fail(Reason::WindowTooSmall);
                return None;
            }
            self.receive.consume(settled);
            self.scanner.forget();
            self.skipping = true;
            missing = self.missing();
        }
        self.receive.space_for(missing)
    }

    /// [`recv_space`](Self::recv_space) and [`poll_transmit`](Self::poll_transmit) at once, for a
    /// driver that has a read and a write under way at the same time.
    #[must_use = "the bytes are to be written, then handle_transmitted called"]
    pub fn windows(&mut self) -> (Option<&mut [u8]>, &[u8]) {
        let has_space = self.recv_space().is_some();
        let missing = self.missing();
        let bytes = if self.is_mute() { &[] } else { self.transmit.ready() };
        (if has_space { self.receive.space_for(missing) } else { None }, bytes)
    }

    /// How many bytes are still to come of what has begun, if that is known and long.
    #[inline]
    fn missing(&self) -> Option<usize> {
        // Memory that does not grow is nobody else's.
        let may_be_long = S::RESTS && self.scanner.is_in_payload();
        if may_be_long { self.scanner.missing(self.receive.unread().len(), LONG) } else { None }
    }
}

#[cfg(feature = "alloc")]
impl<const IN_FLIGHT: usize> Connection<Growing, IN_FLIGHT> {
    /// The bytes of the answer or push that the last event lent, without a copy: their memory is given away for other memory.
    /// Where they are in it, for [`Reply::parsed`](crate::resp::Reply::parsed); `None`, and nothing has changed, if so much has
    /// come behind them that a copy is better. Behind that [`lent`](Self::lent) means nothing.
    pub fn take_lent(&mut self, memory: &mut alloc::vec::Vec<u8>) -> Option<core::ops::Range<usize>> {
        if self.lent.len == 0 || self.lent.answers.is_some() {
            return None;
        }
        let taken = self.receive.exchange(self.lent.len, memory)?;
        self.lent.len = 0;
        Some(taken)
    }
}
