//! Messages on their way to who subscribed, and lines to who monitors.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use respire_core::client::Cause;
use respire_core::command::Subscription;
use respire_core::engine::Refused;
use respire_core::pubsub::{Happened, Id, Message, Overflow, Queue};
use respire_core::time::Instant;

use super::NewsOptions;
use super::machine::{Core, Machine};
use super::waiter::{Waiter, lock};

/// What one subscriber has not taken yet.
pub(super) struct Feed(Mutex<State>);

struct State {
    queue: Queue<Vec<u8>>,
    /// Nothing has come since messages were lost.
    gap: bool,
    wanted: Vec<Wanted>,
    /// Subscriptions that the server has refused since the first ones were confirmed, and nobody was told.
    refused: VecDeque<(Subscription, Vec<u8>)>,
    /// The first ones are confirmed: who waits for messages is told of others.
    begun: bool,
    /// Messages that were too large to be read: in all, and in front of the next.
    unread: (u64, u32),
    waiter: Waiter,
    closed: bool,
    /// How its connection was lost, if it has one for itself.
    cause: Option<Cause<io::Error>>,
}

struct Wanted {
    kind: Subscription,
    name: Vec<u8>,
    id: Id,
    stage: Stage,
    /// It was confirmed before it was refused.
    is_interrupted: bool,
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
    Refused(Subscription, Vec<u8>),
    Nothing,
    End,
}

/// All that listen, by the subscription's place.
#[derive(Default)]
pub(super) struct Feeds(Vec<Vec<Arc<Feed>>>);

impl Feed {
    pub(super) fn of(options: NewsOptions) -> Self {
        let overflow = match options.overflow {
            Overflow::Block => Overflow::DropNewest,
            overflow => overflow,
        };
        Self(Mutex::new(State {
            queue: Queue::new(vec![0; options.bytes], overflow),
            gap: false,
            wanted: Vec::new(),
            refused: VecDeque::new(),
            begun: false,
            unread: (0, 0),
            waiter: Waiter::Nobody,
            closed: false,
            cause: None,
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
        if let Some((kind, name)) = state.refused.pop_front() {
            return Found::Refused(kind, name);
        }
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
        state.begun = all;
        if !all {
            state.waiter = Waiter::Task(waker.clone());
        }
        Some(all)
    }

    pub(super) fn push(&self, message: Message<'_>) -> Waiter {
        let mut state = lock(&self.0);
        let (gap, missed) = (std::mem::take(&mut state.gap), std::mem::take(&mut state.unread.1));
        // What is lost is counted, and the next message says so.
        _ = state.queue.push(&Message { gap, missed, ..message });
        std::mem::take(&mut state.waiter)
    }

    /// A message was too large to be read.
    pub(super) fn skip(&self) {
        let (all, next) = &mut lock(&self.0).unread;
        (*all, *next) = (all.saturating_add(1), next.saturating_add(1));
    }

    /// Its connection is lost: nothing comes any more.
    pub(super) fn lose(&self, cause: Cause<io::Error>) -> Waiter {
        let mut state = lock(&self.0);
        if state.closed {
            return Waiter::Nobody;
        }
        (state.closed, state.cause) = (true, Some(cause));
        std::mem::take(&mut state.waiter)
    }

    /// How its connection was lost, told once.
    pub(super) fn take_cause(&self) -> Option<Cause<io::Error>> {
        lock(&self.0).cause.take()
    }

    fn happened(&self, id: Id, happened: Happened) -> Waiter {
        let mut state = lock(&self.0);
        let Some(wanted) = state.wanted.iter_mut().find(|wanted| wanted.id == id) else {
            return Waiter::Nobody;
        };
        let before = wanted.stage;
        match happened {
            Happened::Subscribed => wanted.stage = Stage::Confirmed,
            // Who has only just asked has missed nothing. Who was there before is told, also if the server says no at first
            // on the next connection.
            Happened::Gap => {
                let was_there = std::mem::take(&mut wanted.is_interrupted) || before == Stage::Confirmed;
                wanted.stage = Stage::Confirmed;
                state.gap |= was_there;
            }
            // It is asked for again and again, and told once.
            Happened::Refused => {
                wanted.is_interrupted |= before == Stage::Confirmed;
                wanted.stage = Stage::Refused;
                let refused = (wanted.kind, wanted.name.clone());
                if state.begun && before != Stage::Refused {
                    state.refused.push_back(refused);
                }
            }
            _ => return Waiter::Nobody,
        }
        std::mem::take(&mut state.waiter)
    }

    pub(super) fn close(&self) -> Waiter {
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
        let state = lock(&self.0);
        state.queue.counters().dropped.saturating_add(state.unread.0)
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
        state.wanted.push(Wanted { kind, name: name.to_vec(), id, stage, is_interrupted: false });
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
