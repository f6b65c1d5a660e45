//! What the callers of one round share.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use super::callers::CLIENTS;
use super::press::Board;
use super::work::{Deed, Mix, Readers, batch};
use crate::proxy::Random;

/// One fault, and the clients that work under it.
#[derive(Debug)]
pub struct Round {
    pub(super) mix: Mix,
    pub(super) number: u64,
    pub(super) board: Board,
    over: AtomicBool,
    /// Who waits for something else until it is over.
    wakers: Mutex<Vec<Waker>>,
    /// Whether it is a failure that begins an outage; else the fault's end does.
    by_failure: bool,
    outages: Vec<Outage>,
}

/// How long a client had no answers.
#[derive(Debug, Default)]
struct Outage {
    is_one: AtomicBool,
    since: Mutex<Option<Instant>>,
    lasted: Mutex<Vec<Duration>>,
}

impl Round {
    /// A round with callers such as `mix` says. `by_failure`: whether an outage begins with a failure; else
    /// with the end of a fault.
    #[must_use]
    pub fn new(mix: Mix, number: u64, by_failure: bool) -> Self {
        let outages = CLIENTS.iter().map(|_| Outage::default()).collect();
        let (board, wakers) = (Board::default(), Mutex::default());
        Self { mix, number, board, over: AtomicBool::new(false), wakers, by_failure, outages }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// The same; if it is not, this is woken when it is.
    pub(super) fn is_over_or_wakes(&self, waker: &Waker) -> bool {
        let mut wakers = self.wakers.lock().unwrap();
        if self.is_over() {
            return true;
        }
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
        false
    }

    /// Callers come to an end.
    pub fn end(&self) {
        let mut wakers = self.wakers.lock().unwrap();
        self.over.store(true, Ordering::Relaxed);
        wakers.drain(..).for_each(Waker::wake);
    }

    /// The word of a caller, unlike all others.
    pub(super) fn word(&self, client: usize, seed: u64) -> String {
        format!("{}-{client}-{seed:x}", self.number)
    }

    /// What a caller asks for next.
    pub(super) fn next(&self, client: usize, seed: u64, n: u64, random: &mut Random) -> Vec<Deed> {
        let word = format!("{}-{n}", self.word(client, seed));
        batch(&word, &self.mix, self.is_reader(client), random)
    }

    /// Whether this client only reads.
    pub(super) fn is_reader(&self, client: usize) -> bool {
        match self.mix.readers {
            Readers::None => false,
            Readers::One => client == 2,
            Readers::All => true,
        }
    }

    /// The fault is over: from now on the clients recover.
    pub(super) fn over(&self) {
        self.outages.iter().for_each(Outage::begin);
        self.board.mark();
    }

    /// Somebody was told something.
    pub(super) fn heard(&self, client: usize, is_answered: bool, is_failure: bool) {
        let outage = &self.outages[client];
        if is_answered {
            outage.end();
        } else if is_failure && self.by_failure {
            outage.begin();
        }
    }

    /// Waits until all clients have answers again, for so long at most. How many have none.
    pub(super) fn recovered(&self, limit: Duration) -> usize {
        let start = Instant::now();
        loop {
            let out = self.outages.iter().filter(|outage| outage.is_one.load(Ordering::SeqCst)).count();
            if out == 0 || start.elapsed() > limit {
                return out;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// How long it took each time.
    pub(super) fn outages(&self) -> Vec<Duration> {
        self.outages.iter().flat_map(|outage| std::mem::take(&mut *outage.lasted.lock().unwrap())).collect()
    }
}

impl Outage {
    fn begin(&self) {
        if !self.is_one.swap(true, Ordering::SeqCst) {
            *self.since.lock().unwrap() = Some(Instant::now());
        }
    }

    fn end(&self) {
        if self.is_one.load(Ordering::SeqCst)
            && let Some(since) = self.since.lock().unwrap().take()
        {
            self.is_one.store(false, Ordering::SeqCst);
            self.lasted.lock().unwrap().push(since.elapsed());
        }
    }
}
