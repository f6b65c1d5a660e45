//! Connections for their callers' own use, and how they come back.

use super::Memory;
use super::answer::TENDING;
use super::call::{Call, Ticket};
use super::event::Refused;
use super::lane::Lane;
use super::link::Role;
use super::machine::Engine;
use crate::command::{AnyRequest, discard, ping, select, unwatch};
use crate::conn::{self, Connection, SubmitError, Token};
use crate::error::Full;
use crate::flaw::flaw;
use crate::hook::Hook;
use crate::pool::{Got, Id, Put, Returned};
use crate::time::Instant;

use super::call::{Over, Stage};

/// The name of a connection that is lent to a caller, for this one time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lease(pub(super) Id);

impl Lease {
    /// The connection, as the driver knows it.
    pub const fn id(self) -> Id {
        self.0
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Wishes for a connection of one's own, for transactions, values in parts.
    /// [`Event::Leased`](super::Event::Leased) will carry `token`, or [`Event::Failed`](super::Event::Failed).
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn lease(&mut self, now: Instant, token: Token) -> Result<Ticket, Refused> {
        if self.closing {
            return Err(Refused::Closed);
        }
        self.wish(now, token, false)
    }

    /// Lends a connection that nobody uses, if there is one: no event tells of it. `None`: nothing has changed, and
    /// [`lease`](Self::lease) has one later.
    pub fn lease_idle(&mut self, now: Instant) -> Option<Lease> {
        let now = self.clock(now);
        if self.closing {
            return None;
        }
        let id = self.pool.get_idle(now)?;
        // Another one may have to take its place among those that are kept ready.
        self.stirred |= self.config.pool.min_idle > 0;
        if let Some(at) = self.find(id)
            && let Some(link) = self.link_mut(at)
        {
            (link.id, link.role) = (Some(id), Role::Leased);
        }
        Some(Lease(id))
    }

    /// The same for a loader, whose wishes are lasting: while the engine is closed it has another connection for the one
    /// that it has lost.
    pub(super) fn wish(&mut self, now: Instant, token: Token, lasting: bool) -> Result<Ticket, Refused> {
        let now = self.clock(now);
        let new = Call { token, since: now, wish: true, own: true, ..Call::EMPTY };
        let Some(ticket) = self.calls.take(new) else {
            return Err(SubmitError::from(Full::InFlight).into());
        };
        self.stirred = true;
        match self.pool.get(now, ticket.token()) {
            Ok(Got::Lent(id)) => {
                if let Some(at) = self.find(id)
                    && let Some(link) = self.link_mut(at)
                {
                    (link.id, link.role) = (Some(id), Role::Leased);
                }
                if let Some(call) = self.calls.at_mut(ticket.index) {
                    call.id = Some(id);
                }
                self.calls.go(ticket.index, Stage::Over(Over::Leased));
            }
            Ok(Got::Waiting(place)) => {
                if let Some(call) = self.calls.at_mut(ticket.index) {
                    call.place = Some(place);
                }
                self.wait(ticket.index, Stage::Asking);
            }
            Err(refusal) => {
                self.forget(ticket.index);
                return Err(refusal.into());
            }
        }
        if let Some(call) = self.calls.at_mut(ticket.index)
            && lasting
        {
            call.lasting = true;
            self.loaders = self.loaders.saturating_add(1);
        }
        Ok(ticket)
    }

    /// A wish is granted, and its caller told.
    pub(super) fn grant(&mut self, index: u16, id: Id) -> Lease {
        if let Some(at) = self.find(id)
            && let Some(call) = self.calls.at_mut(index)
            && core::mem::take(&mut call.lasting)
        {
            self.set_role(at, Role::Loading);
        }
        self.forget(index);
        Lease(id)
    }

    /// Whether a lease should end soon, for others wait or its connection is old.
    pub(super) fn wants_back(&self, lease: Lease) -> bool {
        let is_old = self.find(lease.0).and_then(|at| self.link(at)).is_none_or(|link| link.old);
        let expired = self.pool.age(lease.0).is_none_or(|age| age.expires <= self.now);
        is_old || expired || self.pool.stats().waiting > 0
    }

    /// The connection of a lease: its lessee submits requests and polls events. Its bytes are the driver's. `None`:
    /// the lease is over.
    pub fn leased(&mut self, lease: Lease) -> Option<&mut Connection<M::Storage, F>> {
        let at = self.find(lease.0)?;
        // What the lessee asks for may have a deadline.
        self.list_news(at);
        let link = self.link_mut(at)?;
        let is_lent = matches!(link.role, Role::Leased | Role::Loading);
        (is_lent && link.id == Some(lease.0)).then_some(&mut link.connection)
    }

    /// The same with the hook beside it, which does not see what is asked there: a lessee may tell it.
    pub fn leased_and_hook(&mut self, lease: Lease) -> Option<(&mut Connection<M::Storage, F>, &mut H)> {
        self.leased(lease)?;
        let Self { links, hook, .. } = self;
        links.as_mut().get_mut(lease.0.index()).map(|link| (&mut link.connection, hook))
    }

    /// Gives a connection back, in whatever state: it is made as new, or closed.
    pub fn release(&mut self, now: Instant, lease: Lease) {
        self.clock(now);
        if self.leased(lease).is_some() {
            self.take_back(lease.0);
        }
    }

    /// A connection that was lent comes back.
    pub(super) fn take_back(&mut self, id: Id) {
        let now = self.now;
        let until = Some(self.soon());
        let Some(at) = self.find(id) else { return };
        let was_loading = self.link(at).is_some_and(|link| link.role == Role::Loading);
        self.loaders = self.loaders.saturating_sub(u16::from(was_loading));
        let Some(link) = self.link_mut(at) else { return };
        let ((db, tracks), old) = (link.home, link.old);
        let connection = &mut link.connection;
        connection.clock(now);
        let state = connection.state();
        flaw!(NotReset => if !old && connection.is_ready() && !connection.owes_answers() { return self.lend_again(at, id) });
        flaw!(LentUnanswered => if !old && connection.is_ready() && connection.owes_answers() { return self.lend_again(at, id) });
        let broken = old
            || connection.is_closed()
            || connection.owes_answers()
            || connection.owed() > 0
            || connection.is_subscribed()
            || connection.is_spent()
            || state.altered
            || state.tracking != tracks
            || !connection.is_ready();
        let mut steps = 0;
        let mut step = |request: &dyn AnyRequest| -> bool {
            steps += 1;
            connection.submit_until(until, TENDING, request).is_ok()
        };
        let undone = !broken
            && (!state.transaction || step(&discard()))
            && (!state.watching || state.transaction || step(&unwatch()))
            && (state.db == Some(db) || step(&select(db.into())));
        flaw!(PermitLeaks => if !undone { return });
        let how = match steps {
            _ if !undone => Returned::Broken,
            0 => Returned::Clean,
            _ => Returned::NeedsReset,
        };
        let put = self.pool.put(now, id, how);
        // One that is idle, with nobody who might want it, is nothing to do before it has been so for long.
        self.stirred |= put != Put::Idle || self.closing || self.calls.taken > 0 || self.wants_connections();
        match put {
            Put::Idle => {
                self.put_aside(at);
                self.pool_due = self.pool_due.min(self.pool.poll_timeout());
            }
            Put::Resetting => {
                self.set_role(at, Role::Resetting(steps));
                self.watch(at);
            }
            Put::Closing => self.set_role(at, Role::Idle),
            Put::Gone | Put::Stale => self.bury(at),
        }
        self.list_news(at);
    }

    /// Whether anybody but a call waits for a connection, or will ask for one.
    fn wants_connections(&self) -> bool {
        let lanes = self.lanes.get(..usize::from(self.config.lanes)).unwrap_or_default();
        self.pool.is_awaited() || lanes.iter().any(|lane| !matches!(lane, Lane::At(_)))
    }

    /// When our own requests must be answered: they have a deadline also where those of callers have none.
    pub(super) fn soon(&self) -> Instant {
        let conn::Config { reply_timeout, handshake_timeout, .. } = self.config.connection;
        self.now.saturating_add(reply_timeout.unwrap_or(handshake_timeout))
    }

    /// As it is.
    #[cfg(feature = "flaws")]
    fn lend_again(&mut self, at: u16, id: Id) {
        self.pool.put(self.now, id, Returned::Clean);
        self.put_aside(at);
    }

    /// One of our own requests was answered.
    pub(super) fn tended(&mut self, at: u16, well: bool) {
        let Some((role, id)) = self.link(at).map(|link| (link.role, link.id)) else { return };
        let Some(id) = id else { return };
        self.stirred = true;
        match role {
            Role::Resetting(left) if left > 1 && well => self.set_role(at, Role::Resetting(left - 1)),
            Role::Resetting(_) => {
                self.put_aside(at);
                self.pool.handle_reset(self.now, id, well);
            }
            Role::Checking => {
                self.put_aside(at);
                self.pool.handle_health(self.now, id, well);
            }
            Role::Tuning(purpose) => self.tuned(at, id, purpose, well),
            _ => {}
        }
    }

    /// Asks a connection whether it lives.
    pub(super) fn check(&mut self, id: Id) {
        let (now, until) = (self.now, Some(self.soon()));
        let Some(at) = self.find(id) else { return };
        let Some(link) = self.link_mut(at) else { return };
        link.connection.clock(now);
        let asked = link.connection.submit_until(until, TENDING, &ping()).is_ok();
        self.list_unsent(at);
        self.set_role(at, Role::Checking);
        if asked {
            self.watch(at);
        } else {
            self.tended(at, false);
        }
    }
}
