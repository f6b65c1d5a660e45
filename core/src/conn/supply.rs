//! Bytes that a request left for later, on their way into the middle of its frame.
//!
//! ```text
//!  submit    [ sent | *3 $3 SET $1 k $100000 | CRLF      | free ]
//!  supply    [ sent | … the first bytes      | CRLF      | free ]     sent as there is room
//!                                            ^ the gate: held until all are supplied
//! ```
//! A driver that has the bytes at hand does without the copy, and writes three parts at once:
//!
//! ```text
//!  submit    [ sent | *3 $3 SET $1 k $100000 | CRLF      | free ]
//!                     head                     tail
//!                                            ^ the gate: here belong the bytes that are lent
//! ```

use super::connection::Connection;
use crate::buffer::Storage;

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// How many bytes of the last request are still to be supplied: of the argument that it left
    /// for [`Later`](crate::command::Later).
    pub const fn owed(&self) -> u64 {
        self.owed
    }

    /// Supplies the next bytes that the last request left for later: as many as are owed and as
    /// there is room for. Says how many were taken. 0, while bytes are owed, asks for
    /// [`handle_transmitted`](Self::handle_transmitted): there is room at the latest when nothing
    /// is left to write. After a deadline
    /// [events](Self::poll_event) come first: nothing is written before them. The transmit buffer does not grow for these bytes.
    ///
    /// Until all are supplied no other request is taken, not even if this one is abandoned. Its
    /// deadline runs meanwhile; [`submit_until`](Self::submit_until) gives it a longer one.
    ///
    /// An error that the server sends before is the request's answer, and ends the connection: the
    /// server will not read the rest. Servers do so if a value is over their limit.
    #[must_use = "what was not taken is to be supplied again"]
    pub fn supply(&mut self, bytes: &[u8]) -> usize {
        let owed = usize::try_from(self.owed).unwrap_or(usize::MAX);
        let n = self.transmit.insert(bytes.get(..owed).unwrap_or(bytes));
        self.submitted = self.submitted.saturating_add(n as u64);
        self.owed = self.owed.saturating_sub(n as u64);
        if n > 0 {
            self.watch_writing();
            if self.owed == 0 {
                self.transmit.release();
            }
        }
        n
    }

    /// [Supplies](Self::supply) all bytes that are owed, and makes room for them. `false`: there is none.
    #[cfg(feature = "alloc")]
    pub(crate) fn supply_all(&mut self, bytes: &[u8]) -> bool {
        let is_all = bytes.len() as u64 == self.owed;
        is_all && self.transmit.reserve(bytes.len()).is_some() && self.supply(bytes) == bytes.len()
    }

    /// [`poll_transmit`](Self::poll_transmit) for a driver that holds the next bytes that are
    /// [owed](Self::owed): what is ready, as many of `bytes` as are owed, and what comes behind them.
    /// Any of the three may be empty; the last is, unless `bytes` are all that is owed; all are if a deadline
    /// has passed and events are to be polled first. They belong into one vectored write, and are not copied: the transmit buffer holds head and end of the frame only.
    ///
    /// Nothing is promised between calls: the next may come with other bytes, fewer or none, and
    /// [`supply`](Self::supply) may do a part of the work. All that it says of owed bytes holds.
    #[must_use = "the parts are to be written, then handle_transmitted_lent called"]
    pub fn poll_transmit_lent<'a>(&'a self, bytes: &'a [u8]) -> [&'a [u8]; 3] {
        if self.is_mute() {
            return [&[]; 3];
        }
        let owed = usize::try_from(self.owed).unwrap_or(usize::MAX);
        let lent = bytes.get(..owed).unwrap_or(bytes);
        let is_rest = owed > 0 && lent.len() as u64 == self.owed;
        [self.poll_transmit(), lent, if is_rest { self.transmit.held() } else { &[] }]
    }

    /// The socket took the first `n` bytes of [`poll_transmit_lent`](Self::poll_transmit_lent), all
    /// parts counted. Says how many of the lent bytes are among them: they are no longer owed, so the
    /// next poll begins behind them. As with [`handle_transmitted`](Self::handle_transmitted), tell it
    /// before what is received next; a write that was broken off counts by what the socket took.
    #[must_use = "the next bytes to lend are behind these"]
    pub fn handle_transmitted_lent(&mut self, n: usize) -> usize {
        let head = n.min(self.transmit.ready().len());
        self.handle_transmitted(head);
        let owed = usize::try_from(self.owed).unwrap_or(usize::MAX);
        let lent = n.saturating_sub(head).min(owed);
        self.submitted = self.submitted.saturating_add(lent as u64);
        self.sent = self.sent.saturating_add(lent as u64);
        self.owed = self.owed.saturating_sub(lent as u64);
        self.wrote |= lent > 0;
        if lent > 0 && self.owed == 0 {
            self.transmit.release();
            self.handle_transmitted(n.saturating_sub(head).saturating_sub(lent));
        }
        lent
    }
}
