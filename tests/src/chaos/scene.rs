//! A server, perhaps a proxy before it, and clients: one round after the other, each with its verdict.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use respire::Client;

use super::book::{Tally, Verdict};
use super::callers::CLIENTS;
use super::press::Press;
use super::process::Usage;
use super::round::Round;
use super::rows::Row;
use super::work::{SEEDED, large, seeded};
use crate::admin::{Admin, Answer};
use crate::proxy::{Proxy, Random};
use crate::{Kind, Server};

/// Where faults are made.
pub(super) struct Scene {
    row: &'static Row,
    seed: u64,
    pub(super) random: Random,
    pub(super) server: Server,
    pub(super) admin: Admin,
    pub(super) round: Arc<Round>,
    /// Where clients connect, and nobody else if there is a proxy.
    pub(super) address: SocketAddr,
}

/// What came of one round.
pub(super) struct Played {
    pub(super) tally: Tally,
    pub(super) verdict: Verdict,
    /// Callers who did not come back at all.
    pub(super) stuck: usize,
    /// Clients that had no answers once the fault was over.
    pub(super) down: usize,
    /// Subscribers that heard nothing once the fault was over.
    pub(super) deaf: usize,
    pub(super) leaked: Usage,
    pub(super) outages: Vec<Duration>,
    /// How much longer than they should things take that have nothing to do with a client.
    pub(super) noise: Duration,
    /// The slowest answer of the client that only reads.
    pub(super) slowest_read: Duration,
    pub(super) connections: u64,
}

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(20);

/// How long clients may take to recover.
const RECOVERY: Duration = Duration::from_secs(5);

impl Scene {
    pub(super) fn new(row: &'static Row, seed: u64) -> Self {
        let server = Server::builder(Kind::Redis70).args(row.server.iter().copied()).start();
        let mut admin = Admin::connect(server.addr());
        self::seed(&mut admin);
        let round = Arc::new(Round::new(row.mix, 0, false));
        let address = server.addr();
        Self { row, seed, random: Random::new(seed), server, admin, round, address }
    }

    /// Lets some time pass.
    pub(super) fn rest(&self, millis: u64) {
        thread::sleep(Duration::from_millis(millis));
    }

    /// Asks the server for what it must do.
    pub(super) fn order(&mut self, command: &str) {
        self.admin.done(command);
    }

    /// Another connection to the server.
    pub(super) fn other(&self) -> Admin {
        Admin::connect(self.server.addr())
    }

    /// The server is another one now: waits until it answers.
    pub(super) fn meet_again(&mut self) {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < LIMIT, "the server does not come back: {}", self.server.log());
            if std::net::TcpStream::connect(self.server.addr()).is_ok() {
                let mut admin = Admin::connect(self.server.addr());
                if admin.ask("PING") == Answer::Text("PONG".to_owned()) {
                    self.admin = admin;
                    return;
                }
            }
            self.rest(5);
        }
    }

    /// Plays one round.
    pub(super) fn play(&mut self, number: u64) -> Played {
        let script = self.row.script;
        self.round = Arc::new(Round::new(self.row.mix, number, script.is_some()));
        let noise = Noise::listen();
        let before = Usage::at_first();
        let proxy = script.map(|script| Proxy::new(self.server.addr(), script(&mut self.random)));
        self.address = proxy.as_ref().map_or(self.server.addr(), Proxy::address);
        let connections = self.admin.info("stats")["total_connections_received"].clone();
        let press = Press::start(self.server.addr(), &self.round);
        let waiting = self.begin(number);
        (self.row.fault)(self);
        self.round.board.mark();
        let down = self.round.recovered(RECOVERY);
        let deaf = self.round.board.recovered(RECOVERY);
        self.round.end();
        let (mut tally, slowest_read, stuck) = waiting.end();
        press.end();
        drop(proxy);
        let nothing = Usage { descriptors: 0, threads: 0 };
        let leaked = if stuck == 0 { Usage::beyond(before, Duration::from_secs(3)) } else { nothing };
        let noise = noise.end();
        let verdict = if stuck == 0 { self.verdict(&mut tally) } else { Verdict::default() };
        let connected = |text: &str| text.parse::<u64>().unwrap_or(0);
        let after = connected(&self.admin.info("stats")["total_connections_received"]);
        let connections = after.saturating_sub(connected(&connections));
        let outages = self.round.outages();
        Played { tally, verdict, stuck, down, deaf, leaked, outages, noise, slowest_read, connections }
    }

    /// What the server says to all that was said.
    fn verdict(&mut self, tally: &mut Tally) -> Verdict {
        tally.claims.append(&mut tally.loads.claims);
        let verdict = tally.verdict(&executed(&mut self.admin));
        tally.loads.check(&mut self.admin);
        verdict
    }

    fn begin(&self, number: u64) -> Waiting {
        let (send, receive) = mpsc::channel();
        let mut callers = 0;
        for (client, kinds) in CLIENTS.iter().enumerate() {
            // The last one speaks the older version, and has a connection for its subscribers alone.
            let protocol = if client + 1 == CLIENTS.len() { 2 } else { 3 };
            let url = format!("redis://{}?protocol={protocol}", self.address);
            let url: respire::Url = url.parse().expect("a URL");
            let handle = Client::builder(url.clone())
                .calls(self.row.calls)
                .config(|config| {
                    config.connection.grace = self.row.patience;
                    config.pool.health_interval = config.pool.health_interval.min(self.row.patience);
                })
                .lazy()
                .expect("a client");
            for &kind in *kinds {
                let (round, handle, send) = (Arc::clone(&self.round), handle.clone(), send.clone());
                callers += 1;
                // Tasks count on from here.
                let seed = self.seed.wrapping_add(number << 32).wrapping_add(callers << 16);
                thread::spawn(move || {
                    let tally = kind.call(&round, client, &handle, seed);
                    drop(handle);
                    let _ = send.send((round.is_reader(client), tally));
                });
            }
        }
        Waiting { callers, receive }
    }
}

/// How often each token was executed, once all clients are gone; the ledger is empty then.
pub fn executed(admin: &mut Admin) -> HashMap<String, u64> {
    admin.wait_until_alone();
    let Answer::List(pairs) = admin.done("HGETALL ledger") else { panic!("a hash is a list") };
    let text = |answer: &Answer| match answer {
        Answer::Text(text) => text.clone(),
        other => panic!("no text: {other:?}"),
    };
    let counts = pairs.chunks(2).map(|pair| (text(&pair[0]), text(&pair[1]).parse().expect("a count")));
    let counts = counts.collect();
    admin.done("DEL ledger");
    counts
}

/// Writes what is there to be read.
pub fn seed(admin: &mut Admin) {
    for key in 0..SEEDED {
        admin.done(&format!("SET seed:{key}\t{}", seeded(key)));
    }
    for key in 0..10 {
        admin.done(&format!("SET large:{key}\t{}", large(key)));
    }
}

/// Callers that will come back.
struct Waiting {
    callers: u64,
    receive: mpsc::Receiver<(bool, Tally)>,
}

impl Waiting {
    /// What all of them have seen, the slowest answer of those who only read, and how many did not come back.
    fn end(self) -> (Tally, Duration, usize) {
        let (mut all, mut slowest, start) = (Tally::default(), Duration::ZERO, Instant::now());
        let mut left = self.callers;
        while left > 0 {
            let Ok((is_reader, tally)) = self.receive.recv_timeout(LIMIT.saturating_sub(start.elapsed()))
            else {
                break;
            };
            left -= 1;
            if is_reader {
                slowest = slowest.max(tally.slowest);
            }
            all.add(tally);
        }
        (all, slowest, usize::try_from(left).unwrap_or(usize::MAX))
    }
}

/// A thread that sleeps and computes a little, and finds out how much longer that takes than it should.
struct Noise {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<Duration>,
}

impl Noise {
    fn listen() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let nap = Duration::from_millis(1);
            let (mut worst, mut usual, mut naps) = (Duration::ZERO, Duration::MAX, 0_u64);
            while !known.load(Ordering::Relaxed) {
                let start = Instant::now();
                thread::sleep(nap);
                worst = worst.max(start.elapsed().saturating_sub(nap));
                naps += 1;
                // Who computes is interrupted by others, more than who has just slept.
                if naps % 8 == 0 {
                    let start = Instant::now();
                    std::hint::black_box((0..100_000_u64).fold(0, |sum, n| sum ^ std::hint::black_box(n)));
                    usual = usual.min(start.elapsed());
                    worst = worst.max(start.elapsed().saturating_sub(usual));
                }
            }
            worst
        });
        Self { over, thread }
    }

    fn end(self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("a thread that sleeps")
    }
}
