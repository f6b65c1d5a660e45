//! What a driver does for an engine: connections, and their bytes.

use super::Memory;
use super::answer::{SITE, lane_of};
use super::call::{Stage, Ticket};
use super::link::Role;
use super::machine::Engine;
use crate::config::Address;
use crate::conn::Settings;
use crate::error::Full;
use crate::hook::Hook;
use crate::pool::{self, DialCode, Id, Reason};
use crate::time::Instant;

/// What the driver is to do. Names say by [`is_same_connection`](Id::is_same_connection) which connection is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Action {
    /// Dial. Then [`handle_connected`](Engine::handle_connected) or
    /// [`handle_connect_failed`](Engine::handle_connect_failed).
    Open {
        /// Its name.
        id: Id,
        /// Where to, if a hook sends it elsewhere than where the driver would go.
        address: Option<Address<'static>>,
    },
    /// Close the socket of this connection, or give up its dial. Its name means nothing any more.
    Close(Id),
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// What is to be done next, besides moving bytes.
    #[must_use = "an action is told once"]
    pub fn poll_action(&mut self, now: Instant) -> Option<Action> {
        let now = self.clock(now);
        loop {
            self.turn();
            if self.to_close > 0
                && let Some(id) = self.links.as_mut().iter_mut().find_map(|link| link.dead.take())
            {
                self.to_close -= 1;
                return Some(Action::Close(id));
            }
            if self.to_open == 0 || now < self.open_at {
                return None;
            }
            if let Err(at) = self.dials.take(now) {
                self.open_at = at;
                return None;
            }
            self.to_open -= 1;
            let held = self.links.as_mut().iter_mut().find(|link| link.role == Role::Held)?;
            (held.role, held.dialled) = (Role::Opening, now);
            let id = held.id?;
            if let Ok(address) = self.before_dial(id) {
                return Some(Action::Open { id, address });
            }
        }
    }

    /// Lets the pool say what it has to say.
    #[inline]
    pub(super) fn turn(&mut self) {
        if self.stirred || self.now >= self.pool_due {
            self.ask_pool();
            if M::SUBSCRIBES {
                self.reconcile();
            }
        } else if M::SUBSCRIBES {
            self.reconcile_if_stirred();
        }
    }

    #[inline(never)]
    fn ask_pool(&mut self) {
        let now = self.now;
        loop {
            self.stirred = false;
            while let Some(index) = self.calls.first_released() {
                self.go_again(index);
            }
            if self.closing {
                self.drain();
            } else {
                self.replace_lane();
                self.ask_for_lanes();
            }
            while let Some(action) = self.pool.poll(now) {
                match action {
                    pool::Action::Open(id) => self.hold(id),
                    pool::Action::Close(id, why) => self.drop_connection(id, why),
                    pool::Action::Ping(id) => self.check(id),
                    pool::Action::Serve { token, id } => self.serve(token, id),
                    pool::Action::Refuse { token, why } => self.refuse(token, why),
                }
            }
            self.give_up_spare();
            if !self.stirred {
                self.pool_due = self.pool.poll_timeout().min(self.barred_due());
                return;
            }
        }
    }

    /// A connection is to be dialled, as soon as one may.
    fn hold(&mut self, id: Id) {
        if let Some(link) = self.links.as_mut().get_mut(id.index()) {
            (link.id, link.role, link.old) = (Some(id), Role::Held, false);
            self.to_open += 1;
        }
    }

    /// The pool has no use for a connection.
    fn drop_connection(&mut self, id: Id, why: Reason) {
        let Some(at) = self.find(id) else { return };
        if self.link(at).is_some_and(|link| link.role == Role::Opening) {
            let is_late = why == Reason::DialTimeout;
            self.after_dial(at, Some(if is_late { DialCode::TIMEOUT } else { DialCode::LOST }));
        }
        let Some(link) = self.link_mut(at) else { return };
        link.connection.close();
        match link.role {
            Role::Held => {
                link.role = Role::None;
                self.to_open -= 1;
            }
            _ => self.bury(at),
        }
    }

    /// The pool has no connection for somebody.
    fn refuse(&mut self, token: crate::conn::Token, why: pool::Refusal) {
        if M::SUBSCRIBES && token == SITE {
            return self.refuse_subscriptions();
        }
        if let Some(lane) = lane_of(token) {
            return self.refuse_lane(lane, why);
        }
        let ticket = Ticket::of(token);
        if self.calls.get(ticket).is_some_and(|call| matches!(call.stage, Stage::Asking)) {
            self.refuse_call(ticket.index, why);
        }
    }

    /// Closes what is no longer needed, once the last answer is told.
    fn drain(&mut self) {
        if self.loaders > 0 {
            return;
        }
        self.pool.close(self.now);
        if self.calls.taken > 0 {
            return;
        }
        self.close_lanes();
    }

    // What the driver learned.

    /// A dial has succeeded: the handshake begins. Said of a connection that is open, it changes nothing.
    ///
    /// # Errors
    /// [`Full`] if the buffers cannot hold the handshake; the connection is closed then.
    pub fn handle_connected(&mut self, now: Instant, id: Id, settings: &Settings<'_>) -> Result<(), Full> {
        let now = self.clock(now);
        let Some(at) = self.find(id) else { return Ok(()) };
        let Some(link) = self.link_mut(at).filter(|link| link.role == Role::Opening) else { return Ok(()) };
        link.home = (settings.db, settings.tracking.is_some());
        let started = link.connection.start(now, settings);
        if started.is_err() {
            self.dial_failed(at, id, DialCode::LOST);
            self.bury(at);
        } else {
            self.watch(at);
            self.list_news(at);
        }
        started
    }

    /// A dial has failed, for a reason with this number of the driver's.
    pub fn handle_connect_failed(&mut self, now: Instant, id: Id, code: DialCode) {
        self.clock(now);
        if let Some(at) = self.find(id)
            && self.link(at).is_some_and(|link| link.role == Role::Opening)
        {
            self.dial_failed(at, id, code);
            self.set_role(at, Role::None);
        }
    }

    /// Room for the next read of a connection; see [`Connection::recv_space`](crate::conn::Connection::recv_space).
    pub fn recv_space(&mut self, id: Id) -> Option<&mut [u8]> {
        let at = self.find(id)?;
        self.link_mut(at)?.connection.recv_space()
    }

    /// So many bytes were received.
    pub fn handle_received(&mut self, id: Id, n: usize) {
        self.with(id, |connection| connection.handle_received(n));
    }

    /// What to write to a connection.
    pub fn poll_transmit(&self, id: Id) -> &[u8] {
        let at = self.find(id).and_then(|at| self.link(at));
        at.map_or(&[], |link| link.connection.poll_transmit())
    }

    /// The next connection to which something was written since it was last told: a driver that remembers those to which it
    /// has not written everything need not look at others. Poll until `None`, behind [actions](Self::poll_action).
    #[must_use = "what is to be written is told once"]
    pub fn poll_unsent(&mut self) -> Option<Id> {
        loop {
            let at = self.unsent;
            let link = self.link_mut(at)?;
            link.is_unsent = false;
            let (next, id) = (link.next_unsent, link.id);
            let is_unsent = link.role != Role::None && !link.connection.poll_transmit().is_empty();
            self.unsent = next;
            if is_unsent {
                return id;
            }
        }
    }

    /// How many bytes are on their way to a connection, or behind one that is not answered; see
    /// [`Connection::unanswered`](crate::conn::Connection::unanswered).
    pub fn unanswered(&self, id: Id) -> u64 {
        let at = self.find(id).and_then(|at| self.link(at));
        at.map_or(0, |link| link.connection.unanswered())
    }

    /// So many bytes of it were sent.
    pub fn handle_transmitted(&mut self, id: Id, n: usize) {
        let Some(at) = self.find(id) else { return };
        let Some(link) = self.link_mut(at) else { return };
        link.connection.handle_transmitted(n);
        self.make_use_of(at);
        if M::SUBSCRIBES {
            self.unblock_subscriptions(at);
        }
    }

    /// The peer closed its side.
    pub fn handle_eof(&mut self, id: Id) {
        self.with(id, crate::conn::Connection::handle_eof);
    }

    /// The socket has failed.
    pub fn handle_transport_error(&mut self, id: Id) {
        self.with(id, crate::conn::Connection::handle_transport_error);
    }

    fn with(&mut self, id: Id, act: impl FnOnce(&mut crate::conn::Connection<M::Storage, F>)) {
        if let Some(at) = self.find(id)
            && let Some(link) = self.link_mut(at)
        {
            act(&mut link.connection);
            self.list_news(at);
        }
    }
}
