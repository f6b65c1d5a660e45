//! Who waits for which answers, and who is to be told when the lock of the core is gone.

use std::cell::Cell;
use std::ops::Range;

use respire_core::conn::Token;
use respire_core::engine::{Lease, Ticket};

use super::shared::Shared;
use super::slots::Told;
use super::sync::thread_local;
use super::waiter::Waiter;

/// The calls that are under way, by slot.
#[derive(Default)]
pub(super) struct Desk {
    calls: Vec<Calls>,
    /// How many slots tasks wait for.
    pub(super) tasks: usize,
    /// There are more of them, of whom nobody knows yet who could drive.
    pub(super) has_more: bool,
    pub(super) woken: Vec<Waiter>,
    /// Somebody has his answers who has not said who he is: he may be waiting for sockets.
    pub(super) is_untold: bool,
    /// Memory for the next ones.
    pub(super) spare: Vec<Waiter>,
}

/// The calls of one slot.
#[derive(Default)]
struct Calls {
    /// Of a single request of the engine's; others cannot be cancelled.
    ticket: Option<Ticket>,
    left: u32,
    /// What was lent for it.
    lent: Option<Lease>,
    /// Who is to be told of the last, unless somebody else asks for them.
    waiter: Waiter,
    is_task: bool,
    /// Nobody waits for them: the slot is given back behind the last.
    abandoned: bool,
}

/// What is to be undone once nobody waits for it any more.
pub(super) enum Abandoned {
    Call(Ticket),
    Lease(Lease),
}

/// The answers that the driver itself waits for: it reads them where they lie.
pub(super) struct Own<'o> {
    pub(super) slot: u32,
    pub(super) each: &'o mut dyn FnMut(u32, Told<'_>),
}

/// Whether the driver waits for it itself.
pub(super) fn is_own(token: Token, own: Option<&Own<'_>>) -> bool {
    own.is_some_and(|own| own.slot == parts(token).0)
}

/// The name of one request of a slot.
pub(super) const fn token(slot: u32, item: u32) -> Token {
    Token(slot as u64 | (item as u64) << 32)
}

/// The slot, and which of its requests.
const fn parts(token: Token) -> (u32, u32) {
    (token.0 as u32, (token.0 >> 32) as u32)
}

impl Desk {
    /// So many answers will come for this slot.
    pub(super) fn expect(&mut self, slot: u32, ticket: Option<Ticket>, left: u32, waiter: Waiter) {
        let at = slot as usize;
        if self.calls.len() <= at {
            self.calls.resize_with(at + 1, Calls::default);
        }
        let is_task = waiter.is_task();
        self.calls[at] = Calls { ticket, left, lent: None, waiter, is_task, abandoned: false };
        self.tasks += usize::from(is_task);
    }

    /// Nobody waits any more: what is to be undone. The slot is given back once nothing can come for it.
    pub(super) fn abandon(&mut self, shared: &Shared, slot: u32) -> Option<Abandoned> {
        let calls = self.calls.get_mut(slot as usize)?;
        if calls.left > 0 && calls.ticket.is_none() {
            // The answers come, and are dropped: as for a task, somebody must drive until then.
            calls.abandoned = true;
            calls.waiter = Waiter::Nobody;
            if !std::mem::replace(&mut calls.is_task, true) {
                self.tasks += 1;
                self.has_more = true;
            }
            return None;
        }
        self.tasks -= usize::from(calls.is_task);
        let Calls { ticket, lent, .. } = std::mem::take(calls);
        shared.slots.give(slot);
        // It may have been lent while its caller turned away.
        ticket.map(Abandoned::Call).or(lent.map(Abandoned::Lease))
    }

    /// A connection is lent for this wish, of which its caller is still to be told.
    pub(super) fn lend(&mut self, token: Token, lease: Lease) {
        if let Some(calls) = self.calls.get_mut(parts(token).0 as usize) {
            calls.lent = Some(lease);
        }
    }

    /// What became of one request.
    pub(super) fn tell(&mut self, shared: &Shared, token: Token, told: Told<'_>, own: &mut Option<Own<'_>>) {
        self.tell_by(shared, token, |slot, item| match own {
            Some(own) if own.slot == slot => {
                shared.slots.count(slot);
                let _showing = Showing::new();
                (own.each)(item, told);
                None
            }
            _ => shared.slots.put(slot, item, told),
        });
    }

    /// Its answer, for somebody else than who reads it, in memory of its own.
    pub(super) fn tell_long(&mut self, shared: &Shared, token: Token, memory: Vec<u8>, at: Range<usize>) {
        self.tell_by(shared, token, |slot, item| shared.slots.put_long(slot, item, memory, at));
    }

    /// The same. `put` says who has asked for it since it was sent for, if it was the last.
    #[inline]
    fn tell_by(&mut self, shared: &Shared, token: Token, put: impl FnOnce(u32, u32) -> Option<Waiter>) {
        let (slot, item) = parts(token);
        let (mut waiter, mut is_last_of_nobody) = (Waiter::Nobody, false);
        if let Some(calls) = self.calls.get_mut(slot as usize) {
            calls.left = calls.left.saturating_sub(1);
            if calls.left == 0 {
                calls.ticket = None;
                waiter = std::mem::take(&mut calls.waiter);
                self.tasks -= usize::from(std::mem::take(&mut calls.is_task));
                is_last_of_nobody = std::mem::take(&mut calls.abandoned);
            }
        }
        if let Some(asked) = put(slot, item) {
            self.wake(asked.or(waiter));
        }
        if is_last_of_nobody {
            shared.slots.give(slot);
        }
    }

    pub(super) const fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// Whether there is nobody to be told of anything.
    pub(super) const fn is_quiet(&self) -> bool {
        self.woken.is_empty() && !self.is_untold
    }

    /// Who is to be told, if there is anybody.
    pub(super) fn take_woken(&mut self) -> Option<Vec<Waiter>> {
        let spare = &mut self.spare;
        (!self.woken.is_empty()).then(|| std::mem::replace(&mut self.woken, std::mem::take(spare)))
    }

    /// Somebody is to be told.
    pub(super) fn wake(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Nobody => self.is_untold = true,
            waiter => self.woken.push(waiter),
        }
    }
}

thread_local! {
    /// This thread shows an answer to its caller: the core is taken, perhaps.
    static SHOWING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in the middle of an answer: it may not ask for another.
pub(super) fn is_showing() -> bool {
    SHOWING.get()
}

/// While it lives, this thread is.
pub(super) struct Showing(bool);

impl Showing {
    pub(super) fn new() -> Self {
        Self(SHOWING.replace(true))
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        SHOWING.set(self.0);
    }
}
