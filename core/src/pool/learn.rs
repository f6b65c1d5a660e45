//! What a driver has learned.

use super::machine::Machine;
use super::slot::Phase;
use super::{DialCode, Id, Reason, Slot, Stats};
use crate::time::Instant;

impl Machine<'_> {
    pub(super) fn handle_opened(&mut self, now: Instant, id: Id) -> bool {
        let now = self.state.clock(now);
        if !self.is_in(id, Phase::Dialling) {
            return false;
        }
        let at = id.at();
        self.state.dials.succeed();
        let expires = self.end_of_life(now);
        if let Some(slot) = self.slot(at) {
            (slot.age.opened, slot.age.expires) = (now, expires);
        }
        self.rejoin(at, now);
        true
    }

    pub(super) fn handle_open_failed(&mut self, now: Instant, id: Id, code: DialCode) -> bool {
        let now = self.state.clock(now);
        let dialled = self.is_in(id, Phase::Dialling);
        if dialled {
            self.fail_dial(id.at(), code, now);
            self.release(id.at(), None);
        }
        dialled
    }

    /// Counts a dial that has come to nothing.
    pub(super) fn fail_dial(&mut self, at: u16, code: DialCode, now: Instant) {
        let began = self.slot(at).map_or(now, |slot| slot.age.used);
        let state = &mut *self.state;
        Stats::count(&mut state.stats.dial_errors);
        state.dials.fail(&state.rules, &mut state.random, code, began, now);
    }

    pub(super) fn handle_closed(&mut self, now: Instant, id: Id) -> bool {
        self.state.clock(now);
        let at = id.at();
        let Some(slot) = self.known(id) else { return false };
        match slot.phase {
            Phase::Lent => {
                let first = slot.reason.is_none();
                slot.reason = Some(Reason::Lost);
                self.state.dead += u16::from(first);
                return first;
            }
            Phase::Dialling => return self.handle_open_failed(now, id, DialCode::LOST),
            Phase::Closing => {
                let why = slot.reason;
                self.release(at, why);
            }
            _ => {
                Stats::count(&mut self.state.stats.stale);
                self.release(at, Some(Reason::Lost));
            }
        }
        true
    }

    pub(super) fn handle_reset(&mut self, now: Instant, id: Id, ok: bool) -> bool {
        let now = self.state.clock(now);
        if !self.is_in(id, Phase::Resetting) {
            return false;
        }
        if ok {
            self.rejoin(id.at(), now);
        } else {
            self.retire(id.at(), Reason::Broken);
        }
        true
    }

    pub(super) fn handle_health(&mut self, now: Instant, id: Id, ok: bool) -> bool {
        let now = self.state.clock(now);
        let at = id.at();
        if !self.is_in(id, Phase::Checking) {
            return false;
        }
        if !ok {
            Stats::count(&mut self.state.stats.stale);
            self.retire(at, Reason::Stale);
            return true;
        }
        let used = self.slot(at).map_or(now, |slot| slot.age.used);
        self.rejoin(at, now);
        if self.is_in(id, Phase::Idle) {
            self.sink(at, used);
        }
        true
    }

    /// Out of its place and back among the idle ones, or to be closed if there are enough.
    fn rejoin(&mut self, at: u16, now: Instant) {
        let Some(&mut Slot { age, .. }) = self.slot(at) else { return };
        match self.surplus(age.expires, now) {
            Some(why) => self.retire(at, why),
            None => {
                self.leave(at);
                self.settle(at, now);
            }
        }
    }

    /// Moves an idle slot to where it was before it was checked: a sign of life is no use of it. The only
    /// step that looks at others one by one; it begins at those that were not used for longest, where most
    /// that are checked belong.
    fn sink(&mut self, at: u16, used: Instant) {
        self.state.idle.remove(self.slots, at);
        let mut front = self.state.idle.last();
        while let Some(other) = front
            && let Some(slot) = self.slot(other)
            && slot.age.used < used
        {
            front = slot.links().front();
        }
        self.state.idle.insert(self.slots, at, front.unwrap_or(crate::list::NIL));
        if let Some(slot) = self.slot(at) {
            slot.age.used = used;
        }
    }

    fn is_in(&mut self, id: Id, phase: Phase) -> bool {
        self.known(id).is_some_and(|slot| slot.phase == phase)
    }
}
