//! Lists whose links stand in the entries.

use super::Entry;

/// No entry.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The neighbours of an entry in a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) before: u32,
    pub(super) behind: u32,
}

impl Link {
    pub(super) const NONE: Self = Self { before: NOWHERE, behind: NOWHERE };
}

/// The ends of a list. An entry stands in one list of work at most, and in one of news.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) first: u32,
    pub(super) last: u32,
    news: bool,
}

impl List {
    pub(super) const WORK: Self = Self { first: NOWHERE, last: NOWHERE, news: false };
    pub(super) const NEWS: Self = Self { news: true, ..Self::WORK };

    pub(super) fn is_empty(&self) -> bool {
        self.first == NOWHERE
    }

    pub(super) fn push_back(&mut self, index: u32, entries: &mut [Entry]) {
        self.set(index, Link { before: self.last, behind: NOWHERE }, entries);
        match self.link(self.last, entries) {
            Some(last) => last.behind = index,
            None => self.first = index,
        }
        self.last = index;
    }

    pub(super) fn push_front(&mut self, index: u32, entries: &mut [Entry]) {
        self.set(index, Link { before: NOWHERE, behind: self.first }, entries);
        match self.link(self.first, entries) {
            Some(first) => first.before = index,
            None => self.last = index,
        }
        self.first = index;
    }

    /// Takes out an entry that stands in this list.
    pub(super) fn remove(&mut self, index: u32, entries: &mut [Entry]) {
        let Some(Link { before, behind }) = self.link(index, entries).copied() else { return };
        match self.link(before, entries) {
            Some(link) => link.behind = behind,
            None => self.first = behind,
        }
        match self.link(behind, entries) {
            Some(link) => link.before = before,
            None => self.last = before,
        }
        self.set(index, Link::NONE, entries);
    }

    fn link<'e>(&self, index: u32, entries: &'e mut [Entry]) -> Option<&'e mut Link> {
        let entry = entries.get_mut(index as usize)?;
        Some(if self.news { &mut entry.news } else { &mut entry.work })
    }

    fn set(&self, index: u32, to: Link, entries: &mut [Entry]) {
        if let Some(link) = self.link(index, entries) {
            *link = to;
        }
    }
}
