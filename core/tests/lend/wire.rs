//! A peer that takes what it likes, and a driver over it.

use std::collections::VecDeque;

use respire_core::buffer::Storage;
use respire_core::command::Request;
use respire_core::conn::{Config, Connection, Protocol, Settings};
use respire_core::io::{CallError, Driver, Socket, Transport};
use respire_core::resp::Encoder;
use respire_core::time::{Duration, Instant};

/// A peer that takes so many bytes of each write (`None`: would block; then all it is given), and says
/// its piece once it has so many bytes.
pub(crate) struct Wire {
    pub(crate) vectored: bool,
    pub(crate) from: usize,
    pub(crate) takes: VecDeque<Option<usize>>,
    /// Takes nothing more beyond this.
    pub(crate) room: usize,
    pub(crate) answers: VecDeque<(usize, &'static [u8])>,
    /// What ends it once it has so many bytes: an end of its side, or of everything.
    pub(crate) ends: Option<(usize, Result<(), Broken>)>,
    pub(crate) written: Vec<u8>,
    /// What each write was given and what it took.
    pub(crate) writes: Vec<(usize, usize)>,
    pub(crate) waits: Vec<bool>,
    pub(crate) now: Instant,
    /// How long it takes until there is room again.
    pub(crate) slow: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Wire {
    pub(crate) fn new(from: usize) -> Self {
        Self {
            vectored: true,
            from,
            takes: VecDeque::new(),
            room: usize::MAX,
            answers: VecDeque::new(),
            ends: None,
            written: Vec::new(),
            writes: Vec::new(),
            waits: Vec::new(),
            now: Instant::ZERO,
            slow: Duration::ZERO,
        }
    }

    /// Says this once it has so many bytes.
    pub(crate) fn answers(mut self, at: usize, answer: &'static [u8]) -> Self {
        self.answers.push_back((at, answer));
        self
    }

    fn over(&self) -> Option<Result<(), Broken>> {
        self.ends.filter(|(at, _)| self.written.len() >= *at).map(|(_, end)| end)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        assert!(!bytes.is_empty());
        if let Some(Err(broken)) = self.over() {
            return Err(broken);
        }
        let room = self.room - self.written.len();
        let taken = self.takes.pop_front().unwrap_or(Some(usize::MAX)).map(|n| n.min(bytes.len()).min(room));
        let taken = taken.filter(|&n| n > 0);
        self.written.extend_from_slice(&bytes[..taken.unwrap_or(0)]);
        self.writes.push((bytes.len(), taken.unwrap_or(0)));
        Ok(taken)
    }
}

impl Socket for Wire {
    type Error = Broken;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        if let Some((at, answer)) = self.answers.front_mut()
            && self.written.len() >= *at
        {
            let n = answer.len().min(buffer.len());
            buffer[..n].copy_from_slice(&answer[..n]);
            *answer = &answer[n..];
            if answer.is_empty() {
                self.answers.pop_front();
            }
            return Ok(Some(n));
        }
        self.over().transpose().map(|end| end.map(|()| 0))
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        self.take(bytes)
    }

    fn try_write_vectored(&mut self, parts: [&[u8]; 3]) -> Result<Option<usize>, Broken> {
        match parts.into_iter().find(|part| !part.is_empty()) {
            Some(first) if !self.vectored => self.take(first),
            _ => self.take(&parts.concat()),
        }
    }

    fn lends_from(&self) -> usize {
        self.from
    }
}

impl Transport for Wire {
    fn now(&self) -> Instant {
        self.now
    }

    /// There is room again, at once if it is not slow, unless there never will be.
    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Broken> {
        self.waits.push(writable);
        let full = !writable || self.written.len() >= self.room;
        if self.takes.is_empty() && full {
            self.now = until.expect("somebody would wait for ever");
        } else {
            let again = self.now.saturating_add(self.slow);
            self.now = until.map_or(again, |until| until.min(again));
        }
        Ok(())
    }
}

pub(crate) const FROM: usize = 100;

pub(crate) const RESP2: Settings<'_> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

pub(crate) fn driver<S: Storage>(wire: Wire, receive: S, transmit: S) -> Driver<Wire, S, 4> {
    let mut driver = Driver::new(Connection::new(receive, transmit, Config::default()), wire);
    driver.start(&RESP2).unwrap();
    driver
}

pub(crate) fn small(wire: Wire) -> Driver<Wire, [u8; 128], 4> {
    driver(wire, [0; 128], [0; 128])
}

pub(crate) fn value(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// The frame in one piece.
pub(crate) fn whole(request: &impl Request) -> Vec<u8> {
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let mut bytes = vec![0; measure.finish().len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    assert!(encoder.finish().is_written());
    bytes
}

pub(crate) fn call<S: Storage>(
    driver: &mut Driver<Wire, S, 4>,
    request: &impl Request,
) -> Result<Vec<u8>, CallError> {
    let answer = driver.call(
        request,
        |reply| reply.error().map_or(reply.as_bytes(), |error| Some(error.text())).unwrap().to_vec(),
        |_| {},
    );
    assert_eq!(driver.connection().owed(), 0, "whatever comes of it");
    answer
}
