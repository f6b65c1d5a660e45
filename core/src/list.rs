//! Lists through the slots themselves: every step is the same few instructions.

/// No place.
pub(crate) const NIL: u16 = u16::MAX;

/// As much of the memory as has names: lists are only for this.
#[inline]
pub(crate) fn named<T>(all: &mut [T]) -> &mut [T] {
    let len = all.len().min(usize::from(NIL));
    all.get_mut(..len).unwrap_or_default()
}

/// What stands in a list.
pub(crate) trait Linked {
    fn links(&mut self) -> &mut Links;
}

/// The neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    /// Towards the first.
    front: u16,
    /// Towards the last.
    back: u16,
}

impl Links {
    pub(crate) const NONE: Self = Self { front: NIL, back: NIL };

    /// The neighbour towards the first.
    pub(crate) const fn front(self) -> Option<u16> {
        if self.front == NIL { None } else { Some(self.front) }
    }

    /// The neighbour towards the last.
    pub(crate) const fn back(self) -> Option<u16> {
        if self.back == NIL { None } else { Some(self.back) }
    }
}

/// A list; each place is in one at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    first: u16,
    last: u16,
    len: u16,
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NIL, last: NIL, len: 0 };

    pub(crate) const fn len(&self) -> u16 {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn first(&self) -> Option<u16> {
        if self.len == 0 { None } else { Some(self.first) }
    }

    pub(crate) const fn last(&self) -> Option<u16> {
        if self.len == 0 { None } else { Some(self.last) }
    }

    /// As [`insert`](Self::insert); where code may be large, in fewer instructions.
    #[inline]
    pub(crate) fn push_first<T: Linked>(&mut self, all: &mut [T], at: u16) {
        if cfg!(not(target_pointer_width = "64")) {
            return self.insert(all, at, NIL);
        }
        let back = core::mem::replace(&mut self.first, at);
        match all.get_mut(usize::from(back)) {
            Some(back) => back.links().front = at,
            None => self.last = at,
        }
        if let Some(new) = all.get_mut(usize::from(at)) {
            *new.links() = Links { front: NIL, back };
        }
        self.len += 1;
    }

    pub(crate) fn push_last<T: Linked>(&mut self, all: &mut [T], at: u16) {
        self.insert(all, at, self.last);
    }

    /// Puts `at` behind `front`; first of all if that is [`NIL`].
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) fn insert<T: Linked>(&mut self, all: &mut [T], at: u16, front: u16) {
        let before = match all.get_mut(usize::from(front)) {
            Some(front) => &mut front.links().back,
            None => &mut self.first,
        };
        let back = core::mem::replace(before, at);
        match all.get_mut(usize::from(back)) {
            Some(back) => back.links().front = at,
            None => self.last = at,
        }
        if let Some(new) = all.get_mut(usize::from(at)) {
            *new.links() = Links { front, back };
        }
        self.len += 1;
    }

    /// Takes out what is in this list.
    pub(crate) fn remove<T: Linked>(&mut self, all: &mut [T], at: u16) {
        if let Some(links) = all.get_mut(usize::from(at)).map(|old| *old.links()) {
            self.unlink(all, links);
        }
    }

    /// Takes out what has these neighbours.
    #[inline]
    pub(crate) fn unlink<T: Linked>(&mut self, all: &mut [T], Links { front, back }: Links) {
        match all.get_mut(usize::from(front)) {
            Some(front) => front.links().back = back,
            None => self.first = back,
        }
        match all.get_mut(usize::from(back)) {
            Some(back) => back.links().front = front,
            None => self.last = front,
        }
        self.len = self.len.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    struct Node(Links);

    impl Linked for Node {
        fn links(&mut self) -> &mut Links {
            &mut self.0
        }
    }

    fn forward(list: &List, all: &mut [Node]) -> Vec<u16> {
        core::iter::successors(list.first(), |&at| all[usize::from(at)].links().back()).collect()
    }

    fn backward(list: &List, all: &mut [Node]) -> Vec<u16> {
        core::iter::successors(list.last(), |&at| all[usize::from(at)].links().front()).collect()
    }

    #[test]
    fn a_list_is_what_a_vector_would_be() {
        let mut random = crate::random::Random::new(3);
        let mut all: [Node; 9] = core::array::from_fn(|_| Node(Links::NONE));
        let (mut list, mut model) = (List::EMPTY, Vec::new());
        for _ in 0..if cfg!(miri) { 60 } else { 5000 } {
            let at = random.below(9) as u16;
            match model.iter().position(|&other| other == at) {
                Some(place) => {
                    list.remove(&mut all, at);
                    model.remove(place);
                }
                None => {
                    let place = random.below(model.len() as u64 + 1) as usize;
                    match place {
                        0 => list.push_first(&mut all, at),
                        _ if place == model.len() => list.push_last(&mut all, at),
                        _ => list.insert(&mut all, at, model[place - 1]),
                    }
                    model.insert(place, at);
                }
            }
            assert_eq!(forward(&list, &mut all), model);
            assert_eq!(usize::from(list.len()), model.len());
            model.reverse();
            assert_eq!(backward(&list, &mut all), model);
            model.reverse();
        }
    }
}
