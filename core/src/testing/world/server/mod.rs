//! The server of the world: a model of what matters, and how often each token was executed.

mod ask;
mod execute;
mod say;

use alloc::vec::Vec;

pub(super) use ask::{Ask, SHAPES, Verb, payload, topic_of};
pub(super) use say::{LARGE, Name, Say};

use super::line::{Did, Owner};
use crate::command::Subscription;

/// What all connections of the server share.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// How often each token was executed.
    counts: Vec<u8>,
    /// Where and when each token was executed.
    ran: Vec<Option<Ran>>,
    /// How many executions there were.
    executions: u64,
    /// The newest token that was stored at each of a few keys, and one more.
    keys: [u64; 4],
    /// The scripts are here.
    scripts: bool,
    /// It is not what it should be, and until when.
    pub(super) phase: Phase,
    pub(super) phase_until: u64,
    /// It knows no HELLO.
    pub(super) old: bool,
    /// It wants a password.
    pub(super) locked: bool,
}

/// Where and when something was executed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ran {
    pub(super) first: u64,
    pub(super) last: u64,
    /// `None`: in one database and in another.
    pub(super) db: Option<u64>,
}

/// What a server may be instead of ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Phase {
    #[default]
    Fine,
    Loading,
    Busy,
    ReadOnly,
    MasterDown,
}

/// What the server knows of one connection.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Received, and not understood yet.
    pub(super) inbox: Vec<u8>,
    pub(super) resp3: bool,
    pub(super) db: u64,
    authed: bool,
    multi: Option<Multi>,
    /// A watched key: whether it was written.
    watching: Option<bool>,
    /// Tokens that name channels.
    channels: Vec<u64>,
    /// Topics, a bit for each: channels, patterns and shards.
    topics: [u8; 3],
    /// A request that waits, and until when.
    pub(super) blocked: Option<(Ask, u64)>,
    /// It will not execute anything any more.
    pub(super) over: bool,
    /// It sent what is no RESP request.
    pub(super) garbled: bool,
}

#[derive(Debug, Default)]
struct Multi {
    aborted: bool,
    queue: Vec<Ask>,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Done {
    pub(super) owner: Owner,
    pub(super) did: Did,
}

impl Server {
    pub(super) fn new(old: bool, locked: bool) -> Self {
        Self { old, locked, scripts: true, ..Self::default() }
    }

    /// How often a token was executed.
    pub(super) fn count(&self, token: u64) -> u8 {
        self.counts.get(token as usize).copied().unwrap_or(0)
    }

    /// Where and when a token was executed, if it was.
    pub(super) fn ran(&self, token: u64) -> Option<Ran> {
        self.ran.get(token as usize).copied().flatten()
    }

    pub(super) fn count_up(&mut self, token: u64, db: u64) {
        let at = token as usize;
        // A token that was never given out would be a mistake of the client.
        if at >= self.counts.len() && at < 1 << 20 {
            self.counts.resize((at + 1).next_power_of_two(), 0);
            self.ran.resize((at + 1).next_power_of_two(), None);
        }
        let last = self.executions;
        self.executions += 1;
        if let Some(ran) = self.ran.get_mut(at) {
            *ran = Some(match *ran {
                None => Ran { first: last, last, db: Some(db) },
                Some(ran) => Ran { last, db: ran.db.filter(|before| *before == db), ..ran },
            });
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
        }
    }

    /// Another server takes its place.
    pub(super) fn restart(&mut self, lost: bool) {
        if lost {
            self.keys = [0; 4];
        }
        self.scripts = false;
        self.phase = Phase::Fine;
    }

    /// What time does to it.
    pub(super) fn pass(&mut self, now: u64) {
        if now >= self.phase_until {
            self.phase = Phase::Fine;
        }
    }
}

impl Session {
    /// Whether it is subscribed to anything.
    pub(super) fn is_subscribed(&self) -> bool {
        !self.channels.is_empty() || self.topics != [0; 3]
    }

    /// The topics that it has subscribed to like this.
    pub(super) const fn topics(&self, kind: Subscription) -> u8 {
        let [channels, patterns, shards] = self.topics;
        match kind {
            Subscription::Channel => channels,
            Subscription::Pattern => patterns,
            Subscription::Shard => shards,
        }
    }

    /// How many subscriptions there are, as a confirmation says: those of shards apart from all others.
    pub(super) fn count(&self, kind: Subscription) -> u64 {
        let [channels, patterns, shards] = self.topics.map(u8::count_ones);
        match kind {
            Subscription::Shard => shards.into(),
            _ => self.channels.len() as u64 + u64::from(channels + patterns),
        }
    }

    /// Whether the next who uses it would notice who had it before.
    pub(super) fn is_altered(&self) -> bool {
        self.multi.is_some() || self.watching.is_some() || self.is_subscribed()
    }

    /// Whether messages can be sent to it.
    pub(super) fn hears(&self) -> bool {
        self.resp3 || self.is_subscribed()
    }

    /// Somebody else wrote its watched key.
    pub(super) fn touch(&mut self) -> bool {
        let was = self.watching == Some(false);
        if was {
            self.watching = Some(true);
        }
        was
    }
}
