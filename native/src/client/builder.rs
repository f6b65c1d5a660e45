//! How a client is made.

use std::fmt;
use std::io;
use std::sync::Arc;

use respire_core::engine::{Config, Engine, Heap};
use respire_core::hook::Hook;
use respire_core::key::Databases;
use respire_core::time::{Duration, Instant};

use super::hooks::{self, Guarded, Hooks};
use super::machine::{Core, Machine};
use super::poller::Poller;
use super::shared::Shared;
use super::{Client, Handle};
use crate::event_loop::Sockets;
use crate::{Dialer, Error, Url};

/// What a client is made with. Everything has a default; what is not named here is in [`config`](Self::config) and
/// [`memory`](Self::memory).
///
/// ```no_run
/// use std::time::Duration;
///
/// let client = respire::Client::builder("redis://127.0.0.1:6379".parse()?)
///     .lanes(2)
///     .connections(32)
///     .timeout(Duration::from_secs(2))
///     .connect()?;
/// # Ok::<(), respire::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "it makes a client when it connects"]
pub struct Builder {
    url: Url,
    dialer: Dialer,
    /// How the client behaves.
    pub config: Config,
    /// How much memory it has.
    pub memory: Heap,
    refuses: bool,
    hooks: Hooks,
}

impl Builder {
    pub(super) fn new(url: Url) -> Self {
        let timeout = url.timeout;
        let connect_timeout = url.connect_timeout;
        let mut config = Config {
            timeout,
            databases: Databases::one(url.db),
            db: url.db,
            seed: seed(),
            ..Config::DEFAULT
        };
        config.connection.handshake_timeout = connect_timeout;
        config.connection.reply_timeout = timeout;
        // Once for the socket, and again for the handshake.
        config.pool.dial_timeout = connect_timeout.saturating_mul(2);
        let memory = Heap {
            connections: 16,
            calls: 2048,
            bytes: 1 << 20,
            subscriptions: 1024,
            names: 64 << 10,
            buffer: (16 << 10, 512 << 20),
        };
        config.pool.size = 16;
        Self { url, dialer: Dialer::default(), config, memory, refuses: false, hooks: Hooks::new() }
    }

    /// How many connections are shared by ordinary requests, 1 unless told otherwise and 16 at most. One is enough for most:
    /// more than one helps where large answers stand in the way of small ones.
    pub const fn lanes(mut self, lanes: u8) -> Self {
        self.config.lanes = lanes;
        self
    }

    /// How many connections there may be in all: the shared ones, those for commands that block, and those that are
    /// [lent](Client::conn). 16 unless told otherwise; each is made when it is first needed.
    pub const fn connections(mut self, connections: u16) -> Self {
        self.memory.connections = connections as usize;
        self.config.pool.size = connections;
        self
    }

    /// How many requests may wait for answers, 2048 unless told otherwise. Who comes beyond it waits for his turn, or is
    /// [refused](Self::refuse_when_full).
    pub const fn calls(mut self, calls: usize) -> Self {
        self.memory.calls = calls;
        self
    }

    /// How long a request may take in all, attempts and waiting included; [`Call::timeout`](super::Call::timeout) is
    /// for one. As long as the [URL](crate::Url) says unless told otherwise: 5 seconds if it says nothing. What blocks on the
    /// server may take the time that it names on top.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self.config.connection.reply_timeout = self.config.timeout;
        self
    }

    /// Who finds no room for a request is told so at once and does not wait:
    /// [`Full`](respire_core::error::Full::InFlight).
    pub const fn refuse_when_full(mut self) -> Self {
        self.refuses = true;
        self
    }

    /// How connections are made: TLS with certificates of one's own, sockets that the user connects.
    pub fn dialer(mut self, dialer: Dialer) -> Self {
        self.dialer = dialer;
        self
    }

    /// Stands around everything that the client does, inside of the hooks that were added before: dials, each attempt of a
    /// command, pipelines, transactions, and batches. It is told of names, sizes, times and outcomes, and may refuse
    /// ([`Refused::Hook`](respire_core::engine::Refused::Hook)) or send a dial elsewhere. Without any nothing is measured, and
    /// nothing it costs.
    ///
    /// - It is called while the client stands still, on whatever thread that has it: it must not wait. What it asks of
    ///   a client in there is refused with [`Error::Busy`]; a bulk has no room for what it pushes.
    /// - What it knows it hands on by an atomic, a lock that nobody holds for long, or a channel.
    /// - If it panics, what it was asked is refused with [`HOOK_PANICKED`](crate::HOOK_PANICKED), and what it was told is passed over;
    ///   it is called again for the next. Others do not notice.
    /// - Clients of clones of this have it together, and take turns.
    /// - A transaction and what is asked on a [`Conn`](super::Conn) are told as one attempt of one. A pipeline of more than a
    ///   thousand requests is told in parts. What the client does by itself is not told: a look after a connection,
    ///   subscriptions, the way back of a `Conn`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use respire::hook::{Attempt, End, Hook};
    /// use respire::time::Instant;
    ///
    /// /// Counts what goes on in the checkout.
    /// struct Checkout(Arc<AtomicU64>);
    ///
    /// impl Hook for Checkout {
    ///     fn after_command(&mut self, _now: Instant, attempt: &Attempt<'_>, _end: &End<'_>) {
    ///         if attempt.label == Some("checkout") {
    ///             self.0.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     }
    /// }
    ///
    /// let count = Arc::new(AtomicU64::new(0));
    /// let client = respire::Client::builder("redis://127.0.0.1:6379".parse()?)
    ///     .hook(Checkout(Arc::clone(&count)))
    ///     .lazy()?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub fn hook(mut self, hook: impl Hook + Send + 'static) -> Self {
        self.hooks.push(Guarded::new(hook));
        self
    }

    /// How the engine behaves, in all that there is to say.
    ///
    /// ```no_run
    /// use respire::command::Retry;
    ///
    /// // What leaves the same when it is executed twice may go again, such as SET and DEL.
    /// let client = respire::Client::builder("redis://127.0.0.1:6379".parse()?)
    ///     .config(|config| config.retry.ceiling = Retry::LastWriteWins)
    ///     .connect()?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// How much memory the engine has: a MiB for requests that may go again, buffers of 16 KiB to 512 MiB for each
    /// connection, 1024 subscriptions, unless told otherwise.
    pub fn memory(mut self, change: impl FnOnce(&mut Heap)) -> Self {
        change(&mut self.memory);
        self
    }

    /// Connects, and waits until the server said hello.
    ///
    /// # Errors
    /// [`Error::Connect`] if that is not possible now.
    pub fn connect(self) -> Result<Client, Error> {
        let client = self.lazy()?;
        client.ready().wait()?;
        Ok(client)
    }

    /// A client that connects when it is first used; [`Client::ready`] waits for that. It blocks nobody: tasks begin with it.
    ///
    /// # Errors
    /// The system has nothing to wait with.
    pub fn lazy(mut self) -> Result<Client, Error> {
        if !self.hooks.is_empty() && self.config.address == Config::DEFAULT.address {
            self.config.address = hooks::address(&self.url.endpoint);
        }
        let hooks = std::mem::take(&mut self.hooks);
        let engine = Engine::with_hook(self.memory, &self.config, hooks, Instant::ZERO);
        let handle = self.share(engine).map_err(Error::System)?;
        Ok(Client { handle: Arc::new(handle) })
    }

    fn share(self, engine: Machine) -> io::Result<Handle> {
        let Self { config, memory, refuses, url, dialer, .. } = self;
        let poller = Poller::new()?;
        let (endpoint, connect_timeout) = (url.endpoint.clone(), url.connect_timeout);
        let mut sockets = Sockets::new(poller.registry()?, endpoint, connect_timeout, url);
        sockets.dialer = dialer;
        let mut core = Core::new(engine, sockets);
        core.leases.home = (config.address, config.db);
        let health = core.health.known();
        let shared = Shared::new(core, poller, memory.calls, config.timeout, refuses)?;
        Ok(Handle { shared, health })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("url", &self.url)
            .field("config", &self.config)
            .field("memory", &self.memory)
            .field("hooks", &self.hooks.len())
            .finish_non_exhaustive()
    }
}

/// Another number for each client, so that those which lose a server together do not come back together.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};

    RandomState::new().hash_one(std::process::id())
}
