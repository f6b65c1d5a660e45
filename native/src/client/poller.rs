//! What waits for sockets, and what ends the wait.

use std::io;

use mio::{Events, Poll};
pub(super) use mio::{Registry, Waker};
use respire_core::time::Duration;

use crate::event_loop::{Ear, Login, Sockets, WAKER};

/// Whoever has it drives.
pub(super) struct Poller {
    poll: Poll,
    events: Events,
    ear: Ear,
}

impl Poller {
    /// # Errors
    /// The system has nothing to wait with.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(256), ear: Ear::default() })
    }

    /// What ends its wait: there is only one.
    pub(super) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    /// Where sockets are put.
    pub(super) fn registry(&self) -> io::Result<Registry> {
        self.poll.registry().try_clone()
    }

    /// Waits for sockets.
    ///
    /// # Errors
    /// The system cannot.
    pub(super) fn wait(&mut self, patience: Option<Duration>) -> io::Result<()> {
        crate::socket::poll_once(&mut self.poll, &mut self.events, patience)
    }

    /// The same for a thread that has nothing else to do: it may be some milliseconds late for what happens elsewhere.
    ///
    /// # Errors
    /// The system cannot.
    pub(super) fn wait_for_answer(&mut self, patience: Option<Duration>) -> io::Result<()> {
        if self.ear.listen(patience) { Ok(()) } else { self.wait(patience) }
    }

    /// Tells what has happened to sockets.
    pub(super) fn tell<L: Login>(&mut self, sockets: &mut Sockets<L>) {
        self.events.iter().for_each(|event| sockets.note(event));
        self.events.clear();
        self.ear.tell(sockets);
    }

    /// What has happened is done with: sees whether one of these sockets is all there is to wait for.
    pub(super) fn aim<L: Login>(&mut self, sockets: Option<&Sockets<L>>) {
        self.ear.aim(sockets);
    }
}
