//! An engine over real sockets, that remembers what it was told: [`EventLoop`] with a diary.
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
//! let buffer = (4 << 10, 1 << 20);
//! let memory = Heap { connections: 8, calls: 64, bytes: 64 << 10, subscriptions: 0, names: 0, buffer };
//! let engine = Engine::new(memory, &Config::DEFAULT, Instant::ZERO);
//! let mut drive = Drive::new(engine, ([127, 0, 0, 1], 6379).into(), Settings::NONE);
//! let now = drive.now();
//! drive.engine.submit(now, Token(1), &incr("visits"), &Options::default())?;
//! drive.run_until(|told| !told.is_empty(), Duration::from_secs(5));
//! println!("{:?}", drive.take_told());
//! # Ok::<(), respire_core::engine::Refused>(())
//! ```

mod told;

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant as Clock};

use respire::EventLoop;
use respire_core::client::Endpoint;
use respire_core::config::Address;
use respire_core::conn::Settings;
use respire_core::engine::{Engine, Event, Heap};
use respire_core::hook::{Dial, Hook, Refusal};
use respire_core::time::Instant;

pub use respire::IN_FLIGHT;
pub use told::{Counts, News, Record, Told};

/// An engine with its sockets. Whoever turns it moves it; nothing happens in between.
pub struct Drive<H = ()> {
    client: EventLoop<Settings<'static>, H>,
    diary: Diary,
}

/// What was told.
#[derive(Debug)]
struct Diary {
    start: Clock,
    told: Vec<Record>,
    news: Vec<News>,
    pushes: u64,
}

impl Diary {
    fn write(&mut self, event: Event<'_>) {
        let (token, told) = match event {
            Event::Reply { token, reply } => (token, reply.into()),
            Event::Failed { token, failed } => (token, Told::Failed(failed)),
            Event::Leased { token, lease } => (token, Told::Leased(lease)),
            Event::Subscription(event) => return self.news.push(event.into()),
            Event::Message { kind, pattern, channel, payload, .. } => {
                return self.news.push(News::message(kind, pattern, channel, payload));
            }
            // Keys have changed: nobody here keeps any.
            Event::Push(_) => {
                self.pushes += 1;
                return;
            }
        };
        let at = Instant::ZERO.saturating_add(self.start.elapsed());
        self.told.push(Record { token, told, at });
    }
}

impl<H: Hook> Drive<H> {
    /// A driver for an engine that was made at [`Instant::ZERO`]. It does nothing before the first turn.
    ///
    /// # Panics
    ///
    /// When the system has nothing to wait with.
    #[must_use]
    pub fn new(engine: Engine<Heap, IN_FLIGHT, H>, address: SocketAddr, settings: Settings<'static>) -> Self {
        // What is told is told no earlier than the engine says.
        let start = Clock::now();
        let endpoint = Endpoint::Tcp { host: address.ip().to_string(), port: address.port() };
        let client = EventLoop::with(engine, endpoint, settings).expect("something to wait with");
        Self { client, diary: Diary { start, told: Vec::new(), news: Vec::new(), pushes: 0 } }
    }

    /// See [`EventLoop::turn`].
    ///
    /// # Panics
    ///
    /// When the system cannot wait.
    pub fn turn(&mut self, patience: Duration) {
        let Self { client, diary } = self;
        client.turn(Some(patience), |event| diary.write(event)).expect("waiting");
    }

    /// Turns until `done` with what was told, for so long at most. Whether it is.
    pub fn run_until(&mut self, mut done: impl FnMut(&[Record]) -> bool, limit: Duration) -> bool {
        let end = self.now().saturating_add(limit);
        loop {
            if done(&self.diary.told) {
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

    /// See [`EventLoop::close`].
    ///
    /// # Panics
    ///
    /// When the system cannot wait.
    pub fn close(&mut self, limit: Duration) -> bool {
        let Self { client, diary } = self;
        client.close(limit, |event| diary.write(event)).expect("waiting")
    }

    /// What was told since it was last taken.
    #[must_use]
    pub fn told(&self) -> &[Record] {
        &self.diary.told
    }

    /// Takes what was told.
    pub fn take_told(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.diary.told)
    }

    /// Takes what was told of subscriptions, in the order in which it was told.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.diary.news)
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let respire::Counts { turns, dials, writes, reads } = self.client.counts();
        Counts { turns, dials, writes, reads, pushes: self.diary.pushes }
    }
}

impl<H> Deref for Drive<H> {
    type Target = EventLoop<Settings<'static>, H>;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl<H> DerefMut for Drive<H> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.client
    }
}

impl<H: Hook> fmt::Debug for Drive<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drive").field("client", &self.client).field("diary", &self.diary).finish()
    }
}

/// A hook that sends every dial to a port of this machine.
#[derive(Debug)]
pub struct Elsewhere(pub u16);

impl Hook for Elsewhere {
    fn before_dial(&mut self, _now: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        dial.address = Address { host: "127.0.0.1", port: self.0 };
        Ok(())
    }
}
