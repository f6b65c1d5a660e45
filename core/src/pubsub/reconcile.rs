//! From what is wanted and what is confirmed to what is asked and told.

use super::entry::Place;
use super::list::{Link, List, NOWHERE};
use super::registry::{Core, View};
use super::{Ask, Delivery, Entry, Event, Happened, Id, Refused};
use crate::command::Subscription;
use crate::error::{ErrorKind, ServerError};
use crate::flaw::flaw;
use crate::time::Instant;

impl<'a> View<'a> {
    pub(super) fn subscribe(&mut self, kind: Subscription, name: &[u8]) -> Result<Id, Refused> {
        let index = match self.find(kind, name) {
            Some(index) => index,
            None => self.insert(kind, name)?,
        };
        let entry = self.entries.get_mut(index as usize).ok_or(Refused::Entries)?;
        // Wanted again while it ends: what is published between is missing.
        if entry.wanted == 0 && entry.told && (entry.leaving || !entry.confirmed) {
            (entry.told, entry.gap) = (false, true);
        }
        entry.wanted = entry.wanted.saturating_add(1);
        let id = Id { index, generation: entry.generation };
        self.review(index);
        Ok(id)
    }

    pub(super) fn unsubscribe(&mut self, kind: Subscription, name: &[u8]) -> bool {
        let Some(index) = self.find(kind, name) else { return false };
        let Some(entry) = self.entries.get_mut(index as usize).filter(|entry| entry.is_wanted()) else {
            return false;
        };
        entry.wanted = entry.wanted.saturating_sub(1);
        if entry.wanted == 0 {
            // All that is still to be told of it is that it is over, if it was ever told to be there.
            entry.told |= entry.gap;
            (entry.gap, entry.dropped, entry.refused, entry.refusals) = (false, false, false, 0);
        }
        self.review(index);
        true
    }

    pub(super) fn handle_confirmed(&mut self, kind: Subscription, name: &[u8]) -> bool {
        let Some((index, entry)) = self.heard(kind, name) else {
            // An answer that came after all, when it was not waited for any more: to be ended again.
            if let Ok(index) = self.insert(kind, name)
                && let Some(entry) = self.entries.get_mut(index as usize)
            {
                entry.confirmed = true;
                self.review(index);
            }
            return self.stray();
        };
        entry.confirmed = true;
        if !entry.leaving {
            self.answered(index);
        }
        self.review(index);
        true
    }

    pub(super) fn handle_dropped(&mut self, kind: Subscription, name: &[u8]) -> bool {
        let Some((index, entry)) = self.heard(kind, name) else { return self.stray() };
        if entry.leaving {
            entry.confirmed = false;
            flaw!(StaysConfirmed => entry.confirmed = true);
            entry.leaving = false;
            self.answered(index);
        } else if entry.confirmed {
            entry.dropped |= entry.told && entry.is_wanted();
            entry.lose();
            self.core.stats.drops = self.core.stats.drops.wrapping_add(1);
        } else {
            return self.stray();
        }
        self.review(index);
        true
    }

    pub(super) fn handle_lost(&mut self) {
        self.core.stats.losses = self.core.stats.losses.wrapping_add(1);
        for index in 0..self.core.fresh {
            let Some(entry) = self.entries.get_mut(index as usize).filter(|entry| entry.place != Place::Free)
            else {
                continue;
            };
            entry.lose();
            (entry.leaving, entry.refusals) = (false, 0);
            flaw!(NotResubscribed => if entry.is_wanted() { continue });
            self.move_to(index, Place::Rest);
            self.review(index);
        }
    }

    pub(super) fn handle_skipped(&mut self) {
        for index in 0..self.core.fresh {
            let entry = self.entries.get_mut(index as usize).filter(|entry| entry.place != Place::Free);
            if let Some(entry) = entry.filter(|entry| entry.confirmed) {
                entry.miss();
                self.review(index);
            }
        }
    }

    pub(super) fn handle_refused(&mut self, now: Instant, number: u32, error: ServerError<'_>) {
        // Some servers have no other word for what was not subscribed anyway.
        if error.kind() == ErrorKind::NoSubscription {
            while let Some(&List { first: index, .. }) = self.core.command(number) {
                if let Some(entry) = self.entries.get_mut(index as usize) {
                    (entry.confirmed, entry.leaving) = (false, false);
                }
                self.move_to(index, Place::Rest);
                self.review(index);
            }
        }
        self.handle_over(now, number);
    }

    pub(super) fn handle_over(&mut self, now: Instant, number: u32) {
        self.core.now = self.core.now.max(now);
        while let Some(&List { first: index, .. }) = self.core.command(number) {
            self.core.stats.refusals = self.core.stats.refusals.wrapping_add(1);
            self.move_to(index, Place::Rest);
            let Some(entry) = self.entries.get_mut(index as usize) else { return };
            entry.refused |= entry.is_wanted() && !entry.leaving;
            entry.leaving = false;
            entry.refusals = entry.refusals.saturating_add(1);
            // 32 bits of chance are enough, and cheap to scale.
            let chance = self.core.random.bits() >> 32;
            let delay = (chance * u64::from(self.core.config.delay(entry.refusals))) >> 32;
            entry.again_at = Instant::from_micros(self.core.now.as_micros().saturating_add(delay));
            self.core.again_at = self.core.again_at.min(entry.again_at);
            self.review(index);
        }
    }

    pub(super) fn handle_unsent(&mut self, number: u32) {
        // From the last to the first, each to the front: in the end they stand there as before.
        while let Some(list) = self.core.command(number) {
            let index = list.last;
            if let Some(entry) = self.entries.get_mut(index as usize) {
                entry.leaving = false;
            }
            self.move_to(index, Place::Rest);
            self.review(index);
            if self.entries.get(index as usize).is_some_and(|entry| entry.place == Place::Work) {
                self.core.work.remove(index, self.entries);
                self.core.work.push_front(index, self.entries);
            }
        }
    }

    pub(super) fn handle_message(&mut self, kind: Subscription, name: &[u8]) -> Delivery {
        match self.heard(kind, name) {
            Some((_, entry)) if entry.is_wanted() && entry.has_news() => Delivery::EventsFirst,
            Some((index, entry)) if entry.is_wanted() && entry.told => {
                Delivery::To(Id { index, generation: entry.generation })
            }
            Some(_) => {
                self.stray();
                Delivery::Nobody
            }
            // Its confirmation came late and found no room.
            None => {
                self.handle_confirmed(kind, name);
                Delivery::Nobody
            }
        }
    }

    pub(super) fn poll_ask(self, now: Instant) -> Option<Ask<'a>> {
        let Self { core, entries, bytes } = self;
        let mut view = View { core, entries, bytes };
        view.core.now = view.core.now.max(now);
        view.wake();
        let free = view.core.commands.iter().position(|(_, names)| names.is_empty())?;
        let first = view.core.work.first;
        let (kind, subscribes, _) = view.wish(first)?;
        let number = view.core.number;
        view.core.number = number.wrapping_add(1);
        view.core.commands.get_mut(free)?.0 = number;
        view.core.stats.commands = view.core.stats.commands.wrapping_add(1);
        let (mut count, mut size) = (0_u16, 0_u32);
        while let Some((next_kind, next_subscribes, alone)) = view.wish(view.core.work.first) {
            let index = view.core.work.first;
            let Some(entry) = view.entries.get_mut(index as usize) else { break };
            size = size.saturating_add(entry.len);
            let is_more = alone || count >= view.core.config.batch || size > view.core.config.batch_bytes;
            if (next_kind, next_subscribes) != (kind, subscribes) || count > 0 && is_more {
                break;
            }
            entry.leaving = !subscribes;
            count = count.saturating_add(1);
            view.move_to(index, Place::Asked(free as u8));
            if alone {
                break;
            }
        }
        let View { entries, bytes, .. } = view;
        Some(Ask { number, kind, subscribes, first, entries, bytes })
    }

    pub(super) fn poll_event(mut self) -> Option<Event<'a>> {
        let index = self.core.news.first;
        let entry = self.entries.get_mut(index as usize)?;
        let happened = entry.news()?;
        entry.tell(happened);
        let told = *entry;
        if happened == Happened::Gap {
            self.core.stats.gaps = self.core.stats.gaps.wrapping_add(1);
        }
        self.review(index);
        let id = Id { index, generation: told.generation };
        Some(Event { happened, id, kind: told.kind, name: told.name(self.bytes) })
    }

    /// What is to be asked of an entry, and whether it goes alone.
    fn wish(&self, index: u32) -> Option<(Subscription, bool, bool)> {
        let entry = self.entries.get(index as usize)?;
        let alone = entry.kind == Subscription::Shard || entry.refusals > 0;
        Some((entry.kind, entry.is_wanted(), alone))
    }

    /// What was refused and has waited is work again.
    fn wake(&mut self) {
        if self.core.now < self.core.again_at {
            return;
        }
        self.core.again_at = Instant::MAX;
        let mut next = self.core.later.first;
        while let Some(&Entry { again_at, work, .. }) = self.entries.get(next as usize) {
            if again_at <= self.core.now {
                self.move_to(next, Place::Work);
            } else {
                self.core.again_at = self.core.again_at.min(again_at);
            }
            next = work.behind;
        }
    }

    /// After any change of an entry: it stands in the lists where it belongs, and is free if it is nobody's.
    fn review(&mut self, index: u32) {
        let Some(&entry) = self.entries.get(index as usize) else { return };
        let is_done = entry.is_wanted() == entry.confirmed;
        match entry.place {
            Place::Free => return,
            Place::Asked(_) => {}
            _ if is_done => {
                if let Some(entry) = self.entries.get_mut(index as usize) {
                    entry.refusals = 0;
                }
                self.move_to(index, Place::Rest);
            }
            Place::Rest if entry.refusals > 0 && entry.again_at > self.core.now => {
                self.move_to(index, Place::Later);
            }
            Place::Rest => self.move_to(index, Place::Work),
            Place::Work | Place::Later => {}
        }
        let is_news = entry.news().is_some();
        if is_news != entry.is_news {
            if let Some(entry) = self.entries.get_mut(index as usize) {
                entry.is_news = is_news;
            }
            let news = &mut self.core.news;
            if is_news { news.push_back(index, self.entries) } else { news.remove(index, self.entries) }
        }
        let is_asked = matches!(entry.place, Place::Asked(_));
        if !is_news && !is_asked && is_done && !entry.is_wanted() {
            self.remove(index);
        }
    }

    /// Out of the list that an entry stands in, into another.
    fn move_to(&mut self, index: u32, to: Place) {
        let Some(entry) = self.entries.get_mut(index as usize) else { return };
        let from = core::mem::replace(&mut entry.place, to);
        if let Some(list) = self.core.list(from) {
            list.remove(index, self.entries);
        }
        if let Some(list) = self.core.list(to) {
            list.push_back(index, self.entries);
        }
    }

    /// The server has answered what was asked of an entry.
    fn answered(&mut self, index: u32) {
        if let Some(entry) = self.entries.get_mut(index as usize)
            && matches!(entry.place, Place::Asked(_))
        {
            entry.refusals = 0;
            self.move_to(index, Place::Rest);
        }
    }

    fn stray(&mut self) -> bool {
        self.core.stats.strays = self.core.stats.strays.wrapping_add(1);
        false
    }

    fn heard(&mut self, kind: Subscription, name: &[u8]) -> Option<(u32, &mut Entry)> {
        let index = self.find(kind, name)?;
        self.entries.get_mut(index as usize).map(|entry| (index, entry))
    }

    fn find(&self, kind: Subscription, name: &[u8]) -> Option<u32> {
        self.core.find(kind, name, self.entries, self.bytes)
    }

    /// An entry for a name that has none.
    fn insert(&mut self, kind: Subscription, name: &[u8]) -> Result<u32, Refused> {
        let (index, free) = match self.entries.get(self.core.free as usize) {
            Some(entry) => (self.core.free, Some(entry.chain)),
            None => (self.core.fresh, None),
        };
        if index as usize >= self.entries.len() {
            return Err(Refused::Entries);
        }
        self.core.names.store(index, name, self.entries, self.bytes)?;
        match free {
            Some(next) => self.core.free = next,
            None => self.core.fresh = self.core.fresh.saturating_add(1),
        }
        let bucket = self.core.bucket(kind, name, self.entries);
        let chain = match self.entries.get_mut(bucket) {
            Some(entry) => core::mem::replace(&mut entry.bucket, index),
            None => NOWHERE,
        };
        if let Some(entry) = self.entries.get_mut(index as usize) {
            let Entry { start, len, bucket, generation, .. } = *entry;
            *entry =
                Entry { start, len, bucket, generation, chain, kind, place: Place::Rest, ..Entry::EMPTY };
        }
        self.core.stats.entries = self.core.stats.entries.wrapping_add(1);
        Ok(index)
    }

    /// An entry is nobody's any more, and stands in no list.
    fn remove(&mut self, index: u32) {
        let Some(&entry) = self.entries.get(index as usize) else { return };
        let bucket = self.core.bucket(entry.kind, entry.name(self.bytes), self.entries);
        let mut at = self.entries.get(bucket).map_or(NOWHERE, |entry| entry.bucket);
        if at == index
            && let Some(head) = self.entries.get_mut(bucket)
        {
            head.bucket = entry.chain;
        }
        while let Some(before) = self.entries.get_mut(at as usize) {
            if before.chain == index {
                before.chain = entry.chain;
                break;
            }
            at = before.chain;
        }
        self.core.names.remove(&entry, self.bytes);
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.place = Place::Free;
            entry.generation = entry.generation.wrapping_add(1);
            entry.work = Link::NONE;
            entry.chain = core::mem::replace(&mut self.core.free, index);
        }
        self.core.stats.entries = self.core.stats.entries.wrapping_sub(1);
    }
}

impl Core {
    /// The names of a command that is not over.
    fn command(&self, number: u32) -> Option<&List> {
        let mut commands = self.commands.iter();
        commands.find(|(other, names)| *other == number && !names.is_empty()).map(|(_, names)| names)
    }

    /// The list of a place, if it is one.
    fn list(&mut self, place: Place) -> Option<&mut List> {
        match place {
            Place::Free | Place::Rest => None,
            Place::Work => Some(&mut self.work),
            Place::Later => Some(&mut self.later),
            Place::Asked(command) => self.commands.get_mut(usize::from(command)).map(|(_, names)| names),
        }
    }
}
