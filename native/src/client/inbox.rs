//! What is left for whoever holds the engine: a submitter never waits for a lock that is held across a system call.

use respire_core::command::{AnyRequest, Command};
use respire_core::engine::{Lease, Options};
use respire_core::resp::Encoder;

use super::machine::Core;
use super::shared::Shared;
use super::waiter::Waiter;

/// One request. Who takes it takes its waiter along.
pub(super) struct Ask<'r> {
    pub(super) slot: u32,
    pub(super) waiter: Waiter,
    pub(super) request: &'r dyn AnyRequest,
    pub(super) options: &'r Options,
    /// The connection that it is for, if its caller has one.
    pub(super) on: Option<Lease>,
}

/// Requests as bytes, and callers who have turned away.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) letters: Vec<Letter>,
    bytes: Vec<u8>,
}

pub(super) enum Letter {
    Submit(Written),
    Abandon(u32),
    /// Anything else that can wait until somebody has the engine.
    Do(Deed),
}

/// What is to be done with the engine.
pub(super) type Deed = Box<dyn FnOnce(&mut Core, &Shared) + Send>;

/// A request for this slot.
pub(super) struct Written {
    pub(super) slot: u32,
    pub(super) waiter: Waiter,
    pub(super) options: Options,
    pub(super) on: Option<Lease>,
    pub(super) command: &'static Command,
    start: usize,
    len: usize,
}

/// The most bytes that are left for others to send: who has more waits for the engine.
const MOST: usize = 256 << 10;

impl Inbox {
    /// Leaves a request. `false`: there is no room for it.
    pub(super) fn submit(&mut self, ask: &mut Ask<'_>) -> bool {
        let &mut Ask { slot, request, options, on, .. } = ask;
        let start = self.bytes.len();
        let mut room = (self.bytes.capacity() - start).clamp(64, 4096);
        loop {
            self.bytes.resize(start + room, 0);
            let mut encoder = Encoder::new(&mut self.bytes[start..]);
            request.encode(&mut encoder);
            let encoded = encoder.finish();
            let len = encoded.len();
            if encoded.is_empty() || encoded.owed() > 0 {
                // Whoever has the engine says what is wrong with it.
                self.bytes.truncate(start);
                return false;
            }
            if encoded.is_written() {
                self.bytes.truncate(start + len);
                let (waiter, command) = (std::mem::take(&mut ask.waiter), request.row());
                let written = Written { slot, waiter, options: *options, on, command, start, len };
                self.letters.push(Letter::Submit(written));
                return true;
            }
            if start + len > MOST || len <= room {
                self.bytes.truncate(start);
                return false;
            }
            room = len;
        }
    }

    /// The bytes of a request.
    pub(super) fn frame(&self, written: &Written) -> &[u8] {
        self.bytes.get(written.start..written.start + written.len).unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.bytes.clear();
    }
}
