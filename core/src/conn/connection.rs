//! The state machine's state, and the calls of application and driver.

use core::fmt;

use super::close::Reason;
use super::handshake::{Handshake, Outcome};
use super::in_flight::{Answer, InFlight, Slot};
use super::settings::{Config, Protocol, Settings};
use super::state::State;
use super::subscriber::Subscriber;
use super::{CloseReason, Token};
use crate::buffer::{ReceiveBuffer, Storage, TransmitBuffer};
use crate::error::Full;
use crate::flaw::flaw;
use crate::log::debug;
use crate::resp::{Scanner, Teller};
use crate::time::Instant;

/// One connection to a server, without a socket and without a clock.
///
/// `S` is the memory of each of the two buffers ([`Storage`]): the receive buffer holds one whole
/// reply, so make it as large as the largest value you read and 64 bytes more; the transmit buffer
/// holds the requests that were taken and not sent, and must hold the handshake. `IN_FLIGHT` is how
/// many requests may wait for answers, 32 bytes each: at once where memory is fixed, and as many as do where it grows. What is larger than the buffers passes through
/// them: in with [`chunked`](crate::command::chunked), out with [`Later`](crate::command::Later).
///
/// Methods are sorted by who calls them:
///
/// - **getters** say how things stand: [`is_ready`](Self::is_ready),
///   [`in_flight`](Self::in_flight), [`protocol`](Self::protocol), [`close_reason`](Self::close_reason);
/// - **verbs** are for what the application wants: [`start`](Self::start),
///   [`submit`](Self::submit), [`supply`](Self::supply), [`abandon`](Self::abandon),
///   [`close`](Self::close);
/// - **`handle_*`** tell what the driver learned from the socket and the clock;
/// - **`poll_*`** say what the driver must do, and what has happened. Poll events until there are
///   none before the next read: only then is room made.
///
/// A request that was taken is resolved exactly once: by `Event::Reply`, the last `Event::Part` or
/// `Event::Failed`, unless it was abandoned. Nothing blocks, nothing allocates, calls at the wrong time do nothing.
// What is used most comes first: small processors reach it with shorter instructions.
#[repr(C)]
pub struct Connection<S: Storage, const IN_FLIGHT: usize> {
    pub(super) protocol: Protocol,
    /// A frame too large for the buffer is being skipped.
    pub(super) skipping: bool,
    /// The frame that is here in part was there before anything was asked.
    pub(super) early: bool,
    /// The scanner has seen all that was received and wants more.
    pub(super) drained: bool,
    pub(super) monitoring: bool,
    pub(super) quitting: bool,
    /// MULTI was submitted, and nothing that ends it.
    pub(super) queueing: bool,
    /// A deadline has passed, and events are to say whose.
    pub(super) late: bool,
    /// Bytes were sent since the deadline of writing was set.
    pub(super) wrote: bool,
    /// The bytes that are owed are lent: they wait to be written like all others.
    pub(super) lending: bool,
    pub(super) phase: Phase,
    pub(super) receive: ReceiveBuffer<S>,
    pub(super) subscriber: Subscriber,
    pub(super) lent: Lent,
    /// The transport ended; what was received before still counts.
    pub(super) ended: Option<Reason>,
    pub(super) transmit: TransmitBuffer<S>,
    /// Bytes submitted and bytes sent since the start.
    pub(super) submitted: u64,
    pub(super) sent: u64,
    /// Bytes of the newest request that the application is still to supply.
    pub(super) owed: u64,
    pub(super) state: State,
    /// The latest time that the driver told.
    pub(super) now: Instant,
    /// No deadline of a request is earlier.
    pub(super) wake: Instant,
    /// No request that may block has a later deadline.
    pub(super) horizon: Instant,
    /// Something must have been sent by then.
    pub(super) write_by: Instant,
    pub(super) clock_faults: u32,
    /// The last number.
    pub(super) number: u64,
    /// Requests taken since the last number.
    pub(super) unverified: u32,
    /// Set with the first request that is answered in parts.
    pub(super) teller: Option<Teller>,
    pub(super) scanner: Scanner,
    pub(super) config: Config,
    pub(super) in_flight: InFlight<S::Places<Slot, IN_FLIGHT>, IN_FLIGHT>,
}

/// Where the connection is in its life.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// Not started.
    Idle,
    /// The handshake must be done by then.
    Handshake { handshake: Handshake, deadline: Instant },
    /// Requests are taken. `announced`: the application knows.
    Ready { announced: bool },
    /// Over. `announced`: the application knows.
    Closed { reason: Reason, announced: bool },
}

/// The frame that the last event borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lent {
    /// Its bytes, released by the next call.
    pub(super) len: usize,
    /// A confirmation is a push first and then this request's answer.
    pub(super) answers: Option<Token>,
}

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    /// A connection that has not started.
    pub const fn new(receive: S, transmit: S, config: Config) -> Self {
        Self {
            receive: ReceiveBuffer::new(receive),
            transmit: TransmitBuffer::new(transmit),
            config,
            scanner: Scanner::new(config.limits),
            phase: Phase::Idle,
            in_flight: InFlight::new(),
            subscriber: Subscriber::NONE,
            protocol: Protocol::Resp2,
            submitted: 0,
            sent: 0,
            owed: 0,
            state: State::new(0, false),
            now: Instant::ZERO,
            wake: Instant::MAX,
            horizon: Instant::ZERO,
            write_by: Instant::MAX,
            clock_faults: 0,
            unverified: 0,
            number: 0,
            lent: Lent { len: 0, answers: None },
            teller: None,
            ended: None,
            skipping: false,
            early: false,
            drained: false,
            monitoring: false,
            quitting: false,
            queueing: false,
            late: false,
            wrote: false,
            lending: false,
        }
    }

    // Getters.

    /// Whether requests are taken.
    pub const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Whether the connection is over.
    pub const fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    /// How many requests were taken and not resolved.
    pub const fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How many bytes were sent since the oldest request began that is not resolved: zero if nothing is on its way.
    pub fn unanswered(&self) -> u64 {
        self.in_flight.head().map_or(0, |oldest| self.sent.saturating_sub(oldest.start))
    }

    /// Whether anything but numbers of ours is in flight.
    pub(crate) fn owes_answers(&self) -> bool {
        self.in_flight.position(|slot| slot.answer != Answer::Number).is_some()
    }

    /// Whether it is of no use to another caller, whatever else it says: it tells what others do, is about to be
    /// closed, or has the other half of a confirmation to tell.
    pub(crate) const fn is_spent(&self) -> bool {
        self.monitoring || self.quitting || self.lent.answers.is_some()
    }

    /// The version that is spoken now.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// What the server keeps for this connection; when it is over, what it kept.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether there is any subscription. In RESP2 only the commands of subscribers work then.
    pub const fn is_subscribed(&self) -> bool {
        self.subscriber.is_active()
    }

    /// Why the connection is over.
    pub fn close_reason(&self) -> Option<CloseReason<'_>> {
        match self.phase {
            Phase::Closed { reason, .. } => Some(reason.lend(self.receive.unread())),
            _ => None,
        }
    }

    // Verbs of the application.

    /// Another configuration: times are for what is submitted, written or given up from now on, and limits for the next
    /// [life](Self::start).
    pub const fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// Starts a new life: encodes the handshake for a transport that was just connected.
    ///
    /// Whatever was left of an earlier life is forgotten; read its events first. A new transport may have a
    /// new clock.
    ///
    /// # Errors
    /// [`Full`] if the transmit buffer cannot hold the handshake; then the connection is idle.
    pub fn start(&mut self, now: Instant, settings: &Settings<'_>) -> Result<(), Full> {
        self.forget();
        self.now = now;
        self.state = State::new(settings.db, settings.tracking.is_some());
        let mut handshake = Handshake::new(settings);
        self.put_steps(handshake.pending(), settings)?;
        if let Some(fallback) = handshake.fallback() {
            self.transmit.hold(0);
            self.put_steps(fallback, settings)?;
        }
        match handshake.outcome() {
            Outcome::Ready(protocol) => self.become_ready(protocol),
            _ => {
                let deadline = now.saturating_add(self.config.handshake_timeout);
                self.phase = Phase::Handshake { handshake, deadline };
            }
        }
        Ok(())
    }

    /// Ends the connection from our side. Events resolve what is in flight; the driver then closes
    /// the socket.
    pub fn close(&mut self) {
        self.fail(Reason::Local);
    }

    // What the driver learned.

    /// The socket took the first `n` bytes of [`poll_transmit`](Self::poll_transmit). Tell it before
    /// what is received next: an answer to a request that was not sent ends the connection.
    pub fn handle_transmitted(&mut self, n: usize) {
        let n = n.min(self.transmit.ready().len());
        self.sent = self.sent.saturating_add(n as u64);
        flaw!(WrittenAgain => if n < self.transmit.ready().len() { return });
        self.transmit.sent(n);
        self.wrote |= n > 0;
        self.watch_writing();
    }

    /// `n` bytes of [`recv_space`](Self::recv_space) were received.
    pub fn handle_received(&mut self, n: usize) {
        if !self.is_closed() {
            self.receive.commit(n);
            self.drained &= n == 0;
        }
    }

    /// The peer closed its side: no more bytes will come.
    pub fn handle_eof(&mut self) {
        self.ended.get_or_insert(Reason::Eof);
    }

    /// The socket failed. The driver keeps the error itself.
    pub fn handle_transport_error(&mut self) {
        self.ended.get_or_insert(Reason::Transport);
    }

    // What the driver must do.

    /// What to write, as one slice; empty if there is nothing, or if a deadline has passed and events are to
    /// be polled first.
    ///
    /// Bytes count as sent once [`handle_transmitted`](Self::handle_transmitted) says so. A driver that copies
    /// them and writes later must not abandon, tell the time or poll events in between: what is not sent may be
    /// taken back.
    #[must_use = "the bytes are to be written, then handle_transmitted called"]
    pub fn poll_transmit(&self) -> &[u8] {
        if self.is_mute() { &[] } else { self.transmit.ready() }
    }

    /// Whether nothing may be sent.
    pub(super) fn is_mute(&self) -> bool {
        self.is_closed() || self.now >= self.wake && !self.in_flight.is_empty()
    }

    /// Whether there is an event although nothing is received.
    pub(crate) const fn has_news(&self) -> bool {
        self.late
            || matches!(
                self.phase,
                Phase::Ready { announced: false } | Phase::Closed { announced: false, .. }
            )
    }

    // Inside.

    /// Nobody uses it for a while: what memory it can do without is given back until somebody does.
    pub(crate) fn rest(&mut self) {
        self.receive.rest();
        self.transmit.rest();
        self.in_flight.rest();
    }

    pub(super) fn become_ready(&mut self, protocol: Protocol) {
        debug!("handshake done, protocol {:?}", protocol);
        // Nothing but the handshake was in the buffer, and it may have held a password.
        self.transmit.wipe();
        self.sent = 0;
        self.submitted = 0;
        self.protocol = protocol;
        self.phase = Phase::Ready { announced: false };
    }

    pub(super) fn send_fallback(&mut self) {
        debug!("the server knows no HELLO: falling back to RESP2");
        self.transmit.release();
    }

    #[cold]
    pub(super) fn fail(&mut self, reason: Reason) {
        if !self.is_closed() {
            debug!("closed: {:?}", reason);
            self.transmit.wipe();
            self.owed = 0;
            self.late = false;
            self.phase = Phase::Closed { reason, announced: false };
        }
    }

    fn forget(&mut self) {
        self.receive.clear();
        self.transmit.wipe();
        self.scanner = Scanner::new(self.config.limits);
        self.phase = Phase::Idle;
        self.in_flight.clear();
        self.subscriber = Subscriber::NONE;
        self.protocol = Protocol::Resp2;
        self.submitted = 0;
        self.sent = 0;
        self.owed = 0;
        self.lent = Lent::default();
        self.ended = None;
        self.skipping = false;
        self.early = false;
        self.drained = false;
        self.monitoring = false;
        self.quitting = false;
        flaw!(TransactionLeaks => crate::flaw::leak(self.queueing));
        self.queueing = false;
        flaw!(TransactionLeaks => self.queueing = crate::flaw::leaked());
        self.late = false;
        self.unverified = 0;
        self.number = 0;
        self.wake = Instant::MAX;
        self.horizon = Instant::ZERO;
        self.write_by = Instant::MAX;
    }
}

impl<S: Storage, const IN_FLIGHT: usize> fmt::Debug for Connection<S, IN_FLIGHT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("phase", &self.phase)
            .field("protocol", &self.protocol)
            .field("in_flight", &self.in_flight())
            .field("receive", &self.receive)
            .field("transmit", &self.transmit)
            .finish_non_exhaustive()
    }
}
