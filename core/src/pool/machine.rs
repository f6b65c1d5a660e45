//! The state of a pool, and the steps that all of its calls are made of.

use super::config::{Rules, after};
use super::dial::{Dials, part};
use super::slot::Phase;
use super::{Id, Reason, Slot, Stats, Waiter};
use crate::list::List;
use crate::random::Random;
use crate::time::Instant;

/// All of a pool but its slots and its line.
#[derive(Debug)]
pub(super) struct State {
    pub(super) rules: Rules,
    /// The latest time that was told.
    pub(super) now: Instant,
    /// Idle slots, the one that was used last in front: the last one is the first that nobody needs.
    pub(super) idle: List,
    /// Slots being dialled, the oldest in front: its deadline is the earliest.
    pub(super) dialling: List,
    /// Slots to be closed.
    pub(super) closing: List,
    pub(super) free: List,
    pub(super) lent: u16,
    /// Of the lent ones, those that are known to be closed.
    pub(super) dead: u16,
    pub(super) resetting: u16,
    pub(super) checking: u16,
    /// How many slots there are.
    pub(super) capacity: u16,
    /// The line, the oldest in front.
    pub(super) line: List,
    pub(super) vacant: List,
    /// No idle slot is expired or silent for too long before this.
    pub(super) wake: Instant,
    pub(super) dials: Dials,
    pub(super) random: Random,
    pub(super) closed: bool,
    /// The counters. What is there now is only counted when it is asked for.
    pub(super) stats: Stats,
}

impl State {
    /// Slots that are not free.
    pub(super) const fn total(&self) -> u16 {
        self.capacity.saturating_sub(self.free.len())
    }

    /// Whether more slots than may be are neither free nor to be closed.
    pub(super) fn is_crowded(&self) -> bool {
        let [free, closing, limit] = [self.free.len(), self.closing.len(), self.rules.limit].map(u32::from);
        free + closing + limit < u32::from(self.capacity)
    }

    /// Whether there are connections that may come back to who waits.
    pub(super) const fn has_hope(&self) -> bool {
        self.lent > self.dead || self.resetting > 0 || self.checking > 0
    }

    /// The same, or dials that began before the last one failed: nobody knows yet what becomes of them.
    pub(super) fn may_come(&self, slots: &[Slot]) -> bool {
        let oldest = self.dialling.first().and_then(|at| slots.get(usize::from(at)));
        self.has_hope() || oldest.is_some_and(|slot| self.dials.failed_since(slot.age.used))
    }

    /// The time, which never goes backwards.
    pub(super) fn clock(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }
}

/// A pool with its memory at hand.
pub(super) struct Machine<'a> {
    pub(super) state: &'a mut State,
    pub(super) slots: &'a mut [Slot],
    /// The line's memory; maybe more than has [names](crate::list::named).
    pub(super) line: &'a mut [Waiter],
}

impl Machine<'_> {
    #[inline]
    pub(super) fn slot(&mut self, at: u16) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(at))
    }

    /// The slot of this connection, whoever has borrowed it.
    pub(super) fn known(&mut self, id: Id) -> Option<&mut Slot> {
        self.slot(id.at()).filter(|slot| slot.is_of(id))
    }

    /// Takes the slot out of where it stands.
    pub(super) fn leave(&mut self, at: u16) {
        let Some(&mut Slot { phase, reason, .. }) = self.slot(at) else { return };
        let Self { state, slots, .. } = self;
        let list = match phase {
            Phase::Free => return,
            Phase::Idle => &mut state.idle,
            Phase::Dialling => &mut state.dialling,
            Phase::Closing => &mut state.closing,
            Phase::Lent => {
                state.lent -= 1;
                state.dead -= u16::from(reason.is_some());
                return;
            }
            Phase::Resetting => {
                state.resetting -= 1;
                return;
            }
            Phase::Checking => {
                state.checking -= 1;
                // The next one may be checked.
                state.wake = Instant::ZERO;
                return;
            }
        };
        list.remove(slots, at);
    }

    /// Makes a slot that has left its place idle; it was in order a moment ago.
    #[inline]
    pub(super) fn settle(&mut self, at: u16, now: Instant) {
        let Some(slot) = self.slot(at) else { return };
        slot.phase = Phase::Idle;
        (slot.age.used, slot.age.seen) = (now, now);
        let expires = slot.age.expires;
        let silent = after(now, self.state.rules.health);
        self.state.wake = self.state.wake.min(expires).min(silent);
        self.state.idle.push_first(self.slots, at);
    }

    /// Takes the slot from wherever it stands; it is to be closed.
    #[inline(never)]
    pub(super) fn retire(&mut self, at: u16, reason: Reason) {
        self.leave(at);
        let Some(slot) = self.slot(at) else { return };
        slot.phase = Phase::Closing;
        slot.reason = Some(reason);
        self.state.closing.push_last(self.slots, at);
    }

    /// Takes the slot from wherever it stands; it has no connection any more.
    #[inline(never)]
    pub(super) fn release(&mut self, at: u16, reason: Option<Reason>) {
        self.leave(at);
        let Some(slot) = self.slot(at) else { return };
        slot.renew();
        if let Some(reason) = reason {
            self.state.stats.count_closed(reason);
        }
        self.state.free.push_first(self.slots, at);
    }

    /// Why a connection is not kept that could become idle now.
    #[inline]
    pub(super) fn surplus(&self, expires: Instant, now: Instant) -> Option<Reason> {
        let state = &*self.state;
        if state.is_crowded() {
            Some(if state.closed { Reason::Shutdown } else { Reason::Surplus })
        } else if now >= expires {
            Some(Reason::Lifetime)
        } else if state.idle.len() >= state.rules.max_idle && state.line.is_empty() {
            Some(Reason::Surplus)
        } else {
            None
        }
    }

    /// The idle slot to be lent next, if nothing is too old.
    #[inline]
    pub(super) fn ready(&self, now: Instant) -> Option<u16> {
        let State { rules, idle, .. } = &*self.state;
        let last = idle.last()?;
        let at = if rules.fifo { last } else { idle.first()? };
        let old = |at: u16| {
            self.slots.get(usize::from(at)).is_none_or(|slot| now >= after(slot.age.used, rules.idle_time))
        };
        let unused = idle.len() > rules.min_idle && old(last);
        let expired = now >= self.slots.get(usize::from(at))?.age.expires;
        if unused || expired { None } else { Some(at) }
    }

    /// The idle slot to be lent next. Those that are too old are closed on the way.
    pub(super) fn candidate(&mut self, now: Instant) -> Option<u16> {
        self.reap(now);
        loop {
            let State { rules, idle, .. } = &*self.state;
            let at = if rules.fifo { idle.last() } else { idle.first() }?;
            if now < self.slot(at)?.age.expires {
                return Some(at);
            }
            self.retire(at, Reason::Lifetime);
        }
    }

    /// Closes what nobody has used for too long, but for those that are kept ready.
    pub(super) fn reap(&mut self, now: Instant) {
        while let Some(at) = self.state.idle.last()
            && let State { rules, idle, .. } = &*self.state
            && idle.len() > rules.min_idle
            && let idle_time = rules.idle_time
            && let Some(slot) = self.slot(at)
            && now >= after(slot.age.used, idle_time)
        {
            self.retire(at, Reason::Idle);
        }
    }

    /// Lends an idle slot.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn lend(&mut self, at: u16, now: Instant) -> Option<Id> {
        let slot = self.slot(at)?;
        slot.lend(now);
        let (id, links) = (slot.id(at), slot.links());
        self.state.idle.unlink(self.slots, links);
        self.state.lent += 1;
        Some(id)
    }

    /// When a connection that is opened then has lived its life.
    pub(super) fn end_of_life(&mut self, opened: Instant) -> Instant {
        let rules = &self.state.rules;
        let (lifetime, jitter) = (rules.lifetime, rules.jitter);
        after(opened, lifetime - part(&mut self.state.random, jitter))
    }
}
