//! Waits for the only socket there is by reading from it: one call of the system in the place of two.

use std::io::{self, Read};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Login;
use super::sockets::Sockets;
use crate::plain::Plain;

/// See the [module](self). It hears for so many milliseconds at most: of whatever happens elsewhere meanwhile whoever listens
/// learns that much later.
#[derive(Default)]
pub(crate) struct Ear {
    stream: Weak<Plain>,
    heard: Option<Box<Heard>>,
    /// Memory for the next.
    spare: Option<Box<Heard>>,
    /// So many times it does not listen.
    rest: u32,
}

/// What was read from a socket before the engine had room for it.
#[derive(Default)]
pub(super) struct Heard {
    bytes: Vec<u8>,
    at: usize,
    end: usize,
    error: Option<io::Error>,
}

/// The most that it hears at once.
const ROOM: usize = 16 << 10;

/// Who has to do something sooner than that does not listen.
const PATIENCE: Duration = Duration::from_millis(20);

/// After an answer that took long it does not listen for so many others.
const REST: u32 = 64;

impl Ear {
    /// Listens, if there is a socket to listen to. Whether it has.
    pub(crate) fn listen(&mut self, patience: Option<Duration>) -> bool {
        if patience.is_some_and(|patience| patience < PATIENCE) {
            return false;
        }
        let Some(stream) = self.stream.upgrade().filter(|stream| stream.is_sole()) else { return false };
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        let mut heard = self.spare.take().unwrap_or_default();
        if heard.listen(&stream) {
            self.heard = Some(heard);
        } else {
            (self.spare, self.rest) = (Some(heard), REST);
        }
        true
    }

    /// Tells what it has heard.
    pub(crate) fn tell<L: Login>(&mut self, sockets: &mut Sockets<L>) {
        if let Some(heard) = self.heard.take() {
            self.spare = sockets.hear(&self.stream, heard);
        }
    }

    /// Sees what it may listen to next; without sockets to nothing.
    pub(crate) fn aim<L: Login>(&mut self, sockets: Option<&Sockets<L>>) {
        let is_aimed = self.stream.upgrade().is_some_and(|stream| stream.is_sole());
        if is_aimed != sockets.is_some() {
            let sole = sockets.and_then(Sockets::sole);
            self.stream = sole.map(Arc::downgrade).unwrap_or_default();
        }
    }
}

impl Heard {
    /// Whether anything has come; if not, it took long.
    fn listen(&mut self, stream: &Plain) -> bool {
        // Once: it keeps its length.
        self.bytes.resize(ROOM, 0);
        (self.at, self.end, self.error) = match stream.listen(&mut self.bytes) {
            Ok(end) => (0, end, None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) => (0, 0, Some(error)),
        };
        true
    }

    /// Whether it is still to be read.
    pub(super) fn is_some(&self) -> bool {
        self.at < self.end || self.error.is_some()
    }

    /// Whether there may be more where it comes from.
    pub(super) const fn is_part(&self) -> bool {
        self.end > 0 && self.end == self.bytes.len()
    }
}

impl Read for Heard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let len = rest.read(buffer)?;
        self.at += len;
        Ok(len)
    }
}
