//! What waits for sockets, and what ends the wait.

use std::io;

use mio::event::Event;
use mio::{Events, Poll};
pub(super) use mio::{Registry, Waker};
use respire_core::time::Duration;

use crate::event_loop::WAKER;

/// Whoever has it drives.
pub(super) struct Poller {
    poll: Poll,
    events: Events,
}

impl Poller {
    /// # Errors
    /// The system has nothing to wait with.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { poll: Poll::new()?, events: Events::with_capacity(256) })
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

    /// What has happened to sockets.
    pub(super) fn drain(&mut self, each: impl FnMut(&Event)) {
        self.events.iter().for_each(each);
        self.events.clear();
    }
}
