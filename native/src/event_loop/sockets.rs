//! The sockets of an engine: its actions done, its bytes moved, and nothing waited for.

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mio::Registry;
use mio::event::Event as Readiness;
use respire_core::client::Endpoint;
use respire_core::engine::{Action, Engine, Heap};
use respire_core::hook::Hook;
use respire_core::pool::{DialCode, Id};
use respire_core::time::Instant;

use super::ear::Heard;
use super::link::{Ahead, Connecting, Link};
use super::{Counts, IN_FLIGHT, Login};
use crate::Dialer;
use crate::plain::Plain;

/// What an engine has of the world.
pub(crate) struct Sockets<L> {
    pub(crate) login: L,
    pub(crate) dialer: Dialer,
    endpoint: Endpoint,
    connect_timeout: Duration,
    registry: Registry,
    /// By [`Id::index`].
    links: Vec<Option<Link>>,
    /// Places of those that may be ready for something.
    ready: Vec<usize>,
    /// Places of those that were read or written, until [somebody asks](Self::poll_moved).
    moved: Vec<usize>,
    /// Places of those to which something is to be written.
    unsent: Vec<usize>,
    /// Places of those from which something has come, until it is [seen](Self::time) how long it took.
    timed: Vec<usize>,
    due: Instant,
    pub(crate) counts: Counts,
    /// How long answers take, in the mean of the last ones, where nothing blocks: eighths of microseconds, or [`NONE`].
    rtt: u64,
    /// Why the last dial came to nothing.
    pub(crate) failure: Option<io::Error>,
}

/// In the place of a time that nobody knows.
pub(crate) const NONE: u64 = u64::MAX;

impl<L: Login> Sockets<L> {
    pub(crate) fn new(registry: Registry, endpoint: Endpoint, connect_timeout: Duration, login: L) -> Self {
        Self {
            login,
            dialer: Dialer::default(),
            endpoint,
            connect_timeout,
            registry,
            links: Vec::new(),
            ready: Vec::new(),
            moved: Vec::new(),
            timed: Vec::new(),
            unsent: Vec::new(),
            due: Instant::MAX,
            counts: Counts::default(),
            rtt: NONE,
            failure: None,
        }
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// How many there are, those included that are being connected.
    pub(crate) fn len(&self) -> usize {
        self.links.iter().flatten().count()
    }

    /// When an address has had its time.
    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    fn connecting(&mut self) {
        self.due = self.links.iter().flatten().filter_map(Link::due).min().unwrap_or(Instant::MAX);
    }

    /// How many microseconds answers take in the mean; [`NONE`] if there was none.
    pub(crate) const fn rtt(&self) -> u64 {
        if self.rtt == NONE { NONE } else { self.rtt / 8 }
    }

    /// Whether there may be more to read.
    pub(crate) const fn are_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// A socket is ready for something.
    pub(crate) fn note(&mut self, event: &Readiness) {
        let at = event.token().0;
        if let Some(Some(link)) = self.links.get_mut(at) {
            link.note(event);
            list(&mut self.ready, &mut link.listed.ready, at);
        }
    }

    /// The only one, if there is nothing to wait for but what comes there. From when on there is, it says so itself.
    pub(super) fn sole(&self) -> Option<&Arc<Plain>> {
        let mut links = self.links.iter().flatten();
        let (Some(link), None) = (links.next(), links.next()) else { return None };
        let stream = link.silent()?;
        stream.set_sole(true);
        Some(stream)
    }

    /// Something was read from the [sole](Self::sole) stream; if it has ended since, nobody needs it. Memory for the next.
    pub(super) fn hear(&mut self, stream: &Weak<Plain>, heard: Box<Heard>) -> Option<Box<Heard>> {
        for (at, link) in self.links.iter_mut().enumerate() {
            if let Some(link) = link
                && link.is_of(stream)
            {
                list(&mut self.ready, &mut link.listed.ready, at);
                return link.hear(heard);
            }
        }
        Some(heard)
    }

    /// Reads what has come, once from each. Whether there was anything to do.
    pub(crate) fn receive<H: Hook>(&mut self, engine: &mut Engine<Heap, IN_FLIGHT, H>, now: Instant) -> bool {
        if now >= self.due {
            // Nothing may have happened to those that are being connected.
            for (at, link) in self.links.iter_mut().enumerate() {
                if let Some(link) = link.as_mut().filter(|link| link.due().is_some()) {
                    list(&mut self.ready, &mut link.listed.ready, at);
                }
            }
        }
        let mut is_idle = true;
        let mut next = 0;
        while let Some(&at) = self.ready.get(next) {
            is_idle &= !self.connect(engine, now, at) & !self.read(engine, at);
            match self.links.get_mut(at) {
                Some(Some(link)) if link.is_ready() => next += 1,
                link => {
                    link.into_iter().flatten().for_each(|link| link.listed.ready = false);
                    self.ready.swap_remove(next);
                }
            }
        }
        !is_idle
    }

    /// The next one that was read or written since it was last told, by its [place](Id::index).
    pub(crate) fn poll_moved(&mut self) -> Option<usize> {
        let at = self.moved.pop()?;
        if let Some(Some(link)) = self.links.get_mut(at) {
            link.listed.moved = false;
        }
        Some(at)
    }

    /// Sees how long answers took, of those that were told.
    pub(crate) fn time<H: Hook>(&mut self, engine: &Engine<Heap, IN_FLIGHT, H>, now: Instant) {
        for at in self.timed.drain(..) {
            let Some(Some(link)) = self.links.get_mut(at) else { continue };
            link.listed.timed = false;
            if let Some(took) = link.take_took(engine, now)
                && engine.is_prompt(link.id())
            {
                // As TCP does it.
                let took = took.as_micros() as u64;
                self.rtt = if self.rtt == NONE { took * 8 } else { self.rtt - self.rtt / 8 + took };
            }
        }
    }

    /// Writes what is to be written, once to each. Whether there was anything to do.
    pub(crate) fn transmit<H: Hook>(
        &mut self,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
        ahead: Ahead,
    ) -> bool {
        let Self { links, unsent, moved, counts, .. } = self;
        while let Some(id) = engine.poll_unsent() {
            if let Some(Some(link)) = links.get_mut(id.index()) {
                list(unsent, &mut link.listed.unsent, id.index());
            }
        }
        let mut is_idle = true;
        unsent.retain(|&at| {
            let Some(Some(link)) = links.get_mut(at) else { return false };
            if link.is_patient(engine, ahead) {
                return true;
            }
            let written = link.write(engine, now);
            if written.is_some() {
                list(moved, &mut link.listed.moved, at);
                is_idle = false;
            }
            counts.writes += u64::from(written == Some(true));
            link.listed.unsent = link.is_unsent(engine);
            link.listed.unsent
        });
        debug_assert!(
            links.iter().flatten().all(|link| link.listed.unsent || !link.is_unsent(engine)),
            "what is to be written is known"
        );
        !is_idle
    }

    /// Writes parts of a request, the middle one from where it lies. How many bytes the socket took.
    pub(crate) fn write_lent(&mut self, now: Instant, id: Id, parts: [&[u8]; 3]) -> usize {
        let Some(Some(link)) = self.links.get_mut(id.index()) else { return 0 };
        let written = link.write_lent(now, parts);
        if link.owes() {
            list(&mut self.unsent, &mut link.listed.unsent, id.index());
        }
        self.counts.writes += u64::from(written > 0);
        written
    }

    /// Does what the engine asks for.
    pub(crate) fn act<H: Hook>(
        &mut self,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
        action: Action,
    ) {
        match action {
            Action::Open { id, address } => {
                self.counts.dials += 1;
                let elsewhere = address.map(|address| endpoint_of(address, &self.endpoint));
                let endpoint = elsewhere.as_ref().unwrap_or(&self.endpoint);
                match Connecting::new(&self.dialer, endpoint, self.connect_timeout) {
                    Ok(connecting) => self.dial(engine, now, id, connecting, io::ErrorKind::NotFound.into()),
                    Err(error) => self.fail(engine, now, id, error),
                }
            }
            // To drop it is to close it.
            Action::Close(id) => {
                if let Some(link) = self.links.get_mut(id.index()) {
                    *link = None;
                }
                self.connecting();
            }
        }
    }

    /// Tries the next address, and the next.
    fn dial<H: Hook>(
        &mut self,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
        id: Id,
        mut connecting: Connecting,
        mut last: io::Error,
    ) {
        let at = id.index();
        if self.links.len() <= at {
            self.links.resize_with(at + 1, || None);
        }
        self.links[at] = None;
        self.links.iter().flatten().for_each(Link::no_longer_sole);
        while let Some(opened) = connecting.next(now) {
            match opened.and_then(|stream| Link::register(id, stream, &self.registry, &connecting)) {
                Ok(link) => {
                    self.links[at] = Some(link);
                    return self.connecting();
                }
                Err(error) => last = error,
            }
        }
        self.connecting();
        self.fail(engine, now, id, last);
    }

    fn fail<H: Hook>(
        &mut self,
        engine: &mut Engine<Heap, IN_FLIGHT, H>,
        now: Instant,
        id: Id,
        error: io::Error,
    ) {
        engine.handle_connect_failed(now, id, code(&error));
        self.failure = Some(error);
    }

    /// A socket that has become writable is connected, or has failed.
    fn connect<H: Hook>(&mut self, engine: &mut Engine<Heap, IN_FLIGHT, H>, now: Instant, at: usize) -> bool {
        let Some(Some(link)) = self.links.get_mut(at) else { return false };
        let Some(connected) = link.connected(now) else { return false };
        let id = link.id();
        match connected {
            Ok(()) => {
                // A buffer that cannot hold the handshake is the engine's to tell, as any other end.
                let _ = engine.handle_connected(now, id, &self.login.settings());
            }
            Err(error) => match link.take_connecting() {
                Some(connecting) => self.dial(engine, now, id, connecting, error),
                None => engine.handle_transport_error(id),
            },
        }
        self.connecting();
        true
    }

    fn read<H: Hook>(&mut self, engine: &mut Engine<Heap, IN_FLIGHT, H>, at: usize) -> bool {
        let Some(Some(link)) = self.links.get_mut(at) else { return false };
        let read = link.read(engine);
        if read.is_some() {
            list(&mut self.moved, &mut link.listed.moved, at);
        }
        if link.owes() {
            list(&mut self.unsent, &mut link.listed.unsent, at);
        }
        if read == Some(true) {
            list(&mut self.timed, &mut link.listed.timed, at);
            self.counts.reads += 1;
        }
        read.is_some()
    }
}

/// Puts a place into a list, in which it is or is not.
fn list(places: &mut Vec<usize>, is_listed: &mut bool, at: usize) {
    if !std::mem::replace(is_listed, true) {
        places.push(at);
    }
}

impl<L> fmt::Debug for Sockets<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets")
            .field("endpoint", &self.endpoint)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Where a hook sends a dial. If there was to be TLS, there is TLS.
fn endpoint_of(address: respire_core::config::Address<'_>, usual: &Endpoint) -> Endpoint {
    let (host, port) = (address.host.into(), address.port);
    match usual {
        _ if address.is_path() => Endpoint::Unix(host),
        Endpoint::Tls { .. } => Endpoint::Tls { host, port },
        _ => Endpoint::Tcp { host, port },
    }
}

/// The system's number for it.
fn code(error: &io::Error) -> DialCode {
    match error.kind() {
        io::ErrorKind::TimedOut => DialCode::TIMEOUT,
        // Nothing else that is dialled has a form that could be wrong.
        io::ErrorKind::InvalidData => DialCode::TLS,
        _ => DialCode(error.raw_os_error().and_then(|code| u32::try_from(code).ok()).unwrap_or(0)),
    }
}
