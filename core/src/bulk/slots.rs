//! The items in the order of pushing, in a ring of slots, and those of them that are resolved.

use super::lane::Lane;
use crate::command::Command;
use crate::conn::Failure;

/// Memory for one item, beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub(super) row: &'static Command,
    /// Its bytes, in the memory for all.
    pub(super) start: u32,
    pub(super) len: u32,
    /// The batch that it was in last, and its place there.
    pub(super) batch: u32,
    pub(super) index: u32,
    /// While it waits to go again, what must not be answered before.
    pub(super) lane: Lane,
    /// The slot of the next result, [`NOWHERE`] if there is none.
    pub(super) link: u32,
    pub(super) state: State,
    /// How often it was sent, without the time that may be now.
    pub(super) attempts: u8,
    /// Bytes of the error's text, which stands where the request stood.
    pub(super) text: u8,
    /// It may be executed twice, the caller says.
    pub(super) safe: bool,
    /// The outcome of an earlier time is not known.
    pub(super) doubt: bool,
    /// It was cancelled.
    pub(super) unwanted: bool,
}

/// What an item has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Gone.
    Done,
    /// Waits to be sent, again if there were attempts.
    Queued,
    /// In flight.
    Sent,
    /// Its result waits to be polled.
    Answered,
    Error,
    Failed(Failure),
    Overtaken,
}

/// No slot.
const NOWHERE: u32 = u32::MAX;

impl Slot {
    /// A slot for nothing yet: `[Slot::EMPTY; 100]` is memory for a hundred items.
    pub const EMPTY: Self = Self {
        row: &Command::PROMPT,
        start: 0,
        len: 0,
        batch: Self::NO_BATCH,
        index: 0,
        lane: Lane::ALL,
        link: NOWHERE,
        state: State::Done,
        attempts: 0,
        text: 0,
        safe: false,
        doubt: false,
        unwanted: false,
    };

    /// The number of a batch that never is.
    pub(super) const NO_BATCH: u32 = u32::MAX;

    /// Its bytes.
    pub(super) fn frame<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.start as usize;
        bytes.get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }

    /// The text of its error.
    pub(super) fn error<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        self.frame(bytes).get(..usize::from(self.text)).unwrap_or_default()
    }
}

/// Which slots are in use: from the oldest item that is not done to the newest. Items are numbered as they were
/// pushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// The oldest.
    pub(super) head: usize,
    /// The one that comes next.
    pub(super) tail: usize,
    /// The slot of the oldest.
    at: u32,
    /// The first and the last result, as slots.
    first: u32,
    last: u32,
}

impl Window {
    pub(super) const EMPTY: Self = Self { head: 0, tail: 0, at: 0, first: NOWHERE, last: NOWHERE };

    /// How many slots are in use.
    pub(super) fn len(&self) -> u32 {
        self.older(self.tail) as u32
    }

    /// The place of an item's slot.
    fn place(&self, number: usize, slots: &[Slot]) -> usize {
        let at = (self.at as usize).saturating_add(self.older(number));
        at.checked_sub(slots.len()).unwrap_or(at)
    }

    /// How many items with slots are older than this: numbers are compared by it, for they wrap.
    pub(super) fn older(&self, number: usize) -> usize {
        number.wrapping_sub(self.head)
    }

    /// Whether an item has a slot.
    fn holds(&self, number: usize) -> bool {
        self.older(number) < self.older(self.tail)
    }

    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn get<'s>(&self, number: usize, slots: &'s [Slot]) -> Option<&'s Slot> {
        if self.holds(number) { slots.get(self.place(number, slots)) } else { None }
    }

    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) fn get_mut<'s>(&self, number: usize, slots: &'s mut [Slot]) -> Option<&'s mut Slot> {
        if self.holds(number) { slots.get_mut(self.place(number, slots)) } else { None }
    }

    /// Takes the slot of the next item, whose number it says, if one is free.
    pub(super) fn push(&mut self, slot: Slot, slots: &mut [Slot]) -> Option<usize> {
        let number = self.tail;
        if self.len() as usize >= slots.len() {
            return None;
        }
        *slots.get_mut(self.place(number, slots))? = slot;
        self.tail = number.wrapping_add(1);
        Some(number)
    }

    /// Frees the oldest slot if its item is done; how many bytes that had.
    pub(super) fn free(&mut self, slots: &[Slot]) -> Option<u32> {
        let slot = self.get(self.head, slots).filter(|slot| slot.state == State::Done)?;
        self.head = self.head.wrapping_add(1);
        self.at = self.at.saturating_add(1);
        if self.at as usize >= slots.len() {
            self.at = 0;
        }
        Some(slot.len)
    }

    /// An item has a result.
    pub(super) fn tell(&mut self, number: usize, slots: &mut [Slot]) {
        let at = self.place(number, slots);
        let place = at as u32;
        match slots.get_mut(self.last as usize) {
            Some(last) => last.link = place,
            None => self.first = place,
        }
        self.last = place;
        if let Some(slot) = slots.get_mut(at) {
            slot.link = NOWHERE;
        }
    }

    /// Takes the first result; whose it is.
    pub(super) fn pop(&mut self, slots: &[Slot]) -> Option<usize> {
        let (number, slot) = self.told(self.first, slots)?;
        self.first = slot.link;
        if self.first == NOWHERE {
            self.last = NOWHERE;
        }
        Some(number)
    }

    /// The item in a slot.
    fn told<'s>(&self, place: u32, slots: &'s [Slot]) -> Option<(usize, &'s Slot)> {
        let slot = slots.get(place as usize)?;
        let behind = match place.checked_sub(self.at) {
            Some(behind) => behind as usize,
            None => slots.len().saturating_sub(self.at.saturating_sub(place) as usize),
        };
        Some((self.head.wrapping_add(behind), slot))
    }

    /// All results in their order.
    pub(super) fn results<'s>(&self, slots: &'s [Slot]) -> impl Iterator<Item = (usize, &'s Slot)> {
        let window = *self;
        let mut at = self.first;
        core::iter::from_fn(move || {
            let told = window.told(at, slots)?;
            at = told.1.link;
            Some(told)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_as_small_as_promised() {
        assert_eq!(size_of::<Slot>(), if size_of::<usize>() == 8 { 40 } else { 36 });
    }

    #[test]
    fn results_keep_their_order_around_the_end() {
        let mut slots = [Slot::EMPTY; 4];
        let mut window = Window::EMPTY;
        for round in 0..20 {
            let numbers: [usize; 4] = core::array::from_fn(|_| window.push(Slot::EMPTY, &mut slots).unwrap());
            assert_eq!(window.push(Slot::EMPTY, &mut slots), None);
            let order = [3, 0, 2, 1].map(|n: usize| numbers[(n + round) % 4]);
            order.iter().for_each(|&number| window.tell(number, &mut slots));
            assert!(window.results(&slots).map(|(number, _)| number).eq(order));
            for number in order {
                assert_eq!(window.pop(&slots), Some(number));
            }
            assert_eq!((window.pop(&slots), window.len()), (None, 4));
            for number in numbers {
                assert!(window.get(number, &slots).is_some());
                assert_eq!(window.free(&slots), Some(0));
                assert!(window.get(number, &slots).is_none());
            }
            assert_eq!(window.free(&slots), None);
            // A number of slots in use that is odd to the ring.
            window.push(Slot::EMPTY, &mut slots).unwrap();
            window.free(&slots).unwrap();
        }
    }
}
