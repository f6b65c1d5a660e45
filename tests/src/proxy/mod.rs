//! A proxy between a client and a real server that makes faults, by a script or by a seed, and remembers
//! every byte.
//!
//! ```no_run
//! use respire_tests::Server;
//! use respire_tests::proxy::{Act, At, Proxy, Script};
//!
//! // The server executes the first request behind the handshake; its answer is lost.
//! let server = Server::redis();
//! let proxy = Proxy::new(server.addr(), Script::new().replies(At::Before(1), Act::Cut));
//! println!("connect to {}", proxy.address());
//! println!("{}", proxy.log());
//! ```

mod lane;
mod link;
mod log;
mod script;
mod seed;

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};

use link::Link;
pub use log::{Entry, Log, What};
pub use script::{Act, At, Script, ScriptError, Step, Way};
pub use seed::Random;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);

/// A port of the loopback whose connections lead to a server, on one thread. Dropped, it ends them all.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    start: Instant,
    stopped: AtomicBool,
    accepted: AtomicUsize,
    open: AtomicUsize,
    script: Mutex<Script>,
    log: Mutex<Log>,
}

impl Proxy {
    /// Starts a proxy in front of this server.
    ///
    /// # Panics
    ///
    /// When the system has no port or no thread for it.
    #[must_use]
    pub fn new(server: SocketAddr, script: Script) -> Self {
        let poll = Poll::new().expect("something to wait with");
        let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).expect("binding a loopback port");
        let address = listener.local_addr().expect("a bound port");
        let waker = Waker::new(poll.registry(), WAKER).expect("a waker");
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("listening");
        let shared = Arc::new(Shared {
            server,
            start: Instant::now(),
            stopped: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            script: Mutex::new(script),
            log: Mutex::new(Log::default()),
        });
        let thread = thread::Builder::new().name("proxy".to_owned());
        let theirs = Arc::clone(&shared);
        let thread = thread.spawn(move || theirs.serve(poll, &listener)).expect("a thread");
        Self { address, shared, waker, thread: Some(thread) }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL, without options.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Another script for the connections that come from now on; they are counted on.
    pub fn set_script(&self, script: Script) {
        *lock(&self.shared.script) = script;
    }

    /// Everything up to now.
    #[must_use]
    pub fn log(&self) -> Log {
        lock(&self.shared.log).clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections there are.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let woken = self.waker.wake();
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            woken.expect("waking the proxy");
            assert!(matches!(ended, Some(Ok(()))), "the proxy's thread panicked");
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("server", &self.shared.server)
            .field("accepted", &self.accepted())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn serve(&self, mut poll: Poll, listener: &TcpListener) {
        let mut events = Events::with_capacity(64);
        let mut links: Vec<Link> = Vec::new();
        let mut room = vec![0; 64 << 10];
        let mut until: Option<Instant> = None;
        while !self.stopped.load(Ordering::SeqCst) {
            let patience = until.map(|time| time.saturating_duration_since(Instant::now()));
            match poll.poll(&mut events, patience) {
                Err(error) if error.kind() != ErrorKind::Interrupted => panic!("waiting: {error}"),
                _ => {}
            }
            // Whoever has seen something happen finds it in the log.
            let mut log = lock(&self.log);
            self.accept(listener, &poll, &mut links, &mut log);
            until = None;
            links.retain_mut(|link| {
                let time = link.advance(&mut room);
                until = [until, time].into_iter().flatten().min();
                self.note(&mut log, link.number, link.take_notes());
                !link.is_over()
            });
            drop(log);
            self.open.store(links.len(), Ordering::SeqCst);
        }
    }

    fn accept(&self, listener: &TcpListener, poll: &Poll, links: &mut Vec<Link>, log: &mut Log) {
        // Any error: there is none to accept now. One that was reset meanwhile comes no more.
        while let Ok((client, _)) = listener.accept() {
            let number = self.accepted.fetch_add(1, Ordering::SeqCst);
            let script = lock(&self.script).clone();
            match Link::open(number, client, self.server, &script, poll.registry()) {
                Ok(link) => links.push(link),
                Err(_) => self.note(log, number, vec![What::Opened(false)]),
            }
        }
    }

    fn note(&self, log: &mut Log, number: usize, notes: Vec<What>) {
        notes.into_iter().for_each(|what| log.push(self.start.elapsed(), number, what));
    }
}

/// A test that panicked with it in hand has reason enough to look at it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
