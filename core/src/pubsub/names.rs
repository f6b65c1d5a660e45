//! Names of any length in fixed memory, in any order in and out.

use core::cell::Cell;

use super::list::NOWHERE;
use super::{Entry, Refused};
use crate::resp::copy;

/// Where the names are: one behind the other, each behind the number of its entry and its length. Those that are
/// gone are squeezed out when the room at the end does not do.
///
/// ```text
///  [ entry, length, name | gone | entry, length, name | free ]
///                                                     ^ end
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    end: usize,
    /// Bytes of what is not gone.
    live: usize,
}

/// Bytes in front of a name.
const HEADER: usize = 8;

impl Names {
    pub(super) const EMPTY: Self = Self { end: 0, live: 0 };

    /// Stores the name of an entry. The cost is that of the name; if there is no room at the end, that of
    /// all names.
    pub(super) fn store(
        &mut self,
        index: u32,
        name: &[u8],
        entries: &mut [Entry],
        bytes: &mut [u8],
    ) -> Result<(), Refused> {
        let memory = bytes.len().min(u32::MAX as usize);
        let needed = name.len().saturating_add(HEADER);
        if needed > memory {
            return Err(Refused::TooLong);
        }
        if self.live.saturating_add(needed) > memory {
            return Err(Refused::Names);
        }
        if memory.saturating_sub(self.end) < needed {
            self.squeeze(entries, bytes);
        }
        let start = self.end;
        let room = bytes.get_mut(start..start.saturating_add(needed)).unwrap_or_default();
        let room = copy(room, &index.to_le_bytes());
        let room = copy(room, &(name.len() as u32).to_le_bytes());
        copy(room, name);
        if let Some(entry) = entries.get_mut(index as usize) {
            entry.start = start.saturating_add(HEADER) as u32;
            entry.len = name.len() as u32;
        }
        self.end = start.saturating_add(needed);
        self.live = self.live.saturating_add(needed);
        Ok(())
    }

    /// The name of an entry is gone. Its bytes stay as they are until the next one is stored.
    pub(super) fn remove(&mut self, entry: &Entry, bytes: &mut [u8]) {
        let start = (entry.start as usize).saturating_sub(HEADER);
        let len = (entry.len as usize).saturating_add(HEADER);
        self.live = self.live.saturating_sub(len);
        if let Some(owner) = bytes.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *owner = NOWHERE.to_le_bytes();
        }
        if self.live == 0 {
            self.end = 0;
        } else if start.saturating_add(len) == self.end {
            self.end = start;
        }
    }

    /// Moves all names to the front.
    fn squeeze(&mut self, entries: &mut [Entry], bytes: &mut [u8]) {
        let (mut from, mut to) = (0_usize, 0_usize);
        while from < self.end {
            let number = |at: usize| {
                let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
                bytes.map_or(NOWHERE, |bytes| u32::from_le_bytes(*bytes))
            };
            let (owner, len) = (number(from), number(from.saturating_add(4)));
            let len = (len as usize).saturating_add(HEADER);
            if let Some(entry) = entries.get_mut(owner as usize) {
                move_front(bytes.get_mut(to..).unwrap_or_default(), from.saturating_sub(to), len);
                entry.start = to.saturating_add(HEADER) as u32;
                to = to.saturating_add(len);
            }
            from = from.saturating_add(len);
        }
        self.end = to;
    }
}

/// Moves `len` bytes from behind the first `by` to the front.
fn move_front(bytes: &mut [u8], by: usize, len: usize) {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    let from = cells.get(by..).unwrap_or_default();
    from.iter().zip(cells).take(len).for_each(|(from, to)| to.set(from.get()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::vec::Vec;

    #[test]
    fn names_stay_whole_while_others_come_and_go() {
        for seed in 0..if cfg!(miri) { 3 } else { 100 } {
            let mut random = Random::new(seed);
            let mut bytes = std::vec![0; random.between(0, 90) as usize];
            let mut entries = [Entry::EMPTY; 6];
            let (mut names, mut kept) = (Names::EMPTY, [const { None::<Vec<u8>> }; 6]);
            for _ in 0..300 {
                let at = random.below(6) as usize;
                if kept[at].take().is_some() {
                    names.remove(&entries[at], &mut bytes);
                } else {
                    let name = std::vec![random.bits() as u8; random.below(20) as usize];
                    let live: usize = kept.iter().flatten().map(|name| name.len() + 8).sum();
                    let expected = match name.len() + 8 {
                        len if len > bytes.len() => Err(Refused::TooLong),
                        len if live + len > bytes.len() => Err(Refused::Names),
                        _ => Ok(()),
                    };
                    assert_eq!(names.store(at as u32, &name, &mut entries, &mut bytes), expected);
                    kept[at] = expected.is_ok().then_some(name);
                }
                for (entry, name) in entries.iter().zip(&kept) {
                    assert!(name.as_ref().is_none_or(|name| entry.name(&bytes) == name));
                }
            }
        }
    }
}
