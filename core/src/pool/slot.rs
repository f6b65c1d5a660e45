//! One connection, as the pool sees it.

use super::Reason;
use crate::list::{Linked, Links};
use crate::time::Instant;

/// The name of a connection, and of one loan of it.
///
/// A slot is used again by other connections; each has another generation, so that an old name never
/// stands for a new connection. Each loan has its own number, so that a connection that was returned cannot be
/// returned again by who had it before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Id {
    generation: u32,
    loan: u16,
    index: u16,
}

impl Id {
    /// Which slot: an index into the owner's connections, below their number.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// Which connection of this slot.
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// Whether both name the same connection, if not the same loan of it.
    pub const fn is_same_connection(self, other: Self) -> bool {
        self.index == other.index && self.generation == other.generation
    }

    pub(super) const fn at(self) -> u16 {
        self.index
    }
}

/// Since when a connection is what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Age {
    /// When it was opened.
    pub opened: Instant,
    /// When it was last lent or returned.
    pub used: Instant,
    /// When it last gave a sign of life: opened, returned in order, reset, checked.
    pub seen: Instant,
    /// When its lifetime ends, if it does.
    pub expires: Instant,
}

/// The memory for one connection of a pool. The caller provides it, and need not look at it.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub(super) age: Age,
    generation: u32,
    loan: u16,
    links: Links,
    pub(super) phase: Phase,
    /// Why it is closed; of a lent one, that it is dead already.
    pub(super) reason: Option<Reason>,
}

/// Where a slot stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Phase {
    Free,
    /// Since it was [used](Age::used).
    Dialling,
    Idle,
    Lent,
    Resetting,
    Checking,
    Closing,
}

impl Slot {
    /// A slot without a connection.
    pub const EMPTY: Self = Self {
        age: Age { opened: Instant::ZERO, used: Instant::ZERO, seen: Instant::ZERO, expires: Instant::MAX },
        generation: 0,
        loan: 0,
        links: Links::NONE,
        phase: Phase::Free,
        reason: None,
    };

    pub(super) const fn id(&self, index: u16) -> Id {
        Id { generation: self.generation, loan: self.loan, index }
    }

    /// Whether this is that connection, whoever has borrowed it.
    pub(super) fn is_of(&self, id: Id) -> bool {
        self.phase != Phase::Free && self.generation == id.generation
    }

    pub(super) const fn links(&self) -> Links {
        self.links
    }

    /// From now on the names of its last connection mean nothing.
    pub(super) const fn renew(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.loan = 0;
        self.phase = Phase::Free;
        self.reason = None;
    }

    /// Lent once more.
    pub(super) const fn lend(&mut self, now: Instant) {
        self.loan = self.loan.wrapping_add(1);
        self.phase = Phase::Lent;
        self.age.used = now;
    }
}

impl Default for Slot {
    /// [`Slot::EMPTY`].
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Linked for Slot {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// The names of two connections in one place, one after the other.
#[cfg(test)]
pub(super) fn ids() -> [Id; 2] {
    let mut slot = Slot::EMPTY;
    let id = slot.id(0);
    slot.renew();
    [id, slot.id(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_as_small_as_promised() {
        assert!(size_of::<Slot>() <= 48);
        assert_eq!((size_of::<Id>(), size_of::<Option<Reason>>()), (8, 1));
    }

    #[test]
    fn each_connection_of_a_slot_has_a_generation() {
        let mut slot = Slot::EMPTY;
        for generation in 0..3 {
            assert_eq!((slot.id(5).generation(), slot.id(5).index()), (generation, 5));
            slot.renew();
        }
    }
}
