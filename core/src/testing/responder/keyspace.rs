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

/// All databases and the one that the command at hand works on.
pub(crate) struct Keyspace {
    dbs: [Db; DATABASES],
    selected: usize,
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
pub(crate) struct Db {
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
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many keys have an expiry.
    pub(crate) fn expiring(&self) -> usize {
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
            dbs: Default::default(),
            selected: 0,
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
        self.selected = index;
    }

    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Every database, with nothing in it that has expired.
    pub(crate) fn dbs(&mut self) -> &[Db] {
        for index in 0..DATABASES {
            self.expire_all(index);
        }
        &self.dbs
    }

    fn db(&self) -> &Db {
        &self.dbs[self.selected % DATABASES]
    }

    fn db_mut(&mut self) -> &mut Db {
        &mut self.dbs[self.selected % DATABASES]
    }

    // Looking up

    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Value> {
        self.expire(key);
        let db = &self.dbs[self.selected % DATABASES];
        let found = db.keys.get(key).map(|entry| &entry.value);
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(crate) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.expire(key);
        let entry = self.db_mut().keys.get_mut(key)?;
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
        let entry = self.db_mut().keys.get_or_insert_with(key, || Entry {
            value: K::default().into_value(),
            expires: None,
        });
        K::of_mut(&mut entry.value).ok_or(WRONG_TYPE)
    }

    // Changing

    /// Sets `key`, and its expiry or that it has none.
    pub(crate) fn put(&mut self, key: &[u8], value: Value, expires: Option<i64>) {
        let db = self.db_mut();
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
        let entry = self.db_mut().keys.remove(key)?;
        self.touch(key);
        Some((entry.value, entry.expires))
    }

    /// After a change: reports it, and takes the key out if nothing is left.
    pub(crate) fn changed(&mut self, key: &[u8]) {
        let db = self.db_mut();
        if db.keys.get(key).is_some_and(|entry| entry.value.is_empty()) {
            db.keys.remove(key);
        }
        self.touch(key);
    }

    /// The expiry of a key: `None` if there is no such key.
    pub(crate) fn expiry(&mut self, key: &[u8]) -> Option<Option<i64>> {
        self.expire(key);
        self.db().keys.get(key).map(|entry| entry.expires)
    }

    pub(crate) fn set_expiry(&mut self, key: &[u8], expires: Option<i64>) {
        let db = self.db_mut();
        if let Some(entry) = db.keys.get_mut(key) {
            entry.expires = expires;
            db.note_expiry(expires);
            self.touch(key);
        }
    }

    /// Empties the selected database.
    pub(crate) fn flush(&mut self) {
        self.expire_all(self.selected);
        let keys = core::mem::take(&mut self.db_mut().keys);
        for (key, _) in keys.iter() {
            self.touch(key);
        }
        self.db_mut().quiet_until = None;
    }

    // Listing

    pub(crate) fn len(&mut self) -> usize {
        self.expire_all(self.selected);
        self.db().len()
    }

    /// All keys and values, the oldest key first.
    pub(crate) fn in_order(&mut self) -> impl Iterator<Item = (&[u8], &Value)> {
        self.expire_all(self.selected);
        let entries = self.db().keys.in_order().into_iter();
        entries.map(|(key, entry)| (key, &entry.value))
    }

    /// See [`Dict::scan`].
    pub(crate) fn scan(
        &mut self,
        cursor: u64,
        count: usize,
        mut visit: impl FnMut(&[u8], &Value),
    ) -> u64 {
        self.expire_all(self.selected);
        self.db()
            .keys
            .scan(cursor, count, |key, entry| visit(key, &entry.value))
    }

    pub(crate) fn pick(&mut self, seed: u64) -> Option<&[u8]> {
        self.expire_all(self.selected);
        self.db().keys.pick(seed)
    }

    // Expiring

    fn is_due(&self, expires: Option<i64>) -> bool {
        expires.is_some_and(|at| self.now > at)
    }

    /// Takes `key` out if its time has come.
    fn expire(&mut self, key: &[u8]) {
        if self.db().is_quiet(self.now) {
            return;
        }
        let due = self.db().keys.get(key).and_then(|entry| entry.expires);
        if self.is_due(due) {
            self.db_mut().keys.remove(key);
            self.expired += 1;
            self.touch(key);
        }
    }

    /// Takes out of database `index` what has expired.
    fn expire_all(&mut self, index: usize) {
        let before = core::mem::replace(&mut self.selected, index);
        if !self.db().is_quiet(self.now) {
            let entries = self.db().keys.iter();
            let due: Vec<Box<[u8]>> = entries
                .filter(|(_, entry)| self.is_due(entry.expires))
                .map(|(key, _)| key.into())
                .collect();
            for key in due {
                self.expire(&key);
            }
            let left = self.db().keys.iter().filter_map(|(_, entry)| entry.expires);
            let earliest = left.min();
            self.db_mut().quiet_until = earliest;
        }
        self.selected = before;
    }

    // Watching

    /// Notes that `client` wants to know about changes of `key`.
    pub(crate) fn watch(&mut self, client: ClientId, key: &[u8]) {
        self.expire(key);
        let watchers = self.db_mut().watchers.entry(key.into()).or_default();
        if !watchers.contains(&client) {
            watchers.push(client);
        }
    }

    /// Ends a watch on `key` in database `index`.
    pub(crate) fn unwatch(&mut self, client: ClientId, index: usize, key: &[u8]) {
        let db = &mut self.dbs[index % DATABASES];
        if let Some(watchers) = db.watchers.get_mut(key) {
            watchers.retain(|&watcher| watcher != client);
            if watchers.is_empty() {
                db.watchers.remove(key);
            }
        }
        self.disturbed.remove(&client);
    }

    /// Whether a key that `client` watches has changed. One that expired
    /// unseen has, too, so `watched` is looked at first.
    pub(crate) fn is_disturbed(
        &mut self,
        client: ClientId,
        watched: &[(usize, Box<[u8]>)],
    ) -> bool {
        let before = self.selected;
        for (index, key) in watched {
            self.selected = *index;
            self.expire(key);
        }
        self.selected = before;
        self.disturbed.contains(&client)
    }

    /// Reports a change of `key`.
    pub(crate) fn touch(&mut self, key: &[u8]) {
        let db = &self.dbs[self.selected % DATABASES];
        if !db.watchers.is_empty() {
            if let Some(watchers) = db.watchers.get(key) {
                self.disturbed.extend(watchers);
            }
        }
    }
}
