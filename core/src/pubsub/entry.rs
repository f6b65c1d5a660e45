//! One subscription: who wants it, and what the server says.

use super::event::Happened;
use super::list::{Link, NOWHERE};
use crate::command::Subscription;
use crate::flaw::flaw;
use crate::time::Instant;

/// Memory for one subscription, beside its name.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// When it may be asked for again.
    pub(super) again_at: Instant,
    /// Its name, in the memory for all.
    pub(super) start: u32,
    pub(super) len: u32,
    /// The first entry of those whose hash is the place of this one, which is another matter than all else here.
    pub(super) bucket: u32,
    /// The next entry with the same hash; of one that is free, the next free one.
    pub(super) chain: u32,
    /// How many want it. With none it lasts until the server knows.
    pub(super) wanted: u32,
    pub(super) generation: u32,
    pub(super) work: Link,
    pub(super) news: Link,
    pub(super) kind: Subscription,
    pub(super) place: Place,
    /// Refusals one after the other.
    pub(super) refusals: u8,
    /// The server says that it is subscribed.
    pub(super) confirmed: bool,
    /// What is asked is to end it.
    pub(super) leaving: bool,
    /// The application knows that it is subscribed.
    pub(super) told: bool,
    /// It was lost after the application knew: instead of `told`.
    pub(super) gap: bool,
    /// The application is to know that the server dropped it.
    pub(super) dropped: bool,
    /// The application is to know that it was refused.
    pub(super) refused: bool,
    /// It stands in the list of news.
    pub(super) is_news: bool,
}

/// Which list of work an entry stands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It is free.
    Free,
    /// None: there is nothing to do.
    Rest,
    /// That of what is to be asked.
    Work,
    /// That of what was refused.
    Later,
    /// That of a command in flight.
    Asked(u8),
}

impl Entry {
    /// An entry for nothing yet: `[Entry::EMPTY; 16]` is memory for 16 subscriptions.
    pub const EMPTY: Self = Self {
        again_at: Instant::ZERO,
        start: 0,
        len: 0,
        bucket: NOWHERE,
        chain: NOWHERE,
        wanted: 0,
        generation: 0,
        work: Link::NONE,
        news: Link::NONE,
        kind: Subscription::Channel,
        place: Place::Free,
        refusals: 0,
        confirmed: false,
        leaving: false,
        told: false,
        gap: false,
        dropped: false,
        refused: false,
        is_news: false,
    };

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// What the application is to be told next.
    pub(super) fn news(&self) -> Option<Happened> {
        match self {
            Self { dropped: true, .. } => Some(Happened::Dropped),
            Self { refused: true, .. } => Some(Happened::Refused),
            Self { wanted: 0, told: true, confirmed: false, .. } => Some(Happened::Unsubscribed),
            Self { wanted: 1.., told: false, confirmed: true, leaving: false, gap, .. } => {
                Some(if *gap { Happened::Gap } else { Happened::Subscribed })
            }
            _ => None,
        }
    }

    /// Whether it is to be told anything before the next message.
    pub(super) fn has_news(&self) -> bool {
        flaw!(MessageLost => return false);
        self.news().is_some()
    }

    /// The application was told.
    pub(super) fn tell(&mut self, happened: Happened) {
        match happened {
            Happened::Dropped => self.dropped = false,
            Happened::Refused => self.refused = false,
            Happened::Unsubscribed => self.told = false,
            Happened::Subscribed | Happened::Gap => (self.told, self.gap) = (true, false),
        }
    }

    /// The server does not send it any more, unasked.
    pub(super) fn lose(&mut self) {
        self.confirmed = false;
        self.miss();
    }

    /// Something that was published is missing.
    pub(super) fn miss(&mut self) {
        flaw!(GapUntold => return);
        if self.is_wanted() && self.told {
            (self.told, self.gap) = (false, true);
        }
    }

    /// The name.
    pub(super) fn name<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.start as usize;
        bytes.get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_as_small_as_promised() {
        assert!(size_of::<Entry>() <= 64);
    }
}
