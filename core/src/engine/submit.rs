//! From a caller to a connection.

use super::call::{Call, Over, Stage, Ticket};
use super::event::{Failed, Refused};
use super::link::Role;
use super::machine::Engine;
use super::{Memory, Options};
use crate::command::{AnyRequest, Args, Blocks, Command, Effect, Frame};
use crate::config::Patience;
use crate::conn::{Failure, SubmitError, Token};
use crate::error::{Full, Misuse};
use crate::flaw::flaw;
use crate::hook::{Hook, Outcome, Unsent};
use crate::pool::{self, Got, Id};
use crate::resp::Encoder;
use crate::retry::Verdict;
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Takes a request, or refuses it and changes nothing. [`Event::Reply`](super::Event::Reply) or
    /// [`Event::Failed`](super::Event::Failed) will carry `token`, which is the caller's choice.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn submit(
        &mut self,
        now: Instant,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
    ) -> Result<Ticket, Refused> {
        let now = self.clock(now);
        let command = request.row();
        if self.closing {
            return Err(Refused::Closed);
        }
        if command.effect != Effect::None {
            return Err(Refused::NeedsLease);
        }
        if request.is_chunked() {
            return Err(SubmitError::from(Misuse::Streamed).into());
        }
        let pass = match self.config.breaker {
            Some(_) => Some(self.breaker.admit(now).map_err(Refused::Circuit)?),
            None => None,
        };
        let timeout = options.timeout.or(self.config.timeout);
        let taken = self.calls.take(Call {
            token,
            command,
            since: now,
            deadline: timeout.map_or(Instant::MAX, |timeout| now.saturating_add(timeout)),
            pass,
            class: options.class,
            own: options.own || self.config.lanes == 0,
            ..Call::EMPTY
        });
        let Some(ticket) = taken else {
            if let Some(pass) = pass {
                self.breaker.handle_verdict(now, pass, Verdict::Nothing);
            }
            return Err(SubmitError::from(Full::InFlight).into());
        };
        if let Err(refusal) = self.before(ticket.index, Some(request)) {
            self.judge(ticket.index, Verdict::Nothing);
            self.forget(ticket.index);
            return Err(Refused::Hook(refusal));
        }
        match self.route(ticket.index, request, command, options) {
            Ok(()) => {
                self.budget.deposit();
                self.stats.requests = self.stats.requests.wrapping_add(1);
                Ok(ticket)
            }
            Err(refused) => {
                let refusal = if let Refused::Pool(refusal) = refused { Some(refusal) } else { None };
                self.after_all(ticket.index, Failure::NotSent, refusal);
                self.judge(ticket.index, Verdict::Nothing);
                self.forget(ticket.index);
                Err(refused)
            }
        }
    }

    /// Turns away from a request or a wish: there will be no event for it. What is known of it is
    /// [`NotSent`](Failure::NotSent) or [`Unknown`](Failure::Unknown), or how it has failed if its caller was to be told
    /// next. `None`: its caller was told already.
    pub fn cancel(&mut self, now: Instant, ticket: Ticket) -> Option<Failure> {
        let now = self.clock(now);
        let &Call { stage, id, place, own, .. } = self.calls.get(ticket)?;
        let failure = match stage {
            Stage::Free => return None,
            Stage::Over(Over::Failed(failed)) => failed.failure,
            Stage::Over(Over::Leased) => {
                self.take_back(id?);
                Failure::NotSent
            }
            Stage::Queued | Stage::Resting => self.honest(ticket.index, Failure::NotSent),
            Stage::Asking => {
                place.map(|place| self.pool.cancel(now, place));
                self.stirred = true;
                self.honest(ticket.index, Failure::NotSent)
            }
            Stage::Sent => {
                let at = self.find(id?)?;
                let failure = self.link_mut(at)?.connection.abandon(now, ticket.token())?;
                let failure = self.honest(ticket.index, failure);
                self.watch(at);
                self.list_news(at);
                if own {
                    self.take_back(id?);
                }
                failure
            }
        };
        let outcome = match failure {
            Failure::NotSent => Outcome::Unsent(Unsent::Cancelled),
            failure => Outcome::Failed(failure),
        };
        self.after(ticket.index, outcome);
        self.judge(ticket.index, Verdict::Nothing);
        self.forget(ticket.index);
        Some(failure)
    }

    /// The first attempt, or a place to wait for it.
    fn route(
        &mut self,
        index: u16,
        request: &dyn AnyRequest,
        command: &Command,
        options: &Options,
    ) -> Result<(), Refused> {
        if let Some(blocks) = command.blocks {
            // What may block is known by its bytes only; or what does not, by its name.
            match self.keep(index, request) {
                Err(SubmitError::Full(_)) if never_blocks(request, blocks) => {}
                kept => kept?,
            }
            if let Some(call) = self.calls.at_mut(index)
                && blocks(Args::new(self.arena.frame(call.kept))) != Blocks::No
            {
                (call.own, call.blocks) = (true, true);
                // It takes as long as it says, unless its caller said otherwise.
                if options.timeout.is_none() {
                    call.deadline = Instant::MAX;
                }
            }
        }
        if self.calls.at(index).is_some_and(|call| call.own) {
            return self.ask(index, Some(request));
        }
        if self.calls.first_queued().is_none()
            && let Some(at) = self.best_lane()
        {
            match self.send(index, at, Some(request)) {
                Err(SubmitError::Full(Full::Transmit | Full::InFlight)) => {}
                sent => return Ok(sent?),
            }
        }
        if self.calls.at(index).is_some_and(|call| !call.kept.is_some()) {
            self.keep(index, request)?;
        }
        self.wait(index, Stage::Queued);
        // Perhaps there is no hope: the pool knows.
        self.stirred |= self.best_lane().is_none();
        Ok(())
    }

    fn keep(&mut self, index: u16, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        self.arena.keep(self.calls.slots(), index, request).map(|_| ())
    }

    /// Asks for a connection of its own.
    pub(super) fn ask(&mut self, index: u16, request: Option<&dyn AnyRequest>) -> Result<(), Refused> {
        let Some(ticket) = self.ticket(index) else { return Ok(()) };
        self.stirred = true;
        match self.pool.get(self.now, ticket.token())? {
            Got::Lent(id) => {
                let sent = self.send_alone(index, id, request);
                if sent.is_err() {
                    self.take_back(id);
                }
                Ok(sent?)
            }
            Got::Waiting(place) => {
                let is_kept = self.calls.at(index).is_some_and(|call| call.kept.is_some());
                if let (Some(request), false) = (request, is_kept)
                    && let Err(error) = self.keep(index, request)
                {
                    self.pool.cancel(self.now, place);
                    return Err(error.into());
                }
                if let Some(call) = self.calls.at_mut(index) {
                    call.place = Some(place);
                }
                self.wait(index, Stage::Asking);
                Ok(())
            }
        }
    }

    /// What is kept goes over a connection of its own.
    pub(super) fn ask_again(&mut self, index: u16) {
        if let Some(call) = self.calls.at_mut(index) {
            call.own = true;
        }
        if let Err(error) = self.ask(index, None) {
            let refused = match error {
                Refused::Pool(refused) => Some(refused),
                _ => None,
            };
            self.end(index, Failure::NotSent, None, refused);
        }
    }

    /// Sends a call over a connection that is its own.
    pub(super) fn send_alone(
        &mut self,
        index: u16,
        id: Id,
        request: Option<&dyn AnyRequest>,
    ) -> Result<(), SubmitError> {
        let Some(at) = self.find(id) else { return Err(SubmitError::Closed) };
        if let Some(link) = self.link_mut(at) {
            (link.id, link.role) = (Some(id), Role::Own(index));
        }
        self.send(index, at, request)
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
        if call.deadline == Instant::MAX && blocked.is_none() {
            link.connection.submit(now, token, request)?;
        } else {
            let usual = match self.config.connection.reply_timeout {
                Some(timeout) if !call.blocks => now.saturating_add(timeout),
                _ => blocked.unwrap_or(Instant::MAX),
            };
            link.connection.clock(now);
            link.connection.submit_until(Some(call.deadline.min(usual)), token, request)?;
        }
        self.wake = link.connection.poll_timeout().map_or(self.wake, |at| self.wake.min(at));
        if link.connection.owed() > 0 {
            // Nobody would supply it, and all others would wait behind it.
            link.connection.abandon(now, token);
            return Err(Misuse::Streamed.into());
        }
        let id = link.id;
        if call.stage != Stage::Sent {
            self.calls.go(index, Stage::Sent);
        }
        if let Some(call) = self.calls.at_mut(index) {
            call.id = id;
            call.place = None;
            // As it was written, for another attempt. Without room there will be none.
            if self.config.retry.retries > 0
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

    /// Sends what waits for a shared connection, as much as there is room for.
    pub(super) fn dispatch(&mut self) {
        while let Some(index) = self.calls.first_queued()
            && let Some(at) = self.best_lane()
        {
            match self.send(index, at, None) {
                Ok(()) => {}
                Err(SubmitError::Misuse(_) | SubmitError::Full(Full::TooLarge)) => {
                    self.end(index, Failure::NotSent, None, None);
                }
                Err(_) => return,
            }
        }
    }

    /// A call goes to a stage that its deadline may end.
    pub(super) fn wait(&mut self, index: u16, stage: Stage) {
        let until =
            self.calls.at(index).map_or(Instant::MAX, |call| call.deadline.min(call.at.max(self.now)));
        let deadline = self.calls.at(index).map_or(Instant::MAX, |call| call.deadline);
        self.wake_at(if stage == Stage::Resting { until } else { deadline });
        self.calls.go(index, stage);
    }

    /// Nothing is left of a call.
    pub(super) fn forget(&mut self, index: u16) {
        if let Some(call) = self.calls.at_mut(index) {
            self.arena.release(call);
        }
        self.calls.free(index);
        // The last one lets the connections be closed.
        self.stirred |= self.closing;
    }

    pub(super) fn ticket(&self, index: u16) -> Option<Ticket> {
        self.calls.at(index).map(|call| Ticket { index, generation: call.generation })
    }

    /// All that was not sent is told that it will not be.
    pub(super) fn refuse_waiting(&mut self) {
        for index in 0..self.calls.len() {
            let Some(call) = self.calls.at(index) else { return };
            if matches!(call.stage, Stage::Queued | Stage::Resting | Stage::Asking) {
                if let Some(place) = call.place {
                    self.pool.cancel(self.now, place);
                }
                self.end(index, Failure::NotSent, None, Some(pool::Refusal::Closed));
            }
        }
    }

    /// A call has failed for good: its caller is to be told.
    pub(super) fn end(
        &mut self,
        index: u16,
        failure: Failure,
        why: Option<crate::retry::Why>,
        refused: Option<pool::Refusal>,
    ) {
        let failure = self.honest(index, failure);
        self.after_all(index, failure, refused);
        self.judge(index, Verdict::Nothing);
        let Some(&Call { made, since, .. }) = self.calls.at(index) else { return };
        let elapsed = self.now.saturating_since(since);
        let failed = Failed { failure, why, refused, attempts: made, elapsed };
        self.calls.go(index, Stage::Over(Over::Failed(failed)));
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
}

/// Whether the name of a request says that it does not block. What stands behind the name may be cut off here.
#[cold]
fn never_blocks(request: &dyn AnyRequest, blocks: fn(Args<'_>) -> Blocks) -> bool {
    let mut start = [0; 32];
    let mut encoder = Encoder::new(&mut start);
    request.encode(&mut encoder);
    encoder.finish();
    let args = Args::new(&start);
    Args::new(&start).next().is_some() && blocks(args) == Blocks::No
}
