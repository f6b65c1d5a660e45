//! The requests that wait for an answer, oldest first.

use super::Token;
use crate::buffer::{Place, Places};
use crate::command::Effect;
use crate::flaw::flaw;
use crate::resp::Expects;
use crate::time::Instant;

/// One request that was taken and not answered. It belongs to the connection: a caller can turn
/// away from it, but only what was not sent is ever removed from the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) token: Token,
    /// When the connection gives up on it.
    pub(super) deadline: Instant,
    /// Where its first byte stands in the stream of all bytes submitted.
    pub(super) start: u64,
    pub(super) effect: Effect,
    /// Confirmations still to come, of a subscription that names its channels. Of others what the answer will
    /// not say and the [state](super::state) must know.
    pub(super) left: u32,
    /// The caller has turned away: the answer is dropped.
    pub(super) discard: bool,
    pub(super) answer: Answer,
}

/// How a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// By one reply, of this sort.
    Whole(Expects),
    /// A string or an aggregate is told in parts.
    Parts,
    /// By the number that its token is. Nobody waits for it.
    Number,
}

impl Place for Slot {
    const EMPTY: Self = Self {
        token: Token(0),
        deadline: Instant::MAX,
        start: 0,
        effect: Effect::None,
        left: 0,
        discard: false,
        answer: Answer::Whole(Expects::Anything),
    };
}

impl Slot {
    /// Who waits for the answer, if anybody does.
    pub(super) const fn caller(&self) -> Option<Token> {
        if self.discard { None } else { Some(self.token) }
    }

    /// Whether pushes answer it, not a reply: SUBSCRIBE and its like.
    pub(super) const fn awaits_confirmations(&self) -> bool {
        matches!(self.effect, Effect::Subscribe(_) | Effect::Unsubscribe(_))
    }
}

/// A ring of up to `N` slots, in memory that may grow to that.
#[derive(Debug)]
pub(super) struct InFlight<P, const N: usize> {
    slots: P,
    head: usize,
    len: usize,
}

impl<P: Places<Slot>, const N: usize> InFlight<P, N> {
    pub(super) const fn new() -> Self {
        Self { slots: P::NEW, head: 0, len: 0 }
    }

    pub(super) const fn clear(&mut self) {
        (self.head, self.len) = (0, 0);
    }

    /// Nothing is asked for a while: the memory may be given back, if nothing is awaited.
    pub(super) fn rest(&mut self) {
        if self.is_empty() {
            self.clear();
            self.slots.rest();
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether there is room for so many more.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn has_room(&mut self, more: usize) -> bool {
        self.len + more <= self.slots.as_ref().len() || self.grow(more)
    }

    #[cold]
    fn grow(&mut self, more: usize) -> bool {
        while self.len + more > self.slots.as_ref().len() {
            if !self.slots.grow(self.head, N) {
                return false;
            }
            self.head = 0;
        }
        true
    }

    /// Adds the newest. A full ring says `false` and is unchanged.
    pub(super) fn push(&mut self, slot: Slot) -> bool {
        let is_room = self.has_room(1);
        let at = self.wrap(self.head + self.len);
        match self.slots.as_mut().get_mut(at) {
            Some(place) if is_room => {
                *place = slot;
                self.len += 1;
                true
            }
            _ => false,
        }
    }

    /// The oldest.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn head(&self) -> Option<&Slot> {
        if self.len == 0 { None } else { self.slots.as_ref().get(self.head) }
    }

    pub(super) fn head_mut(&mut self) -> Option<&mut Slot> {
        if self.len == 0 { None } else { self.slots.as_mut().get_mut(self.head) }
    }

    /// Takes the oldest. Says who waits for it.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn pop(&mut self) -> Option<Token> {
        let caller = self.head()?.caller();
        flaw!(OffByOne => if let Some(behind) = self.step_over() { return behind });
        self.head = self.wrap(self.head + 1);
        self.len -= 1;
        caller
    }

    /// Takes the oldest, and says who waits for the one behind it.
    #[cfg(feature = "flaws")]
    fn step_over(&mut self) -> Option<Option<Token>> {
        let behind = self.get(1)?.caller();
        self.head = self.wrap(self.head + 1);
        self.len -= 1;
        Some(behind)
    }

    /// The slot that has so many older ones.
    pub(super) fn get(&self, index: usize) -> Option<&Slot> {
        if index < self.len { self.slots.as_ref().get(self.wrap(self.head + index)) } else { None }
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Slot> {
        let at = self.wrap(self.head + index);
        if index < self.len { self.slots.as_mut().get_mut(at) } else { None }
    }

    /// How many are older than the oldest slot that is like this.
    pub(super) fn position(&self, mut is: impl FnMut(&Slot) -> bool) -> Option<usize> {
        (0..self.len).find(|&index| self.get(index).is_some_and(&mut is))
    }

    /// The earliest deadline.
    pub(super) fn earliest(&self) -> Instant {
        let deadline = |index| self.get(index).map(|slot| slot.deadline);
        (0..self.len).filter_map(deadline).min().unwrap_or(Instant::MAX)
    }

    /// The latest deadline of those that are older than this and waited for.
    pub(super) fn latest(&self, index: usize) -> Instant {
        let deadline = |index| self.get(index).filter(|slot| !slot.discard).map(|slot| slot.deadline);
        (0..index).filter_map(deadline).max().unwrap_or(Instant::ZERO)
    }

    /// Removes one whose `len` bytes will not be sent: those behind it move up.
    pub(super) fn remove(&mut self, index: usize, len: u64) {
        for at in index + 1..self.len {
            if let Some(&slot) = self.get(at)
                && let Some(place) = self.get_mut(at - 1)
            {
                *place = Slot { start: slot.start - len, ..slot };
            }
        }
        self.len -= usize::from(index < self.len);
    }

    fn wrap(&self, at: usize) -> usize {
        let places = self.slots.as_ref().len();
        if at >= places { at - places } else { at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Ring<const N: usize> = InFlight<[Slot; N], N>;

    fn slot(n: u64) -> Slot {
        Slot { token: Token(n), ..Slot::EMPTY }
    }

    fn is_in_order_around_the_end<P: Places<Slot>, const N: usize>() {
        let mut ring = InFlight::<P, N>::new();
        let mut next = 0;
        let mut oldest = 0;
        for round in 0..20 {
            // Not all of it at first: memory that grows does so in the middle of a turn.
            while (round > 4 || ring.len() < 2 + round) && ring.push(slot(next)) {
                next += 1;
            }
            assert!(round <= 4 || ring.len() == N && !ring.has_room(1));
            for _ in 0..=round % 3 {
                assert_eq!(ring.pop(), Some(Token(oldest)));
                oldest += 1;
            }
            if round == 10 {
                ring.rest();
            }
        }
        while let Some(token) = ring.pop() {
            assert_eq!(token, Token(oldest));
            oldest += 1;
        }
        assert_eq!(oldest, next);
        ring.rest();
        assert!(ring.push(slot(7)) && ring.pop() == Some(Token(7)));
    }

    #[test]
    fn first_in_first_out_around_the_end() {
        is_in_order_around_the_end::<[Slot; 3], 3>();
        is_in_order_around_the_end::<[Slot; 21], 21>();
        #[cfg(feature = "alloc")]
        is_in_order_around_the_end::<alloc::vec::Vec<Slot>, 21>();
    }

    #[test]
    fn a_discarded_slot_keeps_its_place() {
        let mut ring = Ring::<3>::new();
        assert!(ring.push(slot(1)) && ring.push(slot(2)));
        ring.get_mut(0).unwrap().discard = true;
        assert_eq!(ring.pop(), None);
        assert_eq!(ring.pop(), Some(Token(2)));
        assert_eq!(ring.len(), 0);
    }

    #[test]
    fn those_behind_a_removed_one_move_up() {
        for turned in 0..4 {
            for removed in 0..4 {
                let mut ring = Ring::<4>::new();
                for n in 0..turned {
                    assert!(ring.push(slot(n)) && ring.pop().is_some());
                }
                for n in 0..4 {
                    let deadline = Instant::from_millis(9 - n);
                    assert!(ring.push(Slot { start: 10 * n, deadline, ..slot(n) }));
                }
                assert_eq!(ring.earliest(), Instant::from_millis(6));
                ring.remove(removed as usize, 10);
                assert_eq!(ring.len(), 3);
                assert!(ring.get(3).is_none() && ring.get_mut(3).is_none());
                for (n, at) in (0..4).filter(|&n| n != removed).zip(0..) {
                    let left = ring.get(at).unwrap();
                    assert_eq!((left.token, left.start), (Token(n), 10 * at as u64), "{turned} {removed}");
                    assert_eq!(ring.position(|slot| slot.token == Token(n)), Some(at));
                }
                assert_eq!(ring.position(|slot| slot.token == Token(removed)), None);
                ring.remove(3, 10);
                assert_eq!(ring.len(), 3, "there is none");
                let earliest = if removed == 3 { 7 } else { 6 };
                assert_eq!(ring.earliest(), Instant::from_millis(earliest));
            }
        }
        assert_eq!(Ring::<2>::new().earliest(), Instant::MAX);
    }

    #[test]
    fn a_slot_is_as_small_as_promised() {
        assert_eq!(size_of::<Slot>(), 32);
    }

    #[test]
    fn a_ring_without_slots_is_always_full() {
        let mut ring = Ring::<0>::new();
        assert!(!ring.has_room(1));
        assert!(!ring.push(slot(1)));
        assert!(ring.pop().is_none());
    }
}
