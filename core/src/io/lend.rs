//! Long arguments that are written from where they lie, feature `alloc`.
//!
//! ```text
//!  submit    the request is visited: head and tail are written, the argument is owed
//!  lend      the request is visited again, and shows the argument for the length of one call
//!              └ turns: [ head | argument | tail ] in one vectored write, what is left of it in the next
//!  turn      the answer is awaited as always
//! ```

use super::Socket;
use super::driver::{Driver, Transport};
use crate::buffer::Storage;
use crate::command::AnyRequest;
use crate::conn::{Connection, Event};
use crate::resp::Encoder;

impl<T: Transport, S: Storage, const IN_FLIGHT: usize> Driver<T, S, IN_FLIGHT> {
    /// Turns until no argument of the request is owed any more, or the connection is over.
    #[cold]
    #[inline(never)]
    pub(super) fn lend(&mut self, request: &dyn AnyRequest, on_event: &mut dyn FnMut(Event<'_>)) {
        let from = self.transport.lends_from();
        request.encode(&mut Encoder::show(from, &mut |argument| {
            // Of another length it is another argument than before, and nothing of it is sent.
            let is_same = argument.len() as u64 == self.connection.owed();
            let mut rest = if is_same { argument } else { &[] };
            while self.connection.owed() > 0 && !rest.is_empty() {
                self.turn_once(None, &mut rest, on_event);
            }
        }));
        if self.connection.owed() > 0 {
            self.connection.close();
        }
    }
}

/// Writes, out of the transmit buffer and what is lent, until nothing is left or the socket is full. Says
/// whether bytes are left.
#[cold]
#[inline(never)]
pub(super) fn write<S: Storage, const N: usize, K: Socket>(
    connection: &mut Connection<S, N>,
    socket: &mut K,
    lent: &mut &[u8],
) -> Result<bool, K::Error> {
    loop {
        let parts = connection.poll_transmit_lent(lent);
        let [first, wanted] = measure(parts);
        if wanted == 0 {
            return Ok(false);
        }
        let written = socket.try_write_vectored(parts)?.unwrap_or(0);
        let gone = connection.handle_transmitted_lent(written);
        *lent = lent.get(gone..).unwrap_or_default();
        // A socket may write part by part. If it took less than one, there is no more room.
        if written >= wanted || written < first {
            return Ok(written < wanted);
        }
    }
}

/// The length of the first part that is not empty, and of all.
fn measure(parts: [&[u8]; 3]) -> [usize; 2] {
    parts.iter().rev().fold([0, 0], |[first, all], part| {
        [if part.is_empty() { first } else { part.len() }, all.saturating_add(part.len())]
    })
}
