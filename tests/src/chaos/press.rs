//! Who publishes: numbers, one after the other, over a connection that no fault is meant for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::round::Round;

/// What became of each number that was to be published.
#[derive(Debug, Default)]
pub(super) struct Board {
    fates: Mutex<Vec<Fate>>,
    /// When the fault was over, and how many numbers there were by then.
    mark: Mutex<Option<(Instant, usize)>>,
    /// Subscribers, and how many of them have had news on all of their channels since the mark.
    subscribers: AtomicUsize,
    served: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The server has said so.
    Published,
    /// It has not said anything.
    Perhaps,
    /// It has said no.
    Refused,
}

/// The thread that publishes until its round is over.
pub(super) struct Press(JoinHandle<()>);

/// So many channels take turns.
pub(super) const CHANNELS: usize = 4;

/// Between two numbers.
const PAUSE: Duration = Duration::from_millis(2);

/// How long an answer may take: longer than every fault.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a number is published.
pub(super) fn channel(round: u64, number: usize) -> String {
    format!("news:{round}:{}", number % CHANNELS)
}

impl Board {
    /// How many numbers there are: who is subscribed now hears of all that follow.
    pub(super) fn begun(&self) -> usize {
        self.fates.lock().unwrap().len()
    }

    /// What is known of each.
    pub(super) fn fates(&self) -> Vec<Fate> {
        self.fates.lock().unwrap().clone()
    }

    /// The fault is over. If that is said several times the first counts.
    pub(super) fn mark(&self) {
        let begun = self.begun();
        self.mark.lock().unwrap().get_or_insert((Instant::now(), begun));
    }

    /// When the fault was over, for who has just had a number that was published since.
    pub(super) fn since_mark(&self, number: usize) -> Option<Instant> {
        self.mark.lock().unwrap().filter(|(_, begun)| number >= *begun).map(|(since, _)| since)
    }

    /// There is one more subscriber.
    pub(super) fn enter(&self) {
        self.subscribers.fetch_add(1, Ordering::SeqCst);
    }

    /// One has had news on all of its channels since the mark.
    pub(super) fn served(&self) {
        self.served.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until all subscribers have had news, for so long at most. How many have not.
    pub(super) fn recovered(&self, limit: Duration) -> usize {
        let start = Instant::now();
        loop {
            let served = self.served.load(Ordering::SeqCst);
            let left = self.subscribers.load(Ordering::SeqCst).saturating_sub(served);
            if left == 0 || start.elapsed() > limit {
                return left;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Press {
    /// Publishes for this round, at this server.
    pub(super) fn start(server: SocketAddr, round: &Arc<Round>) -> Self {
        let round = Arc::clone(round);
        Self(thread::spawn(move || {
            let mut line = None;
            while !round.is_over() {
                if line.is_none() {
                    line = connect(server).ok();
                }
                if let Some(open) = &mut line
                    && publish(open, &round).is_err()
                {
                    line = None;
                }
                thread::sleep(PAUSE);
            }
        }))
    }

    /// Waits for its end.
    pub(super) fn end(self) {
        self.0.join().expect("a thread that publishes");
    }
}

fn connect(server: SocketAddr) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Publishes the next number. An error: nobody knows whether it did.
fn publish(line: &mut BufReader<TcpStream>, round: &Round) -> std::io::Result<()> {
    let number = {
        let mut fates = round.board.fates.lock().unwrap();
        fates.push(Fate::Perhaps);
        fates.len() - 1
    };
    let channel = channel(round.number, number);
    let request = format!("PUBLISH {channel} {number}\r\n");
    line.get_mut().write_all(request.as_bytes())?;
    let mut answer = String::new();
    line.read_line(&mut answer)?;
    let fate = match answer.as_bytes().first() {
        Some(b':') => Fate::Published,
        Some(b'-') => Fate::Refused,
        _ => return Err(std::io::ErrorKind::UnexpectedEof.into()),
    };
    round.board.fates.lock().unwrap()[number] = fate;
    Ok(())
}
