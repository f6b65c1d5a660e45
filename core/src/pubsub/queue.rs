//! Messages that wait for somebody to take them, in fixed memory.

use core::fmt;

use crate::bulk::ring::Ring;
use crate::command::Subscription;
use crate::resp::copy;

/// A queue of messages, each whole, in the order in which they came.
///
/// `B` is its memory: an array, `&mut [u8]`, a vector. Each message takes its bytes and 17 more, and the wrap of
/// the ring costs at most one message. What there is no room for is handled by an [`Overflow`]; whatever is lost
/// is counted, and the next message says so.
pub struct Queue<B> {
    bytes: B,
    core: Core,
}

/// What happens to a message that there is no room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Overflow {
    /// It is given back: the driver keeps it and reads nothing until there is room. A server closes a connection
    /// that takes too long (`client-output-buffer-limit`).
    Block,
    /// The oldest messages are dropped for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// The queue closes: what is in it can be taken, and nothing comes any more.
    Close,
}

/// Something that was published.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The kind of the subscription that it came for.
    pub kind: Subscription,
    /// The pattern that matched; empty if it came for a channel.
    pub pattern: &'a [u8],
    /// Where it was published.
    pub channel: &'a [u8],
    /// What was published.
    pub payload: &'a [u8],
    /// So many messages were dropped between the one before and this. What a pushed message says of itself
    /// counts, too.
    pub missed: u32,
    /// The connection was lost between the one before and this: nobody knows how many are missing.
    pub gap: bool,
}

/// Why a message was not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Unkept {
    /// There is no room now, and the queue [blocks](Overflow::Block): push it again later.
    Full,
    /// It was dropped, since it is larger than the memory or the queue [drops the newest](Overflow::DropNewest).
    Dropped,
    /// The queue is closed.
    Closed,
}

/// What a queue has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counters {
    /// Messages that were taken.
    pub delivered: u64,
    /// Messages that were dropped.
    pub dropped: u64,
    /// Messages that wait.
    pub waiting: u32,
    /// The most that waited at once.
    pub most: u32,
}

/// All but the memory.
struct Core {
    overflow: Overflow,
    ring: Ring,
    counters: Counters,
    /// What was dropped in front of the oldest message, and what behind the newest.
    front: Loss,
    back: Loss,
    closed: bool,
}

#[derive(Clone, Copy, Default)]
struct Loss {
    missed: u32,
    gap: bool,
}

/// In front of each message: its kind and whether there was a gap, then four numbers: what was missed, and the
/// lengths of pattern, channel and payload.
const HEADER: usize = 17;

/// The bit for a gap, beside the kind.
const GAP: u8 = 4;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Queue<B> {
    /// An empty queue.
    pub const fn new(bytes: B, overflow: Overflow) -> Self {
        Self { bytes, core: Core::new(overflow) }
    }

    /// Whether no message waits.
    pub const fn is_empty(&self) -> bool {
        self.core.counters.waiting == 0
    }

    /// Whether nothing can come any more.
    pub const fn is_closed(&self) -> bool {
        self.core.closed
    }

    /// Figures.
    pub const fn counters(&self) -> Counters {
        self.core.counters
    }

    /// Puts a message behind the others.
    ///
    /// # Errors
    /// See [`Unkept`]. Only [`Full`](Unkept::Full) has changed nothing.
    pub fn push(&mut self, message: &Message<'_>) -> Result<(), Unkept> {
        self.core.push(message, self.bytes.as_mut())
    }

    /// The next message that comes has a gap in front of it.
    pub const fn note_gap(&mut self) {
        self.core.back.gap = true;
    }

    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<Message<'_>> {
        self.core.pop(self.bytes.as_ref())
    }

    /// What was lost behind the last message, and no other has come to say it. It is not said again.
    pub const fn take_missed(&mut self) -> u32 {
        if self.is_empty() { core::mem::replace(&mut self.core.back.missed, 0) } else { 0 }
    }

    /// Takes no message more. What waits can be taken.
    pub const fn close(&mut self) {
        self.core.closed = true;
    }
}

impl Core {
    const fn new(overflow: Overflow) -> Self {
        let none = Loss { missed: 0, gap: false };
        let counters = Counters { delivered: 0, dropped: 0, waiting: 0, most: 0 };
        Self { overflow, ring: Ring::EMPTY, counters, front: none, back: none, closed: false }
    }

    fn push(&mut self, message: &Message<'_>, bytes: &mut [u8]) -> Result<(), Unkept> {
        if self.closed {
            return Err(Unkept::Closed);
        }
        let Message { kind, pattern, channel, payload, missed, gap } = *message;
        let texts = [pattern, channel, payload];
        let memory = bytes.len().min(u32::MAX as usize);
        let len = texts.iter().fold(HEADER, |len, text| len.saturating_add(text.len()));
        let start = loop {
            match (self.ring.room(memory, len), self.overflow) {
                (Some(start), _) => break start,
                (None, Overflow::Close) => {
                    self.lose(message);
                    self.closed = true;
                    return Err(Unkept::Closed);
                }
                (None, Overflow::Block) if len <= memory => return Err(Unkept::Full),
                (None, Overflow::DropOldest) if len <= memory => self.drop_oldest(bytes),
                (None, _) => {
                    self.lose(message);
                    return Err(Unkept::Dropped);
                }
            }
        };
        let before = self.back.and(Loss { missed, gap });
        self.back = Loss::default();
        let tag = kind as u8 | if before.gap { GAP } else { 0 };
        let room = bytes.get_mut(start..start.saturating_add(len)).unwrap_or_default();
        let mut room = copy(room, &[tag]);
        room = copy(room, &before.missed.to_le_bytes());
        for text in texts {
            room = copy(room, &(text.len() as u32).to_le_bytes());
        }
        for text in texts {
            room = copy(room, text);
        }
        self.ring.take(start, len);
        self.counters.waiting = self.counters.waiting.wrapping_add(1);
        self.counters.most = self.counters.most.max(self.counters.waiting);
        Ok(())
    }

    fn pop<'b>(&mut self, bytes: &'b [u8]) -> Option<Message<'b>> {
        let message = self.take(bytes)?;
        let before = core::mem::take(&mut self.front).and(Loss { missed: message.missed, gap: message.gap });
        self.counters.delivered = self.counters.delivered.wrapping_add(1);
        Some(Message { missed: before.missed, gap: before.gap, ..message })
    }

    /// Takes the oldest message as it was pushed.
    fn take<'b>(&mut self, bytes: &'b [u8]) -> Option<Message<'b>> {
        if self.counters.waiting == 0 {
            return None;
        }
        let all = bytes.get(self.ring.oldest()..)?;
        let (&[tag, ref numbers @ ..], rest) = all.split_first_chunk::<HEADER>()?;
        let (numbers, _) = numbers.as_chunks::<4>();
        let mut numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let missed = numbers.next()?;
        let (pattern, rest) = rest.split_at_checked(numbers.next()? as usize)?;
        let (channel, rest) = rest.split_at_checked(numbers.next()? as usize)?;
        let payload = rest.get(..numbers.next()? as usize)?;
        self.ring.release(
            HEADER.saturating_add(pattern.len()).saturating_add(channel.len()).saturating_add(payload.len()),
        );
        self.counters.waiting = self.counters.waiting.wrapping_sub(1);
        let kind = match tag & !GAP {
            0 => Subscription::Channel,
            1 => Subscription::Pattern,
            _ => Subscription::Shard,
        };
        Some(Message { kind, pattern, channel, payload, missed, gap: tag & GAP != 0 })
    }

    fn drop_oldest(&mut self, bytes: &[u8]) {
        let Some(Message { missed, gap, .. }) = self.take(bytes) else {
            // Its owner has changed the memory.
            (self.ring, self.counters.waiting) = (Ring::EMPTY, 0);
            return;
        };
        self.counters.dropped = self.counters.dropped.wrapping_add(1);
        self.front = self.front.and(Loss { missed: missed.saturating_add(1), gap });
    }

    /// A message that came was dropped.
    fn lose(&mut self, message: &Message<'_>) {
        self.back = self.back.and(Loss { missed: message.missed.saturating_add(1), gap: message.gap });
        self.counters.dropped = self.counters.dropped.wrapping_add(1);
    }
}

impl Loss {
    /// Both.
    const fn and(self, other: Self) -> Self {
        Self { missed: self.missed.saturating_add(other.missed), gap: self.gap || other.gap }
    }
}

impl<'a> Message<'a> {
    /// A message of a channel.
    pub const fn new(kind: Subscription, channel: &'a [u8], payload: &'a [u8]) -> Self {
        Self { kind, pattern: b"", channel, payload, missed: 0, gap: false }
    }
}

impl fmt::Debug for Message<'_> {
    /// Where it came from and how long it is, not what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind)
            .field("len", &self.payload.len())
            .field("missed", &self.missed)
            .field("gap", &self.gap)
            .finish_non_exhaustive()
    }
}

impl<B> fmt::Debug for Queue<B> {
    /// Figures, without the messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("counters", &self.core.counters).finish_non_exhaustive()
    }
}

impl fmt::Display for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the queue is full",
            Self::Dropped => "the message was dropped",
            Self::Closed => "the queue is closed",
        })
    }
}

impl core::error::Error for Unkept {}
