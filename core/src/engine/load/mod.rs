//! Batches over an engine.

mod told;
mod turn;

use core::fmt;

use self::told::Told;
use super::call::Ticket;
use super::{Engine, Failed, Lease, Memory};
use crate::bulk::{self, Bulk, Cancelled, Refused, Resolved, Rest, Slot};
use crate::command::AnyRequest;
use crate::conn::Token;
use crate::hook::Hook;
use crate::pool;
use crate::resp::Reply;
use crate::time::{Duration, Instant};

/// A [`Bulk`] whose batches go over connections that an engine lends it, one at a time. See
/// [there](super#batches) how it is driven.
///
/// - It wishes for a connection when there is something to send, and gives it back when there was nothing for
///   [`LoadConfig::idle`]; or between two batches if others wait for one, and waits behind them.
/// - A batch is written in one go, as far as the connection has room; the rest follows, in order.
/// - When the connection is lost, it wishes for another. What may go again goes there, by the rules of the
///   [bulk](crate::bulk); without a connection items wait, for as long as it takes, or until it [gives up](Self::give_up).
/// - A [hook](crate::hook) stands around each batch as around a pipeline, and around each of its items.
///
/// `B` and `S` are the memory of the bulk.
pub struct Loader<B, S> {
    bulk: Bulk<B, S>,
    token: Token,
    config: LoadConfig,
    place: Place,
    /// What the connection has had no room for.
    rest: Rest,
    told: Told,
    /// Wishes that failed, since the last that did not.
    misses: u8,
    /// The next one is not made before.
    again_at: Instant,
}

/// How a loader treats its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoadConfig {
    /// How long it keeps one while it has nothing to send.
    pub idle: Duration,
    /// How long the answer to an item may take; `None`: as long as any other on a connection.
    pub timeout: Option<Duration>,
}

/// What came of a connection for its loader's owner. What it lends is valid until the next call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Loaded<'e> {
    /// The answer to an item, an error perhaps. Its result waits, too.
    Answer {
        /// Whose.
        ticket: bulk::Ticket,
        /// What the server said.
        reply: Reply<'e>,
    },
    /// What no item asked for: keys have changed.
    Push(Reply<'e>),
}

/// Where the connection is.
#[derive(Clone, Copy, Debug)]
enum Place {
    None,
    /// It was wished for.
    Wished(Ticket),
    Lent(Loan),
}

/// A connection that was lent.
#[derive(Clone, Copy, Debug)]
struct Loan {
    lease: Lease,
    /// When it last had something to do.
    since: Instant,
    /// A batch went out.
    used: bool,
    /// No more do: others wait for it.
    ending: bool,
}

impl LoadConfig {
    /// A second without anything to send, and no deadlines of its own.
    pub const DEFAULT: Self = Self { idle: Duration::from_secs(1), timeout: None };
}

impl Default for LoadConfig {
    /// [`LoadConfig::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl<B, S> Loader<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// One without a connection. Its wishes have this token, and no others may.
    pub const fn new(bulk: Bulk<B, S>, token: Token, config: LoadConfig) -> Self {
        Self {
            bulk,
            token,
            config,
            place: Place::None,
            rest: Rest::NONE,
            told: Told::NONE,
            misses: 0,
            again_at: Instant::ZERO,
        }
    }

    /// Its items: how many there are, figures, and errors by batch.
    pub const fn bulk(&self) -> &Bulk<B, S> {
        &self.bulk
    }

    /// Whether it has wished for a connection, and was not told what came of it.
    pub const fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Wished(_))
    }

    /// The connection that it has.
    pub const fn lease(&self) -> Option<Lease> {
        match self.place {
            Place::Lent(loan) => Some(loan.lease),
            _ => None,
        }
    }

    /// Whether it was closed and all is over: every item has its result, and it has no connection. Results may be left.
    pub const fn is_over(&self) -> bool {
        let is_idle = self.bulk.queued() == 0 && self.bulk.flights() == 0;
        self.bulk.is_closed() && is_idle && matches!(self.place, Place::None)
    }

    /// See [`Bulk::push`].
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn push(&mut self, now: Instant, request: &dyn AnyRequest) -> Result<bulk::Ticket, Refused> {
        self.bulk.push(now, request)
    }

    /// See [`Bulk::push_safe`].
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn push_safe(&mut self, now: Instant, request: &dyn AnyRequest) -> Result<bulk::Ticket, Refused> {
        self.bulk.push_safe(now, request)
    }

    /// See [`Bulk::cancel`]. What was not written yet is not.
    pub fn cancel(&mut self, ticket: bulk::Ticket) -> Option<Cancelled> {
        self.bulk.cancel(ticket)
    }

    /// See [`Bulk::set_config`].
    pub fn set_config(&mut self, now: Instant, bulk: bulk::Config, config: LoadConfig) {
        self.bulk.set_config(now, bulk);
        self.config = config;
    }

    /// All that is here goes as soon as batches may.
    pub const fn flush(&mut self) {
        self.bulk.flush();
    }

    /// Flushes and takes nothing more: the half of [`close`](Self::close) that needs no engine. The other half is to follow.
    pub const fn seal(&mut self) {
        self.bulk.close();
    }

    /// Flushes, takes nothing more, and wishes for the connection that it takes. Call it before
    /// [`Engine::close`], which waits then until all was sent, and lost connections are replaced meanwhile, as long as
    /// [`Config::drain`](super::Config::drain) says. What cannot be sent by then, or after a wish has failed,
    /// is [`NotSent`](crate::conn::Failure::NotSent).
    pub fn close<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        now: Instant,
    ) {
        self.seal();
        if !engine.closing {
            (self.misses, self.again_at) = (0, Instant::ZERO);
        }
        self.wish(engine, now);
    }

    /// Sends nothing more of what is here: every item that was not written has its result,
    /// [`NotSent`](crate::conn::Failure::NotSent) if that is what is known.
    pub fn give_up<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        now: Instant,
    ) {
        self.drop_rest(engine, now);
        self.bulk.give_up(now);
    }

    /// The engine has told of a [lease](super::Event::Leased). `false`: it is another's.
    pub fn handle_leased(&mut self, now: Instant, token: Token, lease: Lease) -> bool {
        if token != self.token || !self.is_waiting() {
            return false;
        }
        self.misses = 0;
        self.place = Place::Lent(Loan { lease, since: now, used: false, ending: false });
        true
    }

    /// The engine has told that a wish [failed](super::Event::Failed). `false`: it is another's. If it was for this one,
    /// it wishes again after a pause, which [grows](bulk::Config::retry_base) with each time; whoever does not want
    /// to wait for that lets it [give up](Self::give_up).
    pub fn handle_failed(&mut self, now: Instant, token: Token, failed: &Failed) -> bool {
        if token != self.token || !self.is_waiting() {
            return false;
        }
        self.place = Place::None;
        self.miss(now);
        if failed.refused == Some(pool::Refusal::Closed) {
            self.bulk.close();
            self.bulk.give_up(now);
        }
        true
    }

    /// When to call [`poll_answer`](Self::poll_answer), if nothing else happens before.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let due = self.bulk.poll_timeout();
        match self.place {
            _ if !self.rest.is_empty() => Instant::MAX,
            Place::Wished(_) => Instant::MAX,
            Place::None if self.bulk.queued() == 0 => Instant::MAX,
            Place::None if self.bulk.is_held() => self.again_at,
            Place::None => due.max(self.again_at),
            Place::Lent(_) if self.bulk.flights() == 0 => due.min(self.idle_at()),
            Place::Lent(Loan { ending: true, .. }) => Instant::MAX,
            Place::Lent(_) => due,
        }
    }

    /// The next result, in the order in which items were resolved.
    #[must_use]
    pub fn poll_result(&mut self) -> Option<Resolved<'_>> {
        self.bulk.poll_result()
    }

    /// When a connection that is not used is given back. What goes again is about to use it.
    fn idle_at(&self) -> Instant {
        match self.place {
            Place::Lent(loan) if !self.bulk.is_held() => loan.since.saturating_add(self.config.idle),
            _ => Instant::MAX,
        }
    }

    fn miss(&mut self, now: Instant) {
        self.bulk.handle_timeout(now);
        self.misses = self.misses.saturating_add(1);
        self.again_at = self.bulk.pause(self.misses);
    }
}

impl<B, S> fmt::Debug for Loader<B, S> {
    /// How things stand, without the bytes of the items.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("bulk", &self.bulk)
            .field("place", &self.place)
            .field("rest", &self.rest)
            .field("misses", &self.misses)
            .finish_non_exhaustive()
    }
}
