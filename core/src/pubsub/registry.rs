//! The registry's state, and the calls of application and driver.

use core::fmt;

use super::list::{List, NOWHERE};
use super::names::Names;
use super::{Ask, Config, Delivery, Entry, Event, Happened, Id, Info, Refused, Stats};
use crate::command::Subscription;
use crate::error::ServerError;
use crate::random::Random;
use crate::time::Instant;

/// A set of channels, patterns and sharded channels: how many want each, and whether the server has confirmed it.
///
/// `B` is the memory for names, 8 bytes more for each, and `E` that for all else, 64 bytes each ([`Entry`]): arrays,
/// `&mut [_]`, vectors. Both must be as long at each call as they were at the first. Make that for names a little
/// larger than needed: while it is nearly full, each new name may move all others.
///
/// Methods are sorted by who calls them: getters; verbs of the application; `handle_*`, what the driver learned;
/// `poll_*`, what it must do and what has happened. Nothing blocks, nothing allocates.
pub struct Registry<B, E> {
    bytes: B,
    entries: E,
    core: Core,
}

/// How many commands may be unanswered.
pub(super) const COMMANDS: usize = 4;

/// All but the memory.
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) names: Names,
    /// Entries from here on were never used.
    pub(super) fresh: u32,
    /// The first of those that were and are free.
    pub(super) free: u32,
    pub(super) work: List,
    pub(super) later: List,
    pub(super) news: List,
    /// Commands in flight; one without a name is none.
    pub(super) commands: [(u32, List); COMMANDS],
    /// That of the next command.
    pub(super) number: u32,
    /// Nothing that was refused may go again before.
    pub(super) again_at: Instant,
    pub(super) now: Instant,
    pub(super) random: Random,
    pub(super) stats: Stats,
}

/// The machine with its memory, whatever that is: compiled once.
pub(super) struct View<'a> {
    pub(super) core: &'a mut Core,
    pub(super) entries: &'a mut [Entry],
    pub(super) bytes: &'a mut [u8],
}

impl<B, E> Registry<B, E>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    E: AsRef<[Entry]> + AsMut<[Entry]>,
{
    /// An empty one.
    pub const fn new(bytes: B, entries: E, config: Config) -> Self {
        Self { bytes, entries, core: Core::new(config) }
    }

    /// How many subscriptions there are, with those that nobody wants and the server still has.
    pub const fn len(&self) -> usize {
        self.core.stats.entries as usize
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is nothing to ask and nothing that waits for an answer: what is confirmed is what is wanted.
    pub fn is_settled(&self) -> bool {
        let Core { work, later, commands, .. } = &self.core;
        work.is_empty() && later.is_empty() && commands.iter().all(|(_, names)| names.is_empty())
    }

    /// Figures.
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// A subscription by its name.
    pub fn find(&self, kind: Subscription, name: &[u8]) -> Option<Id> {
        let index = self.core.find(kind, name, self.entries.as_ref(), self.bytes.as_ref())?;
        self.entries.as_ref().get(index as usize).map(|entry| Id { index, generation: entry.generation })
    }

    /// What is known of a subscription. `None`: it is gone.
    pub fn get(&self, id: Id) -> Option<Info<'_>> {
        let entry = self.entries.as_ref().get(id.index()).filter(|entry| entry.is(id))?;
        Some(Info {
            id,
            kind: entry.kind,
            name: entry.name(self.bytes.as_ref()),
            subscribers: entry.wanted,
            confirmed: entry.confirmed,
            ends: entry.leaving,
        })
    }

    /// One more wants this. It is asked for if it was not wanted before.
    ///
    /// # Errors
    /// [`Refused`]: it was not wanted before, and there is no room.
    pub fn subscribe(&mut self, kind: Subscription, name: &[u8]) -> Result<Id, Refused> {
        self.view().subscribe(kind, name)
    }

    /// One less wants this; with the last one it is ended. `false`: nobody did.
    pub fn unsubscribe(&mut self, kind: Subscription, name: &[u8]) -> bool {
        self.view().unsubscribe(kind, name)
    }

    /// The server says that this is subscribed. `false`: nobody has asked.
    pub fn handle_confirmed(&mut self, kind: Subscription, name: &[u8]) -> bool {
        self.view().handle_confirmed(kind, name)
    }

    /// The server says that this is not subscribed any more, asked or not. `false`: it was not.
    pub fn handle_dropped(&mut self, kind: Subscription, name: &[u8]) -> bool {
        self.view().handle_dropped(kind, name)
    }

    /// The connection is gone, and what was confirmed with it: all that is wanted is to be asked for on the next.
    pub fn handle_lost(&mut self) {
        self.view().handle_lost();
    }

    /// A message could not be read, for its size perhaps, and nobody knows whose it was: all that is subscribed has a
    /// gap.
    pub fn handle_skipped(&mut self) {
        self.view().handle_skipped();
    }

    /// The server has answered a command with an error: its names are asked one by one, after a while.
    pub fn handle_refused(&mut self, now: Instant, number: u32, error: ServerError<'_>) {
        self.view().handle_refused(now, number, error);
    }

    /// A command is over: answered, or given up. Those of its names that were not confirmed are asked again, as if
    /// they had been refused.
    pub fn handle_over(&mut self, now: Instant, number: u32) {
        self.view().handle_over(now, number);
    }

    /// A command was not sent: its names are asked again at once.
    pub fn handle_unsent(&mut self, number: u32) {
        self.view().handle_unsent(number);
    }

    /// Whose a message is that came for this channel, or for this pattern. What nobody has asked for is to be ended, as
    /// after a confirmation of it.
    pub fn handle_message(&mut self, kind: Subscription, name: &[u8]) -> Delivery {
        self.view().handle_message(kind, name)
    }

    /// The next command for the connection, once that is ready. Four may be unanswered at a time. Poll until
    /// there is none, after each call of a verb or a `handle_*`.
    pub fn poll_ask(&mut self, now: Instant) -> Option<Ask<'_>> {
        self.view().poll_ask(now)
    }

    /// When [`poll_ask`](Self::poll_ask) may have something, if nothing else is called before.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        if self.core.later.is_empty() { Instant::MAX } else { self.core.again_at }
    }

    /// What has happened. Of one subscription only what is still true: what was lost and regained before anyone
    /// asked is one gap, and one that nobody wants any more can only be over.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        self.view().poll_event()
    }

    /// What the next event will say.
    #[inline]
    pub(crate) fn news(&self) -> Option<Happened> {
        self.entries.as_ref().get(self.core.news.first as usize)?.news()
    }

    fn view(&mut self) -> View<'_> {
        View { core: &mut self.core, entries: self.entries.as_mut(), bytes: self.bytes.as_mut() }
    }
}

impl<B, E> fmt::Debug for Registry<B, E> {
    /// Figures, without the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("stats", &self.core.stats).finish_non_exhaustive()
    }
}

impl Core {
    const fn new(config: Config) -> Self {
        Self {
            config,
            names: Names::EMPTY,
            fresh: 0,
            free: NOWHERE,
            work: List::WORK,
            later: List::WORK,
            news: List::NEWS,
            commands: [(0, List::WORK); COMMANDS],
            number: 0,
            again_at: Instant::MAX,
            now: Instant::ZERO,
            random: Random::new(config.seed),
            stats: Stats { entries: 0, commands: 0, losses: 0, drops: 0, refusals: 0, gaps: 0, strays: 0 },
        }
    }

    /// Which entry a name has.
    pub(super) fn find(
        &self,
        kind: Subscription,
        name: &[u8],
        entries: &[Entry],
        bytes: &[u8],
    ) -> Option<u32> {
        let mut at = entries.get(self.bucket(kind, name, entries))?.bucket;
        loop {
            let entry = entries.get(at as usize)?;
            if entry.kind == kind && entry.name(bytes) == name {
                return Some(at);
            }
            at = entry.chain;
        }
    }

    /// Where the chain of a name starts.
    pub(super) fn bucket(&self, kind: Subscription, name: &[u8], entries: &[Entry]) -> usize {
        // The server's users may choose the names: the seed keeps them from choosing the chain.
        let seed = (self.config.seed ^ (self.config.seed >> 32)) as u32 ^ 0x811c_9dc5 ^ kind as u32;
        let hash = name.iter().fold(seed, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mixed = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
        let mixed = (mixed ^ (mixed >> 12)).wrapping_mul(0x297a_2d39);
        ((u64::from(mixed) * entries.len() as u64) >> 32) as usize
    }
}

impl Entry {
    /// Whether it is still what this names.
    fn is(&self, id: Id) -> bool {
        self.generation == id.generation && self.place != super::entry::Place::Free
    }
}
