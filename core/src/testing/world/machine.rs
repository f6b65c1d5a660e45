//! The connection under test, whatever its memory; and the one place that knows its contract.

use core::cell::RefCell;

use super::net::{Broken, Net};
use crate::buffer::Storage;
use crate::command::AnyRequest;
use crate::conn::{Connection, Event, Failure, Protocol, Settings, SubmitError, Token};
use crate::error::{ErrorKind, Full, ServerError};
use crate::io::{Socket, pump};
use crate::resp::Reply;
use crate::time::Instant;

/// A connection without its memory in its type.
pub(super) trait Machine {
    fn start(&mut self, now: Instant, settings: &Settings<'_>) -> Result<(), Full>;
    fn submit(&mut self, now: Instant, token: Token, request: &dyn AnyRequest) -> Result<(), SubmitError>;
    fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError>;
    fn supply(&mut self, bytes: &[u8]) -> usize;
    fn owed(&self) -> u64;
    fn lend<'a>(&'a self, bytes: &'a [u8]) -> [&'a [u8]; 3];
    fn transmitted_lent(&mut self, n: usize) -> usize;
    fn abandon(&mut self, now: Instant, token: Token) -> Abandoned;
    fn close(&mut self);
    fn transmitted(&mut self, n: usize);
    fn received(&mut self, n: usize);
    fn eof(&mut self);
    fn transport_error(&mut self);
    fn timeout(&mut self, now: Instant);
    fn recv_space(&mut self) -> Option<&mut [u8]>;
    fn poll_transmit(&self) -> &[u8];
    fn poll_event(&mut self) -> Option<Event<'_>>;
    fn poll_timeout(&self) -> Option<Instant>;
    fn is_closed(&self) -> bool;
    fn is_subscribed(&self) -> bool;
    fn protocol(&self) -> Protocol;
    fn in_flight(&self) -> usize;
    /// One turn of the library's own loop.
    fn pump(&mut self, end: &mut End<'_, '_>, on_event: &mut dyn FnMut(Event<'_>)) -> Result<(), Broken>;
}

/// What is known of a request that nobody waits for any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Abandoned {
    /// It was resolved before.
    TooLate,
    /// It was taken back, and will never be sent.
    NotSent,
    /// It may or may not be executed; its answer will be dropped.
    Unknown,
}

impl<S: Storage, const N: usize> Machine for Connection<S, N> {
    fn start(&mut self, now: Instant, settings: &Settings<'_>) -> Result<(), Full> {
        self.start(now, settings)
    }

    fn submit(&mut self, now: Instant, token: Token, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        self.submit(now, token, request)
    }

    fn submit_until(
        &mut self,
        deadline: Option<Instant>,
        token: Token,
        request: &dyn AnyRequest,
    ) -> Result<(), SubmitError> {
        self.submit_until(deadline, token, request)
    }

    fn supply(&mut self, bytes: &[u8]) -> usize {
        self.supply(bytes)
    }

    fn owed(&self) -> u64 {
        self.owed()
    }

    fn lend<'a>(&'a self, bytes: &'a [u8]) -> [&'a [u8]; 3] {
        self.poll_transmit_lent(bytes)
    }

    fn transmitted_lent(&mut self, n: usize) -> usize {
        self.handle_transmitted_lent(n)
    }

    fn abandon(&mut self, now: Instant, token: Token) -> Abandoned {
        match self.abandon(now, token) {
            None => Abandoned::TooLate,
            Some(Failure::NotSent) => Abandoned::NotSent,
            Some(_) => Abandoned::Unknown,
        }
    }

    fn close(&mut self) {
        self.close();
    }

    fn transmitted(&mut self, n: usize) {
        self.handle_transmitted(n);
    }

    fn received(&mut self, n: usize) {
        self.handle_received(n);
    }

    fn eof(&mut self) {
        self.handle_eof();
    }

    fn transport_error(&mut self) {
        self.handle_transport_error();
    }

    fn timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn recv_space(&mut self) -> Option<&mut [u8]> {
        self.recv_space()
    }

    fn poll_transmit(&self) -> &[u8] {
        self.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Event<'_>> {
        self.poll_event()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.poll_timeout()
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn is_subscribed(&self) -> bool {
        self.is_subscribed()
    }

    fn protocol(&self) -> Protocol {
        self.protocol()
    }

    fn in_flight(&self) -> usize {
        self.in_flight()
    }

    fn pump(&mut self, end: &mut End<'_, '_>, on_event: &mut dyn FnMut(Event<'_>)) -> Result<(), Broken> {
        pump(self, end, on_event).map(|_| ())
    }
}

/// The client's end of a line.
pub(super) struct End<'a, 'n> {
    pub(super) net: &'a RefCell<&'n mut Net>,
    pub(super) line: usize,
}

impl Socket for End<'_, '_> {
    type Error = Broken;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        self.net.borrow_mut().read(self.line, buffer)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        self.net.borrow_mut().write(self.line, bytes)
    }
}

/// What a caller learns of a request, and so what the server may have done with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// An answer: executed once.
    Ok,
    /// The server said no: not executed.
    Rejected,
    /// An answer that could not be kept: executed once.
    Oversized,
    /// Not sent: never executed.
    NotSent,
    /// Sent, and not answered: executed once or not at all.
    Unknown,
    /// Its deadline passed before it was sent: never executed.
    Expired,
    /// Its deadline passed after it was sent: executed once or not at all.
    TimedOut,
    /// The caller turned away before it was sent: never executed.
    TakenBack,
    /// The caller turned away: executed once or not at all.
    Abandoned,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Rejected,
        Self::Oversized,
        Self::NotSent,
        Self::Unknown,
        Self::Expired,
        Self::TimedOut,
        Self::TakenBack,
        Self::Abandoned,
    ];

    /// What a failure says.
    pub(super) const fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::NotSent => Self::NotSent,
            Failure::Unknown => Self::Unknown,
            Failure::Expired => Self::Expired,
            Failure::TimedOut => Self::TimedOut,
            Failure::TooLarge | Failure::TooDeep => Self::Oversized,
        }
    }

    /// Whether there is no answer because the connection is over.
    pub(super) const fn is_lost(self) -> bool {
        matches!(self, Self::NotSent | Self::Unknown)
    }

    /// What an answer says. By its code only, as a caller would judge.
    pub(super) fn of_reply(reply: Reply<'_>) -> Self {
        match reply.error().map(ServerError::kind) {
            Some(
                ErrorKind::Loading
                | ErrorKind::Busy
                | ErrorKind::ReadOnly
                | ErrorKind::MasterDown
                | ErrorKind::NoAuth
                | ErrorKind::NoScript
                | ErrorKind::ExecAbort
                | ErrorKind::Denied,
            ) => Self::Rejected,
            _ => Self::Ok,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Oversized => "oversized",
            Self::NotSent => "not sent",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::TimedOut => "timed out",
            Self::TakenBack => "taken back",
            Self::Abandoned => "abandoned",
        }
    }
}
