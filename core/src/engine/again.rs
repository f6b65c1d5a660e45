//! What is tried again, and when.

use super::Memory;
use super::call::{Call, NIL, Stage, Ticket};
use super::link::Role;
use super::machine::Engine;
use crate::command::{Args, Retry};
use crate::conn::Failure;
use crate::flaw::flaw;
use crate::hook::{Hook, Outcome};
use crate::retry::{Attempt, Decision, Fate, Verdict};

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// An attempt has not worked. Whether it is made again; if not, and there is no answer, its caller will be told.
    pub(super) fn failed(&mut self, ticket: Ticket, fate: Fate, failure: Option<Failure>) -> bool {
        let Some(&call) = self.calls.get(ticket) else { return false };
        let index = ticket.index;
        // To send it again would be to send it behind those that were behind it.
        let is_ahead = call.behind != NIL && (failure.is_none() || self.is_waited_for_behind(&call));
        let verdict = match fate {
            Fate::NotSent => Verdict::Nothing,
            Fate::Answered => Verdict::Works,
            Fate::NotExecuted | Fate::Unknown => Verdict::Fails,
        };
        self.judge(index, verdict);
        if let Some(failure) = failure {
            self.after(index, Outcome::Failed(failure));
        }
        let made = call.made;
        if let Some(call) = self.calls.at_mut(index) {
            call.made = made.saturating_add(1);
            call.doubtful |= fate == Fate::Unknown;
            call.id = None;
            call.admitted = false;
        }
        flaw!(RetriedBlindly => if fate == Fate::Unknown { return self.failed_blindly(index) });
        flaw!(BudgetIgnored => self.budget = crate::retry::Budget::new(self.config.budget));
        let decision = if call.kept.is_some() && !self.closing && !is_ahead {
            let frame = self.arena.frame(call.kept);
            let class = call.class.unwrap_or_else(|| Retry::of(Args::new(frame)));
            // Where counting ends, there are no more.
            let made = if made == u8::MAX { u32::MAX } else { made.into() };
            let attempt = Attempt { class, fate, made, deadline: call.deadline };
            Some(self.config.retry.decide(self.now, attempt, &mut self.budget, &mut self.random))
        } else {
            None
        };
        match (decision, failure) {
            (Some(Decision::Again(at)), _) => {
                let counter =
                    if fate == Fate::NotSent { &mut self.stats.moved } else { &mut self.stats.retries };
                *counter = counter.wrapping_add(1);
                if let Some(call) = self.calls.at_mut(index) {
                    call.at = at;
                }
                flaw!(OrderLost => self.part(index));
                let Some(&call) = self.calls.at(index) else { return true };
                if self.calls.at(call.before).is_some_and(|before| !before.stage.is_sent()) {
                    self.wait(index, Stage::Following);
                } else if at <= self.now {
                    self.go_again(index);
                } else {
                    self.wait(index, Stage::Resting);
                }
                flaw!(AgainAndTold => if let Some(failure) = failure { self.end(index, failure, None, None) });
                true
            }
            // The error is the answer.
            (_, None) => false,
            (decision, Some(failure)) => {
                let why = match decision {
                    Some(Decision::Stop(why)) => Some(why),
                    _ => None,
                };
                self.end(index, failure, why, None);
                false
            }
        }
    }

    /// Whether any of those behind a call in its pipeline may still be answered on its connection.
    #[cold]
    fn is_waited_for_behind(&self, call: &Call) -> bool {
        let is_open = |at| self.link(at).is_some_and(|link| !link.connection.is_closed());
        if !call.id.and_then(|id| self.find(id)).is_some_and(is_open) {
            return false;
        }
        let mut next = call.behind;
        while let Some(&Call { stage: Stage::Sent, at, behind, .. }) = self.calls.at(next) {
            if at > self.now {
                return true;
            }
            next = behind;
        }
        false
    }

    /// A call has rested.
    pub(super) fn go_again(&mut self, index: u16) {
        if !self.admit_again(index) {
            return;
        }
        let Some(&Call { own, before, shard, .. }) = self.calls.at(index) else { return };
        if before != NIL {
            self.wait(index, Stage::Following);
            if let Some(at) = self.place_behind(before) {
                if let Some(Role::Own(last)) = self.link_mut(at).map(|link| &mut link.role) {
                    *last = before;
                }
                self.follow(before, at);
            }
        } else if own || self.config.lanes == 0 {
            self.ask_again(index);
        } else {
            self.wait(index, Stage::Queued);
            self.dispatch(shard);
            // Perhaps there is no hope: the pool knows.
            self.stirred |= self.best_lane(shard).is_none();
        }
    }

    /// Breaker and hook are asked once more before another attempt. If one says no, the call is over.
    pub(super) fn admit_again(&mut self, index: u16) -> bool {
        let Some(&Call { admitted: false, .. }) = self.calls.at(index) else { return true };
        let pass = match self.config.breaker {
            Some(_) => self.breaker.admit(self.now).map(Some),
            None => Ok(None),
        };
        if let (Ok(pass), Some(call)) = (pass, self.calls.at_mut(index)) {
            (call.pass, call.admitted) = (pass, true);
            if self.before(index, None).is_ok() {
                return true;
            }
        }
        self.end(index, Failure::NotSent, None, None);
        false
    }

    /// The breaker learns what became of an attempt.
    #[inline]
    pub(super) fn judge(&mut self, index: u16, verdict: Verdict) {
        if self.config.breaker.is_some()
            && let Some(pass) = self.calls.at_mut(index).and_then(|call| call.pass.take())
        {
            self.breaker.handle_verdict(self.now, pass, verdict);
        }
    }

    /// Sends it once more, whatever it is.
    #[cfg(feature = "flaws")]
    fn failed_blindly(&mut self, index: u16) -> bool {
        let again = self.calls.at(index).is_some_and(|call| call.kept.is_some() && call.made < 3);
        if again {
            self.go_again(index);
        } else {
            self.end(index, Failure::Unknown, None, None);
        }
        again
    }
}
