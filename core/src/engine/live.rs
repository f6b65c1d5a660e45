//! Another configuration, and other connections, for an engine that runs.

use super::call::{NIL, Stage};
use super::link::Role;
use super::machine::Engine;
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
    /// | [`databases`](Config::databases), [`seed`](Config::seed) | never |
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
        let config = Config { databases: self.config.databases, ..*config };
        let lanes = if self.closing { self.config.lanes } else { config.all_lanes(self.pool.limit()) };
        self.config = Config { lanes, ..config };
        self.stirred = true;
        self.give_up_lanes();
        for shard in 0..self.shards() {
            if lanes > 0 {
                self.dispatch(shard);
                continue;
            }
            // Who waits for a shared connection gets one of his own.
            while let Some(index) = self.calls.first_queued(shard) {
                match self.calls.at(index) {
                    Some(call) if call.before != NIL => self.wait(index, Stage::Following),
                    _ => self.ask_again(index),
                }
            }
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
                (Role::Lane(_) | Role::Own(_) | Role::Leased | Role::Loading | Role::Tuning(_), _) => {
                    link.old = true;
                }
                (Role::Opening | Role::Idle | Role::Resetting(_) | Role::Checking, Some(id)) => {
                    self.pool.remove(now, id, Reason::User);
                }
                _ => {}
            }
        }
        if M::SUBSCRIBES {
            self.renew_site();
        }
    }
}
