//! Connections that requests share: for which database each is, which is the best, and how long it is used.

use super::Memory;
use super::answer::TENDING;
use super::call::Ticket;
use super::link::{Purpose, Role};
use super::machine::Engine;
use super::{Config, answer::lane_token};
use crate::command::{ping, select};
use crate::conn::Failure;
use crate::flaw::flaw;
use crate::hook::Hook;
use crate::key::Shard;
use crate::pool::{self, DialCode, Got, Id, Place, Returned, Unavailable};
use crate::retry::Fate;
use crate::time::{Duration, Instant};

/// A shared connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lane {
    None,
    /// The pool was asked for it, and this is its place in the line.
    Asked(Place),
    /// It is being made one to its database.
    Tuning,
    /// At this place among the links.
    At(u16),
    /// The server has refused its database, and is left alone for a while.
    Barred,
}

/// The lane behind the last that may be: for a connection that is to be replaced.
pub(super) const SPARE: usize = Config::LANES as usize;

/// How long a database that was refused is left alone.
const BARRED: Duration = Duration::from_secs(1);

/// Whether a connection is one to the database it is wanted for.
pub(super) enum Tuned {
    Ready,
    /// The server was asked to make it so.
    Asked,
    Lost,
}

impl Config {
    /// How many connections are shared in all, if there may be so many connections.
    pub(super) fn all_lanes(&self, limit: usize) -> u8 {
        let most = u8::try_from(limit).unwrap_or(u8::MAX).saturating_sub(1).clamp(1, Self::LANES);
        let count = self.databases.count();
        self.lanes.min(most.checked_div(count).unwrap_or(0)).saturating_mul(count)
    }
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// How many databases there are.
    pub(super) const fn shards(&self) -> u8 {
        self.config.databases.count()
    }

    /// The shared connection to a database with the fewest requests, if one takes any.
    #[inline]
    pub(super) fn best_lane(&self, shard: u8) -> Option<u16> {
        let (mut best, mut lane, mut is_ready) = ((F, None), shard, false);
        while lane < self.config.lanes {
            if let Some(Lane::At(at)) = self.lanes.get(usize::from(lane))
                && let Some(link) = self.link(*at)
                && link.connection.is_ready()
            {
                is_ready = true;
                if link.connection.in_flight() < best.0 {
                    best = (link.connection.in_flight(), Some(*at));
                }
            }
            lane = lane.saturating_add(self.shards());
        }
        if is_ready { best.1 } else { self.old_lane(shard) }
    }

    /// Whether what is there is one of the shared connections.
    pub(super) fn is_lane(&self, at: u16) -> bool {
        self.link(at).is_some_and(|link| matches!(link.role, Role::Lane(_)))
    }

    pub(super) const fn shard_of(&self, lane: u8) -> u8 {
        match self.shards() {
            // As it is nearly always.
            0 | 1 => 0,
            shards => lane % shards,
        }
    }

    pub(super) fn set_lane(&mut self, lane: u8, to: Lane) {
        if let Some(lane) = self.lanes.get_mut(usize::from(lane)) {
            *lane = to;
        }
    }

    /// Shared connections that are missing.
    pub(super) fn ask_for_lanes(&mut self) {
        for lane in 0..self.config.lanes {
            match self.lanes.get(usize::from(lane)) {
                Some(Lane::None) => {}
                Some(Lane::Barred) if self.barred_until <= self.now => {}
                Some(Lane::Barred) => {
                    self.unreachable(self.shard_of(lane), BAD_DATABASE);
                    continue;
                }
                _ => continue,
            }
            match self.pool.get(self.now, lane_token(lane)) {
                Ok(Got::Lent(id)) => self.serve_lane(lane, id),
                Ok(Got::Waiting(place)) => self.set_lane(lane, Lane::Asked(place)),
                Err(refusal) => {
                    for shard in 0..self.shards() {
                        self.unreachable(shard, refusal);
                    }
                    return;
                }
            }
        }
    }

    /// When a database that was refused is asked for again.
    pub(super) fn barred_due(&self) -> Instant {
        let waits = !self.closing && self.barred_until > self.now;
        let is_barred = |lane: &Lane| matches!(lane, Lane::Barred);
        if waits && self.lanes.iter().any(is_barred) { self.barred_until } else { Instant::MAX }
    }

    /// There is no shared connection, and none to be had: whoever waits for one need not wait.
    fn unreachable(&mut self, shard: u8, refusal: pool::Refusal) {
        // A full one is one.
        let is_there =
            |at: u16| self.link(at).is_some_and(|link| link.shard == shard && link.connection.is_ready());
        let has_lane = self.lanes.iter().any(|lane| matches!(*lane, Lane::At(at) if is_there(at)));
        if has_lane || !matches!(refusal, pool::Refusal::Unavailable(_)) {
            return;
        }
        while let Some(index) = self.calls.first_queued(shard) {
            self.end(index, Failure::NotSent, None, Some(refusal));
        }
    }

    /// The pool has none for a lane.
    pub(super) fn refuse_lane(&mut self, lane: u8, why: pool::Refusal) {
        flaw!(LaneGivenUp => return);
        self.set_lane(lane, Lane::None);
        self.stirred |= !self.closing;
        // It has waited as long as anybody may; and so have those who wait for it, if they came before.
        let (shard, patience) = (self.shard_of(lane), self.config.pool.wait_timeout);
        while matches!(why, pool::Refusal::Timeout { .. })
            && self.best_lane(shard).is_none()
            && let Some(index) = self.calls.first_queued(shard)
            && self.calls.at(index).is_some_and(|call| call.since.saturating_add(patience) <= self.now)
        {
            self.refuse_call(index, why);
        }
    }

    /// The pool has lent a connection for a lane.
    pub(super) fn serve_lane(&mut self, lane: u8, id: Id) {
        let Some(at) = self.find(id) else { return };
        if let Some(link) = self.link_mut(at) {
            link.id = Some(id);
        }
        self.set_lane(lane, Lane::Tuning);
        match self.tune(at, self.shard_of(lane)) {
            Tuned::Ready => self.open_lane(lane, at),
            Tuned::Asked => self.set_role(at, Role::Tuning(Purpose::Lane(lane))),
            Tuned::Lost => {
                self.set_lane(lane, Lane::None);
                self.take_back(id);
            }
        }
    }

    fn open_lane(&mut self, lane: u8, at: u16) {
        let (shard, check_at) = (self.shard_of(lane), self.next_check());
        let expires = self.link(at).and_then(|link| self.pool.age(link.id?)).map(|age| age.expires);
        let Some(link) = self.link_mut(at) else { return };
        (link.role, link.shard) = (Role::Lane(lane), shard);
        (link.retire_at, link.check_at) = (expires.unwrap_or(Instant::MAX), check_at);
        let due = link.retire_at.min(check_at);
        self.wake_at(due);
        self.set_lane(lane, Lane::At(at));
        // It may be one too many by now.
        self.give_up_lane(at);
        self.dispatch(shard);
    }

    /// The database that a connection must be made one to, if it is not.
    pub(super) fn strays(&self, at: u16, shard: u8) -> Option<u32> {
        flaw!(WrongDatabase => return None);
        let Shard { database, .. } = self.config.databases.shard(shard).filter(|_| self.shards() > 1)?;
        let has = self.link(at).and_then(|link| link.connection.state().db);
        (has != Some(database)).then_some(database)
    }

    /// Makes a connection one to this database, if there are several.
    pub(super) fn tune(&mut self, at: u16, shard: u8) -> Tuned {
        let Some(database) = self.strays(at, shard) else { return Tuned::Ready };
        let (now, until) = (self.now, Some(self.soon()));
        let Some(link) = self.link_mut(at) else { return Tuned::Lost };
        link.connection.clock(now);
        // Nothing goes behind it until it is confirmed: it would be executed in whatever database there is.
        if link.connection.submit_until(until, TENDING, &select(database.into())).is_err() {
            return Tuned::Lost;
        }
        self.watch(at);
        self.list_news(at);
        Tuned::Asked
    }

    /// The server has answered to that.
    pub(super) fn tuned(&mut self, at: u16, id: Id, purpose: Purpose, well: bool) {
        // What is lost or silent has not refused anything.
        let is_refused =
            self.link(at).is_some_and(|link| link.connection.is_ready() && !link.connection.owes_answers());
        match (purpose, well) {
            (Purpose::Lane(lane), true) => self.open_lane(lane, at),
            (Purpose::Lane(lane), false) => {
                self.barred_until = self.now.saturating_add(BARRED);
                self.set_lane(lane, if is_refused { Lane::Barred } else { Lane::None });
                self.take_back(id);
            }
            (Purpose::Call(ticket), true) => self.serve_call(ticket, id),
            (Purpose::Call(ticket), false) => {
                self.take_back(id);
                if !is_refused {
                    self.failed(ticket, Fate::NotSent, Some(Failure::NotSent));
                } else if self.calls.get(ticket).is_some() {
                    self.end(ticket.index, Failure::NotSent, None, Some(BAD_DATABASE));
                }
            }
        }
    }

    /// A connection of its own for a call, which may be gone meanwhile.
    pub(super) fn serve_call(&mut self, ticket: Ticket, id: Id) {
        if self.calls.get(ticket).is_none() {
            return self.take_back(id);
        }
        if self.send_alone(ticket.index, id, None).is_err() {
            self.end(ticket.index, Failure::NotSent, None, None);
            self.take_back(id);
        }
    }

    /// A shared connection is none any more, and another is to be opened.
    pub(super) fn lose_lane(&mut self, at: u16) {
        let lane = match self.link(at).map(|link| link.role) {
            Some(Role::Lane(lane) | Role::Tuning(Purpose::Lane(lane))) => lane,
            _ => return,
        };
        self.set_lane(lane, Lane::None);
        self.stirred = true;
    }

    /// What time has brought for a shared connection: another takes its place, or it is asked whether it lives.
    pub(super) fn tend_lane(&mut self, at: u16) {
        let (now, until, next) = (self.now, Some(self.soon()), self.next_check());
        let is_heard = self.has_subscriptions(at);
        let Some(link) = self.link_mut(at) else { return };
        // Messages would be missing.
        if now >= link.retire_at && !is_heard {
            (link.old, link.retire_at) = (true, Instant::MAX);
            self.stirred = true;
        }
        let Some(link) = self.link_mut(at) else { return };
        if now >= link.check_at {
            link.check_at = next;
            // It speaks by itself while it has answers to give.
            if !link.connection.owes_answers() {
                link.connection.clock(now);
                // If it cannot be asked, it is full or has ended.
                let _ = link.connection.submit_until(until, TENDING, &ping());
                self.list_news(at);
            }
        }
        if let Some(link) = self.link(at) {
            self.wake_at(if is_heard { link.check_at } else { link.retire_at.min(link.check_at) });
        }
    }

    pub(super) fn next_check(&self) -> Instant {
        match self.config.pool.health_interval {
            Duration::ZERO => Instant::MAX,
            interval => self.now.saturating_add(interval),
        }
    }

    /// Gives all of them back.
    pub(super) fn close_lanes(&mut self) {
        for place in 0..self.lanes.len() {
            if let Some(place) = self.lanes.get_mut(place)
                && let Lane::At(at) = core::mem::replace(place, Lane::None)
                && let Some(id) = self.link(at).and_then(|link| link.id)
            {
                self.pool.put(self.now, id, Returned::Clean);
            }
        }
    }
}

/// The server does not have this database, or does not let us use it.
const BAD_DATABASE: pool::Refusal =
    pool::Refusal::Unavailable(Unavailable { code: DialCode::REJECTED, failures: 1 });
