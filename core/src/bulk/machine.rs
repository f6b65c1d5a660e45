//! The engine's state, and the calls of application and driver.

use core::fmt;

use super::reply::resolved;
use super::ring::Ring;
use super::slots::Window;
use super::stats::Rate;
use super::{
    Batch, BatchError, Cancelled, Config, Item, Outcome, Refused, Resolved, Slot, Stats, Ticket, Verdict,
};
use crate::command::AnyRequest;
use crate::random::Random;
use crate::time::{Duration, Instant};

/// Items that wait to be sent, are in flight or have a result, in fixed memory.
///
/// `B` is the memory for their bytes and `S` that for all else, 40 bytes each ([`Slot`]): arrays, `&mut [_]`,
/// vectors. Both must be as long at each call as they were at the first. They are freed in the order of
/// pushing, once a result was polled: make them hold what is in flight, what is collected meanwhile, and
/// the results that wait. The wrap of the ring costs at most one item's length.
///
/// Methods are sorted by who calls them: getters; verbs of the application ([`push`](Self::push),
/// [`cancel`](Self::cancel), [`set_config`](Self::set_config), [`flush`](Self::flush), [`close`](Self::close), [`give_up`](Self::give_up));
/// [`handle_reply`](Self::handle_reply), what the driver learned; `poll_*`, what it must do and what has happened.
/// Nothing blocks, nothing allocates. See the [module](super) for the order of items and what is sent again.
///
/// Each item that was pushed has exactly one result, unless it was cancelled.
pub struct Bulk<B, S> {
    pub(super) bytes: B,
    pub(super) slots: S,
    pub(super) core: Core,
}

/// All but the memory.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) window: Window,
    pub(super) ring: Ring,
    /// The first item that is not sent; the tail if there is none.
    pub(super) next: usize,
    /// Items before this one wait for nothing more. As the one before, it has a slot or is the tail.
    pub(super) flush: usize,
    /// When all items that are there are to be flushed.
    pub(super) flush_at: Instant,
    /// An item goes again: nothing else does before.
    pub(super) held: bool,
    /// When it may.
    pub(super) again_at: Instant,
    pub(super) closed: bool,
    /// Bytes of the items that are not sent.
    pub(super) queued_bytes: usize,
    /// Batches in flight.
    pub(super) flights: [Flight; Config::MOST_BATCHES as usize],
    /// The number of the next batch.
    pub(super) number: u32,
    pub(super) now: Instant,
    pub(super) random: Random,
    pub(super) rate: Rate,
    pub(super) stats: Stats,
}

/// A batch in flight, if any of it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) number: u32,
    /// Items without an answer.
    pub(super) left: u32,
}

/// The machine with its memory, whatever that is: compiled once.
pub(super) struct View<'a> {
    pub(super) core: &'a mut Core,
    pub(super) slots: &'a mut [Slot],
    pub(super) bytes: &'a mut [u8],
}

impl<B, S> Bulk<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// An empty one.
    pub const fn new(bytes: B, slots: S, config: Config) -> Self {
        Self { bytes, slots, core: Core::new(config) }
    }

    /// How many items have a slot.
    pub fn len(&self) -> usize {
        self.core.window.len() as usize
    }

    /// Whether every item was resolved, and every result polled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing can be pushed any more.
    pub const fn is_closed(&self) -> bool {
        self.core.closed
    }

    /// Figures, as of the latest time that was told.
    pub fn stats(&self) -> Stats {
        self.core.figures()
    }

    /// The items of a batch that have an error for a result which was not polled yet, in the order of
    /// these results.
    pub fn errors(&self, batch: u32) -> impl Iterator<Item = BatchError<'_>> {
        let bytes = self.bytes.as_ref();
        let told = self.core.window.results(self.slots.as_ref());
        told.filter(move |(_, slot)| slot.batch == batch && !slot.unwanted)
            .filter_map(|(number, slot)| resolved(number, slot, slot.state, bytes).error())
    }

    /// Takes an item: its bytes are copied, and nothing is sent. Never waits.
    ///
    /// # Errors
    /// See [`Refused`]: nothing of the item was taken then. [`Items`](Refused::Items) and
    /// [`Bytes`](Refused::Bytes) flush what is there.
    pub fn push(&mut self, now: Instant, request: &dyn AnyRequest) -> Result<Ticket, Refused> {
        self.view().push(now, request, false)
    }

    /// The same with an item that may be executed twice, whatever its command is.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_safe(&mut self, now: Instant, request: &dyn AnyRequest) -> Result<Ticket, Refused> {
        self.view().push(now, request, true)
    }

    /// Turns away from an item: it has no result. `None` if it had one that was polled, or was cancelled.
    pub fn cancel(&mut self, ticket: Ticket) -> Option<Cancelled> {
        self.view().cancel(ticket)
    }

    /// Another configuration, for all that is not sent. An item waits no longer than the new interval from now on. The
    /// seed does not matter.
    pub fn set_config(&mut self, now: Instant, config: Config) {
        self.core.set_config(now, config);
    }

    /// All that is here goes as soon as batches may.
    pub const fn flush(&mut self) {
        self.core.flush = self.core.window.tail;
    }

    /// Flushes, and takes nothing more.
    pub const fn close(&mut self) {
        self.core.closed = true;
        self.flush();
    }

    /// Sends nothing more of what is here: every item that is not in flight has its result,
    /// [`NotSent`](crate::conn::Failure::NotSent) if that is what is known.
    pub fn give_up(&mut self, now: Instant) {
        self.view().give_up(now);
    }

    /// Tells what the connection said of an item, in the order in which it said so. A new connection is used
    /// only when it has said something of all that were submitted to the one before.
    pub fn handle_reply(&mut self, now: Instant, item: Item, outcome: Outcome<'_>) -> Verdict {
        self.view().handle_reply(now, item, outcome, true)
    }

    /// Time has passed. [`poll_batch`](Self::poll_batch) does the same.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.core.tick(now);
    }

    /// When [`poll_batch`](Self::poll_batch) has something, if nothing else is called before.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.core.wake()
    }

    /// The items to be sent now, in order and in one write; they are in flight with this call. Of one that the
    /// connection refuses, say that it was [not sent](crate::conn::Failure::NotSent). Poll until there is none.
    #[must_use]
    pub fn poll_batch(&mut self, now: Instant) -> Option<Batch<'_>> {
        self.view().poll_batch(now)
    }

    /// The next result, in the order in which items were resolved.
    #[must_use]
    pub fn poll_result(&mut self) -> Option<Resolved<'_>> {
        self.view().poll_result()
    }

    pub(super) fn view(&mut self) -> View<'_> {
        View { core: &mut self.core, slots: self.slots.as_mut(), bytes: self.bytes.as_mut() }
    }
}

impl<B, S> fmt::Debug for Bulk<B, S> {
    /// How things stand, without the bytes of the items.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk").field("stats", &self.core.figures()).finish_non_exhaustive()
    }
}

impl Core {
    const fn new(config: Config) -> Self {
        Self {
            config,
            window: Window::EMPTY,
            ring: Ring::EMPTY,
            next: 0,
            flush: 0,
            flush_at: Instant::MAX,
            held: false,
            again_at: Instant::ZERO,
            closed: false,
            queued_bytes: 0,
            flights: [Flight { number: 0, left: 0 }; Config::MOST_BATCHES as usize],
            number: 0,
            now: Instant::ZERO,
            random: Random::new(config.seed),
            rate: Rate::NONE,
            stats: Stats::NONE,
        }
    }

    fn set_config(&mut self, now: Instant, config: Config) {
        self.tick(now);
        let waits = self.stats.queued > 0 || self.flush_at < Instant::MAX;
        self.flush_at = match config.flush_interval {
            Duration::ZERO => Instant::MAX,
            interval if waits => self.flush_at.min(self.now.saturating_add(interval)),
            _ => self.flush_at,
        };
        self.config = config;
    }

    /// The time is that, unless it was later before.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn tick(&mut self, now: Instant) {
        if now < self.now {
            self.stats.clock_faults = self.stats.clock_faults.wrapping_add(1);
        }
        self.now = self.now.max(now);
        if self.now >= self.flush_at {
            self.flush = self.window.tail;
            self.flush_at = Instant::MAX;
        }
    }

    /// When something goes again for the `n`th time.
    pub(super) fn now_and_a_while(&mut self, n: u8) -> Instant {
        // 32 bits of chance are enough, and cheap to scale.
        let chance = self.random.bits() >> 32;
        let delay = (chance * u64::from(self.config.delay(n))) >> 32;
        Instant::from_micros(self.now.as_micros().saturating_add(delay))
    }

    /// One more item of `len` bytes is queued.
    pub(super) fn queue(&mut self, len: u32) {
        self.stats.queued = self.stats.queued.wrapping_add(1);
        self.queued_bytes = self.queued_bytes.saturating_add(len as usize);
    }

    fn figures(&self) -> Stats {
        Stats { depth: self.window.len(), items_per_second: self.rate.per_second(self.now), ..self.stats }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::Value;
    use crate::command::set;
    use crate::conn::Failure;

    #[test]
    fn numbers_go_round() {
        let now = Instant::ZERO;
        let config = Config { batch_size: 3, retry_base: Duration::ZERO, ..Config::DEFAULT };
        let mut bulk = Bulk::new([0; 512], [Slot::EMPTY; 6], config);
        let start = usize::MAX - 20;
        (bulk.core.window.head, bulk.core.window.tail) = (start, start);
        (bulk.core.next, bulk.core.flush) = (start, start);
        for round in 0..20_usize {
            for n in 0..3 {
                let ticket = bulk.push(now, &set("k", "v")).unwrap();
                assert_eq!(ticket.number(), start.wrapping_add(3 * round + n));
            }
            let again = bulk.poll_batch(now).unwrap().map(|(item, _)| item).nth(round % 3).unwrap();
            for n in 0..3 {
                let item = Item::new(start.wrapping_add(3 * round + n), 0);
                let outcome = if n < round % 3 { Outcome::Value } else { Failure::NotSent.into() };
                assert_eq!(bulk.handle_reply(now, item, outcome) == Verdict::Again, n >= round % 3);
            }
            let sent: std::vec::Vec<_> = bulk.poll_batch(now).unwrap().map(|(item, _)| item).collect();
            assert_eq!((sent[0].ticket(), sent.len()), (again.ticket(), 3 - round % 3));
            for item in sent {
                assert_eq!(bulk.handle_reply(now, item, Outcome::Value), Verdict::Told);
            }
            assert!(bulk.poll_batch(now).is_none());
            for n in 0..3 {
                let told = bulk.poll_result().unwrap();
                assert_eq!(told.ticket.number(), start.wrapping_add(3 * round + n));
                assert_eq!(told.result, Value::Answered);
            }
            assert!(bulk.is_empty());
        }
    }
}
