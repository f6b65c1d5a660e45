//! How a client fares: what it knows of that without asking.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Clock};

use respire_core::client::Cause;
use respire_core::engine::Life;
use respire_core::retry::BreakerState;

use super::Client;
use super::desk::is_showing;
use super::machine::Machine;
use super::waiter::lock;
use crate::event_loop::NONE;

/// How a client fares, as far as it knows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Health {
    /// How it stands now.
    pub state: HealthState,
    /// Since when.
    pub since: Clock,
    /// How long the server takes to answer, in the mean of the last dozen times or so: from when requests are written to
    /// when the first of their answers is read, on shared connections and in handshakes, where nothing blocks. `None`: it
    /// has answered nothing yet.
    pub rtt: Option<Duration>,
    /// Why the last connection that was lost, or could not be made, was so; also if there is another by now.
    pub last_error: Option<LastError>,
}

/// How a client stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum HealthState {
    /// There is no connection, for nobody has needed one: at first, or for long.
    Idle,
    /// There is none, and the first is being made.
    Connecting,
    /// There is one at least.
    Ready,
    /// There is none: the last was lost, or could not be made. It is tried again by itself, with pauses.
    Down,
    /// The server has failed too often, and is left alone for a while: see [`BreakerConfig`](respire_core::retry::BreakerConfig).
    /// It lasts until a request finds that all is well.
    CircuitOpen,
    /// The client was closed, and waits for the last answers.
    Draining,
    /// It is over.
    Closed,
}

/// What has ended a connection, or kept one from being made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastError {
    /// What it was.
    pub cause: Arc<Cause<io::Error>>,
    /// When it was found out.
    pub at: Clock,
}

/// What is known, for all clones. Who has the core writes, and anybody may read.
pub(super) struct Known {
    told: Mutex<Told>,
    /// In microseconds; [`NONE`] if there was no answer.
    rtt: AtomicU64,
}

struct Told {
    state: HealthState,
    since: Clock,
    last_error: Option<LastError>,
}

/// Whoever has the core keeps what was written there.
pub(super) struct Watch {
    known: Arc<Known>,
    state: HealthState,
    /// There was an error since there was a connection.
    has_failed: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        let (state, since) = (HealthState::Idle, Clock::now());
        let told = Mutex::new(Told { state, since, last_error: None });
        Self { known: Arc::new(Known { told, rtt: AtomicU64::new(NONE) }), state, has_failed: false }
    }

    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known)
    }

    /// A connection was lost, or could not be made.
    pub(super) fn fail(&mut self, cause: Cause<io::Error>) {
        self.has_failed = true;
        lock(&self.known.told).last_error = Some(LastError { cause: Arc::new(cause), at: Clock::now() });
    }

    /// How it stands now. As a rule as before, and nothing is to be done.
    pub(super) fn note(&mut self, engine: &Machine, life: Life, open: usize, rtt: u64) {
        let state = match life {
            Life::Closed => HealthState::Closed,
            Life::Draining => HealthState::Draining,
            _ if engine.circuit() == BreakerState::Open => HealthState::CircuitOpen,
            _ if open > 0 => {
                self.has_failed = false;
                HealthState::Ready
            }
            _ if self.has_failed => HealthState::Down,
            _ if engine.pool_stats().dialling > 0 => HealthState::Connecting,
            _ => HealthState::Idle,
        };
        self.known.rtt.store(rtt, Ordering::Relaxed);
        if std::mem::replace(&mut self.state, state) != state {
            let mut told = lock(&self.known.told);
            let failed = told.last_error.as_ref().filter(|_| state == HealthState::Down);
            let since = failed.map_or_else(Clock::now, |error| error.at);
            (told.state, told.since) = (state, since);
        }
    }
}

impl Client {
    /// How it fares, as far as it knows: nothing is asked of the server, and nothing is waited for. If nobody uses the client
    /// just now it has its connections looked at for the next time, for a server that is gone says nothing.
    ///
    /// Hooks may ask, too.
    ///
    /// ```no_run
    /// use respire::HealthState;
    ///
    /// let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let health = client.health();
    /// if health.state != HealthState::Ready {
    ///     println!("{:?} for {:?}", health.state, health.since.elapsed());
    /// }
    /// if let Some(error) = health.last_error {
    ///     println!("{} {:?} ago", error.cause, error.at.elapsed());
    /// }
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub fn health(&self) -> Health {
        let known = &self.handle.health;
        let rtt = known.rtt.load(Ordering::Relaxed);
        let health = {
            let Told { state, since, last_error } = &*lock(&known.told);
            Health {
                state: *state,
                since: *since,
                rtt: (rtt != NONE).then(|| Duration::from_micros(rtt)),
                last_error: last_error.clone(),
            }
        };
        if !is_showing() && !matches!(health.state, HealthState::Idle | HealthState::Closed) {
            self.shared().look();
        }
        health
    }
}
