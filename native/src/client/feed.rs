//! Messages on their way to who subscribed.

use std::sync::{Arc, Mutex};
use std::task::Waker;

use respire_core::command::Subscription;
use respire_core::engine::Refused;
use respire_core::pubsub::{Happened, Id, Message, Overflow, Queue};
use respire_core::time::Instant;

use super::machine::{Core, Machine};
use super::slots::{Waiter, lock};

/// What one subscriber has not taken yet.
pub(super) struct Feed(Mutex<State>);

struct State {
    queue: Queue<Vec<u8>>,
    /// Nothing has come since messages were lost.
    gap: bool,
    wanted: Vec<Wanted>,
    waiter: Waiter,
    closed: bool,
}

struct Wanted {
    kind: Subscription,
    name: Vec<u8>,
    id: Id,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Asked,
    Confirmed,
    Refused,
}

/// What a subscriber finds.
pub(super) enum Found<T> {
    Message(T),
    Gap,
    Nothing,
    End,
}

/// All that listen, by the subscription's place.
#[derive(Default)]
pub(super) struct Feeds(Vec<Vec<Arc<Feed>>>);

impl Feed {
    pub(super) fn new(bytes: usize, overflow: Overflow) -> Self {
        Self(Mutex::new(State {
            queue: Queue::new(vec![0; bytes], overflow),
            gap: false,
            wanted: Vec::new(),
            waiter: Waiter::Nobody,
            closed: false,
        }))
    }

    /// Takes what comes next; if there is nothing, `waker` is told.
    pub(super) fn take<T>(
        &self,
        waker: Option<&Waker>,
        read: impl FnOnce(&Message<'_>) -> T,
    ) -> Found<(T, bool)> {
        let mut state = lock(&self.0);
        let state = &mut *state;
        if let Some(message) = state.queue.pop() {
            return Found::Message((read(&message), message.gap));
        }
        if std::mem::take(&mut state.gap) {
            return Found::Gap;
        }
        if state.closed || state.queue.is_closed() {
            return Found::End;
        }
        if let Some(waker) = waker {
            state.waiter = Waiter::Task(waker.clone());
        }
        Found::Nothing
    }

    /// Whether everything was confirmed; `None` if something was refused.
    pub(super) fn is_confirmed(&self, waker: &Waker) -> Option<bool> {
        let mut state = lock(&self.0);
        if state.wanted.iter().any(|wanted| wanted.stage == Stage::Refused) {
            return None;
        }
        let all = state.closed || state.wanted.iter().all(|wanted| wanted.stage == Stage::Confirmed);
        if !all {
            state.waiter = Waiter::Task(waker.clone());
        }
        Some(all)
    }

    fn push(&self, message: Message<'_>) -> Waiter {
        let mut state = lock(&self.0);
        let gap = std::mem::take(&mut state.gap);
        // What is lost is counted, and the next message says so.
        _ = state.queue.push(&Message { gap, ..message });
        std::mem::take(&mut state.waiter)
    }

    fn happened(&self, id: Id, happened: Happened) -> Waiter {
        let mut state = lock(&self.0);
        let Some(wanted) = state.wanted.iter_mut().find(|wanted| wanted.id == id) else {
            return Waiter::Nobody;
        };
        // Who has only just asked has missed nothing. Who was there before is owed the gap, also if the
        // server says no at first on the next connection.
        let was_there = wanted.stage == Stage::Confirmed;
        match happened {
            Happened::Subscribed => wanted.stage = Stage::Confirmed,
            Happened::Refused if !was_there => wanted.stage = Stage::Refused,
            Happened::Gap => {
                wanted.stage = Stage::Confirmed;
                state.gap |= was_there;
            }
            _ => return Waiter::Nobody,
        }
        std::mem::take(&mut state.waiter)
    }

    fn close(&self) -> Waiter {
        let mut state = lock(&self.0);
        state.closed = true;
        std::mem::take(&mut state.waiter)
    }

    /// It wants a subscription no more: which, if it did.
    pub(super) fn forget(&self, kind: Subscription, name: &[u8]) -> Option<(Id, Vec<u8>)> {
        let mut state = lock(&self.0);
        let at = state.wanted.iter().position(|wanted| wanted.kind == kind && wanted.name == name)?;
        let Wanted { id, name, .. } = state.wanted.swap_remove(at);
        Some((id, name))
    }

    /// What it has subscribed to.
    pub(super) fn wanted(&self) -> Vec<(Subscription, Vec<u8>)> {
        lock(&self.0).wanted.iter().map(|wanted| (wanted.kind, wanted.name.clone())).collect()
    }

    /// How many messages there was no room for.
    pub(super) fn dropped(&self) -> u64 {
        lock(&self.0).queue.counters().dropped
    }
}

impl Feeds {
    pub(super) fn subscribe(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        feed: &Arc<Feed>,
        kind: Subscription,
        name: &[u8],
    ) -> Result<(), Refused> {
        let mut state = lock(&feed.0);
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.wanted.iter().any(|wanted| wanted.kind == kind && wanted.name == name) {
            return Ok(());
        }
        let id = engine.subscribe(now, kind, name)?;
        let is_confirmed = engine.subscriptions().get(id).is_some_and(|info| info.confirmed && !info.ends);
        let stage = if is_confirmed { Stage::Confirmed } else { Stage::Asked };
        state.wanted.push(Wanted { kind, name: name.to_vec(), id, stage });
        if self.0.len() <= id.index() {
            self.0.resize_with(id.index() + 1, Vec::new);
        }
        self.0[id.index()].push(Arc::clone(feed));
        Ok(())
    }

    fn of(&self, id: Id) -> &[Arc<Feed>] {
        self.0.get(id.index()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn message(&self, id: Id, message: Message<'_>, mut wake: impl FnMut(Waiter)) {
        self.of(id).iter().for_each(|feed| wake(feed.push(message)));
    }

    pub(super) fn happened(&self, id: Id, happened: Happened, mut wake: impl FnMut(Waiter)) {
        self.of(id).iter().for_each(|feed| wake(feed.happened(id, happened)));
    }

    /// Nothing comes any more.
    pub(super) fn close(&mut self, mut wake: impl FnMut(Waiter)) {
        self.0.drain(..).flatten().for_each(|feed| wake(feed.close()));
    }
}

impl Core {
    /// A subscriber has forgotten a subscription.
    pub(super) fn unsubscribe(
        &mut self,
        now: Instant,
        feed: &Arc<Feed>,
        id: Id,
        kind: Subscription,
        name: &[u8],
    ) {
        if let Some(feeds) = self.feeds.0.get_mut(id.index()) {
            feeds.retain(|known| !Arc::ptr_eq(known, feed));
        }
        self.engine.unsubscribe(now, kind, name);
    }

    /// A subscriber turns away.
    pub(super) fn leave_feed(&mut self, now: Instant, feed: &Arc<Feed>) {
        for (kind, name) in feed.wanted() {
            if let Some((id, name)) = feed.forget(kind, &name) {
                self.unsubscribe(now, feed, id, kind, &name);
            }
        }
        // Who can still change its subscriptions is to know.
        feed.close();
        self.desk.tasks -= 1;
    }
}
