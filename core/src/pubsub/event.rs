//! What is told of subscriptions.

use core::fmt;

use crate::command::Subscription;

/// The name of a subscription while somebody wants it. That of one that is gone is nobody else's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Id {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl Id {
    /// A number below that of the entries, which no other subscription has while this one lasts: a place in a table
    /// of the caller's.
    pub const fn index(self) -> usize {
        self.index as usize
    }
}

/// What a registry knows of a subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Info<'a> {
    /// Which one.
    pub id: Id,
    /// Its kind.
    pub kind: Subscription,
    /// The channel or pattern.
    pub name: &'a [u8],
    /// How many want it.
    pub subscribers: u32,
    /// Whether the server has said that it is subscribed.
    pub confirmed: bool,
    /// The server was asked to end it, and has not answered: who wants it now waits for another confirmation.
    pub ends: bool,
}

/// Something that happened to a subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What.
    pub happened: Happened,
    /// To which; after [`Unsubscribed`](Happened::Unsubscribed) nobody's any more.
    pub id: Id,
    /// Its kind.
    pub kind: Subscription,
    /// The channel or pattern.
    pub name: &'a [u8],
}

/// What can happen to a subscription: once [`Subscribed`](Self::Subscribed), then [`Dropped`](Self::Dropped) and
/// [`Gap`](Self::Gap) any number of times, then once [`Unsubscribed`](Self::Unsubscribed).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Happened {
    /// The server has confirmed it for the first time.
    Subscribed,
    /// It was lost and is confirmed again, or a message could not be read: what was published between is missing. Once for each subscription and
    /// loss, or for several losses that nobody asked about between; also if it was wanted again while it ended.
    Gap,
    /// The server has ended it unasked, as it does with sharded channels whose slot moves. It is asked for again;
    /// a [`Gap`](Self::Gap) follows.
    Dropped,
    /// The server has answered with an error, or not with a confirmation. It is asked again, after a while.
    Refused,
    /// It was subscribed, nobody wants it any more, and it is over.
    Unsubscribed,
}

/// Whose a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Delivery {
    /// Theirs who want this.
    To(Id),
    /// Poll events until there are none and ask again: one of them comes before this message.
    EventsFirst,
    /// Nobody wants it, or not any more.
    Nobody,
}

/// Why a subscription was not taken. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refused {
    /// Every entry is taken; one comes back once an `UNSUBSCRIBE` was confirmed.
    Entries,
    /// The memory has no room for the name. As above.
    Names,
    /// The name and 8 bytes are more than all memory for names.
    TooLong,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entries => "every entry for a subscription is taken",
            Self::Names => "the memory for names is full",
            Self::TooLong => "the name is longer than the memory for all names",
        })
    }
}

impl core::error::Error for Refused {}

/// What a registry has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// Entries in use.
    pub entries: u32,
    /// Commands that were polled.
    pub commands: u64,
    /// Connections that were lost.
    pub losses: u64,
    /// Subscriptions that the server has dropped unasked.
    pub drops: u64,
    /// Names whose confirmation did not come, each time.
    pub refusals: u64,
    /// Gaps that were told.
    pub gaps: u64,
    /// Confirmations and messages of what nobody wants.
    pub strays: u64,
}
