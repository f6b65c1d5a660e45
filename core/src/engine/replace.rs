//! Shared connections whose time has come: another takes their place, and only then they end.

use super::lane::{Lane, SPARE};
use super::link::Role;
use super::machine::Engine;
use super::{Config, Memory};
use crate::hook::Hook;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// The next shared connection that is old makes room for a new one, one after the other.
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
    pub(super) fn old_lane(&self, shard: u8) -> Option<u16> {
        let Some(&Lane::At(at)) = self.lanes.get(SPARE) else { return None };
        let link = self.link(at).filter(|link| link.shard == shard && !self.can_spare(link.shard))?;
        (link.connection.is_ready() && link.connection.in_flight() < F).then_some(at)
    }

    /// Whether it need not wait for what replaces it: that is here, or will not be before it is gone.
    fn can_spare(&self, shard: u8) -> bool {
        let mut lanes = self.lanes.iter().take(usize::from(self.config.lanes));
        let is_ready =
            |at| self.link(at).is_some_and(|link| link.shard == shard && link.connection.is_ready());
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
    pub(super) fn give_up_lanes(&mut self) {
        for lane in self.config.lanes..Config::LANES {
            match self.lanes.get(usize::from(lane)) {
                Some(&Lane::At(at)) => self.give_up_lane(at),
                Some(&Lane::Asked(place)) => {
                    self.pool.cancel(self.now, place);
                    self.set_lane(lane, Lane::None);
                }
                Some(Lane::Barred) => self.set_lane(lane, Lane::None),
                // What is being tuned is given back when the server has answered.
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
            && (lane < Config::LANES || self.can_spare(link.shard))
        {
            self.set_lane(lane, Lane::None);
            self.move_subscriptions(at);
            self.take_back(id);
        }
    }
}
