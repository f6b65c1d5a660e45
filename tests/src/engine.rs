//! An engine over real sockets: all of a driver, on one thread and without a library for tasks.
//!
//! [`Engine`] says which connections it wants and what is to be written, and is told what came of it. Between
//! the two stand sockets that never block, and mio to wait for all of them at once:
//!
//! ```text
//!            ┌──────────── read what has come ◄──────────── wait ◄────┐
//!            ▼                                                        │ nothing moves
//!   handle_timeout ─► poll_event … ─► poll_action … ─► write ─────────┤
//!            ▲                                                        │ something moves
//!            └────────────────────────────────────────────────────────┘
//! ```
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use respire_core::command::incr;
//! use respire_core::conn::{Settings, Token};
//! use respire_core::engine::{Config, Engine, Heap, Options};
//! use respire_core::time::Instant;
//! use respire_tests::engine::Drive;
//!
//! let memory = Heap {
//!     connections: 8,
//!     calls: 64,
//!     bytes: 64 << 10,
//!     subscriptions: 16,
//!     names: 1 << 10,
//!     buffer: (4 << 10, 1 << 20),
//! };
//! let engine = Engine::new(memory, &Config::DEFAULT, Instant::ZERO);
//! let mut drive = Drive::new(engine, ([127, 0, 0, 1], 6379).into(), Settings::NONE);
//! drive.engine.submit(drive.now(), Token(1), &incr("visits"), &Options::default())?;
//! drive.run_until(|told| !told.is_empty(), Duration::from_secs(5));
//! println!("{:?}", drive.take_told());
//! # Ok::<(), respire_core::engine::Refused>(())
//! ```

mod told;

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant as Clock};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll};
use respire_core::conn::Settings;
use respire_core::engine::{Action, Engine, Event, Heap, Life};
use respire_core::hook::Hook;
use respire_core::pool::{DialCode, Id};
use respire_core::time::Instant;

pub use told::{Counts, News, Record, Told};

/// How many requests one connection has in flight.
pub const IN_FLIGHT: usize = 1024;

/// An engine with its sockets. Whoever turns it moves it; nothing happens in between.
pub struct Drive<H = ()> {
    /// To submit, lease, release, cancel and close, with the time of [`now`](Self::now).
    pub engine: Engine<Heap, IN_FLIGHT, H>,
    /// What connections are told that are opened from now on.
    pub settings: Settings<'static>,
    address: SocketAddr,
    poll: Poll,
    events: Events,
    /// By [`Id::index`], which is the socket's token for mio too.
    sockets: Vec<Option<Socket>>,
    start: Clock,
    told: Vec<Record>,
    news: Vec<News>,
    counts: Counts,
}

/// One connection of the engine. It is readable or writable until an attempt says otherwise: readiness is told by
/// edges.
struct Socket {
    id: Id,
    stream: TcpStream,
    stage: Stage,
    readable: bool,
    writable: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Open,
    /// The engine knows, and will say when to close it.
    Over,
}

impl<H: Hook> Drive<H> {
    /// A driver for an engine that was made at [`Instant::ZERO`]. It does nothing before the first turn.
    ///
    /// # Panics
    ///
    /// When the system has nothing to wait with.
    #[must_use]
    pub fn new(engine: Engine<Heap, IN_FLIGHT, H>, address: SocketAddr, settings: Settings<'static>) -> Self {
        Self {
            engine,
            settings,
            address,
            poll: Poll::new().expect("something to wait with"),
            events: Events::with_capacity(64),
            sockets: Vec::new(),
            start: Clock::now(),
            told: Vec::new(),
            news: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The time since this driver was made.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.start.elapsed())
    }

    /// Moves all that can be moved. If there was nothing, waits for a socket or the engine's next deadline, but no
    /// longer than `patience`, and moves what came of it. Behind its end there is nothing to wait for.
    pub fn turn(&mut self, patience: Duration) {
        self.counts.turns += 1;
        // A connection that has ended meanwhile is known to before anything is sent on it.
        self.wait(Duration::ZERO);
        if !self.settle() && self.engine.life() != Life::Closed {
            let due = self.engine.poll_timeout().saturating_since(self.now());
            self.wait(patience.min(due));
            self.settle();
        }
    }

    /// Turns until `done` with what was told, for so long at most. Whether it is.
    pub fn run_until(&mut self, mut done: impl FnMut(&[Record]) -> bool, limit: Duration) -> bool {
        let end = self.now().saturating_add(limit);
        loop {
            if done(&self.told) {
                return true;
            }
            let left = end.saturating_since(self.now());
            if left.is_zero() {
                return false;
            }
            self.turn(left);
        }
    }

    /// Turns for so long.
    pub fn run(&mut self, span: Duration) {
        self.run_until(|_| false, span);
    }

    /// Closes the engine, and turns until the last answer is told and the last connection closed, for so long at
    /// most. Whether they are.
    pub fn close(&mut self, limit: Duration) -> bool {
        let now = self.now();
        self.engine.close(now);
        let end = now.saturating_add(limit);
        loop {
            self.turn(end.saturating_since(self.now()));
            if self.engine.life() == Life::Closed || self.now() >= end {
                break;
            }
        }
        self.engine.life() == Life::Closed && self.sockets.iter().all(Option::is_none)
    }

    /// What was told since it was last taken.
    #[must_use]
    pub fn told(&self) -> &[Record] {
        &self.told
    }

    /// Takes what was told.
    pub fn take_told(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.told)
    }

    /// Takes what was told of subscriptions, in the order in which it was told.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many sockets there are, those included that are being connected.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.sockets.iter().flatten().count()
    }

    /// Waits until a socket is ready, and remembers which.
    fn wait(&mut self, patience: Duration) {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => panic!("waiting: {error}"),
            _ => {}
        }
        for event in &self.events {
            if let Some(Some(socket)) = self.sockets.get_mut(event.token().0) {
                // An error or an end is found by reading.
                socket.readable |= event.is_readable() || event.is_error() || event.is_read_closed();
                socket.writable |= event.is_writable() || event.is_error();
            }
        }
    }

    /// Moves all that can be moved without waiting. Whether there was anything.
    fn settle(&mut self) -> bool {
        let mut moved = false;
        loop {
            let mut idle = true;
            // What came in time is read before anybody is told that it did not.
            for at in 0..self.sockets.len() {
                idle &= !self.connect(at) & !self.read(at);
            }
            let now = self.now();
            self.engine.handle_timeout(now);
            while let Some(event) = self.engine.poll_event(now) {
                idle = false;
                let (token, told) = match event {
                    Event::Reply { token, reply } => (token, reply.into()),
                    Event::Failed { token, failed } => (token, Told::Failed(failed)),
                    Event::Leased { token, lease } => (token, Told::Leased(lease)),
                    Event::Subscription(event) => {
                        self.news.push(event.into());
                        continue;
                    }
                    Event::Message { kind, pattern, channel, payload, .. } => {
                        self.news.push(News::message(kind, pattern, channel, payload));
                        continue;
                    }
                    // Keys have changed: nobody here keeps any.
                    Event::Push(_) => {
                        self.counts.pushes += 1;
                        continue;
                    }
                };
                self.told.push(Record { token, told, at: now });
            }
            while let Some(action) = self.engine.poll_action(now) {
                idle = false;
                self.act(action);
            }
            for at in 0..self.sockets.len() {
                idle &= !self.write(at);
            }
            if idle {
                return moved;
            }
            moved = true;
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open { id, .. } => {
                self.counts.dials += 1;
                match self.dial(id) {
                    Ok(stream) => {
                        let at = id.index();
                        if self.sockets.len() <= at {
                            self.sockets.resize_with(at + 1, || None);
                        }
                        let stage = Stage::Connecting;
                        self.sockets[at] =
                            Some(Socket { id, stream, stage, readable: false, writable: false });
                    }
                    Err(error) => self.engine.handle_connect_failed(self.now(), id, code(&error)),
                }
            }
            // To drop it is to close it.
            Action::Close(id) => self.sockets[id.index()] = None,
        }
    }

    /// Begins to connect.
    fn dial(&self, id: Id) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, mio::Token(id.index()), both)?;
        Ok(stream)
    }

    /// A socket that has become writable is connected, or has failed.
    fn connect(&mut self, at: usize) -> bool {
        let now = self.now();
        let Some(Some(socket)) = self.sockets.get_mut(at) else { return false };
        if socket.stage != Stage::Connecting || !socket.writable {
            return false;
        }
        let id = socket.id;
        match connected(&socket.stream) {
            Ok(false) => {
                socket.writable = false;
                false
            }
            Ok(true) => {
                socket.stage = Stage::Open;
                let started = self.engine.handle_connected(now, id, &self.settings);
                started.expect("a buffer that holds the handshake");
                true
            }
            Err(error) => {
                self.sockets[at] = None;
                self.engine.handle_connect_failed(now, id, code(&error));
                true
            }
        }
    }

    /// Reads once, as much as there is room for.
    fn read(&mut self, at: usize) -> bool {
        let Some(Some(socket)) = self.sockets.get_mut(at) else { return false };
        if socket.stage != Stage::Open || !socket.readable {
            return false;
        }
        // Room comes when what is there was told.
        let Some(space) = self.engine.recv_space(socket.id) else { return false };
        match socket.stream.read(space) {
            Ok(0) => {
                socket.stage = Stage::Over;
                self.engine.handle_eof(socket.id);
            }
            Ok(n) => {
                self.counts.reads += 1;
                self.engine.handle_received(socket.id, n);
            }
            Err(error) => return socket.stumble(&error, Way::Read, &mut self.engine),
        }
        true
    }

    /// Writes once, all that there is.
    fn write(&mut self, at: usize) -> bool {
        let Some(Some(socket)) = self.sockets.get_mut(at) else { return false };
        if socket.stage != Stage::Open || !socket.writable {
            return false;
        }
        let bytes = self.engine.poll_transmit(socket.id);
        if bytes.is_empty() {
            return false;
        }
        match socket.stream.write(bytes) {
            Ok(n) => {
                self.counts.writes += 1;
                self.engine.handle_transmitted(socket.id, n);
            }
            Err(error) => return socket.stumble(&error, Way::Write, &mut self.engine),
        }
        true
    }
}

/// Of a socket's two.
enum Way {
    Read,
    Write,
}

impl Socket {
    /// A read or a write did nothing. Whether that is news.
    fn stumble<H: Hook>(
        &mut self,
        error: &io::Error,
        way: Way,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
    ) -> bool {
        match (error.kind(), way) {
            (ErrorKind::WouldBlock, Way::Read) => self.readable = false,
            (ErrorKind::WouldBlock, Way::Write) => self.writable = false,
            // The next attempt is the same one.
            (ErrorKind::Interrupted, _) => return true,
            _ => {
                self.stage = Stage::Over;
                engine.handle_transport_error(self.id);
                return true;
            }
        }
        false
    }
}

/// Whether a stream is connected by now. What is small is sent at once from then on.
fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => stream.set_nodelay(true).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// The system's number for it.
fn code(error: &io::Error) -> DialCode {
    DialCode(error.raw_os_error().and_then(|code| u32::try_from(code).ok()).unwrap_or(0))
}

impl<H: Hook> fmt::Debug for Drive<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive")
            .field("address", &self.address)
            .field("engine", &self.engine)
            .field("told", &self.told.len())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
