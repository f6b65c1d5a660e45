//! Room for pieces of bytes in a ring: each whole, the oldest freed first.

/// Where the pieces lie, in memory that is not kept here.
///
/// ```text
///  [ free | oldest … newest | free ]          [ … newest | free | oldest … | gap ]
///         ^ head            ^ tail                       ^ tail ^ head     ^ end
/// ```
/// A piece is never split: where it does not fit behind the newest, it goes to the front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    head: usize,
    tail: usize,
    /// Where the pieces end that are behind the head, once there are some in front of it.
    end: Option<usize>,
}

impl Ring {
    pub(crate) const EMPTY: Self = Self { head: 0, tail: 0, end: None };

    /// The room behind the newest piece, as start and end, of so much memory.
    pub(crate) fn behind(&self, memory: usize) -> (usize, usize) {
        (self.tail, if self.end.is_some() { self.head } else { memory })
    }

    /// The room at the front, if that is another one.
    pub(crate) fn front(&self) -> (usize, usize) {
        (0, if self.end.is_some() { 0 } else { self.head })
    }

    /// Where a piece of `len` bytes may go.
    pub(crate) fn room(&self, memory: usize, len: usize) -> Option<usize> {
        let fits = |(start, end): (usize, usize)| (end.saturating_sub(start) >= len).then_some(start);
        fits(self.behind(memory)).or_else(|| fits(self.front()))
    }

    /// A piece of `len` bytes, at least one, stands at `start`, where there was room for it.
    pub(crate) fn take(&mut self, start: usize, len: usize) {
        if start != self.tail {
            self.end = Some(self.tail);
        }
        self.tail = start.saturating_add(len);
    }

    /// Where the oldest piece starts, if there is one.
    pub(crate) fn oldest(&self) -> usize {
        self.head
    }

    /// The oldest piece, of `len` bytes, is gone.
    pub(crate) fn release(&mut self, len: usize) {
        self.head = self.head.saturating_add(len);
        if self.end == Some(self.head) {
            self.head = 0;
            self.end = None;
        }
        if self.head == self.tail && self.end.is_none() {
            *self = Self::EMPTY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::VecDeque;

    #[test]
    fn pieces_never_touch_each_other_and_all_room_comes_back() {
        for seed in 0..if cfg!(miri) { 4 } else { 200 } {
            let mut random = Random::new(seed);
            let memory = random.between(1, 40) as usize;
            let (mut ring, mut pieces) = (Ring::EMPTY, VecDeque::<(usize, usize)>::new());
            for _ in 0..500 {
                let len = random.between(1, memory as u64) as usize;
                if random.one_in(2) {
                    let Some(start) = ring.room(memory, len) else {
                        assert!(!pieces.is_empty(), "no room in {memory} empty bytes for {len}");
                        continue;
                    };
                    assert!(start + len <= memory);
                    let apart = |&(at, long): &(usize, usize)| start + len <= at || at + long <= start;
                    assert!(pieces.iter().all(apart), "{start} {len} {pieces:?}");
                    ring.take(start, len);
                    pieces.push_back((start, len));
                } else if let Some((start, len)) = pieces.pop_front() {
                    assert_eq!(ring.oldest(), start);
                    ring.release(len);
                }
            }
            while let Some((start, len)) = pieces.pop_front() {
                assert_eq!(ring.oldest(), start);
                ring.release(len);
            }
            assert_eq!(ring.room(memory, memory), Some(0));
        }
    }
}
