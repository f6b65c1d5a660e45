//! Who listens at a whole client, and what must be true of what is heard.

use super::super::net::Net;
use super::super::server::topic_of;
use super::WholeEngine;
use super::judge::Judge;
use crate::command::Subscription::{self, Channel, Pattern, Shard};
use crate::pubsub::{Event, Happened};
use crate::resp::Digits;
use crate::time::Instant;

/// Everything that can be listened to, and what was published there: the same for channels and patterns.
#[derive(Debug)]
pub(super) struct Listener {
    /// How many subscriptions there can be.
    room: usize,
    /// What the server has, and nobody wants.
    ghosts: u32,
    topics: [[Topic; TOPICS as usize]; 3],
    /// Nothing is to be told any more.
    closed: bool,
}

const TOPICS: u64 = 4;

/// A channel, a pattern that is the name of a channel, or a sharded channel.
#[derive(Clone, Copy, Debug, Default)]
struct Topic {
    /// How many want it.
    wanted: u32,
    /// It was told to be subscribed.
    told: bool,
    /// What was missed since the last message was told to be missing.
    gap: bool,
    /// How many messages were published, each with its number from 1 on, and the last that was heard.
    published: u64,
    heard: u64,
    /// Something was published since it was told to be subscribed, when all was well again.
    tried: bool,
}

impl Listener {
    pub(super) fn new(room: usize) -> Self {
        Self { room, ghosts: 0, topics: Default::default(), closed: false }
    }

    /// One thing of many.
    pub(super) fn work(&mut self, net: &mut Net, engine: &mut WholeEngine) -> bool {
        let now = Instant::from_micros(net.now);
        let (number, kind) = (net.random.below(TOPICS) as u8, any(net.random.below(3)));
        let name = name(number);
        match net.random.below(8) {
            0..=1 => {
                let taken = engine.subscribe(now, kind, &name).is_ok();
                self.topic(kind, number).wanted += u32::from(taken);
                taken
            }
            2 if self.topic(kind, number).wanted > 0 => {
                let topic = self.topic(kind, number);
                topic.wanted -= 1;
                // What comes while nobody wants it is nobody's.
                topic.gap |= topic.wanted == 0;
                engine.unsubscribe(now, kind, &name)
            }
            3 => {
                let line = net.random.below(net.lines.len() as u64) as usize;
                net.drop_shard(line);
                true
            }
            _ => {
                self.publish(kind, number, net);
                true
            }
        }
    }

    /// Something has happened to a subscription.
    pub(super) fn happened(&mut self, event: &Event<'_>, judge: &mut Judge) {
        let closed = self.closed;
        let Some(number) = topic_of(event.name) else {
            return judge.flag(|| alloc::format!("nobody has asked for {event:?}"));
        };
        let topic = self.topic(event.kind, number);
        let expected = match event.happened {
            Happened::Subscribed => topic.wanted > 0 && !topic.told,
            Happened::Gap => topic.wanted > 0,
            Happened::Dropped => topic.wanted > 0 && topic.told,
            Happened::Refused => topic.wanted > 0,
            Happened::Unsubscribed => topic.wanted == 0,
        };
        if !expected || closed {
            judge.flag(|| alloc::format!("{event:?} of {topic:?}"));
        }
        match event.happened {
            Happened::Subscribed | Happened::Gap => {
                (topic.told, topic.gap, topic.tried) = (true, true, false);
            }
            Happened::Dropped | Happened::Unsubscribed => topic.told = false,
            Happened::Refused => {}
        }
    }

    /// Something was published.
    pub(super) fn hear(
        &mut self,
        kind: Subscription,
        pattern: &[u8],
        channel: &[u8],
        payload: &[u8],
        judge: &mut Judge,
    ) {
        let closed = self.closed;
        let number = topic_of(channel).filter(|_| pattern == if kind == Pattern { channel } else { b"" });
        let text = core::str::from_utf8(payload).ok();
        let (Some(number), Some(n)) = (number, text.and_then(|text| text.parse::<u64>().ok())) else {
            return judge.flag(|| alloc::format!("nobody has published {payload:?} in {channel:?}"));
        };
        let topic = self.topic(kind, number);
        let in_order = n > topic.heard && n <= topic.published && (topic.gap || n == topic.heard + 1);
        if !in_order || !topic.told || topic.wanted == 0 || closed {
            judge.flag(|| alloc::format!("heard {n} in {kind:?} {number}, {topic:?}"));
        }
        (topic.heard, topic.gap) = (n, false);
    }

    /// Nothing goes wrong any more: all that is wanted is subscribed and nothing else, and what is published now is
    /// heard. Publishes what is missing for that.
    pub(super) fn hears_all(&mut self, net: &mut Net, engine: &WholeEngine) -> bool {
        let registry = engine.subscriptions();
        let (mut well, mut ghosts) = (registry.is_settled(), 0);
        for (kind, number) in all() {
            let topic = *self.topic(kind, number);
            let info = registry.find(kind, &name(number)).and_then(|id| registry.get(id));
            let (is_wanted, is_confirmed) = (topic.wanted > 0, info.is_some_and(|info| info.confirmed));
            let mut open = net.lines.iter().filter(|line| line.held && !line.is_done());
            let is_there = open.any(|line| line.session.topics(kind) & 1 << number != 0);
            well &= is_wanted == is_confirmed && is_wanted == topic.told && (is_there || !is_wanted);
            if is_there && !is_wanted {
                ghosts += 1;
                // What is published there gives it away, if not at once: what ends it may be lost.
                if self.ghosts == 0 || net.random.one_in(64) {
                    self.publish(kind, number, net);
                }
            }
        }
        self.ghosts = ghosts;
        // Without room for one nobody can know of it.
        well &= ghosts == 0 || registry.len() == self.room;
        for (kind, number) in all() {
            if well && self.topic(kind, number).wanted > 0 && !self.topic(kind, number).tried {
                self.publish(kind, number, net);
                self.topic(kind, number).tried = true;
            }
            let topic = self.topic(kind, number);
            well &= topic.wanted == 0 || topic.heard == topic.published;
        }
        well
    }

    /// Nothing is to be told from now on.
    pub(super) const fn close(&mut self) {
        self.closed = true;
    }

    fn publish(&mut self, kind: Subscription, number: u8, net: &mut Net) {
        let kinds: &[Subscription] = if kind == Shard { &[Shard] } else { &[Channel, Pattern] };
        for &kind in kinds {
            self.topic(kind, number).published += 1;
        }
        let payload = Digits::unsigned(self.topic(kind, number).published);
        net.publish(number, kind == Shard, payload.as_bytes());
    }

    fn topic(&mut self, kind: Subscription, number: u8) -> &mut Topic {
        let [channels, patterns, shards] = &mut self.topics;
        let topics = match kind {
            Channel => channels,
            Pattern => patterns,
            Shard => shards,
        };
        let [first, others @ ..] = topics;
        others.get_mut(usize::from(number).wrapping_sub(1)).unwrap_or(first)
    }
}

/// All there is.
fn all() -> impl Iterator<Item = (Subscription, u8)> {
    let kinds = [Channel, Pattern, Shard];
    kinds.into_iter().flat_map(|kind| (0..TOPICS as u8).map(move |number| (kind, number)))
}

const fn any(n: u64) -> Subscription {
    match n {
        0 => Channel,
        1 => Pattern,
        _ => Shard,
    }
}

const fn name(number: u8) -> [u8; 2] {
    [b'c', b'0' + number]
}
