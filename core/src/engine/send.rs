//! Requests onto connections.

use super::Memory;
use super::call::{Call, NIL, Stage, Ticket};
use super::lane::Tuned;
use super::link::{Purpose, Role};
use super::machine::Engine;
use crate::command::{AnyRequest, Args, Blocks, Frame};
use crate::config::Patience;
use crate::conn::{Failure, SubmitError, Wait};
use crate::error::Full;
use crate::hook::Hook;
use crate::pool::Id;
use crate::time::Instant;

/// Where a request that waits in line goes.
enum Way {
    To(u16),
    /// There is no room yet.
    Wait,
    /// Behind another, which is not sent.
    Behind,
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Sends a call over a connection that is its own, as soon as that is one to its database.
    pub(super) fn send_alone(
        &mut self,
        index: u16,
        id: Id,
        request: Option<&dyn AnyRequest>,
    ) -> Result<(), SubmitError> {
        let (Some(at), Some(ticket)) = (self.find(id), self.ticket(index)) else {
            return Err(SubmitError::Closed);
        };
        if let Some(link) = self.link_mut(at) {
            (link.id, link.role, link.live) = (Some(id), Role::Own(index), 0);
        }
        let shard = self.calls.at(index).map_or(0, |call| call.shard);
        if let Some(request) = request
            && self.strays(at, shard).is_some()
        {
            self.keep_still(index, request)?;
        }
        match self.tune(at, shard) {
            Tuned::Lost => return Err(SubmitError::Closed),
            Tuned::Asked => {
                self.set_role(at, Role::Tuning(Purpose::Call(ticket)));
                if let Some(call) = self.calls.at_mut(index) {
                    call.place = None;
                }
                self.wait(index, Stage::Asking);
                return Ok(());
            }
            Tuned::Ready => {}
        }
        self.send(index, at, request)?;
        self.follow(index, at);
        Ok(())
    }

    /// Puts a request onto a connection: as its caller gave it, or as it was kept.
    #[inline]
    pub(super) fn send(
        &mut self,
        index: u16,
        at: u16,
        request: Option<&dyn AnyRequest>,
    ) -> Result<(), SubmitError> {
        let now = self.now;
        let Some(call) = self.calls.at(index) else { return Ok(()) };
        let blocked = if call.blocks { self.blocked_until(call) } else { None };
        let Some(link) = self.links.as_mut().get_mut(usize::from(at)) else {
            return Err(SubmitError::Closed);
        };
        let token = Ticket { index, generation: call.generation }.token();
        let frame;
        let request: &dyn AnyRequest = match request {
            Some(request) => request,
            None => {
                frame = Frame::new(self.arena.frame(call.kept), call.command);
                &frame
            }
        };
        let patience = if call.deadline == Instant::MAX && blocked.is_none() {
            Wait::Usual(now)
        } else {
            let usual = match self.config.connection.reply_timeout {
                Some(timeout) if !call.blocks => now.saturating_add(timeout),
                _ => blocked.unwrap_or(Instant::MAX),
            };
            link.connection.clock(now);
            Wait::Until(Some(call.deadline.min(usual)))
        };
        link.connection.submit_spare(patience, token, request, self.lends_from)?;
        self.wake = link.connection.poll_timeout().map_or(self.wake, |at| self.wake.min(at));
        let is_owed = link.connection.owed() > 0;
        if is_owed {
            self.owing = at;
        }
        if let Role::Own(last) = &mut link.role {
            *last = index;
            link.live = link.live.saturating_add(1);
        }
        let id = link.id;
        let until = (call.before != NIL).then(|| link.connection.newest_deadline());
        if !call.stage.is_sent() {
            self.calls.go(index, Stage::Sent);
        }
        self.list_unsent(at);
        if let Some(call) = self.calls.at_mut(index) {
            call.id = id;
            call.place = None;
            if let Some(until) = until {
                call.at = until;
            }
            // As it was written, for another attempt. Without room there will be none.
            if self.config.retry.retries > 0
                && !is_owed
                && !call.kept.is_some()
                && let Some(link) = self.links.as_ref().get(usize::from(at))
                && self.arena.copy(self.calls.slots(), index, link.connection.newest()).is_err()
            {
                self.stats.unkept = self.stats.unkept.wrapping_add(1);
            }
        }
        Ok(())
    }

    /// When a request that blocks must be answered, if that is another time than its connection would say.
    #[cold]
    fn blocked_until(&self, call: &Call) -> Option<Instant> {
        let patience = match self.config.blocking {
            Patience::Auto => return None,
            Patience::Never => return Some(Instant::MAX),
            Patience::For(span) => span,
        };
        let blocks = call.command.blocks.map(|blocks| blocks(Args::new(self.arena.frame(call.kept))));
        Some(match blocks {
            Some(Blocks::For(span)) => self.now.saturating_add(span).saturating_add(patience),
            Some(Blocks::Forever) => Instant::MAX,
            Some(Blocks::No) | None => self.now.saturating_add(patience),
        })
    }

    /// Sends what waits for a shared connection to this database, as much as there is room for.
    pub(super) fn dispatch(&mut self, shard: u8) {
        while let Some(index) = self.calls.first_queued(shard) {
            let at = match self.way(index, shard) {
                Way::To(at) => at,
                Way::Wait => return,
                Way::Behind => {
                    self.wait(index, Stage::Following);
                    continue;
                }
            };
            match self.send(index, at, None) {
                Ok(()) => self.follow(index, at),
                Err(error) if is_its_own(error) => self.end(index, Failure::NotSent, None, None),
                Err(_) => return,
            }
        }
    }

    fn way(&self, index: u16, shard: u8) -> Way {
        let before = self.calls.at(index).map_or(NIL, |call| call.before);
        if before == NIL {
            return self.best_lane(shard).map_or(Way::Wait, Way::To);
        }
        match self.place_behind(before) {
            Some(at) if self.link(at).is_some_and(|link| link.connection.in_flight() < F) => Way::To(at),
            Some(_) => Way::Wait,
            None => Way::Behind,
        }
    }

    /// The connection that a call was sent on, if others may still go behind it there.
    pub(super) fn place_behind(&self, before: u16) -> Option<u16> {
        let &Call { stage, id, .. } = self.calls.at(before)?;
        let at = self.find(id.filter(|_| stage.is_sent())?)?;
        let link = self.link(at)?;
        (matches!(link.role, Role::Lane(_) | Role::Own(_)) && link.connection.is_ready()).then_some(at)
    }

    /// A call was sent there: those behind it in its pipeline go with it. If it is over, its place may be another's.
    pub(super) fn follow(&mut self, index: u16, at: u16) {
        if self.place_behind(index) != Some(at) {
            return;
        }
        let mut last = index;
        while let Some(next) = self.calls.at(last).map(|call| call.behind)
            && let Some(&Call { stage: Stage::Following, .. }) = self.calls.at(next)
        {
            if !self.admit_again(next) {
                continue;
            }
            match self.send(next, at, None) {
                Ok(()) => last = next,
                Err(error) if is_its_own(error) => self.end(next, Failure::NotSent, None, None),
                Err(SubmitError::Full(_)) => return self.line_up(next),
                // The one before it will be told, and then this one.
                Err(_) => return,
            }
        }
    }

    /// What follows a call that was sent on a shared connection waits for room like all others, if there will be any
    /// behind that call.
    pub(super) fn line_up(&mut self, index: u16) {
        let before = self.calls.at(index).map_or(NIL, |call| call.before);
        if self.config.lanes > 0 && self.place_behind(before).is_some_and(|at| self.is_lane(at)) {
            self.wait(index, Stage::Queued);
        }
    }

    /// There may be room on a shared connection.
    #[inline]
    pub(super) fn fill_lane(&mut self, at: u16) {
        let shard = self.link(at).map_or(0, |link| link.shard);
        if self.calls.first_queued(shard).is_some() {
            self.dispatch(shard);
        }
    }

    /// There may be room on a connection.
    #[inline]
    pub(super) fn make_use_of(&mut self, at: u16) {
        match self.link(at).map(|link| link.role) {
            Some(Role::Lane(_)) => self.fill_lane(at),
            Some(Role::Own(last)) => self.follow(last, at),
            _ => {}
        }
    }
}

/// Whether an error is one of the request, and no connection of ours would take it.
const fn is_its_own(error: SubmitError) -> bool {
    matches!(error, SubmitError::Misuse(_) | SubmitError::Full(Full::TooLarge))
}
