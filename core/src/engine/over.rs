//! How calls wait, and how they end.

use super::Memory;
use super::call::{Call, Over, Stage};
use super::event::Failed;
use super::machine::Engine;
use crate::conn::Failure;
use crate::flaw::flaw;
use crate::hook::{Hook, Outcome};
use crate::pool;
use crate::retry::{Verdict, Why};
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// A call goes to a stage that its deadline may end.
    pub(super) fn wait(&mut self, index: u16, stage: Stage) {
        let Some(&Call { deadline, at, .. }) = self.calls.at(index) else { return };
        self.wake_at(if stage.is_resting() { deadline.min(at.max(self.now)) } else { deadline });
        self.calls.go(index, stage);
    }

    /// A call has failed for good: its caller is to be told.
    pub(super) fn end(
        &mut self,
        index: u16,
        failure: Failure,
        why: Option<Why>,
        refused: Option<pool::Refusal>,
    ) {
        let failure = self.honest(index, failure);
        self.after_all(index, failure, refused);
        self.count(index, Outcome::Failed(failure));
        self.judge(index, Verdict::Nothing);
        let Some(&Call { made, since, .. }) = self.calls.at(index) else { return };
        let elapsed = self.now.saturating_since(since);
        let failed = Failed { failure, why, refused, attempts: made, elapsed };
        self.calls.go(index, Stage::Over(Over::Failed(failed)));
        self.part(index);
    }

    /// A call has waited in vain for a connection, and so have those behind it in its pipeline, if they came as early.
    pub(super) fn refuse_call(&mut self, index: u16, why: pool::Refusal) {
        let is_late = matches!(why, pool::Refusal::Timeout { .. });
        let (mut next, patience) = (index, self.config.pool.wait_timeout);
        while let Some(&Call { behind, .. }) = self.calls.at(next) {
            self.end(next, Failure::NotSent, None, Some(why));
            let waited = |call: &Call| {
                matches!(call.stage, Stage::Released) && call.since.saturating_add(patience) <= self.now
            };
            if !is_late || !self.calls.at(behind).is_some_and(waited) {
                return;
            }
            next = behind;
        }
    }

    /// What was not sent this time may have been executed before.
    pub(super) fn honest(&self, index: u16, failure: Failure) -> Failure {
        flaw!(DoubtForgotten => return failure);
        let doubtful = self.calls.at(index).is_some_and(|call| call.doubtful);
        if doubtful && matches!(failure, Failure::NotSent | Failure::Expired) {
            Failure::Unknown
        } else {
            failure
        }
    }

    /// Nothing is left of a call.
    #[inline]
    pub(super) fn forget(&mut self, index: u16) {
        self.part(index);
        let lasting = self.calls.at_mut(index).is_some_and(|call| core::mem::take(&mut call.lasting));
        self.loaders = self.loaders.saturating_sub(u16::from(lasting));
        let kept = self.calls.free(index);
        self.arena.release(kept);
        // The last one lets the connections be closed.
        self.stirred |= self.closing;
    }

    /// All that was not sent is told that it will not be; loaders only if time is up.
    pub(super) fn refuse_waiting(&mut self) {
        let is_up = self.now >= self.drain_by;
        for index in 0..self.calls.len() {
            let Some(call) = self.calls.at(index) else { return };
            if call.stage.is_waiting() && (is_up || !call.lasting) {
                if let Some(place) = call.place {
                    self.pool.cancel(self.now, place);
                }
                self.end(index, Failure::NotSent, None, Some(pool::Refusal::Closed));
            }
        }
    }

    /// Of the deadlines that time has passed: whoever waits is told.
    pub(super) fn expire(&mut self, now: Instant) -> Instant {
        flaw!(WaitsForEver => return Instant::MAX);
        let mut wake = Instant::MAX;
        for index in 0..self.calls.len() {
            let Some(&Call { stage, deadline, at, place, .. }) = self.calls.at(index) else { break };
            if !stage.is_waiting() {
                continue;
            }
            if deadline <= now {
                if let Some(place) = place {
                    self.pool.cancel(now, place);
                    self.stirred = true;
                }
                self.end(index, Failure::Expired, None, None);
            } else if stage.is_resting() && at <= now {
                self.go_again(index);
                wake = wake.min(deadline);
            } else {
                wake = wake.min(if stage.is_resting() { at.min(deadline) } else { deadline });
            }
        }
        wake
    }
}
