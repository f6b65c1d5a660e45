//! Where answers are put until their callers take them.
//!
//! A slot belongs to one call, or to one pipeline, from when it is taken to when its caller has his answers or, if he
//! has turned away, to when the engine knows of that. So nobody finds another's answer in it, and its memory is used
//! again: in the long run nothing is allocated.

use std::ops::Range;

use respire_core::engine::{Failed, Lease, Refused};
use respire_core::resp::{Outline, Reply};

use super::line::Line;
use super::spares::Spares;
use super::sync::thread::Thread;
use super::sync::{Mutex, MutexGuard, OnceLock};
use super::waiter::{Waiter, lock};

/// How many slots are made at a time.
const CHUNK: usize = 64;

/// A buffer that has become larger than this is [spare](Spares) memory while it waits for the next answer.
const LARGE: usize = 16 << 10;

pub(super) struct Slots {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    /// Those that belong to nobody.
    pub(super) line: Line,
    pub(super) spares: Spares,
}

#[derive(Default)]
struct Slot(Mutex<Inner>);

/// One that is free awaits one answer, for whoever takes it next.
struct Inner {
    /// So many answers are awaited.
    left: u32,
    answers: Vec<(u32, Answer)>,
    bytes: Vec<u8>,
    long: Vec<Vec<u8>>,
    /// What its buffer counts among those that are kept.
    kept: usize,
    /// Who has asked since the request was sent. Before that, who has sent it is to be told.
    waiter: Waiter,
    /// Nobody waits any more.
    abandoned: bool,
}

/// What became of one request.
enum Answer {
    Reply(Outline, Range<usize>),
    /// One in memory of its own: which of these, and where.
    Long(usize, Range<usize>),
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

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let chunks = (0..(limit as usize).div_ceil(CHUNK)).map(|_| OnceLock::new()).collect();
        Self { chunks, line: Line::new(limit), spares: Spares::default() }
    }

    fn slot(&self, index: u32) -> MutexGuard<'_, Inner> {
        let (chunk, at) = (index as usize / CHUNK, index as usize % CHUNK);
        let made = || (0..CHUNK).map(|_| Slot::default()).collect();
        lock(&self.chunks[chunk].get_or_init(made)[at].0)
    }

    /// So many of them will come, if it is not one.
    pub(super) fn expect(&self, index: u32, answers: u32) {
        self.slot(index).left = answers;
    }

    /// A slot that nobody uses any more is free.
    pub(super) fn give(&self, index: u32) {
        self.clear(&mut self.slot(index));
        self.line.give(index);
    }

    /// An answer for somebody else than who reads it. Whether it was the last, and who has asked for it since it was sent for.
    pub(super) fn put(&self, index: u32, item: u32, told: Told<'_>) -> Option<Waiter> {
        let mut slot = self.slot(index);
        if !slot.abandoned {
            let answer = match told {
                Told::Reply(reply) => {
                    let (outline, bytes) = reply.outline();
                    let start = slot.bytes.len();
                    if start == 0 && slot.kept > 0 {
                        self.spares.uncount(std::mem::take(&mut slot.kept));
                    }
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

    /// The same of a long one, whose bytes are these.
    pub(super) fn put_long(
        &self,
        index: u32,
        item: u32,
        memory: Vec<u8>,
        at: Range<usize>,
    ) -> Option<Waiter> {
        let mut slot = self.slot(index);
        if slot.abandoned {
            self.spares.keep(memory);
        } else {
            let answer = Answer::Long(slot.long.len(), at);
            slot.long.push(memory);
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
        // Given back also if `each` panics: nobody else has a use for it.
        let mut taken = Taken { slots: self, index, slot: Some(slot) };
        if let Some(slot) = &mut taken.slot {
            let Inner { answers, bytes, long, .. } = &mut **slot;
            for (item, answer) in answers.iter() {
                let told = match answer {
                    Answer::Reply(outline, range) => {
                        Told::Reply(outline.over(bytes.get(range.clone()).unwrap_or_default()))
                    }
                    Answer::Long(memory, at) => {
                        let bytes = long.get(*memory).and_then(|memory| memory.get(at.clone()));
                        Told::Reply(Reply::parsed(bytes.unwrap_or_default()))
                    }
                    Answer::Failed(failed) => Told::Failed(*failed),
                    Answer::Refused(refused) => Told::Refused(*refused),
                    Answer::Leased(lease) => Told::Leased(*lease),
                };
                each(*item, told);
            }
        }
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

    /// Makes a slot what it is while it is free.
    fn clear(&self, slot: &mut Inner) {
        (slot.left, slot.abandoned) = (1, false);
        slot.waiter = Waiter::Nobody;
        slot.answers.clear();
        if !slot.long.is_empty() {
            slot.long.drain(..).for_each(|memory| self.spares.keep(memory));
        }
        slot.bytes.clear();
        let size = slot.bytes.capacity();
        if size <= LARGE || slot.kept > 0 {
            return;
        }
        if self.spares.count(size) {
            slot.kept = size;
        } else {
            slot.bytes.shrink_to(LARGE);
        }
    }
}

/// A slot whose answers are shown: it is free behind that.
struct Taken<'s> {
    slots: &'s Slots,
    index: u32,
    slot: Option<MutexGuard<'s, Inner>>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(mut slot) = self.slot.take() {
            self.slots.clear(&mut slot);
        }
        self.slots.line.give(self.index);
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            left: 1,
            answers: Vec::new(),
            bytes: Vec::new(),
            long: Vec::new(),
            kept: 0,
            waiter: Waiter::Nobody,
            abandoned: false,
        }
    }
}

impl Inner {
    fn count(&mut self) -> Option<Waiter> {
        self.left = self.left.saturating_sub(1);
        (self.left == 0).then(|| std::mem::take(&mut self.waiter))
    }
}
