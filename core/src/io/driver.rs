//! A connection with its transport and a clock, driven by whoever waits.

use core::fmt;

use super::{Socket, pump_lending};
use crate::buffer::Storage;
use crate::command::AnyRequest;
use crate::conn::{CloseReason, Connection, Event, Failure, Part, Settings, SubmitError, Token, Wait};
use crate::error::{Full, Misuse};
use crate::resp::Reply;
use crate::time::{Duration, Instant};

/// A [`Socket`] that can be waited for, and the clock to wait by. With these two more methods a
/// mio stream, a WASI stream or a network stack on a device is all that [`Driver`] needs.
pub trait Transport: Socket {
    /// The time now. It never goes back.
    fn now(&self) -> Instant;

    /// Waits until there may be something to read or, if `writable`, room to write; at most until
    /// the time is `until`, `None` for ever. May return early.
    ///
    /// # Errors
    /// The stream is broken, or cannot be waited for.
    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Self::Error>;
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Self::Error> {
        (**self).wait(writable, until)
    }
}

/// One connection that moves: the blocking driver of threads, components and firmware alike.
///
/// The one who waits for an answer turns it; nothing happens in between. [`call`](Self::call) is
/// one request and its answer, [`submit`](Self::submit) and [`turn`](Self::turn) are for several at
/// once and for subscribers.
///
/// Nothing allocates: the memory is that of the [`Connection`], and the error of the transport.
///
/// ```
/// use respire_core::command::{get, set};
/// use respire_core::conn::{Config, Connection, Settings};
/// use respire_core::io::{Driver, Transport};
///
/// fn greet<T: Transport>(transport: T) -> Option<usize> {
///     let connection = Connection::<[u8; 512], 4>::new([0; 512], [0; 512], Config::default());
///     let mut driver = Driver::new(connection, transport);
///     driver.start(&Settings::default()).ok()?;
///     driver.call(&set("greeting", "hello"), |reply| assert!(reply.error().is_none()), |_push| {}).ok()?;
///     driver.call(&get("greeting"), |reply| reply.as_bytes().map(<[u8]>::len), |_push| {}).ok()?
/// }
/// ```
pub struct Driver<T: Transport, S: Storage, const IN_FLIGHT: usize> {
    pub(super) connection: Connection<S, IN_FLIGHT>,
    pub(super) transport: T,
    /// How the transport failed.
    error: Option<T::Error>,
    /// The last turn left bytes unwritten.
    wants_write: bool,
    /// A request was refused for lack of room since the last turn.
    crowded: bool,
}

/// Why [`Driver::start`] did not get to a connection that takes requests.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StartError {
    /// The transmit buffer cannot hold the handshake.
    Full(Full),
    /// The connection ended: [`Connection::close_reason`] says why.
    Closed,
}

/// Why [`Driver::call`] has no answer.
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CallError {
    /// The request was not taken; nothing was sent.
    Refused(SubmitError),
    /// The request was taken and will have no answer.
    Failed(Failure),
}

impl<T: Transport, S: Storage, const IN_FLIGHT: usize> Driver<T, S, IN_FLIGHT> {
    /// Puts the two together. The transport is connected, or will be before [`start`](Self::start).
    pub const fn new(connection: Connection<S, IN_FLIGHT>, transport: T) -> Self {
        Self { connection, transport, error: None, wants_write: false, crowded: false }
    }

    /// Starts a new life over a transport that was just connected, and waits until the handshake is
    /// done. For a reconnect: renew the [transport](Self::transport_mut), then start again; the
    /// memory is used again.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(&mut self, settings: &Settings<'_>) -> Result<(), StartError> {
        self.error = None;
        self.wants_write = false;
        self.connection.start(self.transport.now(), settings).map_err(StartError::Full)?;
        while !self.connection.is_closed() {
            if self.connection.is_ready() && !self.connection.has_news() {
                return Ok(());
            }
            self.turn(None, |_| {});
        }
        Err(StartError::Closed)
    }

    /// The connection, to ask it things.
    pub const fn connection(&self) -> &Connection<S, IN_FLIGHT> {
        &self.connection
    }

    /// The connection, to submit to it or to close it.
    pub const fn connection_mut(&mut self) -> &mut Connection<S, IN_FLIGHT> {
        &mut self.connection
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.transport
    }

    /// The transport, to renew it before the next start.
    pub const fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// How the transport failed, once [`close_reason`](Connection::close_reason) is
    /// [`CloseReason::Transport`].
    pub fn error(&self) -> Option<&T::Error> {
        let failed = matches!(self.connection.close_reason(), Some(CloseReason::Transport));
        self.error.as_ref().filter(|_| failed)
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.transport.now()
    }

    /// [`Connection::submit`] with the time of now. Nothing is written before the next turn; all
    /// arguments are copied.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit(&mut self, token: Token, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        let result = self.connection.submit(self.transport.now(), token, request);
        self.crowded |= result == Err(SubmitError::Full(Full::Transmit));
        result
    }

    /// [`Connection::submit_until`].
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        let result = self.connection.submit_until(deadline, token, request);
        self.crowded |= result == Err(SubmitError::Full(Full::Transmit));
        result
    }

    /// [`submit_until`](Self::submit_until) for callers who wait and do nothing else, several requests at
    /// once. All arguments are copied.
    #[cfg(feature = "client")]
    pub(crate) fn submit_whole(
        &mut self,
        patience: Wait,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        if request.is_chunked() {
            return Err(Misuse::Streamed.into());
        }
        let result = self.connection.submit_whole(patience, token, request, usize::MAX);
        self.crowded |= result == Err(SubmitError::Full(Full::Transmit));
        result
    }

    /// One request, and its answer shown to `read`. Pushes that come before it are shown to
    /// `on_push`. No other request may be in flight: their answers would be dropped.
    ///
    /// With feature `alloc` its first argument of at least [`Socket::lends_from`] bytes is written from
    /// where it lies. It takes no room in the transmit buffer, so it may be longer than that. If the server
    /// answers with an error before it has all of it, this is the answer, and the connection is over.
    ///
    /// # Errors
    /// See [`CallError`]. A request whose answer comes in parts is for [`fetch`](Self::fetch); one
    /// that leaves a value for later is for [`submit`](Self::submit) and
    /// [`supply`](Connection::supply).
    pub fn call<O>(
        &mut self,
        request: &dyn AnyRequest,
        read: impl FnOnce(Reply<'_>) -> O,
        on_push: impl FnMut(Reply<'_>),
    ) -> Result<O, CallError> {
        self.call_in(Wait::Usual(self.transport.now()), request, read, on_push)
    }

    /// [`call`](Self::call) with a deadline of its own, or none.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call_until<O>(
        &mut self,
        deadline: Option<Instant>,
        request: &dyn AnyRequest,
        read: impl FnOnce(Reply<'_>) -> O,
        on_push: impl FnMut(Reply<'_>),
    ) -> Result<O, CallError> {
        self.call_in(Wait::Until(deadline), request, read, on_push)
    }

    fn call_in<O>(
        &mut self,
        patience: Wait,
        request: &dyn AnyRequest,
        read: impl FnOnce(Reply<'_>) -> O,
        on_push: impl FnMut(Reply<'_>),
    ) -> Result<O, CallError> {
        if request.is_chunked() {
            return Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed)));
        }
        self.submit_alone(patience, request).map_err(CallError::Refused)?;
        self.answer(request, read, |_| {}, on_push)?
            .ok_or(CallError::Refused(SubmitError::Misuse(Misuse::Streamed)))
    }

    /// One [`chunked`](crate::command::chunked) request: a string or an aggregate of any length is
    /// shown to `on_part` part by part, and then there is `None`; any other answer is shown to `read`.
    ///
    /// # Errors
    /// See [`CallError`]. Parts that came before are the start of the answer, no more. Pushes that come
    /// meanwhile are dropped.
    pub fn fetch<O>(
        &mut self,
        request: &dyn AnyRequest,
        on_part: impl FnMut(Part<'_>),
        read: impl FnOnce(Reply<'_>) -> O,
    ) -> Result<Option<O>, CallError> {
        self.submit_alone(Wait::Usual(self.transport.now()), request).map_err(CallError::Refused)?;
        self.answer(request, read, on_part, |_| {})
    }

    /// Submits the request whose [`answer`](Self::answer) is awaited next. A long argument of it may
    /// be owed until then.
    pub(crate) fn submit_alone(
        &mut self,
        patience: Wait,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        self.connection.submit_whole(patience, CALL, request, self.transport.lends_from())
    }

    /// Moves bytes and tells events. If nothing happens by itself it waits for the transport, for
    /// the connection's own deadline, and at most for `patience`; `None` for ever.
    ///
    /// If there was no room for a request, or if a value is to be [supplied](Connection::supply), it
    /// only waits until there is room. So a pipeline is kept full, and a long value flowing, by
    /// submitting or supplying and turning, again and again.
    pub fn turn(&mut self, patience: Option<Duration>, mut on_event: impl FnMut(Event<'_>)) {
        self.wake_up();
        self.turn_once(patience, &mut [].as_slice(), &mut on_event);
    }

    /// What was submitted may have waited for this turn until it was too late.
    #[inline(never)]
    fn wake_up(&mut self) {
        if !self.connection.poll_transmit().is_empty() {
            self.connection.clock(self.transport.now());
        }
    }

    /// The turn itself, compiled once: it is called from many places, and is large for a device.
    pub(super) fn turn_once(
        &mut self,
        patience: Option<Duration>,
        lent: &mut &[u8],
        on_event: &mut dyn FnMut(Event<'_>),
    ) {
        let told = self.move_bytes(lent, on_event);
        let crowded = core::mem::take(&mut self.crowded) || self.connection.owed() > 0;
        if told || patience == Some(Duration::ZERO) || crowded && !self.wants_write {
            return;
        }
        let now = self.transport.now();
        let own = if self.connection.has_news() { Some(now) } else { self.connection.poll_timeout() };
        let until = match (own, patience.map(|patience| now.saturating_add(patience))) {
            (Some(own), Some(patience)) => Some(own.min(patience)),
            (own, patience) => own.or(patience),
        };
        if let Err(error) = self.transport.wait(self.wants_write, until) {
            self.connection.handle_transport_error();
            self.error.get_or_insert(error);
        }
        // From here on nothing that is late is sent; but what came in time is read first.
        self.connection.clock(self.transport.now());
        self.move_bytes(lent, on_event);
    }

    /// Reads what has come meanwhile, to find an end behind it. What is pushed is dropped, and a
    /// peer that never stops talking is left to the request that comes next.
    pub fn look(&mut self) {
        for _ in 0..64 {
            if !self.move_bytes(&mut [].as_slice(), &mut |_| {}) || self.connection.is_closed() {
                return;
            }
        }
    }

    /// Waits for the answer to the request that is alone. `None`: it came in parts.
    fn answer<O>(
        &mut self,
        request: &dyn AnyRequest,
        read: impl FnOnce(Reply<'_>) -> O,
        mut on_part: impl FnMut(Part<'_>),
        mut on_push: impl FnMut(Reply<'_>),
    ) -> Result<Option<O>, CallError> {
        let mut read = Some(read);
        let mut value = None;
        self.resolve(request, &mut |event| match event {
            Event::Reply { reply, .. } => value = read.take().map(|read| read(reply)),
            Event::Part { part, .. } => on_part(part),
            Event::Push(push) => on_push(push),
            _ => {}
        })?;
        Ok(value)
    }

    /// Turns until the request that is alone is resolved; tells its events, and pushes.
    fn resolve(
        &mut self,
        request: &dyn AnyRequest,
        tell: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), CallError> {
        let mut end = None;
        while end.is_none() {
            self.turn_for(request, &mut |event| {
                match event {
                    Event::Reply { token: CALL, .. } | Event::Part { token: CALL, last: true, .. } => {
                        end = Some(Ok(()));
                    }
                    Event::Failed { token: CALL, failure } => end = Some(Err(CallError::Failed(failure))),
                    Event::Part { token: CALL, .. } | Event::Push(_) => {}
                    _ => return,
                }
                tell(event);
            });
        }
        end.unwrap_or(Ok(()))
    }

    /// A turn for the answer to the request that is alone: it may owe an argument, which is lent.
    pub(crate) fn turn_for(&mut self, request: &dyn AnyRequest, on_event: &mut dyn FnMut(Event<'_>)) {
        #[cfg(feature = "alloc")]
        if self.connection.owed() > 0 {
            return self.lend(request, on_event);
        }
        let _ = request;
        self.turn_once(None, &mut [].as_slice(), on_event);
    }

    /// Turns the pump while bytes move. Says whether anything was told.
    fn move_bytes(&mut self, lent: &mut &[u8], on_event: &mut dyn FnMut(Event<'_>)) -> bool {
        let mut told = false;
        loop {
            let mut answered = false;
            let turn = pump_lending(&mut self.connection, &mut self.transport, lent, |event| {
                told = true;
                answered |= matches!(event, Event::Reply { .. } | Event::Part { .. });
                on_event(event);
            });
            match turn {
                Ok(turn) => {
                    self.wants_write = turn.wants_write;
                    if answered || self.connection.is_closed() {
                        return true;
                    }
                    // After every read, for a peer may never stop talking; but not while answers come:
                    // what came in time counts even if it is read late.
                    self.connection.handle_timeout(self.transport.now());
                    let more = turn.may_read && !told;
                    if !more && !self.connection.has_news() {
                        return told;
                    }
                }
                Err(error) => {
                    self.error.get_or_insert(error);
                    return true;
                }
            }
        }
    }
}

/// The token of a request that is alone.
const CALL: Token = Token(u64::MAX);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(full) => full.fmt(f),
            Self::Closed => f.write_str("the connection ended in the handshake"),
        }
    }
}

impl core::error::Error for StartError {}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl core::error::Error for CallError {}

impl<T: Transport, S: Storage, const IN_FLIGHT: usize> fmt::Debug for Driver<T, S, IN_FLIGHT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("connection", &self.connection).finish_non_exhaustive()
    }
}
