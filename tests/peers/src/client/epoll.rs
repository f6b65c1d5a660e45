//! `epoll` for one file descriptor.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

/// Waits for one socket.
pub(crate) struct Epoll {
    epoll: OwnedFd,
    socket: RawFd,
    /// What the kernel was told to look for.
    events: u32,
}

/// What can be done without waiting.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

const READ: u32 = libc::EPOLLIN as u32;
const WRITE: u32 = libc::EPOLLOUT as u32;

impl Epoll {
    /// For a socket that stays open as long as this.
    pub(crate) fn new(socket: RawFd) -> io::Result<Self> {
        // SAFETY: a new descriptor belongs to nobody else.
        let epoll = unsafe { OwnedFd::from_raw_fd(told(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        let new = Self { epoll, socket, events: READ };
        new.control(libc::EPOLL_CTL_ADD)?;
        Ok(new)
    }

    /// Waits until there is something to read, or room for something to write, as wanted.
    pub(crate) fn wait(&mut self, read: bool, write: bool) -> io::Result<Ready> {
        let events = if read { READ } else { 0 } | if write { WRITE } else { 0 };
        if events != self.events {
            self.events = events;
            self.control(libc::EPOLL_CTL_MOD)?;
        }
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        loop {
            // SAFETY: there is room for one event.
            let waited = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), &raw mut event, 1, -1) };
            match told(waited) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Who reads or writes learns what is wrong with the socket.
        let events = event.events;
        let wrong = events & !(READ | WRITE) != 0;
        Ok(Ready { read: events & READ != 0 || wrong, write: events & WRITE != 0 })
    }

    fn control(&self, what: i32) -> io::Result<()> {
        let mut event = libc::epoll_event { events: self.events, u64: 0 };
        // SAFETY: the kernel reads this one event.
        told(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), what, self.socket, &raw mut event) })?;
        Ok(())
    }
}

fn told(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
