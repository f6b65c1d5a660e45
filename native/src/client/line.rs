//! Slots that are free, and the line of those who wait for one.

use std::collections::VecDeque;

use respire_core::time::Instant;

use super::sync::atomic::{AtomicU64, Ordering};
use super::sync::{Arc, Mutex};
use super::waiter::{Waiter, lock};

/// See the [module](self).
pub(super) struct Line {
    free: Mutex<Free>,
    /// When somebody in the line has waited long enough, in microseconds.
    due: AtomicU64,
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

impl Line {
    /// Of so many slots.
    pub(super) fn new(limit: u32) -> Self {
        let free = Free { limit, ..Free::default() };
        Self { free: Mutex::new(free), due: AtomicU64::new(u64::MAX) }
    }

    /// A slot, if one is free and nobody waits for it.
    pub(super) fn take(&self) -> Option<u32> {
        let mut free = lock(&self.free);
        if free.line.is_empty() { free.take() } else { None }
    }

    /// A place in the line; `waiter` is told when it has come to a slot, or when that is [due](Self::expire).
    pub(super) fn wait(&self, waiter: Waiter, due: Instant) -> Arc<Place> {
        let mut free = lock(&self.free);
        let slot = if free.line.is_empty() { free.take() } else { None };
        let is_at_once = slot.is_some();
        let turn = slot.map_or(Turn::Waits(waiter), Turn::Comes);
        let place = Arc::new(Place { due, turn: Mutex::new(turn) });
        if !is_at_once {
            free.line.push_back(Arc::clone(&place));
            self.due.fetch_min(due.as_micros(), Ordering::SeqCst);
        }
        place
    }

    /// When somebody in the line has waited long enough.
    pub(super) fn due(&self) -> Instant {
        Instant::from_micros(self.due.load(Ordering::SeqCst))
    }

    /// Ends the waiting of those who have waited long enough.
    pub(super) fn expire(&self, now: Instant, mut tell: impl FnMut(Waiter)) {
        if self.due() > now {
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
        self.due.store(due.as_micros(), Ordering::SeqCst);
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
        if !free.wide.is_empty() || !free.line.is_empty() {
            free.narrow(index);
            let woken = free.serve();
            drop(free);
            woken.into_iter().for_each(Waiter::wake);
        }
    }

    /// Somebody in the line turns away.
    pub(super) fn leave(&self, place: &Place) {
        let turn = std::mem::replace(&mut *lock(&place.turn), Turn::Over);
        if let Turn::Comes(index) = turn {
            self.give(index);
        }
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

    /// What had room for several has it no more.
    fn narrow(&mut self, index: u32) {
        if let Some(at) = self.wide.iter().position(|wide| wide.0 == index) {
            self.more -= self.wide.swap_remove(at).1;
        }
    }

    /// The first in the line have what there is. Who is to be told.
    fn serve(&mut self) -> Vec<Waiter> {
        let mut woken = Vec::new();
        while self.room() > 0
            && let Some(place) = self.line.pop_front()
        {
            let mut turn = lock(&place.turn);
            if matches!(*turn, Turn::Waits(_))
                && let Some(slot) = self.take()
                && let Turn::Waits(waiter) = std::mem::replace(&mut *turn, Turn::Comes(slot))
            {
                woken.push(waiter);
            }
        }
        woken
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
