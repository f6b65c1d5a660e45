//! Bytes that a request left for later, on their way into the middle of its frame.
//!
//! ```text
//!  submit    [ sent | *3 $3 SET $1 k $100000 | CRLF      | free ]
//!  supply    [ sent | … the first bytes      | CRLF      | free ]     sent as there is room
//!                                            ^ the gate: held until all are supplied
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
    /// is left to write. The transmit buffer does not grow for these bytes.
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
        if n > 0 && self.owed == 0 {
            self.transmit.release();
        }
        n
    }
}
