//! Connections that callers have for themselves.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use respire_core::client::Cause;
use respire_core::command::{AnyRequest, Each, Effect, Pipeline, Request};
use respire_core::config::Address;
use respire_core::conn::{CloseReason, Event, SubmitError, Token};
use respire_core::engine::{Config, Lease, Life, Options, Refused};
use respire_core::hook::Hook;
use respire_core::time::Instant;

use super::desk::Own;
use super::feed::Feed;
use super::hooks::Hooks;
use super::machine::{AskMany, Core, LOST, Machine, failed};
use super::monitor;
use super::shared::Shared;
use super::slots::Told;
use super::told::{Ended, Scene, Together, Watched, measure};
use super::waiter::Waiter;

/// All of them, with what is awaited on each.
pub(super) struct Leases {
    lent: Vec<Lent>,
    /// Where a connection stands there, by [`Id::index`](respire_core::pool::Id::index).
    places: Vec<Place>,
    /// By the same index: those that were lent since it was last looked what has come.
    fresh: Vec<usize>,
    /// Somebody looks, or has panicked while he did: then all are to be looked at.
    is_looking: bool,
    /// How many have ended, and were not given back.
    over: usize,
    /// What is awaited is due then, or later.
    due: Instant,
    /// Who is to be told that there are lines.
    shown: Vec<Waiter>,
    /// How the last of them has ended, unless that was told.
    lost: Option<Cause<io::Error>>,
    /// The server and the database, as hooks are told.
    pub(super) home: (Address<'static>, u32),
}

/// Where a connection stands. What is not lent may stand anywhere.
#[derive(Clone, Default)]
struct Place {
    at: usize,
    is_fresh: bool,
}

struct Lent {
    lease: Lease,
    waiting: VecDeque<Token>,
    /// Where the lines of `MONITOR` go.
    feed: Option<Arc<Feed>>,
    /// What a hook was told of it, if there is one.
    watched: Option<Box<Watched>>,
    /// Its connection has ended.
    is_over: bool,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            lent: Vec::new(),
            places: Vec::new(),
            fresh: Vec::new(),
            is_looking: false,
            over: 0,
            due: Instant::MAX,
            shown: Vec::new(),
            lost: None,
            home: (Config::DEFAULT.address, 0),
        }
    }
}

impl Leases {
    /// When the engine's events are to be polled, whatever it says: it learns then what was asked here.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// How many have ended, and were not given back.
    pub(super) const fn over(&self) -> usize {
        self.over
    }

    /// A connection is lent.
    pub(super) fn begin(&mut self, lease: Lease) {
        let place = self.stands(lease, self.lent.len());
        // Many times, perhaps, before anybody looks.
        if !std::mem::replace(&mut place.is_fresh, true) {
            self.fresh.push(lease.id().index());
        }
        self.lent.push(Lent { lease, waiting: VecDeque::new(), feed: None, watched: None, is_over: false });
    }

    fn stands(&mut self, lease: Lease, at: usize) -> &mut Place {
        let index = lease.id().index();
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::default());
        }
        let place = &mut self.places[index];
        place.at = at;
        place
    }

    fn place(&self, lease: Lease) -> Option<usize> {
        let at = self.places.get(lease.id().index())?.at;
        self.lent.get(at).is_some_and(|lent| lent.lease == lease).then_some(at)
    }

    /// It is given back: what is awaited there will not come. Where its lines went.
    pub(super) fn end(
        &mut self,
        hooks: &mut Hooks,
        now: Instant,
        lease: Lease,
        mut lost: impl FnMut(Token),
    ) -> Option<Arc<Feed>> {
        let place = self.place(lease)?;
        let Lent { waiting, feed, watched, is_over, .. } = self.lent.swap_remove(place);
        self.over -= usize::from(is_over);
        if let Some(moved) = self.lent.get(place).map(|lent| lent.lease) {
            self.stands(moved, place);
        }
        if let Some(mut watched) = watched {
            watched.lose(hooks, &scene(self.home, now, lease));
        }
        waiting.into_iter().for_each(&mut lost);
        feed
    }

    /// Several requests begin, or go on, unless a hook refuses.
    ///
    /// # Errors
    /// A hook's, or the connection is over.
    pub(super) fn begin_together<P: Pipeline>(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        lease: Lease,
        ask: &AskMany<'_, P>,
    ) -> Result<(), Refused> {
        if !engine.hook().is_active() || P::ATOMIC && ask.from > 0 {
            return Ok(());
        }
        let lent = self.place(lease).and_then(|place| self.lent.get_mut(place));
        let (Some(lent), Some((connection, hooks))) = (lent, engine.leased_and_hook(lease)) else {
            return Err(SubmitError::Closed.into());
        };
        // Without MULTI and EXEC.
        let around = usize::from(P::ATOMIC);
        let count = if P::ATOMIC { ask.pipeline.len() } else { ask.most };
        let inner = ask.from + around..ask.from + count.saturating_sub(around);
        let bytes = inner.clone().filter_map(|at| ask.pipeline.visit(at, &mut Measure)).sum();
        let together = Together {
            commands: u32::try_from(inner.len()).unwrap_or(u32::MAX),
            bytes,
            is_atomic: P::ATOMIC,
            watching: connection.state().watching,
            label: ask.options.label,
        };
        lent.watched.get_or_insert_default().begin(hooks, now, &together).map_err(Refused::Hook)
    }

    /// No more of them come.
    pub(super) fn end_together(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        lease: Lease,
        refused: Option<&Refused>,
    ) {
        let lent = self.place(lease).and_then(|place| self.lent.get_mut(place));
        if let Some(watched) = lent.and_then(|lent| lent.watched.as_mut()) {
            watched.end(engine.hook_mut(), now, refused);
        }
    }

    /// Takes a request for one of them.
    pub(super) fn submit(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        lease: Lease,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
    ) -> Result<(), Refused> {
        let row = request.row();
        let home = self.home;
        let lent = self.place(lease).and_then(|place| self.lent.get_mut(place));
        let is_shown = lent.as_ref().is_some_and(|lent| lent.feed.is_some());
        if matches!(row.effect, Effect::Subscribe(_)) || row.effect == Effect::Monitor && !is_shown {
            return Err(Refused::NeedsLease);
        }
        let (Some(lent), Some((connection, hooks))) = (lent, engine.leased_and_hook(lease)) else {
            return Err(SubmitError::Closed.into());
        };
        let scene = Scene { db: connection.state().db.unwrap_or(home.1), ..scene(home, now, lease) };
        if hooks.is_active() {
            let watched = lent.watched.get_or_insert_default();
            watched.before(hooks, &scene, token, request, options).map_err(Refused::Hook)?;
        }
        let submitted = match options.timeout {
            Some(timeout) => connection.submit_until(Some(now.saturating_add(timeout)), token, request),
            // What blocks takes as long as it says.
            None if row.blocks.is_some() => connection.submit_until(None, token, request),
            None => connection.submit(now, token, request),
        };
        if let Err(error) = submitted {
            if let Some(watched) = &mut lent.watched {
                watched.after(hooks, &scene, token, Ended::Unsent(error));
            }
            return Err(error.into());
        }
        lent.waiting.push_back(token);
        self.due = self.due.min(connection.poll_timeout().unwrap_or(Instant::MAX));
        Ok(())
    }

    /// Tells what has come, behind the engine's own events: over connections that were moved, by their places, and over all if
    /// something was due. Whether there was anything.
    pub(super) fn poll(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        mut moved: impl FnMut() -> Option<usize>,
        mut tell: impl FnMut(Token, Told<'_>),
    ) -> bool {
        if self.lent.is_empty() {
            self.due = Instant::MAX;
            return false;
        }
        let mut is_idle = true;
        let has_panicked = std::mem::replace(&mut self.is_looking, true);
        while let Some(index) = self.fresh.pop().or_else(&mut moved) {
            let Some(place) = self.places.get_mut(index) else { continue };
            place.is_fresh = false;
            let at = place.at;
            if self.lent.get(at).is_some_and(|lent| lent.lease.id().index() == index) {
                is_idle &= !self.poll_at(at, engine, now, &mut tell);
            }
        }
        // An engine that is closed takes back what it has lent.
        if has_panicked || now >= self.due || matches!(engine.life(), Life::Draining | Life::Closed) {
            self.due = Instant::MAX;
            for place in 0..self.lent.len() {
                is_idle &= !self.poll_at(place, engine, now, &mut tell);
            }
        }
        self.is_looking = false;
        !is_idle
    }

    /// Tells what has come over one of them. Whether there was anything.
    fn poll_at(
        &mut self,
        place: usize,
        engine: &mut Machine,
        now: Instant,
        tell: &mut impl FnMut(Token, Told<'_>),
    ) -> bool {
        let Some(lent) = self.lent.get_mut(place) else { return false };
        let scene = scene(self.home, now, lent.lease);
        let Some((connection, hooks)) = engine.leased_and_hook(lent.lease) else {
            let has_lost = !lent.waiting.is_empty();
            if let Some(watched) = &mut lent.watched {
                watched.lose(engine.hook_mut(), &scene);
            }
            lent.waiting.drain(..).for_each(|token| tell(token, Told::Failed(LOST)));
            self.shown.extend(lent.lose(CloseReason::Local));
            return has_lost;
        };
        let mut is_idle = true;
        while let Some(event) = connection.poll_event() {
            is_idle = false;
            let (token, failure) = match event {
                Event::Reply { token, .. } => (token, None),
                Event::Failed { token, failure } => (token, Some(failure)),
                Event::Push(line) => {
                    let line = line.as_bytes().map(monitor::message);
                    self.shown.extend(lent.feed.as_ref().zip(line).map(|(feed, line)| feed.push(line)));
                    continue;
                }
                Event::PushTooLarge => {
                    lent.feed.iter().for_each(|feed| feed.skip());
                    continue;
                }
                Event::Closed(reason) => {
                    self.over += usize::from(!std::mem::replace(&mut lent.is_over, true));
                    self.lost = Some(reason.into());
                    self.shown.extend(lent.lose(reason));
                    continue;
                }
                _ => continue,
            };
            // In order, but for those that are late.
            if let Some(at) = lent.waiting.iter().position(|waiting| *waiting == token) {
                lent.waiting.remove(at);
                let (ended, told) = match (failure, connection.lent()) {
                    (None, reply) => (Ended::Reply(reply, connection.lent_len()), Told::Reply(reply)),
                    (Some(failure), _) => (Ended::Failed(failure), Told::Failed(failed(failure))),
                };
                if let Some(watched) = &mut lent.watched {
                    watched.after(hooks, &scene, token, ended);
                }
                tell(token, told);
            }
        }
        self.due = self.due.min(connection.poll_timeout().unwrap_or(Instant::MAX));
        !is_idle
    }
}

/// What is told of this connection, when its database is nobody's business.
const fn scene((address, db): (Address<'static>, u32), now: Instant, lease: Lease) -> Scene {
    Scene { now, address, db, id: lease.id() }
}

impl Lent {
    /// Its connection is over, and what it shows with it.
    fn lose(&self, reason: CloseReason<'_>) -> Option<Waiter> {
        self.feed.as_ref().map(|feed| feed.lose(Cause::from(reason)))
    }
}

impl Core {
    /// The lines of `MONITOR` on this connection go there.
    pub(super) fn show(&mut self, lease: Lease, feed: Arc<Feed>) {
        match self.leases.lent.iter_mut().find(|lent| lent.lease == lease) {
            Some(lent) => {
                lent.feed = Some(feed);
                // Somebody must drive as long as it lives.
                self.desk.tasks += 1;
            }
            None => drop(feed.close()),
        }
    }

    /// Gives a connection back.
    pub(super) fn release(&mut self, shared: &Shared, now: Instant, lease: Lease) {
        let Self { leases, desk, engine, .. } = self;
        let hooks = engine.hook_mut();
        let feed =
            leases.end(hooks, now, lease, |token| desk.tell(shared, token, Told::Failed(LOST), &mut None));
        if let Some(feed) = feed {
            desk.tasks -= 1;
            desk.wake(feed.close());
        }
        self.engine.release(now, lease);
    }

    /// Nothing is shown any more.
    pub(super) fn end_monitors(&mut self, shared: &Shared) {
        let shown = |lent: &Lent| lent.feed.is_some().then_some(lent.lease);
        let leases: Vec<_> = self.leases.lent.iter().filter_map(shown).collect();
        leases.into_iter().for_each(|lease| self.release(shared, shared.now(), lease));
    }

    /// Tells what has come over connections that are lent. Whether there was anything.
    pub(super) fn tell_lessees(&mut self, shared: &Shared, now: Instant, own: &mut Option<Own<'_>>) -> bool {
        let Self { leases, engine, sockets, desk, .. } = self;
        let moved = || sockets.poll_moved();
        let heard = leases.poll(engine, now, moved, |token, told| desk.tell(shared, token, told, own));
        leases.shown.drain(..).for_each(|waiter| desk.wake(waiter));
        if let Some(cause) = leases.lost.take() {
            self.health.fail(cause);
        }
        heard
    }
}

struct Measure;

impl Each for Measure {
    type Output = u64;

    fn request<R: Request>(&mut self, request: &R) -> u64 {
        measure(request)
    }
}
