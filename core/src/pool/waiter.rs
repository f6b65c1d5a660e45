//! One caller in the line.

use crate::conn::Token;
use crate::list::{Linked, Links};
use crate::time::Instant;

/// The name of a place in the line; nothing after its caller was served, refused or has turned away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Place {
    generation: u32,
    index: u16,
}

impl Place {
    pub(super) const fn at(self) -> u16 {
        self.index
    }
}

/// The memory for one caller who waits. The owner of the pool provides it, and need not look at it.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    pub(super) token: Token,
    pub(super) since: Instant,
    generation: u32,
    links: Links,
    waits: bool,
}

impl Waiter {
    /// A place that nobody has taken.
    pub const EMPTY: Self =
        Self { token: Token(0), since: Instant::ZERO, generation: 0, links: Links::NONE, waits: false };

    /// Takes the place.
    pub(super) const fn arrive(&mut self, token: Token, now: Instant, index: u16) -> Place {
        (self.token, self.since, self.waits) = (token, now, true);
        Place { generation: self.generation, index }
    }

    /// Whether this is the caller of that name.
    pub(super) const fn is(&self, place: Place) -> bool {
        self.waits && self.generation == place.generation
    }

    /// Gives up the place.
    pub(super) const fn leave(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.waits = false;
    }
}

impl Default for Waiter {
    /// [`Waiter::EMPTY`].
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Linked for Waiter {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}
