//! No client: requests that were encoded before, and replies of which only the bytes are counted.
//!
//! What is in flight goes as one batch, and the next when all its replies have come. No client can take less CPU
//! time; one that lets batches overlap can be faster.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;

use super::blocking::each_on_a_thread;
use super::epoll::Epoll;
use super::meter::{Lane, Meter};
use super::workload::{Command, Group, Threads, Work, Workload};
use super::{Client, Outcome, Target};

pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![Box::new(Blocking), Box::new(Polling), Box::new(ThreadEach)]
}

/// The one that others are compared with.
pub(crate) const NAMES: [&str; 2] = ["raw", "raw-threads"];

/// One thread that blocks in `read`.
struct Blocking;

impl Client for Blocking {
    fn name(&self) -> &'static str {
        NAMES[0]
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.threads != Threads::Each
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        exchange(work, work.workload.in_flight, target, meter)
    }
}

/// A connection for each thread.
struct ThreadEach;

impl Client for ThreadEach {
    fn name(&self) -> &'static str {
        NAMES[1]
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.threads == Threads::Each
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        each_on_a_thread(work.workload, || move || exchange(work, 1, target, meter))
    }
}

fn exchange(work: &Work, batch: usize, target: &Target, meter: &'static Meter) -> Outcome {
    let mut stream = target.connect()?;
    let mut wire = Wire::new(work, batch);
    let mut lane = meter.lane(batch);
    while let Some(ticket) = lane.go() {
        stream.write_all(&wire.requests)?;
        while !wire.is_complete() {
            wire.read(&mut stream)?;
        }
        wire.missing = wire.replies;
        lane.done(ticket);
    }
    Ok(())
}

/// One thread that waits in `epoll_wait`, as an event loop does.
struct Polling;

impl Client for Polling {
    fn name(&self) -> &'static str {
        "raw-epoll"
    }

    fn does(&self, workload: &Workload) -> bool {
        [Group::Small, Group::Distance].contains(&workload.group)
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let batch = work.workload.in_flight;
        poll(target.connect()?, Wire::new(work, batch), meter.lane(batch))
    }
}

fn poll(mut stream: TcpStream, mut wire: Wire, mut lane: Lane) -> Outcome {
    stream.set_nonblocking(true)?;
    let mut epoll = Epoll::new(stream.as_raw_fd())?;
    while let Some(ticket) = lane.go() {
        let mut sent = 0;
        while !wire.is_complete() {
            let unsent = &wire.requests[sent..];
            if !unsent.is_empty() {
                match stream.write(unsent) {
                    Ok(more) => sent += more,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.into()),
                }
            }
            epoll.wait(true, sent < wire.requests.len())?;
            wire.read(&mut stream)?;
        }
        wire.missing = wire.replies;
        lane.done(ticket);
    }
    Ok(())
}

/// What goes over the connection for one batch.
struct Wire {
    requests: Vec<u8>,
    /// How many bytes all replies have.
    replies: usize,
    /// How many of these are still to come.
    missing: usize,
    /// What the first reply begins with, if it is no error.
    first: u8,
    buffer: Box<[u8]>,
}

impl Wire {
    fn new(work: &Work, batch: usize) -> Self {
        let bulk = |len: usize| format!("${len}\r\n").len() + len + 2;
        let key = work.keys[0].as_bytes();
        let value = bulk(work.value.len());
        let (request, reply, first) = match work.workload.command {
            Command::Get | Command::Pipeline => (request(&[b"GET", key]), value, b'$'),
            Command::Set => (request(&[b"SET", key, &work.value]), "+OK\r\n".len(), b'+'),
            Command::MGet => {
                let keys = work.keys.iter().map(String::as_bytes);
                let words: Vec<_> = [&b"MGET"[..]].into_iter().chain(keys).collect();
                let head = format!("*{}\r\n", work.keys.len()).len();
                (request(&words), head + work.keys.len() * value, b'*')
            }
        };
        let replies = reply * batch;
        Self {
            requests: request.repeat(batch),
            replies,
            missing: replies,
            first,
            buffer: vec![0; BUFFER].into(),
        }
    }

    fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Takes what is there.
    fn read(&mut self, stream: &mut TcpStream) -> Outcome {
        let len = match stream.read(&mut self.buffer) {
            Ok(0) => return Err("the server has closed the connection".into()),
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if self.missing == self.replies && self.buffer[0] != self.first {
            return Err(String::from_utf8_lossy(&self.buffer[..len.min(100)]).into());
        }
        self.missing = self.missing.checked_sub(len).ok_or("more came than was asked for")?;
        Ok(())
    }
}

const BUFFER: usize = 256 << 10;

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend(format!("${}\r\n", word.len()).bytes());
        out.extend_from_slice(word);
        out.extend(b"\r\n");
    }
    out
}
