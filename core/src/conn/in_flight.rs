//! The requests that wait for an answer, oldest first, in fixed memory.

use super::Token;
use crate::command::Effect;
use crate::time::Instant;

/// One request that was taken and not answered. It belongs to the connection: a caller can turn
/// away from it, but nothing is ever removed from the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) token: Token,
    /// When the connection gives up on it.
    pub(super) deadline: Instant,
    /// Where its first byte stands in the stream of all bytes submitted.
    pub(super) start: u64,
    pub(super) effect: Effect,
    /// Confirmations still to come, of a subscription that names its channels.
    pub(super) left: u32,
    /// The caller has turned away: the answer is dropped.
    pub(super) discard: bool,
    /// A string or an aggregate that answers it is told in parts.
    pub(super) chunks: bool,
}

impl Slot {
    const EMPTY: Self = Self {
        token: Token(0),
        deadline: Instant::MAX,
        start: 0,
        effect: Effect::None,
        left: 0,
        discard: false,
        chunks: false,
    };

    /// Who waits for the answer, if anybody does.
    pub(super) const fn caller(&self) -> Option<Token> {
        if self.discard { None } else { Some(self.token) }
    }

    /// Whether pushes answer it, not a reply: SUBSCRIBE and its like.
    pub(super) const fn awaits_confirmations(&self) -> bool {
        matches!(self.effect, Effect::Subscribe(_) | Effect::Unsubscribe(_))
    }
}

/// A ring of slots.
#[derive(Debug)]
pub(super) struct InFlight<const N: usize> {
    slots: [Slot; N],
    head: usize,
    len: usize,
}

impl<const N: usize> InFlight<N> {
    pub(super) const fn new() -> Self {
        Self { slots: [Slot::EMPTY; N], head: 0, len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_full(&self) -> bool {
        self.len == N
    }

    /// Adds the newest. A full ring says `false` and is unchanged.
    pub(super) fn push(&mut self, slot: Slot) -> bool {
        let at = wrap::<N>(self.head + self.len);
        match self.slots.get_mut(at) {
            Some(place) if self.len < N => {
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
        if self.len == 0 { None } else { self.slots.get(self.head) }
    }

    pub(super) fn head_mut(&mut self) -> Option<&mut Slot> {
        if self.len == 0 { None } else { self.slots.get_mut(self.head) }
    }

    /// Takes the oldest. Says who waits for it.
    pub(super) fn pop(&mut self) -> Option<Token> {
        let caller = self.head()?.caller();
        self.head = wrap::<N>(self.head + 1);
        self.len -= 1;
        caller
    }

    /// Marks the oldest slot with this token that is not yet marked.
    pub(super) fn discard(&mut self, token: Token) -> bool {
        for i in 0..self.len {
            if let Some(slot) = self.slots.get_mut(wrap::<N>(self.head + i))
                && slot.token == token
                && !slot.discard
            {
                slot.discard = true;
                return true;
            }
        }
        false
    }
}

const fn wrap<const N: usize>(at: usize) -> usize {
    if at >= N { at - N } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(n: u64) -> Slot {
        Slot { token: Token(n), ..Slot::EMPTY }
    }

    #[test]
    fn first_in_first_out_around_the_end() {
        let mut ring = InFlight::<3>::new();
        let mut next = 0;
        let mut oldest = 0;
        for round in 0..20 {
            while ring.push(slot(next)) {
                next += 1;
            }
            assert!(ring.is_full());
            for _ in 0..=round % 3 {
                assert_eq!(ring.pop(), Some(Token(oldest)));
                oldest += 1;
            }
        }
        while ring.pop().is_some() {
            oldest += 1;
        }
        assert_eq!(oldest, next);
    }

    #[test]
    fn a_discarded_slot_keeps_its_place() {
        let mut ring = InFlight::<3>::new();
        assert!(ring.push(slot(1)) && ring.push(slot(2)));
        assert!(ring.discard(Token(1)));
        assert!(!ring.discard(Token(1)));
        assert_eq!(ring.pop(), None);
        assert_eq!(ring.pop(), Some(Token(2)));
        assert_eq!(ring.len(), 0);
    }

    #[test]
    fn a_slot_is_as_small_as_promised() {
        assert_eq!(size_of::<Slot>(), 32);
    }

    #[test]
    fn a_ring_without_slots_is_always_full() {
        let mut ring = InFlight::<0>::new();
        assert!(ring.is_full());
        assert!(!ring.push(slot(1)));
        assert!(ring.pop().is_none());
    }
}
