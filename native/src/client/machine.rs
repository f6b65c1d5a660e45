//! The engine and its sockets: what is asked of them, and what they tell.

use std::io;
use std::task::Waker;

use respire_core::client::{Cause, Fault};
use respire_core::command::{AnyRequest, Each, Pipeline, Request};
use respire_core::conn::{self, CloseReason, SubmitError};
use respire_core::engine::{Action, Engine, Event, Failed, Heap, Lease, Life, Options, Refused};
use respire_core::error::Full;
use respire_core::pubsub;
use respire_core::resp::Reply;
use respire_core::time::{Duration, Instant};

use super::bulks::Bulks;
use super::desk::{Abandoned, Desk, Own, is_own, token};
use super::feed::Feeds;
use super::health::Watch;
use super::hooks::Hooks;
use super::inbox::Ask;
use super::leases::Leases;
use super::life::Stage;
use super::shared::Shared;
use super::slots::Told;
use super::waiter::Waiter;
use crate::Url;
use crate::event_loop::{Ahead, IN_FLIGHT, ROUNDS, Sockets};

pub(super) type Machine = Engine<Heap, IN_FLIGHT, Hooks>;

/// What a client is made of. Whoever touches it has its lock.
pub(super) struct Core {
    pub(super) engine: Machine,
    pub(super) sockets: Sockets<Url>,
    pub(super) desk: Desk,
    pub(super) leases: Leases,
    pub(super) feeds: Feeds,
    pub(super) bulks: Bulks,
    /// Who drives will write what is written now: tasks that it has just woken are still to come.
    pub(super) collecting: bool,
    /// How many requests were collected since it was last seen whether so many wait as are on their way.
    pub(super) fresh: usize,
    /// When it was last used.
    pub(super) used: Instant,
    /// Who waits for another stage of the client's life.
    watchers: Vec<(Stage, Waker)>,
    /// Why the last connection that has ended did so.
    pub(super) failure: Option<Cause<io::Error>>,
    pub(super) health: Watch,
}

/// Several requests, from this one on.
pub(super) struct AskMany<'r, P> {
    pub(super) slot: u32,
    pub(super) waiter: Waiter,
    pub(super) pipeline: &'r P,
    pub(super) from: usize,
    /// So many at most.
    pub(super) most: usize,
    pub(super) options: &'r Options,
    pub(super) on: Option<Lease>,
}

/// Fewer requests are not worth a write of their own while there is another that would take them.
pub(super) const BATCH: usize = 16;

/// An argument that is shorter is copied: that costs less than to write it by itself.
const LEND: usize = 32 << 10;

/// An answer of so many bytes takes the memory that it was read into with it: it was read by itself, as a rule.
const LONG: usize = 64 << 10;

/// The most requests of a pipeline that are on their way at once.
pub(super) const WINDOW: usize = 1000;

impl Core {
    pub(super) fn new(engine: Machine, sockets: Sockets<Url>) -> Self {
        Self {
            engine,
            sockets,
            desk: Desk::default(),
            leases: Leases::default(),
            feeds: Feeds::default(),
            bulks: Bulks::default(),
            collecting: false,
            fresh: 0,
            used: Instant::ZERO,
            watchers: Vec::new(),
            failure: None,
            health: Watch::new(),
        }
    }

    /// When there is something to do that no socket tells of.
    pub(super) fn due(&self) -> Instant {
        if self.sockets.are_ready() {
            return Instant::ZERO;
        }
        self.engine.poll_timeout().min(self.sockets.due()).min(self.leases.due()).min(self.bulks.due())
    }

    /// Whether no more than one answer is waited for.
    pub(super) const fn is_quiet(&self) -> bool {
        self.engine.pending() <= 1
    }

    /// Takes a request.
    pub(super) fn submit(&mut self, now: Instant, ask: &mut Ask<'_>) -> Result<(), Refused> {
        self.fresh += usize::from(self.collecting);
        let (slot, token) = (ask.slot, token(ask.slot, 0));
        let ticket = match ask.on {
            None => {
                let Self { engine, sockets, .. } = self;
                let write = &mut |id, parts: [&[u8]; 3]| sockets.write_lent(now, id, parts);
                Some(engine.submit_lending(now, token, ask.request, ask.options, LEND, write)?)
            }
            Some(lease) => {
                self.leases.submit(&mut self.engine, now, lease, token, ask.request, ask.options)?;
                None
            }
        };
        self.desk.expect(slot, ticket, 1, std::mem::take(&mut ask.waiter));
        Ok(())
    }

    /// Takes as many requests of a pipeline as there is room for: the first that is left. What is refused by itself is told
    /// by itself.
    pub(super) fn submit_many<P: Pipeline>(
        &mut self,
        shared: &Shared,
        now: Instant,
        ask: AskMany<'_, P>,
    ) -> Result<usize, Refused> {
        let mut count = ask.pipeline.len().saturating_sub(ask.from).min(ask.most);
        let mut push = Push { taken: 0, refused: None };
        match ask.on {
            None => {
                // Bulks may have taken some of the room.
                while count > 1 && !self.engine.has_room(count) {
                    count /= 2;
                }
                let mut pipeline = self.engine.pipeline(now, count, ask.options)?;
                push.all(&ask, count, |token, request| pipeline.push(token, request).map(|_| ()));
            }
            Some(lease) => {
                let Self { leases, engine, .. } = self;
                leases.begin_together(engine, now, lease, &ask)?;
                push.all(&ask, count, |token, request| {
                    leases.submit(engine, now, lease, token, request, ask.options)
                });
                let is_whole = ask.from + push.taken >= ask.pipeline.len();
                let will_go_on = push.refused.is_none_or(|refused| push.taken > 0 && may_wait(refused));
                if !P::ATOMIC || is_whole || !will_go_on {
                    leases.end_together(engine, now, lease, push.refused.as_ref());
                }
            }
        }
        let next = ask.from + push.taken;
        let Some(refused) = push.refused else {
            self.expect_many(shared, ask.slot, push.taken, ask.waiter);
            return Ok(next);
        };
        match push.taken {
            0 => Err(refused),
            taken if may_wait(refused) => {
                self.expect_many(shared, ask.slot, taken, ask.waiter);
                Ok(next)
            }
            taken => {
                self.expect_many(shared, ask.slot, taken + 1, ask.waiter);
                // It takes its transaction with it.
                let at = if P::ATOMIC { ask.pipeline.len().saturating_sub(1) } else { next };
                self.desk.tell(shared, token(ask.slot, item(at)), Told::Refused(refused), &mut None);
                Ok(if P::ATOMIC { ask.pipeline.len() } else { next + 1 })
            }
        }
    }

    fn expect_many(&mut self, shared: &Shared, slot: u32, count: usize, waiter: Waiter) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        shared.slots.expect(slot, count);
        self.desk.expect(slot, None, count, waiter);
    }

    /// Wishes for a connection.
    pub(super) fn wish(&mut self, now: Instant, slot: u32, waiter: Waiter) -> Result<(), Refused> {
        let ticket = self.engine.lease(now, token(slot, 0))?;
        self.desk.expect(slot, Some(ticket), 1, waiter);
        Ok(())
    }

    /// Lends a connection that nobody uses, if there is one.
    pub(super) fn lend(&mut self, now: Instant) -> Option<Lease> {
        let lease = self.engine.lease_idle(now)?;
        self.leases.begin(lease);
        Some(lease)
    }

    /// Nobody waits for the answers of this slot any more.
    pub(super) fn abandon(&mut self, shared: &Shared, slot: u32) {
        match self.desk.abandon(shared, slot) {
            Some(Abandoned::Call(ticket)) => {
                self.engine.cancel(shared.now(), ticket);
            }
            Some(Abandoned::Lease(lease)) => self.release(shared, shared.now(), lease),
            None => {}
        }
    }

    /// Writes what is to be written where nothing is on its way, or as much as that.
    pub(super) fn transmit(&mut self, now: Instant) {
        let ahead = if self.fresh < BATCH { Ahead::Nothing } else { Ahead::AsMuch };
        if ahead == Ahead::AsMuch {
            self.fresh = 0;
        }
        self.sockets.transmit(&mut self.engine, now, ahead);
    }

    /// Reads what has come, tells it, and does what the engine asks for. When that was.
    pub(super) fn settle(&mut self, shared: &Shared, own: &mut Option<Own<'_>>) -> Instant {
        let mut now = shared.now();
        for _ in 0..ROUNDS {
            // What came in time is read before anybody is told that it did not.
            let mut is_idle = !self.sockets.receive(&mut self.engine, now);
            self.engine.handle_timeout(now);
            shared.slots.line.expire(now, |waiter| self.desk.wake(waiter));
            while self.tell(shared, now, own) {
                is_idle = false;
            }
            is_idle &= !self.tell_lessees(shared, now, own) & !self.load(now);
            let mut acted = false;
            while let Some(action) = self.engine.poll_action(now) {
                acted = true;
                self.act(now, action);
            }
            if !acted && (is_idle || !self.sockets.are_ready()) {
                break;
            }
            now = shared.now();
        }
        self.sockets.time(&self.engine, now);
        shared.slots.spares.rest(now);
        self.tell_watchers();
        now
    }

    /// Tells what has happened already, and does what the engine asks for: for who has not waited for sockets.
    pub(super) fn serve(&mut self, shared: &Shared, now: Instant) {
        while self.tell(shared, now, &mut None) {}
        self.load(now);
        while let Some(action) = self.engine.poll_action(now) {
            self.act(now, action);
        }
        self.tell_watchers();
    }

    /// Tells whoever waits for a stage that has been reached.
    fn tell_watchers(&mut self) {
        let life = self.engine.life();
        if life == Life::Closed {
            self.feeds.close(|waiter| self.desk.wake(waiter));
        }
        if let Some(reason) = self.engine.take_lost().filter(|reason| *reason != CloseReason::Local) {
            self.health.fail(reason.into());
        }
        let open = self.engine.open().saturating_sub(self.leases.over());
        self.health.note(&self.engine, life, open, self.sockets.rtt());
        let has_failed = self.failure.is_some();
        for (_, waker) in self.watchers.extract_if(.., |(stage, _)| stage.is_reached(life, has_failed)) {
            self.desk.tasks -= 1;
            self.desk.woken.push(Waiter::Task(waker));
        }
    }

    fn act(&mut self, now: Instant, action: Action) {
        if let Action::Close(id) = action
            && let Some(reason) = self.engine.close_reason(id)
            && !matches!(reason, CloseReason::Local)
        {
            // What has said hello is told by the engine.
            if !matches!(reason, CloseReason::Transport) {
                self.health.fail(reason.into());
                self.failure = Some(reason.into());
            }
        }
        self.sockets.act(&mut self.engine, now, action);
        if let Some(error) = self.sockets.failure.take() {
            self.health.fail(Cause::Transport(error.copy()));
            self.failure = Some(Cause::Transport(error));
        }
    }

    /// A task waits for another stage of the client's life.
    pub(super) fn watch(&mut self, stage: Stage, waker: &Waker) {
        if !self.watchers.iter().any(|(known, task)| *known == stage && task.will_wake(waker)) {
            self.desk.tasks += 1;
            self.watchers.push((stage, waker.clone()));
        }
    }

    /// Tells a long answer to somebody else than who reads it.
    #[cold]
    fn tell_long(&mut self, shared: &Shared, now: Instant, token: conn::Token, len: usize) {
        // As much as the next one needs, which is about as long, with what stands around it.
        let mut memory = shared.slots.spares.take(now, (len + 64).next_multiple_of(LONG));
        match self.engine.take_answer(&mut memory) {
            Some(at) => self.desk.tell_long(shared, token, memory, at),
            None => {
                shared.slots.spares.keep(memory);
                self.desk.tell(shared, token, Told::Reply(self.engine.answer()), &mut None);
            }
        }
    }

    /// Tells one event. Whether there was one.
    fn tell(&mut self, shared: &Shared, now: Instant, own: &mut Option<Own<'_>>) -> bool {
        let Some(event) = self.engine.poll_event(now) else { return false };
        match event {
            Event::Reply { token, reply } if is_long(reply) && !is_own(token, own.as_ref()) => {
                let len = reply.outline().1.len();
                self.tell_long(shared, now, token, len);
            }
            Event::Reply { token, reply } => self.desk.tell(shared, token, Told::Reply(reply), own),
            Event::Failed { token, failed } if self.bulks.handle_failed(now, token, &failed) => {}
            Event::Failed { token, failed } => self.desk.tell(shared, token, Told::Failed(failed), own),
            Event::Leased { token, lease } if self.bulks.handle_leased(now, token, lease) => {}
            Event::Leased { token, lease } if shared.slots.is_abandoned(token.0 as u32) => {
                self.engine.release(now, lease);
                self.desk.tell(shared, token, Told::Failed(LOST), own);
            }
            Event::Leased { token, lease } => {
                self.leases.begin(lease);
                self.desk.lend(token, lease);
                self.desk.tell(shared, token, Told::Leased(lease), own);
            }
            Event::Message { id, kind, pattern, channel, payload } => {
                let message = pubsub::Message { kind, pattern, channel, payload, missed: 0, gap: false };
                self.feeds.message(id, message, |waiter| self.desk.wake(waiter));
            }
            Event::Subscription(event) => {
                self.feeds.happened(event.id, event.happened, |waiter| self.desk.wake(waiter));
            }
            Event::Push(_) => {}
        }
        true
    }
}

/// Whether an answer is better taken with its memory than copied.
fn is_long(reply: Reply<'_>) -> bool {
    reply.outline().1.len() >= LONG
}

/// Whether there will be room for it.
fn may_wait(refused: Refused) -> bool {
    matches!(refused, Refused::Submit(SubmitError::Full(full)) if full != Full::TooLarge)
}

/// What is known of a request whose connection was given up.
pub(super) const LOST: Failed = failed(conn::Failure::Unknown);

/// A request that was sent once, and failed.
pub(super) const fn failed(failure: conn::Failure) -> Failed {
    Failed { failure, why: None, refused: None, attempts: 1, elapsed: Duration::ZERO }
}

/// Requests of a pipeline that were taken, and what was not.
struct Push {
    taken: usize,
    refused: Option<Refused>,
}

impl Push {
    fn all<P: Pipeline>(
        &mut self,
        ask: &AskMany<'_, P>,
        count: usize,
        mut submit: impl FnMut(conn::Token, &dyn AnyRequest) -> Result<(), Refused>,
    ) {
        for at in ask.from..ask.from + count {
            let submitted = ask.pipeline.visit(
                at,
                &mut Submit(|request: &dyn AnyRequest| submit(token(ask.slot, item(at)), request)),
            );
            match submitted {
                Some(Err(refused)) => return self.refused = Some(refused),
                _ => self.taken += 1,
            }
        }
    }
}

/// A place in a pipeline, as a part of a token.
fn item(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

struct Submit<F>(F);

impl<F: FnMut(&dyn AnyRequest) -> Result<(), Refused>> Each for Submit<F> {
    type Output = Result<(), Refused>;

    fn request<R: Request>(&mut self, request: &R) -> Self::Output {
        (self.0)(request)
    }
}
