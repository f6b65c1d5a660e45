//! One connection, its socket and a clock, driven by the thread that waits.
//!
//! mio tells when the socket is ready; [`pump`] does the rest. The loop
//! that many callers share is built on the same parts.

use std::io;
use std::time::Duration;

use mio::{Events, Poll};
use respire_core::buffer::Growing;
use respire_core::command::Request;
use respire_core::conn::{CloseReason, Config, Connection, Event, Settings, SubmitError, Token};
use respire_core::io::pump;
use respire_core::time::Instant;

use crate::clock::Clock;
use crate::dial::{dial, poll_once};
use crate::error::{ConnectCause, ConnectError, plain};
use crate::socket::Stream;
use crate::url::Endpoint;

/// What a buffer rests at, and what it may grow to: a value of 512 MiB and its frame.
const RESTING: usize = 64 << 10;
const LARGEST: usize = (512 << 20) + (64 << 10);

/// How a connection is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) connect_timeout: Duration,
    pub(crate) reply_timeout: Option<Duration>,
    /// Sizes of the kernel's socket buffers, if not the system's own.
    pub(crate) socket_buffers: Option<usize>,
}

/// A connection that moves. At most `IN_FLIGHT` requests wait for answers.
pub(crate) struct Driver<const IN_FLIGHT: usize = 1024> {
    poll: Poll,
    events: Events,
    stream: Stream,
    connection: Box<Connection<Growing, IN_FLIGHT>>,
    clock: Clock,
    error: Option<io::Error>,
}

impl<const IN_FLIGHT: usize> Driver<IN_FLIGHT> {
    /// Dials, and waits until the handshake is done.
    pub(crate) fn connect(
        endpoint: &Endpoint,
        settings: &Settings<'_>,
        tuning: Tuning,
    ) -> Result<Self, ConnectError> {
        let io_error = |error| ConnectError {
            endpoint: endpoint.clone(),
            tried: Vec::new(),
            cause: ConnectCause::Io(error),
        };
        let mut poll = Poll::new().map_err(io_error)?;
        let mut events = Events::with_capacity(16);
        let stream = dial(&mut poll, &mut events, endpoint, tuning.connect_timeout, tuning.socket_buffers)?;
        let config = Config {
            handshake_timeout: tuning.connect_timeout,
            reply_timeout: tuning.reply_timeout,
            ..Config::default()
        };
        let buffer = || Growing::new(RESTING, LARGEST);
        let connection = Box::new(Connection::new(buffer(), buffer(), config));
        let mut driver = Self { poll, events, stream, connection, clock: Clock::start(), error: None };
        let now = driver.clock.now();
        if driver.connection.start(now, settings).is_err() {
            return Err(io_error(io::ErrorKind::InvalidInput.into()));
        }
        while !driver.connection.is_ready() && !driver.connection.is_closed() {
            driver.turn(None, |_| {});
        }
        match driver.connection.close_reason() {
            None => Ok(driver),
            Some(reason) => {
                // The server's own words say more than how the transport ended behind them.
                let cause = match (reason, driver.error.take()) {
                    (CloseReason::Transport, Some(error)) => ConnectCause::Io(error),
                    (reason, _) => reason.into(),
                };
                Err(ConnectError { endpoint: endpoint.clone(), tried: Vec::new(), cause })
            }
        }
    }

    pub(crate) fn connection(&self) -> &Connection<Growing, IN_FLIGHT> {
        &self.connection
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Bytes that were submitted and not yet written.
    pub(crate) fn unsent(&self) -> usize {
        self.connection.poll_transmit().len()
    }

    pub(crate) fn submit(&mut self, token: Token, request: &impl Request) -> Result<(), SubmitError> {
        self.connection.submit(self.clock.now(), token, request)
    }

    pub(crate) fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &impl Request,
    ) -> Result<(), SubmitError> {
        self.connection.submit_until(deadline, token, request)
    }

    /// Moves bytes and tells events. If nothing happens by itself it waits for the socket, for the
    /// connection's own deadline, and at most for `patience`.
    pub(crate) fn turn(&mut self, patience: Option<Duration>, mut on_event: impl FnMut(Event<'_>)) {
        if self.move_bytes(&mut on_event) || patience == Some(Duration::ZERO) {
            return;
        }
        let own = self.connection.patience(self.clock.now());
        // Rounded up: a wait that ends a little early would only be started again.
        let own = own.map(|own| own + Duration::from_millis(1));
        let wait = [own, patience].into_iter().flatten().min();
        if let Err(error) = poll_once(&mut self.poll, &mut self.events, wait) {
            self.broke(error);
        }
        self.move_bytes(&mut on_event);
    }

    /// Reads what has come meanwhile, to find an end behind it. What is pushed is dropped, and a
    /// peer that never stops talking is left to the request that comes next.
    pub(crate) fn look(&mut self) {
        for _ in 0..64 {
            if !self.move_bytes(&mut |_| {}) || self.connection.is_closed() {
                return;
            }
        }
    }

    /// How the connection ended, in words.
    pub(crate) fn cause(&self) -> String {
        match (self.connection.close_reason(), &self.error) {
            (Some(CloseReason::Transport), Some(error)) => format!("the connection broke: {}", plain(error)),
            (Some(reason), _) => reason.to_string(),
            (None, _) => "the connection stands".to_owned(),
        }
    }

    /// Turns the pump while bytes move. Says whether anything was told.
    fn move_bytes(&mut self, on_event: &mut impl FnMut(Event<'_>)) -> bool {
        let mut told = false;
        loop {
            let mut answered = false;
            let turn = pump(&mut self.connection, &mut self.stream, |event| {
                told = true;
                answered |= matches!(event, Event::Reply { .. });
                on_event(event);
            });
            match turn {
                Ok(_) if answered || self.connection.is_closed() => return true,
                Ok(turn) => {
                    // After every read, for a peer may never stop talking; but not before it, nor
                    // while answers come: what came in time counts even if it is read late.
                    self.connection.handle_timeout(self.clock.now());
                    let more = turn.may_read && !told;
                    if !more && !self.connection.is_closed() {
                        return told;
                    }
                }
                Err(error) => {
                    self.broke(error);
                    return true;
                }
            }
        }
    }

    fn broke(&mut self, error: io::Error) {
        self.connection.handle_transport_error();
        self.error.get_or_insert(error);
    }
}
