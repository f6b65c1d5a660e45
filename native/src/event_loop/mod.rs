//! A client for who owns the loop: one thread, no runtime, no lock, and answers where they lie.
//!
//! An [`Engine`] says which connections it wants and what is to be written, and is told what came of it. Between the
//! two stand sockets that never block, and mio to wait for all of them at once:
//!
//! ```text
//!            ┌──────────── read what has come ◄──────────── wait ◄────┐
//!            ▼                                                        │ nothing moves
//!   handle_timeout ─► each event … ─► dial, close ─► write ───────────┤
//!            ▲                                                        │ something moves
//!            └────────────────────────────────────────────────────────┘
//! ```

mod ear;
mod link;
mod login;
mod sockets;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use mio::{Events, Poll, Token as Place};
use respire_core::client::Endpoint;
use respire_core::engine::{Config, Engine, Event, Heap, Life};
use respire_core::hook::Hook;
use respire_core::time::Instant;

use crate::{Dialer, Url};
pub(crate) use ear::Ear;
pub(crate) use link::Ahead;
pub use login::Login;
pub(crate) use sockets::{NONE, Sockets};

/// How many requests one connection has in flight.
pub const IN_FLIGHT: usize = 1024;

/// How often one turn looks at all sockets: a server that never stops must not keep the owner from everything else.
pub(crate) const ROUNDS: usize = 16;

/// The waker's place among the sockets.
pub(crate) const WAKER: Place = Place(usize::MAX);

/// A client that its owner turns. Nothing happens between two turns.
///
/// `L` says what each new connection is told: a [`Url`], or whatever knows the password of today. `H` is a
/// [hook](respire_core::hook).
///
/// ```no_run
/// use respire::command::{get, set};
/// use respire::conn::Token;
/// use respire::engine::{Config, Event, Heap, Options};
/// use respire::EventLoop;
///
/// let memory = Heap { connections: 8, calls: 1024, bytes: 1 << 20, buffer: (4 << 10, 64 << 20), subscriptions: 0, names: 0 };
/// let mut client = EventLoop::new("redis://127.0.0.1:6379".parse()?, memory, &Config::DEFAULT)?;
/// let now = client.now();
/// client.engine.submit(now, Token(1), &set("greeting", "hello"), &Options::DEFAULT)?;
/// client.engine.submit(now, Token(2), &get("greeting"), &Options::DEFAULT)?;
/// let mut answered = 0;
/// while answered < 2 {
///     client.turn(None, |event| match event {
///         // It lies where it was received.
///         Event::Reply { token, reply } => {
///             println!("{token:?}: {reply:?}");
///             answered += 1;
///         }
///         Event::Failed { token, failed } => panic!("{token:?}: {failed}"),
///         _ => {}
///     })?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Names of hosts are looked up when a connection is dialled, which waits for the system's resolver. Every address of
/// a name is tried, each as long as [`Url::connect_timeout`]; [`pool::Config::dial_timeout`] is for all of them and the
/// handshake.
///
/// It can stand inside another loop: on Unix its descriptor is readable when there is something to do, and
/// [`patience`](Self::patience) says when there is without that.
///
/// [`pool::Config::dial_timeout`]: respire_core::pool::Config::dial_timeout
pub struct EventLoop<L = Url, H = ()> {
    /// To submit, subscribe, lease, cancel and close, at the time of [`now`](Self::now).
    pub engine: Engine<Heap, IN_FLIGHT, H>,
    sockets: Sockets<L>,
    poll: Poll,
    events: Events,
    waker: Arc<mio::Waker>,
    start: Clock,
}

/// What a loop has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Turns that were made.
    pub turns: u64,
    /// Dials that were begun.
    pub dials: u64,
    /// Writes that took something.
    pub writes: u64,
    /// Reads that brought something.
    pub reads: u64,
}

/// Ends the waiting of a loop from another thread: its next turn has something to do, or the present one ends.
#[derive(Clone, Debug)]
pub struct Waker(Arc<mio::Waker>);

impl Waker {
    /// Once is enough for all that was prepared before.
    ///
    /// # Errors
    /// The system's.
    pub fn wake(&self) -> io::Result<()> {
        self.0.wake()
    }
}

impl EventLoop {
    /// A client of this server. It does nothing before the first turn.
    ///
    /// # Errors
    /// The system has nothing to wait with.
    pub fn new(url: Url, memory: Heap, config: &Config) -> io::Result<Self> {
        let (endpoint, timeout) = (url.endpoint.clone(), url.connect_timeout);
        Self::build(Engine::new(memory, config, Instant::ZERO), endpoint, timeout, url)
    }
}

impl<L: Login, H: Hook> EventLoop<L, H> {
    /// The same with an engine of one's own making, at [`Instant::ZERO`], and whatever knows how to log in.
    ///
    /// # Errors
    /// The system has nothing to wait with.
    pub fn with(engine: Engine<Heap, IN_FLIGHT, H>, endpoint: Endpoint, login: L) -> io::Result<Self> {
        Self::build(engine, endpoint, Duration::from_secs(5), login)
    }

    fn build(
        engine: Engine<Heap, IN_FLIGHT, H>,
        endpoint: Endpoint,
        connect_timeout: Duration,
        login: L,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKER)?);
        let sockets = Sockets::new(poll.registry().try_clone()?, endpoint, connect_timeout, login);
        Ok(Self { engine, sockets, poll, events: Events::with_capacity(256), waker, start: Clock::now() })
    }

    /// What connections are told that are opened from now on.
    pub const fn login(&mut self) -> &mut L {
        &mut self.sockets.login
    }

    /// How connections are made that are opened from now on: TLS with certificates of one's own, sockets that the
    /// owner connects.
    pub const fn dialer(&mut self) -> &mut Dialer {
        &mut self.sockets.dialer
    }

    /// The time since this loop was made: what the engine is told.
    pub fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.start.elapsed())
    }

    /// To end the waiting of a turn from other threads.
    pub fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.waker))
    }

    /// What was done so far.
    pub const fn counts(&self) -> Counts {
        self.sockets.counts
    }

    /// How many sockets there are, those included that are being connected.
    pub fn sockets(&self) -> usize {
        self.sockets.len()
    }

    /// How long a turn would wait if nothing came from anywhere; `None` for ever.
    pub fn patience(&self) -> Option<Duration> {
        let due = self.engine.poll_timeout().min(self.sockets.due());
        (due != Instant::MAX).then(|| due.saturating_since(self.now()))
    }

    /// Moves what can be moved, and tells `each` event. If there was nothing, waits for a socket, the engine's next
    /// deadline or a [`Waker`], no longer than `patience`, and does what came of it. After the engine's
    /// [end](Life::Closed) there is nothing to wait for.
    ///
    /// # Errors
    /// The system cannot wait. What goes wrong with a connection is the engine's to tell.
    pub fn turn(&mut self, patience: Option<Duration>, mut each: impl FnMut(Event<'_>)) -> io::Result<()> {
        self.sockets.counts.turns += 1;
        // A connection that has ended meanwhile is known to before anything is sent on it.
        self.wait(Some(Duration::ZERO))?;
        if !self.settle(&mut each) && self.engine.life() != Life::Closed {
            let due = self.patience();
            self.wait(patience.map_or(due, |patience| Some(due.map_or(patience, |due| due.min(patience)))))?;
            self.settle(&mut each);
        }
        Ok(())
    }

    /// Closes the engine, and turns until the last answer is told and the last connection closed; no longer than
    /// [`Config::drain`], and at most as long as `patience`. Whether it came to that.
    ///
    /// # Errors
    /// As [`turn`](Self::turn).
    pub fn close(&mut self, patience: Duration, mut each: impl FnMut(Event<'_>)) -> io::Result<bool> {
        let now = self.now();
        self.engine.close(now);
        let end = now.saturating_add(patience);
        loop {
            self.turn(Some(end.saturating_since(self.now())), &mut each)?;
            let is_closed = self.engine.life() == Life::Closed;
            if is_closed || self.now() >= end {
                return Ok(is_closed && self.sockets() == 0);
            }
        }
    }

    /// Waits until a socket is ready, and remembers which.
    fn wait(&mut self, patience: Option<Duration>) -> io::Result<()> {
        crate::socket::poll_once(&mut self.poll, &mut self.events, patience)?;
        for event in &self.events {
            self.sockets.note(event);
        }
        self.events.clear();
        Ok(())
    }

    /// Moves what can be moved without waiting. Whether there was anything.
    fn settle(&mut self, each: &mut impl FnMut(Event<'_>)) -> bool {
        for round in 0..ROUNDS {
            // What came in time is read before anybody is told that it did not.
            let now = self.now();
            let mut is_idle = !self.sockets.receive(&mut self.engine, now);
            let now = self.now();
            self.engine.handle_timeout(now);
            while let Some(event) = self.engine.poll_event(now) {
                is_idle = false;
                each(event);
            }
            while let Some(action) = self.engine.poll_action(now) {
                is_idle = false;
                self.sockets.act(&mut self.engine, now, action);
            }
            if is_idle & !self.sockets.transmit(&mut self.engine, now, Ahead::Everything) {
                return round > 0;
            }
        }
        true
    }
}

#[cfg(unix)]
impl<L, H> std::os::fd::AsRawFd for EventLoop<L, H> {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.poll.as_raw_fd()
    }
}

impl<L, H: Hook> fmt::Debug for EventLoop<L, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("sockets", &self.sockets)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
