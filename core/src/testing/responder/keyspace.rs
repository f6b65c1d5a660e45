//! The databases: keys, their expiry, and who watches them.
//!
//! A key whose time has come goes the moment anything looks at it, and every
//! change is reported with [`Keyspace::touch`], so that EXEC knows whose
//! watched keys are no longer what they were.

use super::ClientId;
use super::dict::Dict;
use super::fault::{Fault, WRONG_TYPE};
use super::value::{Kind, Value};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::mem;

/// All databases and the one that the command at hand works on.
pub(crate) struct Keyspace {
    /// The database selected, taken from its place in `parked`.
    db: Db,
    selected: usize,
    parked: [Db; DATABASES],
    now: i64,
    /// Clients with a watched key that changed.
    disturbed: BTreeSet<ClientId>,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) expired: u64,
}

/// How many databases there are.
pub(crate) const DATABASES: usize = 16;

/// One database.
#[derive(Default)]
struct Db {
    keys: Dict<Entry>,
    watchers: BTreeMap<Box<[u8]>, Vec<ClientId>>,
    /// No key expires before this time, so that most lookups need not ask.
    quiet_until: Option<i64>,
}

#[derive(Clone)]
struct Entry {
    value: Value,
    expires: Option<i64>,
}

impl Db {
    /// How many keys have an expiry.
    fn expiring(&self) -> usize {
        let expiring = |(_, entry): &(&[u8], &Entry)| entry.expires.is_some();
        self.keys.iter().filter(expiring).count()
    }

    fn is_quiet(&self, now: i64) -> bool {
        self.quiet_until.is_none_or(|until| now <= until)
    }

    fn note_expiry(&mut self, at: Option<i64>) {
        if let Some(at) = at {
            self.quiet_until = Some(self.quiet_until.map_or(at, |until| until.min(at)));
        }
    }
}

impl Keyspace {
    pub(crate) fn new() -> Self {
        Self {
            db: Db::default(),
            selected: 0,
            parked: Default::default(),
            now: 0,
            disturbed: BTreeSet::new(),
            hits: 0,
            misses: 0,
            expired: 0,
        }
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// Chooses the database that the methods below work on.
    pub(crate) fn select(&mut self, index: usize) {
        if index != self.selected && index < DATABASES {
            self.exchange();
            self.selected = index;
            self.exchange();
        }
    }

    /// Swaps the selected database with what lies in its place.
    fn exchange(&mut self) {
        if let Some(place) = self.parked.get_mut(self.selected) {
            mem::swap(place, &mut self.db);
        }
    }

    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// How many keys every database has, and how many of them expire.
    pub(crate) fn census(&mut self) -> Vec<(usize, usize)> {
        let home = self.selected;
        let mut counts = Vec::new();
        for index in 0..DATABASES {
            self.select(index);
            self.expire_all();
            counts.push((self.db.keys.len(), self.db.expiring()));
        }
        self.select(home);
        counts
    }

    // Looking up

    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Value> {
        self.expire(key);
        let found = self.db.keys.get(key).map(|entry| &entry.value);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.expire(key);
        let entry = self.db.keys.get_mut(key)?;
        Some(&mut entry.value)
    }

    pub(crate) fn contains(&mut self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key` if it is of this kind; one of another is an error.
    pub(crate) fn read<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&K>, Fault> {
        match self.get(key) {
            Some(value) => K::of(value).map(Some).ok_or(WRONG_TYPE),
            None => Ok(None),
        }
    }

    /// [`Keyspace::read`], to change the value.
    pub(crate) fn write<K: Kind>(&mut self, key: &[u8]) -> Result<Option<&mut K>, Fault> {
        match self.get_mut(key) {
            Some(value) => K::of_mut(value).map(Some).ok_or(WRONG_TYPE),
            None => Ok(None),
        }
    }

    /// [`Keyspace::write`], with an empty value made for a missing key.
    pub(crate) fn write_or_new<K: Kind>(&mut self, key: &[u8]) -> Result<&mut K, Fault> {
        self.expire(key);
        if !self.db.keys.contains(key) {
            let value = K::default().into_value();
            self.db.keys.insert(key, Entry { value, expires: None });
        }
        let entry = self.db.keys.get_mut(key);
        entry.and_then(|entry| K::of_mut(&mut entry.value)).ok_or(WRONG_TYPE)
    }

    // Changing

    /// Sets `key`, and its expiry or that it has none.
    pub(crate) fn put(&mut self, key: &[u8], value: Value, expires: Option<i64>) {
        let db = &mut self.db;
        db.note_expiry(expires);
        db.keys.insert(key, Entry { value, expires });
        self.touch(key);
    }

    /// Sets `key`, keeping its expiry if it is there and has one.
    pub(crate) fn replace(&mut self, key: &[u8], value: Value) {
        match self.get_mut(key) {
            Some(place) => *place = value,
            None => return self.put(key, value, None),
        }
        self.touch(key);
    }

    /// Takes `key` out; true if it was there.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<(Value, Option<i64>)> {
        self.expire(key);
        let entry = self.db.keys.remove(key)?;
        self.touch(key);
        Some((entry.value, entry.expires))
    }

    /// After a change: reports it, and takes the key out if nothing is left.
    pub(crate) fn changed(&mut self, key: &[u8]) {
        let db = &mut self.db;
        if db.keys.get(key).is_some_and(|entry| entry.value.is_empty()) {
            db.keys.remove(key);
        }
        self.touch(key);
    }

    /// The expiry of a key: `None` if there is no such key.
    pub(crate) fn expiry(&mut self, key: &[u8]) -> Option<Option<i64>> {
        self.expire(key);
        self.db.keys.get(key).map(|entry| entry.expires)
    }

    pub(crate) fn set_expiry(&mut self, key: &[u8], expires: Option<i64>) {
        let db = &mut self.db;
        if let Some(entry) = db.keys.get_mut(key) {
            entry.expires = expires;
            db.note_expiry(expires);
            self.touch(key);
        }
    }

    /// Empties the selected database.
    pub(crate) fn flush(&mut self) {
        self.expire_all();
        let keys = mem::take(&mut self.db.keys);
        for (key, _) in keys.iter() {
            self.touch(key);
        }
        self.db.quiet_until = None;
    }

    // Listing

    pub(crate) fn len(&mut self) -> usize {
        self.expire_all();
        self.db.keys.len()
    }

    /// All keys and values, the oldest key first.
    pub(crate) fn in_order(&mut self) -> impl Iterator<Item = (&[u8], &Value)> {
        self.expire_all();
        let entries = self.db.keys.in_order().into_iter();
        entries.map(|(key, entry)| (key, &entry.value))
    }

    /// See [`Dict::scan`].
    pub(crate) fn scan(&mut self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], &Value)) -> u64 {
        self.expire_all();
        self.db.keys.scan(cursor, count, |key, entry| visit(key, &entry.value))
    }

    pub(crate) fn pick(&mut self, seed: u64) -> Option<&[u8]> {
        self.expire_all();
        self.db.keys.pick(seed)
    }

    // Expiring

    fn is_due(&self, expires: Option<i64>) -> bool {
        expires.is_some_and(|at| self.now > at)
    }

    /// Takes `key` out if its time has come.
    fn expire(&mut self, key: &[u8]) {
        if self.db.is_quiet(self.now) {
            return;
        }
        let due = self.db.keys.get(key).and_then(|entry| entry.expires);
        if self.is_due(due) {
            self.db.keys.remove(key);
            self.expired += 1;
            self.touch(key);
        }
    }

    /// Takes out everything whose time has come.
    fn expire_all(&mut self) {
        if self.db.is_quiet(self.now) {
            return;
        }
        let due: Vec<Box<[u8]>> = self
            .db
            .keys
            .iter()
            .filter(|(_, entry)| self.is_due(entry.expires))
            .map(|(key, _)| key.into())
            .collect();
        for key in due {
            self.expire(&key);
        }
        let left = self.db.keys.iter().filter_map(|(_, entry)| entry.expires);
        self.db.quiet_until = left.min();
    }

    // Watching

    /// Notes that `client` wants to know about changes of `key`.
    pub(crate) fn watch(&mut self, client: ClientId, key: &[u8]) {
        self.expire(key);
        let watchers = self.db.watchers.entry(key.into()).or_default();
        if !watchers.contains(&client) {
            watchers.push(client);
        }
    }

    /// Ends a watch on `key` in database `index`.
    pub(crate) fn unwatch(&mut self, client: ClientId, index: usize, key: &[u8]) {
        let home = self.selected;
        self.select(index);
        if let Some(watchers) = self.db.watchers.get_mut(key) {
            watchers.retain(|&watcher| watcher != client);
            if watchers.is_empty() {
                self.db.watchers.remove(key);
            }
        }
        self.disturbed.remove(&client);
        self.select(home);
    }

    /// Whether a key that `client` watches has changed. One that expired
    /// unseen has, too, so `watched` is looked at first.
    pub(crate) fn is_disturbed(&mut self, client: ClientId, watched: &[(usize, Box<[u8]>)]) -> bool {
        let home = self.selected;
        for (index, key) in watched {
            self.select(*index);
            self.expire(key);
        }
        self.select(home);
        self.disturbed.contains(&client)
    }

    /// Reports a change of `key`.
    pub(crate) fn touch(&mut self, key: &[u8]) {
        // Nearly always nobody watches anything.
        if !self.db.watchers.is_empty() {
            let watchers = self.db.watchers.get(key);
            self.disturbed.extend(watchers.into_iter().flatten());
        }
    }
}
