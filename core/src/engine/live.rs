//! Another configuration, and other connections, for an engine that runs.

use super::link::Role;
use super::machine::{Engine, Lane, SPARE};
use super::{Config, Memory};
use crate::hook::Hook;
use crate::pool::Reason;
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Goes by this configuration from now on. No request fails for it that would not fail in an engine made with it.
    ///
    /// | field | from when on |
    /// |---|---|
    /// | [`timeout`](Config::timeout) | for requests that are taken from now on |
    /// | [`blocking`](Config::blocking) | for those that are sent |
    /// | [`connection`](Config::connection) | times: for what is sent, written or abandoned from now on, and handshakes that begin; limits: for connections that are opened |
    /// | [`retry`](Config::retry) | for what fails from now on; what rests already goes again as it was decided |
    /// | [`budget`](Config::budget), [`dials`](Config::dials) | at once; what is saved up stays, as far as it may |
    /// | [`breaker`](Config::breaker) | at once, see [`Breaker::set_config`](crate::retry::Breaker::set_config) |
    /// | [`pool`](Config::pool) | at once, also for those that wait; a size beyond the memory is bent as in [`new`](Self::new). What is too much is closed when nobody uses it |
    /// | [`lanes`](Config::lanes) | at once; one too many takes no more requests, and is given back behind its last answer |
    /// | [`drain`](Config::drain) | for a [`close`](Self::close) to come |
    /// | [`address`](Config::address), [`db`](Config::db) | for what the hook is told from now on |
    /// | [`seed`](Config::seed) | never |
    ///
    /// What a connection is told in its handshake is not in here: the driver gives other settings to those that it opens, and
    /// [`renew`](Self::renew) replaces those that are open.
    pub fn reconfigure(&mut self, now: Instant, config: &Config) {
        let now = self.clock(now);
        self.budget.set_config(now, config.budget);
        self.breaker.set_config(now, config.breaker);
        self.dials.set_rate(now, config.dials.0, config.dials.1);
        // Perhaps the next dial need not wait so long any more.
        self.open_at = now;
        for link in self.links.as_mut() {
            link.connection.set_config(config.connection);
        }
        self.pool.set_config(now, &config.pool);
        // A pool that is closed has room for none, and its lanes have answers to come.
        let lanes = if self.closing { self.config.lanes } else { config.lanes_of(self.pool.limit()) };
        self.config = Config { lanes, ..*config };
        self.stirred = true;
        self.give_up_lanes();
        if lanes == 0 {
            // Who waits for a shared connection gets one of his own.
            while let Some(index) = self.calls.first_queued() {
                self.ask_again(index);
            }
        } else {
            self.dispatch();
        }
    }

    /// Replaces every connection that there is: for another server, password or version of the protocol, which new ones
    /// are told in their handshake. No request fails for it.
    ///
    /// What nobody uses is closed now, and what is lent when it comes back. A shared one goes on until there is a new one for
    /// it, one after the other, and is closed behind its last answer; if the pool has no room for two, what comes
    /// meanwhile waits.
    pub fn renew(&mut self, now: Instant) {
        let now = self.clock(now);
        self.stirred = true;
        for link in self.links.as_mut() {
            match (link.role, link.id) {
                (Role::Lane(_) | Role::Own(_) | Role::Leased, _) => link.old = true,
                (Role::Opening | Role::Idle | Role::Resetting(_) | Role::Checking, Some(id)) => {
                    self.pool.remove(now, id, Reason::User);
                }
                _ => {}
            }
        }
    }

    /// The next shared connection that is old makes room for a new one.
    pub(super) fn replace_lane(&mut self) {
        let Some(Lane::None) = self.lanes.get(SPARE) else { return };
        for lane in 0..usize::from(self.config.lanes) {
            if let Some(&Lane::At(at)) = self.lanes.get(lane)
                && self.link(at).is_some_and(|link| link.old)
            {
                self.lanes.swap(lane, SPARE);
                return self.set_role(at, Role::Lane(Config::LANES));
            }
        }
    }

    /// The shared connection that is being replaced, while nothing has come in its place and something may.
    #[cold]
    pub(super) fn old_lane(&self) -> Option<u16> {
        let Some(&Lane::At(at)) = self.lanes.get(SPARE) else { return None };
        let connection = &self.link(at)?.connection;
        (connection.is_ready() && connection.in_flight() < F && !self.can_spare()).then_some(at)
    }

    /// Whether it need not wait for what replaces it: that is here, or will not be before it is gone.
    fn can_spare(&self) -> bool {
        let mut lanes = self.lanes.iter().take(usize::from(self.config.lanes));
        let is_ready = |at| self.link(at).is_some_and(|link| link.connection.is_ready());
        let stats = self.pool.stats();
        self.closing
            || self.config.lanes == 0
            || lanes.any(|lane| matches!(*lane, Lane::At(at) if is_ready(at)))
            || usize::from(stats.total) >= self.pool.limit() && stats.dialling == 0
    }

    pub(super) fn give_up_spare(&mut self) {
        if let Some(&Lane::At(at)) = self.lanes.get(SPARE) {
            self.give_up_lane(at);
        }
    }

    /// Shared connections that are too many are given back, or not waited for.
    fn give_up_lanes(&mut self) {
        for lane in usize::from(self.config.lanes)..self.lanes.len() {
            match self.lanes.get(lane) {
                Some(&Lane::At(at)) => self.give_up_lane(at),
                Some(&Lane::Asked(place)) => {
                    self.pool.cancel(self.now, place);
                    if let Some(lane) = self.lanes.get_mut(lane) {
                        *lane = Lane::None;
                    }
                }
                _ => {}
            }
        }
    }

    /// One of them, once nothing is in flight on it.
    pub(super) fn give_up_lane(&mut self, at: u16) {
        if let Some(link) = self.link(at)
            && let (Role::Lane(lane), Some(id)) = (link.role, link.id)
            && lane >= self.config.lanes
            && link.connection.in_flight() == 0
            && (lane < Config::LANES || self.can_spare())
        {
            if let Some(place) = self.lanes.get_mut(usize::from(lane)) {
                *place = Lane::None;
            }
            self.take_back(id);
        }
    }
}
