//! What is to be done, and when to ask again.

use super::config::{NEVER, after};
use super::machine::{Machine, State};
use super::slot::Phase;
use super::{Action, DialCode, Id, Reason, Refusal, Slot, Stats, Waiter};
use crate::time::Instant;

impl Machine<'_> {
    pub(super) fn poll(&mut self, now: Instant) -> Option<Action> {
        let now = self.state.clock(now);
        self.give_up_dials(now);
        if self.state.line.is_empty() {
            self.thin_out();
            self.reap(now);
            if now >= self.state.wake
                && let Some(id) = self.sweep(now)
            {
                return Some(Action::Ping(id));
            }
        } else if let Some(action) = self.answer(now) {
            return Some(action);
        }
        self.close_one().or_else(|| self.open_one(now))
    }

    /// Dials that take too long have failed.
    fn give_up_dials(&mut self, now: Instant) {
        while let Some(at) = self.state.dialling.first()
            && let Some(&mut Slot { age, .. }) = self.slot(at)
            && now >= after(age.used, self.state.rules.dial)
        {
            self.fail_dial(at, DialCode::TIMEOUT, now);
            self.retire(at, Reason::DialTimeout);
        }
    }

    /// Closes what is idle beyond the most that may be.
    fn thin_out(&mut self) {
        while let Some(at) = self.state.idle.last()
            && self.state.idle.len() > self.state.rules.max_idle
        {
            self.retire(at, Reason::Surplus);
        }
    }

    /// Looks at all that is idle: closes what is too old, and says which one must be checked first. As many
    /// are checked at a time as stay idle, or one.
    fn sweep(&mut self, now: Instant) -> Option<Id> {
        let mut silent = None;
        let mut wake = Instant::MAX;
        let health = self.state.rules.health;
        let mut next = self.state.idle.first();
        while let Some(at) = next {
            let &mut Slot { age, .. } = self.slot(at)?;
            next = self.slot(at)?.links().back();
            let due = after(age.seen, health);
            if now >= age.expires {
                self.retire(at, Reason::Lifetime);
                continue;
            }
            wake = wake.min(age.expires);
            if now < due {
                wake = wake.min(due);
            } else if silent.is_none_or(|(earliest, _)| due < earliest) {
                silent = Some((due, at));
            }
        }
        let State { checking, idle, .. } = &*self.state;
        if let Some((_, at)) = silent
            && health != NEVER
            && (*checking == 0 || *checking < idle.len())
        {
            // There may be more.
            self.state.wake = now;
            self.state.idle.remove(self.slots, at);
            self.state.checking += 1;
            let slot = self.slot(at)?;
            slot.phase = Phase::Checking;
            return Some(slot.id(at));
        }
        self.state.wake = wake;
        None
    }

    /// Serves or refuses the oldest in the line.
    fn answer(&mut self, now: Instant) -> Option<Action> {
        let first = self.state.line.first()?;
        if !self.state.closed
            && let Some(at) = self.candidate(now)
        {
            let id = self.lend(at, now)?;
            let (token, _) = self.depart(first, now)?;
            return Some(Action::Serve { token, id });
        }
        let since = self.line.get(usize::from(first))?.since;
        let State { rules, dials, .. } = &*self.state;
        let (size, late) = (rules.limit, now >= after(since, rules.wait));
        let down = dials.down(rules).filter(|_| !self.state.may_come(self.slots));
        if !self.state.closed && !late && down.is_none() {
            return None;
        }
        let (token, waited) = self.depart(first, now)?;
        let why = match down {
            _ if self.state.closed => Refusal::Closed,
            Some(why) => Refusal::Unavailable(why),
            None => {
                Stats::count(&mut self.state.stats.timeouts);
                Refusal::Timeout { waited, size, in_use: self.state.lent }
            }
        };
        Some(Action::Refuse { token, why })
    }

    fn close_one(&mut self) -> Option<Action> {
        let at = self.state.closing.first()?;
        let slot = self.slot(at)?;
        let (id, why) = (slot.id(at), slot.reason?);
        self.release(at, Some(why));
        Some(Action::Close(id, why))
    }

    fn open_one(&mut self, now: Instant) -> Option<Action> {
        let State { rules, dials, dialling, .. } = &*self.state;
        if !self.state.wants_dial() || !dials.may_begin(rules, dialling.len(), now) {
            return None;
        }
        let at = self.state.free.first()?;
        self.state.free.remove(self.slots, at);
        self.state.dialling.push_last(self.slots, at);
        Stats::count(&mut self.state.stats.dials);
        let slot = self.slot(at)?;
        slot.phase = Phase::Dialling;
        (slot.age.opened, slot.age.used, slot.age.seen, slot.age.expires) = (now, now, now, Instant::MAX);
        Some(Action::Open(slot.id(at)))
    }
}

impl State {
    /// When to ask again.
    pub(super) fn timeout(&self, slots: &[Slot], line: &[Waiter]) -> Instant {
        let Self { rules, idle, dialling, dials, .. } = self;
        let used = |at: u16| slots.get(usize::from(at)).map_or(Instant::MAX, |slot| slot.age.used);
        let mut earliest = Instant::MAX;
        if let Some(at) = idle.last() {
            earliest = self.wake;
            if idle.len() > rules.min_idle {
                earliest = earliest.min(after(used(at), rules.idle_time));
            }
        }
        if let Some(at) = dialling.first() {
            earliest = earliest.min(after(used(at), rules.dial));
        }
        if let Some(waiter) = self.line.first().and_then(|at| line.get(usize::from(at))) {
            earliest = earliest.min(after(waiter.since, rules.wait));
        }
        if dials.last().is_some() && dialling.is_empty() && self.wants_dial() {
            earliest = earliest.min(dials.until);
        }
        earliest
    }

    /// Whether there is room for one more connection, and a reason: somebody waits who is not dialled for, too few
    /// are idle, or nobody knows whether the server is back.
    fn wants_dial(&self) -> bool {
        let (dialling, waiting) = (self.dialling.len(), self.line.len());
        let ready = u32::from(self.idle.len()) + u32::from(self.checking) + u32::from(dialling);
        !self.closed
            && self.total() < self.rules.limit
            && (waiting > dialling
                || ready < u32::from(self.rules.min_idle) + u32::from(waiting)
                || (dialling == 0 && self.dials.down(&self.rules).is_some()))
    }
}
