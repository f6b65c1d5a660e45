//! One connection of the engine: its socket, from the dial to the end.

use std::io::{self, IoSlice, Read, Write};
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::event::Event as Readiness;
use mio::{Interest, Registry, Token as Place};
use respire_core::client::Endpoint;
use respire_core::engine::{Engine, Heap};
use respire_core::hook::Hook;
use respire_core::pool::Id;
use respire_core::time::Instant;

use super::IN_FLIGHT;
use super::ear::Heard;
use crate::Dialer;
use crate::plain::Plain;
use crate::route::Route;
use crate::socket::Stream;

/// A socket, and what is known of it. It is readable or writable until an attempt says otherwise: readiness is told by
/// edges.
pub(super) struct Link {
    id: Id,
    stream: Stream,
    stage: Stage,
    readable: bool,
    writable: bool,
    /// The peer sends nothing any more: what it has sent ends with its end.
    ending: bool,
    /// What was sent of which nothing was answered yet.
    sent: Option<Sent>,
    /// Not all of it was taken: the rest is not to wait for its answer.
    midway: bool,
    /// Whether answers have come so soon that it is better to wait for them than to send little.
    is_near: bool,
    /// What was read from it by who listened.
    heard: Option<Box<Heard>>,
    /// It stands in these lists of all sockets.
    pub(super) listed: Listed,
}

/// In which lists a link stands.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) ready: bool,
    pub(super) moved: bool,
    pub(super) timed: bool,
    pub(super) unsent: bool,
}

/// A write, of which the time is taken.
struct Sent {
    at: Instant,
    /// So many bytes were sent since, its own included.
    since: u64,
    /// By then its answer was near.
    by: Instant,
}

/// What is written behind requests that are not answered yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// Nothing: who waits for the answers writes more at once.
    Nothing,
    /// As much as those are, or [a lot](LOT), and not less: then the server has one half to do while this side has the other.
    AsMuch,
    Everything,
}

/// So many bytes are written behind others however many those are.
const LOT: u64 = 8 << 10;

/// Answers are near if they come within this time: below it, a write costs more than its caller's waiting.
const NEAR: Duration = Duration::from_micros(300);

/// To a server that is near, so many bytes are on their way for another microsecond: about one GET.
const PACE: u64 = 32;

/// Whether a socket that has given less than there was room for, or taken less than there was, is told to be ready anew:
/// elsewhere it must say that it would block. With TLS one part is a record.
const PART_IS_ALL: bool = cfg!(unix);

enum Stage {
    Connecting(Box<Connecting>),
    Open,
    /// The engine knows, and will say when to close it.
    Over,
}

/// The addresses that are left to try, and how long the present one may take.
#[derive(Clone)]
pub(super) struct Connecting {
    rest: Route,
    timeout: Duration,
    by: Instant,
}

impl Connecting {
    /// To all addresses of an endpoint.
    pub(super) fn new(dialer: &Dialer, endpoint: &Endpoint, timeout: Duration) -> io::Result<Self> {
        Ok(Self { rest: Route::new(dialer, endpoint)?, timeout, by: Instant::MAX })
    }

    /// Begins to connect to the next address.
    pub(super) fn next(&mut self, now: Instant) -> Option<io::Result<Stream>> {
        self.by = now.saturating_add(self.timeout);
        self.rest.next(self.timeout).map(|(_, opened)| opened)
    }
}

impl Link {
    pub(super) fn register(
        id: Id,
        mut stream: Stream,
        registry: &Registry,
        connecting: &Connecting,
    ) -> io::Result<Self> {
        registry.register(&mut stream, Place(id.index()), Interest::READABLE | Interest::WRITABLE)?;
        let stage = Stage::Connecting(Box::new(connecting.clone()));
        Ok(Self {
            id,
            stream,
            stage,
            readable: false,
            writable: false,
            ending: false,
            sent: None,
            midway: false,
            is_near: true,
            heard: None,
            listed: Listed::default(),
        })
    }

    pub(super) const fn id(&self) -> Id {
        self.id
    }

    /// When its address has had its time.
    pub(super) const fn due(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Connecting(connecting) => Some(connecting.by),
            _ => None,
        }
    }

    /// How long the last answer took, told once, behind what has come.
    pub(super) fn take_took<H: Hook>(
        &mut self,
        engine: &Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
    ) -> Option<Duration> {
        let unanswered = engine.unanswered(self.id);
        let sent = self.sent.take_if(|sent| unanswered < sent.since)?;
        self.is_near = now < sent.by;
        Some(now.saturating_since(sent.at))
    }

    /// Whether there may be more to read.
    pub(super) const fn is_ready(&self) -> bool {
        self.readable && matches!(self.stage, Stage::Open)
    }

    /// Whether what is to be written had better wait for the answers to what was.
    pub(super) fn is_patient<H: Hook>(&self, engine: &Engine<Heap, IN_FLIGHT, H>, ahead: Ahead) -> bool {
        if ahead == Ahead::Everything || !self.is_near || self.midway || self.owes() {
            return false;
        }
        let unanswered = engine.unanswered(self.id);
        let enough = if ahead == Ahead::AsMuch { unanswered.min(LOT) } else { u64::MAX };
        unanswered > 0 && (engine.poll_transmit(self.id).len() as u64) < enough
    }

    /// Whether there is anything left to be written.
    pub(super) fn is_unsent<H: Hook>(&self, engine: &Engine<Heap, IN_FLIGHT, H>) -> bool {
        !matches!(self.stage, Stage::Over) && (!engine.poll_transmit(self.id).is_empty() || self.owes())
    }

    /// Whether its stream has to write something of its own. While it connects it does so by itself.
    pub(super) fn owes(&self) -> bool {
        matches!(self.stage, Stage::Open) && self.stream.owes()
    }

    /// Its stream, if there is nothing to do there but to wait until something comes.
    pub(super) fn silent(&self) -> Option<&Arc<Plain>> {
        let is_silent = matches!(self.stage, Stage::Open) && self.writable && !self.readable && !self.midway;
        self.stream.plain().filter(|_| Plain::LISTENS && is_silent)
    }

    /// There is something else to be waited for now.
    pub(super) fn no_longer_sole(&self) {
        if let Some(stream) = self.stream.plain() {
            stream.set_sole(false);
        }
    }

    /// Whether this is its stream.
    pub(super) fn is_of(&self, stream: &Weak<Plain>) -> bool {
        self.stream.plain().is_some_and(|own| std::ptr::eq(Arc::as_ptr(own), stream.as_ptr()))
    }

    /// Something was read from its stream. Memory that was used for that before.
    pub(super) fn hear(&mut self, heard: Box<Heard>) -> Option<Box<Heard>> {
        self.readable = true;
        self.heard.replace(heard)
    }

    /// An error or an end is found by reading.
    pub(super) fn note(&mut self, event: &Readiness) {
        self.ending |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || event.is_error() || event.is_read_closed();
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Whether the socket is connected by now, or will never be. `None`: nobody knows yet.
    pub(super) fn connected(&mut self, now: Instant) -> Option<io::Result<()>> {
        let Stage::Connecting(connecting) = &self.stage else { return None };
        let is_late = now >= connecting.by;
        if !self.writable && !self.readable && !is_late {
            return None;
        }
        // TLS has read and written by now. What it met is not known here; the next attempt finds out.
        match self.stream.connect() {
            Ok(true) => {
                (self.readable, self.writable) = (true, true);
                self.stage = Stage::Open;
                Some(Ok(()))
            }
            Ok(false) if is_late => Some(Err(self.stream.is_late())),
            Ok(false) => {
                (self.readable, self.writable) = (false, false);
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// The addresses that were not tried.
    pub(super) fn take_connecting(&mut self) -> Option<Connecting> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Connecting(connecting) => Some(*connecting),
            _ => None,
        }
    }

    /// Reads once, as much as there is room for. Whether it brought something, if it did anything.
    pub(super) fn read<H: Hook>(&mut self, engine: &mut Engine<Heap, IN_FLIGHT, H>) -> Option<bool> {
        if !matches!(self.stage, Stage::Open) || !self.readable {
            return None;
        }
        // Room comes when what is there was told.
        let space = engine.recv_space(self.id)?;
        let heard = self.heard.as_mut().filter(|heard| heard.is_some());
        let is_part = heard.as_ref().is_some_and(|heard| heard.is_part());
        let read = match heard {
            Some(heard) => heard.read(space),
            None => self.stream.read(space),
        };
        match read {
            Ok(0) => {
                self.stage = Stage::Over;
                engine.handle_eof(self.id);
                Some(false)
            }
            Ok(n) => {
                let is_all = self.stream.plain().is_some() && PART_IS_ALL && n < space.len() && !is_part;
                self.readable = !is_all || self.ending;
                engine.handle_received(self.id, n);
                Some(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                None
            }
            Err(error) => Some(self.stumble(&error, engine)),
        }
    }

    /// Writes once, all that there is. The same.
    pub(super) fn write<H: Hook>(
        &mut self,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
    ) -> Option<bool> {
        if !matches!(self.stage, Stage::Open) || !self.writable {
            return None;
        }
        let bytes = engine.poll_transmit(self.id);
        let written =
            if bytes.is_empty() { self.stream.push().map(|()| 0) } else { self.stream.write(bytes) };
        match written {
            // There was nothing to do.
            Ok(0) => None,
            Ok(n) => {
                self.note_taken(n, bytes.len());
                engine.handle_transmitted(self.id, n);
                self.note_sent(now, n as u64, engine.unanswered(self.id));
                Some(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.writable = false;
                self.no_longer_sole();
                None
            }
            Err(error) => Some(self.stumble(&error, engine)),
        }
    }

    /// Writes parts of a request behind what is waiting, once. How many bytes were taken.
    pub(super) fn write_lent(&mut self, now: Instant, parts: [&[u8]; 3]) -> usize {
        if !matches!(self.stage, Stage::Open) || !self.writable {
            return 0;
        }
        // An error is met again when the rest is written.
        let Ok(n) = self.stream.write_vectored(&parts.map(IoSlice::new)) else { return 0 };
        self.note_taken(n, parts.iter().map(|part| part.len()).sum());
        self.note_sent(now, n as u64, n as u64);
        n
    }

    /// So many bytes were taken of so many.
    fn note_taken(&mut self, n: usize, len: usize) {
        self.midway = n < len;
        if self.midway {
            self.writable = !(self.stream.plain().is_some() && PART_IS_ALL);
            self.no_longer_sole();
        }
    }

    /// So many bytes were sent; so many are on their way now.
    fn note_sent(&mut self, now: Instant, n: u64, unanswered: u64) {
        let sent = self.sent.get_or_insert_with(|| {
            let work = Duration::from_micros(unanswered.min(2 * LOT) / PACE);
            Sent { at: now, since: 0, by: now.saturating_add(NEAR + work) }
        });
        sent.since = sent.since.saturating_add(n);
    }

    /// After a signal the next attempt is the same one; anything else is the end.
    fn stumble<H: Hook>(&mut self, error: &io::Error, engine: &mut Engine<Heap, IN_FLIGHT, H>) -> bool {
        if error.kind() != io::ErrorKind::Interrupted {
            self.stage = Stage::Over;
            engine.handle_transport_error(self.id);
        }
        false
    }
}
