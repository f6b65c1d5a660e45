//! What callers want of a pool.

use super::config::{Config, Rules};
use super::machine::{Machine, State};
use super::slot::Phase;
use super::{Got, Id, Place, Put, Reason, Refusal, Returned, Slot, Stats};
use crate::conn::Token;
use crate::flaw::flaw;
use crate::list::named;
use crate::time::Instant;

impl Machine<'_> {
    #[inline(always)]
    pub(super) fn get(&mut self, now: Instant, token: Token) -> Result<Got, Refusal> {
        let now = self.state.clock(now);
        // The usual case, in few instructions; where code is to be small it is not apart.
        if cfg!(target_pointer_width = "64")
            && self.state.line.is_empty()
            && let Some(at) = self.ready(now)
            && let Some(id) = self.lend(at, now)
        {
            Stats::count(&mut self.state.stats.hits);
            return Ok(Got::Lent(id));
        }
        self.get_slowly(now, token)
    }

    /// An idle one, if nobody waits and nothing is too old.
    pub(super) fn get_idle(&mut self, now: Instant) -> Option<Id> {
        let now = self.state.clock(now);
        if !self.state.line.is_empty() {
            return None;
        }
        let id = self.ready(now).and_then(|at| self.lend(at, now))?;
        Stats::count(&mut self.state.stats.hits);
        Some(id)
    }

    /// The same, where something is too old or there is nothing.
    #[inline(never)]
    fn get_slowly(&mut self, now: Instant, token: Token) -> Result<Got, Refusal> {
        flaw!(WaiterOvertaken => if let Some(at) = self.candidate(now) && let Some(id) = self.lend(at, now) {
            Stats::count(&mut self.state.stats.hits);
            return Ok(Got::Lent(id));
        });
        // Who waits comes first, also in front of a connection that is idle by now. In a closed pool none is.
        if self.state.line.is_empty()
            && let Some(at) = self.candidate(now)
            && let Some(id) = self.lend(at, now)
        {
            Stats::count(&mut self.state.stats.hits);
            return Ok(Got::Lent(id));
        }
        self.join(now, token)
    }

    /// To the end of the line.
    fn join(&mut self, now: Instant, token: Token) -> Result<Got, Refusal> {
        let Self { state, line, slots } = self;
        let line = named(line);
        Stats::count(&mut state.stats.misses);
        if state.closed {
            return Err(Refusal::Closed);
        }
        let active = u32::from(state.lent) + u32::from(state.line.len());
        if active >= state.rules.max_active {
            return Err(Refusal::Exhausted);
        }
        if let Some(why) = state.dials.down(&state.rules)
            && !state.may_come(slots)
            && state.idle.is_empty()
        {
            return Err(Refusal::Unavailable(why));
        }
        let at = state.vacant.first().ok_or(Refusal::Full)?;
        state.vacant.remove(line, at);
        state.line.push_last(line, at);
        Stats::count(&mut state.stats.waits);
        let waiter = line.get_mut(usize::from(at)).ok_or(Refusal::Full)?;
        Ok(Got::Waiting(waiter.arrive(token, now, at)))
    }

    pub(super) fn cancel(&mut self, now: Instant, place: Place) -> bool {
        let now = self.state.clock(now);
        let waits = self.line.get(usize::from(place.at())).is_some_and(|waiter| waiter.is(place));
        if waits {
            flaw!(DialCancelled => if let Some(at) = self.state.dialling.last() { self.retire(at, Reason::User) });
            self.depart(place.at(), now);
        }
        waits
    }

    /// Out of the line. Says who it was, and for how many microseconds.
    pub(super) fn depart(&mut self, at: u16, now: Instant) -> Option<(Token, u64)> {
        let Self { state, line, .. } = self;
        let line = named(line);
        state.line.remove(line, at);
        state.vacant.push_first(line, at);
        let waiter = line.get_mut(usize::from(at))?;
        waiter.leave();
        let waited = now.as_micros().saturating_sub(waiter.since.as_micros());
        state.stats.wait_time = state.stats.wait_time.wrapping_add(waited);
        Some((waiter.token, waited))
    }

    #[inline(always)]
    pub(super) fn put(&mut self, now: Instant, id: Id, how: Returned) -> Put {
        let now = self.state.clock(now);
        let at = id.at();
        let Some(slot) = self.slot(at).filter(|slot| slot.phase == Phase::Lent && slot.id(at) == id) else {
            return Put::Stale;
        };
        let (expires, dead) = (slot.age.expires, slot.reason);
        if dead.is_some() {
            self.release(at, dead);
            return Put::Gone;
        }
        let why = match how {
            Returned::Broken => Some(Reason::Broken),
            _ if !self.state.rules.reuse => Some(Reason::NotReused),
            _ => self.surplus(expires, now),
        };
        if let Some(why) = why {
            self.retire(at, why);
            return Put::Closing;
        }
        self.state.lent -= 1;
        if how == Returned::NeedsReset {
            self.state.resetting += 1;
            if let Some(slot) = self.slot(at) {
                slot.phase = Phase::Resetting;
                slot.age.used = now;
            }
            return Put::Resetting;
        }
        self.settle(at, now);
        Put::Idle
    }

    pub(super) fn remove(&mut self, now: Instant, id: Id, why: Reason) -> bool {
        self.state.clock(now);
        let at = id.at();
        let Some(slot) = self.known(id) else { return false };
        match slot.phase {
            // Whose loan is over has nothing to say.
            Phase::Lent if slot.id(at) != id => return false,
            Phase::Closing => return false,
            _ => {}
        }
        match slot.reason {
            None => self.retire(at, why),
            dead => self.release(at, dead),
        }
        true
    }

    pub(super) fn close(&mut self, now: Instant) {
        self.state.clock(now);
        self.state.closed = true;
        self.state.rules = self.state.rules.closed();
        for at in 0..self.state.capacity {
            let phase = self.slot(at).map_or(Phase::Free, |slot| slot.phase);
            if !matches!(phase, Phase::Free | Phase::Lent | Phase::Closing) {
                self.retire(at, Reason::Shutdown);
            }
        }
    }

    pub(super) fn set_config(&mut self, now: Instant, config: &Config) {
        let now = self.state.clock(now);
        let before = self.state.rules;
        let rules = Rules::new(config, self.state.capacity);
        self.state.rules = if self.state.closed { rules.closed() } else { rules };
        let State { rules, .. } = &*self.state;
        if (rules.lifetime, rules.jitter) != (before.lifetime, before.jitter) {
            self.live_anew();
        }
        let State { rules, dials, .. } = self.state;
        dials.shorten(rules);
        self.state.wake = now;
        while self.state.is_crowded()
            && let Some(at) = self.state.idle.last()
        {
            self.retire(at, Reason::Surplus);
        }
    }

    /// Another lifetime, also for those that live.
    fn live_anew(&mut self) {
        for at in 0..self.state.capacity {
            let opened = self.slot(at).map_or(Instant::ZERO, |slot| slot.age.opened);
            let expires = self.end_of_life(opened);
            if let Some(Slot { age, .. }) = self.slot(at) {
                age.expires = expires;
            }
        }
    }
}
