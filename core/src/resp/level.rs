//! The aggregates that are open while a reply is scanned, in fixed memory but for replies that are deeper than any server's.

use super::Limits;

/// What the values at some level stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// A count of them.
    Counted,
    /// A count of them, and the value itself comes behind.
    Attributes,
    /// As many as there are before the end marker.
    Stream,
    /// The same, in pairs; the last one is whole.
    Pairs,
    /// The same, in pairs; the last one lacks its value.
    HalfPair,
}

/// What is still to come at one level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// How many values are owed. In a stream 0 asks for another value or the end.
    pub(super) left: u32,
    pub(super) form: Form,
}

/// The levels around the innermost one.
#[derive(Clone, Debug)]
#[repr(C)]
pub(super) struct Outer {
    depth: usize,
    levels: [Packed; NEAR],
    /// Those behind the first, once there was one.
    #[cfg(feature = "alloc")]
    deep: alloc::vec::Vec<Packed>,
}

/// So many levels are always there.
const NEAR: usize = 16;

/// So many more are on the heap where there is one.
#[cfg(feature = "alloc")]
const DEEP: usize = Limits::MAX_DEPTH - NEAR;

/// A level in four bytes: three bits for the form, 29 for [`Limits::MAX_ELEMENTS`].
#[derive(Clone, Copy, Debug)]
struct Packed(u32);

impl Outer {
    pub(super) const NONE: Self = Self {
        depth: 0,
        levels: [Packed(0); NEAR],
        #[cfg(feature = "alloc")]
        deep: alloc::vec::Vec::new(),
    };

    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    /// Forgets all levels. The memory stays as it is.
    pub(super) const fn clear(&mut self) {
        self.depth = 0;
    }

    /// Puts a level behind another. Says `false` if there is no room, or too many values.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn push(&mut self, level: Level) -> bool {
        match self.place(self.depth) {
            Some(place) if level.left <= Limits::MAX_ELEMENTS => {
                *place = Packed(level.left << 3 | level.form as u32);
                self.depth += 1;
                true
            }
            _ => false,
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn pop(&mut self) -> Option<Level> {
        self.depth = self.depth.checked_sub(1)?;
        let &mut Packed(bits) = self.place(self.depth)?;
        let form = match bits & 7 {
            0 => Form::Counted,
            1 => Form::Attributes,
            2 => Form::Stream,
            3 => Form::Pairs,
            _ => Form::HalfPair,
        };
        Some(Level { left: bits >> 3, form })
    }

    /// Where a level is put.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn place(&mut self, depth: usize) -> Option<&mut Packed> {
        #[cfg(feature = "alloc")]
        if depth >= NEAR {
            return self.deep_place(depth - NEAR);
        }
        self.levels.get_mut(depth)
    }

    #[cfg(feature = "alloc")]
    #[cold]
    fn deep_place(&mut self, depth: usize) -> Option<&mut Packed> {
        if self.deep.is_empty() {
            self.deep.try_reserve_exact(DEEP).ok()?;
            self.deep.resize(DEEP, Packed(0));
        }
        self.deep.get_mut(depth)
    }
}
