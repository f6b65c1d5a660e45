//! The command that makes what is confirmed more like what is wanted.

use super::Entry;
use crate::command::{Access, Command, Effect, Request, Subscription};
use crate::resp::{ArgSink, Reply};

/// A command to be submitted: `SUBSCRIBE`, `UNSUBSCRIBE` and their like, with one name or several of one kind.
#[derive(Clone, Copy)]
#[must_use = "its names are taken for asked: submit it, or say that it was not"]
pub struct Ask<'a> {
    pub(super) number: u32,
    pub(super) kind: Subscription,
    pub(super) subscribes: bool,
    pub(super) first: u32,
    pub(super) entries: &'a [Entry],
    pub(super) bytes: &'a [u8],
}

impl<'a> Ask<'a> {
    /// Its number, which no other command has: by it the registry is told how it ended.
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// What it is about.
    pub const fn kind(&self) -> Subscription {
        self.kind
    }

    /// Whether it subscribes; if not, it ends subscriptions.
    pub const fn subscribes(&self) -> bool {
        self.subscribes
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Self { entries, bytes, first: mut at, .. } = *self;
        core::iter::from_fn(move || {
            let entry = entries.get(at as usize)?;
            at = entry.work.behind;
            Some(entry.name(bytes))
        })
    }

    fn row(&self) -> &'static Command {
        match (self.kind, self.subscribes) {
            (Subscription::Channel, true) => &SUBSCRIBE,
            (Subscription::Channel, false) => &UNSUBSCRIBE,
            (Subscription::Pattern, true) => &PSUBSCRIBE,
            (Subscription::Pattern, false) => &PUNSUBSCRIBE,
            (Subscription::Shard, true) => &SSUBSCRIBE,
            (Subscription::Shard, false) => &SUNSUBSCRIBE,
        }
    }

    fn word(&self) -> &'static str {
        self.row().words.first().copied().unwrap_or_default()
    }
}

impl Request for Ask<'_> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        self.row()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word(self.word());
        // Cluster slots are for sharded channels only.
        match self.kind {
            Subscription::Shard => self.names().for_each(|name| sink.key(name)),
            _ => self.names().for_each(|name| sink.arg(name)),
        }
    }
}

impl core::fmt::Debug for Ask<'_> {
    /// What it does and how many names it has, and none of them.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ask")
            .field("word", &self.word())
            .field("names", &self.names().count())
            .finish_non_exhaustive()
    }
}

static SUBSCRIBE: Command = row(&["SUBSCRIBE"], Effect::Subscribe(Subscription::Channel));
static PSUBSCRIBE: Command = row(&["PSUBSCRIBE"], Effect::Subscribe(Subscription::Pattern));
static SSUBSCRIBE: Command = row(&["SSUBSCRIBE"], Effect::Subscribe(Subscription::Shard));
static UNSUBSCRIBE: Command = row(&["UNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Channel));
static PUNSUBSCRIBE: Command = row(&["PUNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Pattern));
static SUNSUBSCRIBE: Command = row(&["SUNSUBSCRIBE"], Effect::Unsubscribe(Subscription::Shard));

const fn row(words: &'static [&'static str], effect: Effect) -> Command {
    Command { words, access: Access::Connection, effect, ..Command::PROMPT }
}
