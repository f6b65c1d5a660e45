//! Where answers are put until their callers take them.
//!
//! A slot belongs to one call, or to one pipeline, from when it is taken to when its caller has his answers or, if he
//! has turned away, to when the engine knows of that. So nobody finds another's answer in it, and its memory is used
//! again: in the long run nothing is allocated.

use std::collections::VecDeque;
use std::ops::Range;
use std::task::Waker;

use respire_core::engine::{Failed, Lease, Refused};
use respire_core::resp::{Outline, Reply};
use respire_core::time::Instant;

use super::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::sync::thread::Thread;
use super::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How many slots are made at a time.
const CHUNK: usize = 64;

/// A buffer that has become larger than this is kept for the next answer only if all that are so large hold no more than
/// [`KEPT`] together.
const LARGE: usize = 16 << 10;

/// Bytes of large buffers that wait for large answers.
const KEPT: usize = 8 << 20;

pub(super) struct Slots {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    free: Mutex<Free>,
    /// When somebody in the line has waited long enough, in microseconds.
    line_due: AtomicU64,
    /// Bytes of large buffers in slots that wait for nothing.
    kept: AtomicUsize,
}

#[derive(Default)]
struct Free {
    stack: Vec<u32>,
    /// How many were made so far, and may be.
    made: u32,
    limit: u32,
    /// Slots that have room for more than one request, and for how many more.
    wide: Vec<(u32, u32)>,
    /// So many slots are not to be had for it.
    more: u32,
    /// Who waits for one.
    line: VecDeque<Arc<Place>>,
}

#[derive(Default)]
struct Slot(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// So many answers are awaited.
    left: u32,
    answers: Vec<(u32, Answer)>,
    bytes: Vec<u8>,
    /// What its buffer counts among those that are kept.
    kept: usize,
    waiter: Waiter,
    /// Nobody waits any more.
    abandoned: bool,
}

/// What became of one request.
enum Answer {
    Reply(Outline, Range<usize>),
    Failed(Failed),
    Refused(Refused),
    Leased(Lease),
}

/// The same, for its caller.
pub(super) enum Told<'a> {
    Reply(Reply<'a>),
    Failed(Failed),
    Refused(Refused),
    Leased(Lease),
}

/// Who is to be told.
#[derive(Default)]
pub(super) enum Waiter {
    #[default]
    Nobody,
    Task(Waker),
    Thread(Thread),
}

impl Waiter {
    /// A task, whose waker is as a rule the one that is known.
    pub(super) fn task(waker: &Waker) -> impl FnOnce(&mut Self) {
        move |known| {
            if !matches!(known, Self::Task(known) if known.will_wake(waker)) {
                *known = Self::Task(waker.clone());
            }
        }
    }

    pub(super) fn wake(self) {
        match self {
            Self::Nobody => {}
            Self::Task(waker) => waker.wake(),
            Self::Thread(thread) => thread.unpark(),
        }
    }
}

/// A place in the line for a slot.
pub(super) struct Place {
    due: Instant,
    turn: Mutex<Turn>,
}

/// What has become of it.
pub(super) enum Turn {
    /// This one is to be told.
    Waits(Waiter),
    /// The slot is his.
    Comes(u32),
    /// It was not in time.
    Late,
    /// He has turned away, or has what he waited for.
    Over,
}

/// Locks that are poisoned are used on: nothing here is left half done by who panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let chunks = (0..(limit as usize).div_ceil(CHUNK)).map(|_| OnceLock::new()).collect();
        let free = Free { limit, ..Free::default() };
        Self { chunks, free: Mutex::new(free), line_due: AtomicU64::new(u64::MAX), kept: AtomicUsize::new(0) }
    }

    /// A slot, if one is free and nobody waits for it.
    pub(super) fn take(&self) -> Option<u32> {
        let mut free = lock(&self.free);
        if !free.line.is_empty() {
            return None;
        }
        free.take()
    }

    /// A place in the line; `waiter` is told when it has come to a slot, or when that is [due](Self::expire).
    pub(super) fn line_up(&self, waiter: Waiter, due: Instant) -> Arc<Place> {
        let mut free = lock(&self.free);
        let slot = if free.line.is_empty() { free.take() } else { None };
        let is_at_once = slot.is_some();
        let turn = slot.map_or(Turn::Waits(waiter), Turn::Comes);
        let place = Arc::new(Place { due, turn: Mutex::new(turn) });
        if !is_at_once {
            free.line.push_back(Arc::clone(&place));
            self.line_due.fetch_min(due.as_micros(), Ordering::SeqCst);
        }
        place
    }

    /// When somebody in the line has waited long enough.
    pub(super) fn line_due(&self) -> Instant {
        Instant::from_micros(self.line_due.load(Ordering::SeqCst))
    }

    /// Ends the waiting of those who have waited long enough.
    pub(super) fn expire(&self, now: Instant, mut tell: impl FnMut(Waiter)) {
        if self.line_due() > now {
            return;
        }
        let mut free = lock(&self.free);
        let mut due = Instant::MAX;
        free.line.retain(|place| {
            let mut turn = lock(&place.turn);
            if let Turn::Waits(waiter) = &mut *turn
                && place.due <= now
            {
                tell(std::mem::take(waiter));
                *turn = Turn::Late;
            }
            let is_waiting = matches!(*turn, Turn::Waits(_));
            if is_waiting {
                due = due.min(place.due);
            }
            is_waiting
        });
        self.line_due.store(due.as_micros(), Ordering::SeqCst);
    }

    /// Makes room for more requests in a slot that was taken, at the cost of others: for so many at most, and for as many as
    /// there is room for now. How many that are.
    pub(super) fn widen(&self, index: u32, most: u32) -> u32 {
        let mut free = lock(&self.free);
        let more = most.min(free.room());
        if more > 0 {
            free.wide.push((index, more));
            free.more += more;
        }
        more
    }

    /// A slot is free: the first in the line has it.
    pub(super) fn give(&self, index: u32) {
        let mut free = lock(&self.free);
        free.stack.push(index);
        if let Some(at) = free.wide.iter().position(|wide| wide.0 == index) {
            free.more -= free.wide.swap_remove(at).1;
        }
        let mut woken = Vec::new();
        while free.room() > 0
            && let Some(place) = free.line.pop_front()
        {
            let mut turn = lock(&place.turn);
            if matches!(*turn, Turn::Waits(_))
                && let Some(slot) = free.take()
                && let Turn::Waits(waiter) = std::mem::replace(&mut *turn, Turn::Comes(slot))
            {
                woken.push(waiter);
            }
        }
        drop(free);
        woken.into_iter().for_each(Waiter::wake);
    }

    /// Somebody in the line turns away.
    pub(super) fn leave_line(&self, place: &Place) {
        let turn = std::mem::replace(&mut *lock(&place.turn), Turn::Over);
        if let Turn::Comes(index) = turn {
            self.give(index);
        }
    }

    fn slot(&self, index: u32) -> MutexGuard<'_, Inner> {
        let (chunk, at) = (index as usize / CHUNK, index as usize % CHUNK);
        let made = || (0..CHUNK).map(|_| Slot::default()).collect();
        lock(&self.chunks[chunk].get_or_init(made)[at].0)
    }

    /// So many answers will come, and `waiter` is to be told of the last.
    pub(super) fn expect(&self, index: u32, answers: u32, waiter: Waiter) {
        let mut slot = self.slot(index);
        (slot.left, slot.waiter, slot.abandoned) = (answers, waiter, false);
        slot.answers.clear();
        slot.bytes.clear();
        if slot.kept > 0 {
            self.kept.fetch_sub(std::mem::take(&mut slot.kept), Ordering::Relaxed);
        }
    }

    /// The buffer of a slot is not used for now.
    fn keep(&self, slot: &mut Inner) {
        slot.bytes.clear();
        let size = slot.bytes.capacity();
        if size <= LARGE {
            return;
        }
        if self.kept.fetch_add(size, Ordering::Relaxed) + size <= KEPT {
            slot.kept = size;
        } else {
            self.kept.fetch_sub(size, Ordering::Relaxed);
            slot.bytes.shrink_to(LARGE);
        }
    }

    /// So many of them will come, as is known now.
    pub(super) fn expect_now(&self, index: u32, answers: u32) {
        self.slot(index).left = answers;
    }

    /// An answer for somebody else than who reads it. Who is to be told, if it was the last.
    pub(super) fn put(&self, index: u32, item: u32, told: Told<'_>) -> Waiter {
        let mut slot = self.slot(index);
        if !slot.abandoned {
            let answer = match told {
                Told::Reply(reply) => {
                    let (outline, bytes) = reply.outline();
                    let start = slot.bytes.len();
                    slot.bytes.extend_from_slice(bytes);
                    Answer::Reply(outline, start..slot.bytes.len())
                }
                Told::Failed(failed) => Answer::Failed(failed),
                Told::Refused(refused) => Answer::Refused(refused),
                Told::Leased(lease) => Answer::Leased(lease),
            };
            slot.answers.push((item, answer));
        }
        slot.count()
    }

    /// An answer that its caller has read himself.
    pub(super) fn count(&self, index: u32) {
        self.slot(index).count();
    }

    /// Whether there is nothing left to wait for.
    pub(super) fn is_done(&self, index: u32) -> bool {
        self.slot(index).left == 0
    }

    /// Whether its caller has turned away.
    pub(super) fn is_abandoned(&self, index: u32) -> bool {
        self.slot(index).abandoned
    }

    /// The thread that waits there waits for sockets from now on.
    pub(super) fn lead(&self, index: u32) {
        self.slot(index).waiter = Waiter::Nobody;
    }

    /// The thread that waits there, if there is one.
    pub(super) fn thread(&self, index: u32) -> Option<Thread> {
        match &self.slot(index).waiter {
            Waiter::Thread(thread) => Some(thread.clone()),
            _ => None,
        }
    }

    /// Shows all answers to `each` if the last has come, and gives the slot back; else `waiter` is told when it comes.
    /// Whether it has.
    pub(super) fn collect(
        &self,
        index: u32,
        waiter: impl FnOnce(&mut Waiter),
        each: &mut dyn FnMut(u32, Told<'_>),
    ) -> bool {
        let mut slot = self.slot(index);
        if slot.left > 0 {
            waiter(&mut slot.waiter);
            return false;
        }
        // Given back also if `each` panics: nobody else has a use for it, and its lock is not asked after.
        let _give = Give { slots: self, index };
        let mut slot = slot;
        slot.waiter = Waiter::Nobody;
        let Inner { answers, bytes, .. } = &mut *slot;
        for (item, answer) in answers.drain(..) {
            let told = match answer {
                Answer::Reply(outline, range) => {
                    Told::Reply(outline.over(bytes.get(range).unwrap_or_default()))
                }
                Answer::Failed(failed) => Told::Failed(failed),
                Answer::Refused(refused) => Told::Refused(refused),
                Answer::Leased(lease) => Told::Leased(lease),
            };
            each(item, told);
        }
        self.keep(&mut slot);
        true
    }

    /// Its caller turns away before the last answer, or before he has looked at it. Whether there was one to come: then the
    /// slot is given back when the engine knows, else it is now. And what was lent to him.
    pub(super) fn abandon(&self, index: u32) -> (bool, Option<Lease>) {
        let mut slot = self.slot(index);
        slot.abandoned = true;
        slot.waiter = Waiter::Nobody;
        let lent = slot.answers.drain(..).find_map(|(_, answer)| match answer {
            Answer::Leased(lease) => Some(lease),
            _ => None,
        });
        let is_awaited = slot.left > 0;
        drop(slot);
        if !is_awaited {
            self.give(index);
        }
        (is_awaited, lent)
    }
}

/// Gives a slot back when it is dropped.
struct Give<'s> {
    slots: &'s Slots,
    index: u32,
}

impl Drop for Give<'_> {
    fn drop(&mut self) {
        self.slots.give(self.index);
    }
}

impl Inner {
    fn count(&mut self) -> Waiter {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { std::mem::take(&mut self.waiter) } else { Waiter::Nobody }
    }
}

impl Free {
    /// How many slots are to be had.
    fn room(&self) -> u32 {
        (self.stack.len() as u32 + (self.limit - self.made)).saturating_sub(self.more)
    }

    fn take(&mut self) -> Option<u32> {
        if self.room() == 0 {
            return None;
        }
        self.stack.pop().or_else(|| {
            let is_room = self.made < self.limit;
            self.made += u32::from(is_room);
            is_room.then(|| self.made - 1)
        })
    }
}

impl Place {
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Who is to be told, if there is nothing to tell him yet.
    pub(super) fn wait(&self, waiter: Waiter) -> Turn {
        let mut turn = lock(&self.turn);
        match &mut *turn {
            Turn::Waits(known) => {
                *known = waiter;
                Turn::Waits(Waiter::Nobody)
            }
            other => std::mem::replace(other, Turn::Over),
        }
    }
}
