//! From a caller to a connection, or to a place to wait for one.

use super::call::{Call, NIL, Over, Stage, Ticket};
use super::event::Refused;
use super::machine::Engine;
use super::{Memory, Options};
use crate::command::{AnyRequest, Args, Blocks, Command, Effect};
use crate::conn::{Failure, SubmitError, Token};
use crate::error::{Full, Misuse};
use crate::hook::{Hook, Outcome, Unsent};
use crate::pool::Got;
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
        self.clock(now);
        self.take(token, request, options, None)
    }

    /// Takes a request by itself, or as the next one in a pipeline: behind which, and in which group.
    pub(super) fn take(
        &mut self,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
        follows: Option<(u16, u16)>,
    ) -> Result<Ticket, Refused> {
        let (now, command) = (self.now, request.row());
        if self.closing {
            return Err(Refused::Closed);
        }
        if command.effect != Effect::None {
            return Err(Refused::NeedsLease);
        }
        if request.is_chunked() {
            return Err(SubmitError::from(Misuse::Streamed).into());
        }
        let shard = options.shard.map_or(0, |shard| shard.ordinal);
        if shard >= self.shards() {
            return Err(Refused::NoDatabase);
        }
        let pass = match self.config.breaker {
            Some(_) => Some(self.breaker.admit(now).map_err(Refused::Circuit)?),
            None => None,
        };
        let timeout = options.timeout.or(self.config.timeout);
        let (before, group) = follows.unwrap_or((NIL, NIL));
        let is_own = self.calls.at(before).is_some_and(|before| before.own);
        let taken = self.calls.take(Call {
            token,
            command,
            since: now,
            deadline: timeout.map_or(Instant::MAX, |timeout| now.saturating_add(timeout)),
            pass,
            class: options.class,
            own: options.own || is_own || self.config.lanes == 0,
            shard,
            keys: options.keys,
            label: options.label,
            before,
            group,
            admitted: true,
            ..Call::EMPTY
        });
        let Some(ticket) = taken else {
            if let Some(pass) = pass {
                self.breaker.handle_verdict(now, pass, Verdict::Nothing);
            }
            return Err(SubmitError::from(Full::InFlight).into());
        };
        if follows.is_some() {
            self.join(ticket.index);
        }
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
        let &Call { stage, id, place, .. } = self.calls.get(ticket)?;
        let failure = match stage {
            Stage::Free | Stage::Group(_) => return None,
            Stage::Over(Over::Failed(failed)) => failed.failure,
            Stage::Over(Over::Leased) => {
                self.take_back(id?);
                Failure::NotSent
            }
            Stage::Queued | Stage::Resting | Stage::Following | Stage::Released => {
                self.honest(ticket.index, Failure::NotSent)
            }
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
                self.leave(at);
                failure
            }
        };
        let outcome = match failure {
            Failure::NotSent => Outcome::Unsent(Unsent::Cancelled),
            failure => Outcome::Failed(failure),
        };
        self.after(ticket.index, outcome);
        self.count(ticket.index, outcome);
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
                if call.before != NIL && !call.own {
                    // Those before it are on a connection that all share.
                    return Err(Refused::NeedsLease);
                }
                (call.own, call.blocks) = (true, true);
                // It takes as long as it says, unless its caller said otherwise.
                if options.timeout.is_none() {
                    call.deadline = Instant::MAX;
                }
            }
        }
        let Some(&Call { own, before, shard, .. }) = self.calls.at(index) else { return Ok(()) };
        if before != NIL {
            return Ok(self.route_behind(index, before, request)?);
        }
        if own {
            return self.ask(index, Some(request));
        }
        if self.calls.first_queued(shard).is_none()
            && let Some(at) = self.best_lane(shard)
        {
            match self.send(index, at, Some(request)) {
                Err(SubmitError::Full(Full::Transmit | Full::InFlight)) => {}
                sent => return Ok(sent?),
            }
        }
        self.keep_still(index, request)?;
        self.wait(index, Stage::Queued);
        // Perhaps there is no hope: the pool knows.
        self.stirred |= self.best_lane(shard).is_none();
        Ok(())
    }

    /// The same behind another request of its pipeline.
    fn route_behind(&mut self, index: u16, before: u16, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        if let Some(at) = self.place_behind(before) {
            match self.send(index, at, Some(request)) {
                Err(SubmitError::Full(Full::Transmit | Full::InFlight)) => {}
                sent => return sent,
            }
        }
        self.keep_still(index, request)?;
        self.wait(index, Stage::Following);
        // Where there is no room for it, it is as good as any other that waits.
        self.line_up(index);
        Ok(())
    }

    pub(super) fn keep(&mut self, index: u16, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        self.arena.keep(self.calls.slots(), index, request).map(|_| ())
    }

    /// The same unless it is kept already.
    pub(super) fn keep_still(&mut self, index: u16, request: &dyn AnyRequest) -> Result<(), SubmitError> {
        if self.calls.at(index).is_some_and(|call| call.kept.is_some()) {
            return Ok(());
        }
        self.keep(index, request)
    }

    /// Asks for a connection of its own.
    pub(super) fn ask(&mut self, index: u16, request: Option<&dyn AnyRequest>) -> Result<(), Refused> {
        let Some(ticket) = self.ticket(index) else { return Ok(()) };
        loop {
            self.stirred = true;
            match self.pool.get(self.now, ticket.token())? {
                Got::Lent(id) => match self.send_alone(index, id, request) {
                    Ok(()) => return Ok(()),
                    Err(error) => {
                        self.take_back(id);
                        // It has ended, and nobody knew yet. There are others, and each is tried once.
                        if error != SubmitError::Closed {
                            return Err(error.into());
                        }
                    }
                },
                Got::Waiting(place) => {
                    if let Some(request) = request
                        && let Err(error) = self.keep_still(index, request)
                    {
                        self.pool.cancel(self.now, place);
                        return Err(error.into());
                    }
                    if let Some(call) = self.calls.at_mut(index) {
                        call.place = Some(place);
                    }
                    self.wait(index, Stage::Asking);
                    return Ok(());
                }
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

    pub(super) fn ticket(&self, index: u16) -> Option<Ticket> {
        self.calls.at(index).map(|call| Ticket { index, generation: call.generation })
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
