//! The policy: one pure function from logical key to database and wire key.

use core::cell::Cell;

use super::hash::hex;
use super::normal::Normal;
use super::{Databases, HashKey, KeyError, Normalise, PolicyError, Shard, UnmapError, tag};
use crate::resp::copy;

/// How keys are made, stored and spread. A plain value; the prefix is the caller's.
///
/// It changes nothing but keys, and the same key always in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy<'p> {
    prefix: &'p [u8],
    normalise: Normalise,
    hash: Option<HashKey>,
    databases: Databases,
}

/// Where a key is, and what it is called there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wire<'a> {
    /// The database.
    pub shard: Shard,
    /// The key as it is sent.
    pub key: &'a [u8],
}

/// How many bytes a hash takes in a key.
const HEX: usize = 32;

impl<'p> Policy<'p> {
    /// Keys as they are, in database 0.
    pub const PLAIN: Self =
        Self { prefix: b"", normalise: Normalise::NONE, hash: None, databases: Databases::one(0) };

    /// Keys are normalised, hashed with [`HashKey::PUBLIC`] and spread over the databases 0 to 5.
    pub const MANAGED: Self = Self {
        prefix: b"",
        normalise: Normalise {
            trim: true,
            collapse: true,
            lowercase: false,
            reject_empty: true,
            max_len: 1024,
        },
        hash: Some(HashKey::PUBLIC),
        databases: Databases::range(0, 6),
    };

    /// The same with this prefix in front of every key, in clear text.
    ///
    /// Fails if the prefix has a `{` and no whole hash tag: braces in a key would mean something else than they say.
    pub fn with_prefix(self, prefix: &'p [u8]) -> Result<Self, PolicyError> {
        if prefix.contains(&b'{') && tag(prefix).is_none() {
            return Err(PolicyError::Prefix);
        }
        Ok(Self { prefix, ..self })
    }

    /// The same with other rules for what a key may be.
    #[must_use]
    pub const fn with_normalise(self, normalise: Normalise) -> Self {
        Self { normalise, ..self }
    }

    /// The same with keys hashed, or not.
    #[must_use]
    pub const fn with_hash(self, hash: Option<HashKey>) -> Self {
        Self { hash, ..self }
    }

    /// The same over other databases.
    #[must_use]
    pub const fn with_databases(self, databases: Databases) -> Self {
        Self { databases, ..self }
    }

    /// The prefix.
    pub const fn prefix(&self) -> &'p [u8] {
        self.prefix
    }

    /// The databases.
    pub const fn databases(&self) -> &Databases {
        &self.databases
    }

    /// Whether keys are hashed.
    pub const fn is_hashed(&self) -> bool {
        self.hash.is_some()
    }

    /// Fails unless it can be used with a cluster, which has database 0 alone.
    pub fn check_cluster(&self) -> Result<(), PolicyError> {
        if self.databases == Databases::one(0) { Ok(()) } else { Err(PolicyError::Cluster) }
    }

    /// How many bytes of memory every key takes that this policy allows, at most; `usize::MAX` if it sets no limit.
    /// What [`map`](Self::map) is lent need not be larger.
    pub const fn room(&self) -> usize {
        let longest = self.normalise.max_len;
        let behind = match self.hash {
            Some(_) => longest.saturating_add(HEX),
            None => longest,
        };
        self.prefix.len().saturating_add(behind)
    }

    /// Where this key is, and what it is called there. `scratch` is memory for its bytes.
    ///
    /// A key is `prefix`, its hash tag in braces if it has one and is hashed, and the hash in 32 hex digits or the
    /// key itself. The database is the *n*-th, where *n* is the hash of the tag, or of the key without one, modulo how
    /// many there are: its low 32 bits, with [`HashKey::PUBLIC`] if keys are not hashed.
    pub fn map<'a>(&self, key: &'a [u8], scratch: &'a mut [u8]) -> Result<Wire<'a>, KeyError> {
        let normal = self.normalise.look(key)?;
        if let (Some(hash), Some(key), false) = (self.hash, normal.plain(), normal.may_have_tag()) {
            // The usual way: one hash for both.
            let hash = hash.hash(key);
            let shard = if self.databases.count() > 1 { self.shard_by(hash) } else { self.databases.first() };
            return Ok(Wire { shard, key: self.write_hash(hash, scratch)? });
        }
        let shard = self.shard_of(normal);
        Ok(Wire { shard, key: self.write(normal, scratch)? })
    }

    /// The database of this key alone; it takes no memory.
    pub fn shard(&self, key: &[u8]) -> Result<Shard, KeyError> {
        self.normalise.look(key).map(|normal| self.shard_of(normal))
    }

    /// The key as it is sent alone.
    pub(super) fn wire<'a>(&self, key: &'a [u8], scratch: &'a mut [u8]) -> Result<&'a [u8], KeyError> {
        self.write(self.normalise.look(key)?, scratch)
    }

    /// The key without its prefix, as it was before [`map`](Self::map) but for what was normalised.
    pub fn strip<'k>(&self, wire: &'k [u8]) -> Result<&'k [u8], UnmapError> {
        let key = wire.strip_prefix(self.prefix).ok_or(UnmapError::Foreign)?;
        if self.is_hashed() { Err(UnmapError::HashedKeys) } else { Ok(key) }
    }

    /// The database, and how much room [`write`](Self::write) needs.
    #[inline]
    pub(super) fn look(&self, key: &[u8]) -> Result<(Shard, usize), KeyError> {
        let normal = self.normalise.look(key)?;
        Ok((self.shard_of(normal), self.needs(normal)))
    }

    fn shard_of(&self, normal: Normal<'_>) -> Shard {
        let databases = &self.databases;
        if databases.count() <= 1 {
            return databases.first();
        }
        self.shard_by(match normal.plain() {
            Some(key) if normal.may_have_tag() => self.hasher().hash(tag(key).unwrap_or(key)),
            Some(key) => self.hasher().hash(key),
            None => self.digest(normal),
        })
    }

    fn shard_by(&self, hash: [u8; 16]) -> Shard {
        let [a, b, c, d, ..] = hash;
        // Small processors divide 32 bits, and only these.
        let ordinal = u32::from_le_bytes([a, b, c, d]).checked_rem(self.databases.count().into());
        ordinal.and_then(|ordinal| self.databases.shard(ordinal as u8)).unwrap_or_default()
    }

    /// What hashes, also when it is only for the database.
    fn hasher(&self) -> HashKey {
        self.hash.unwrap_or(HashKey::PUBLIC)
    }

    /// The hash that decides the database of a key that still has something to be done.
    #[cold]
    #[inline(never)]
    fn digest(&self, normal: Normal<'_>) -> [u8; 16] {
        let mut hash = super::SipHash128::new(self.hasher());
        bytes_of_tag(normal).for_each(|byte| hash.write(&[byte]));
        hash.finish()
    }

    /// How much room the key takes while it is made; none if it is sent as it is.
    fn needs(&self, normal: Normal<'_>) -> usize {
        if self.is_as_it_is(normal) {
            return 0;
        }
        let behind = match (self.hash, normal.plain()) {
            (None, _) => normal.len(),
            (Some(_), Some(_)) if !normal.may_have_tag() => HEX,
            (Some(_), Some(key)) => tagged(key).len().saturating_add(HEX),
            // The key stands there until it is hashed.
            (Some(_), None) => normal.len().saturating_add(HEX),
        };
        self.prefix.len().saturating_add(behind)
    }

    fn is_as_it_is(&self, normal: Normal<'_>) -> bool {
        self.hash.is_none() && self.prefix.is_empty() && normal.plain().is_some()
    }

    /// Prefix and hash alone.
    fn write_hash<'a>(&self, hash: [u8; 16], scratch: &'a mut [u8]) -> Result<&'a [u8], KeyError> {
        let needed = self.prefix.len().saturating_add(HEX);
        let room = scratch.get_mut(..needed).ok_or(KeyError::NoRoom { needed })?;
        copy(copy(room, self.prefix), &hex(hash));
        Ok(room)
    }

    fn write<'a>(&self, normal: Normal<'a>, scratch: &'a mut [u8]) -> Result<&'a [u8], KeyError> {
        if let (Some(hash), Some(key), false) = (self.hash, normal.plain(), normal.may_have_tag()) {
            return self.write_hash(hash.hash(key), scratch);
        }
        if let Some(key) = normal.plain()
            && self.is_as_it_is(normal)
        {
            return Ok(key);
        }
        let needed = self.needs(normal);
        let room = scratch.get_mut(..needed).ok_or(KeyError::NoRoom { needed })?;
        let behind = copy(room, self.prefix);
        let behind = match (normal.plain(), self.hash) {
            (Some(key), None) => copy(behind, key).len(),
            (Some(key), Some(hash)) => {
                let behind = copy(behind, tagged(key));
                copy(behind, &hex(hash.hash(key))).len()
            }
            (None, hash) => {
                behind.iter_mut().zip(normal.bytes()).for_each(|(to, byte)| *to = byte);
                match hash {
                    None => 0,
                    Some(hash) => self.write_over(hash, normal.len(), behind),
                }
            }
        };
        let len = needed.saturating_sub(behind);
        Ok(scratch.get(..len).unwrap_or_default())
    }

    /// Puts tag and hash where the key stands, of which `len` bytes are there; how much is left.
    #[cold]
    fn write_over(&self, hash: HashKey, len: usize, room: &mut [u8]) -> usize {
        let key = room.get(..len).unwrap_or_default();
        let digest = hash.hash(key);
        let tag = tagged(key).len();
        let from = if tag == 0 { 0 } else { key.iter().position(|&byte| byte == b'{').unwrap_or_default() };
        let cells = Cell::from_mut(&mut *room).as_slice_of_cells();
        let source = cells.iter().skip(from).take(tag);
        source.zip(cells).for_each(|(from, to)| to.set(from.get()));
        copy(room.get_mut(tag..).unwrap_or_default(), &hex(digest)).len()
    }
}

/// The hash tag with its braces; nothing if there is none.
fn tagged(key: &[u8]) -> &[u8] {
    let Some(tag) = tag(key) else { return &[] };
    let behind = key.iter().position(|&byte| byte == b'{').and_then(|at| key.get(at..));
    behind.and_then(|behind| behind.get(..tag.len().saturating_add(2))).unwrap_or_default()
}

/// The bytes of the hash tag of a key that still has something to be done; all of them without one.
fn bytes_of_tag(normal: Normal<'_>) -> impl Iterator<Item = u8> {
    let open = normal.bytes().position(|byte| byte == b'{').map(|at| at.saturating_add(1));
    let len = open.and_then(|open| normal.bytes().skip(open).position(|byte| byte == b'}'));
    let (from, len) = match (open, len) {
        (Some(open), Some(len)) if len > 0 => (open, len),
        _ => (0, usize::MAX),
    };
    normal.bytes().skip(from).take(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn map(policy: &Policy<'_>, key: &str) -> (u32, String) {
        let mut scratch = [b'-'; 100];
        let wire = policy.map(key.as_bytes(), &mut scratch).unwrap();
        assert_eq!(policy.shard(key.as_bytes()), Ok(wire.shard));
        (wire.shard.database, String::from_utf8(wire.key.into()).unwrap())
    }

    /// S0-OPT-07: the wire key is frozen.
    #[test]
    fn wire_keys_are_frozen() {
        let hashed = Policy::MANAGED.with_databases(Databases::one(3)).with_prefix(b"p:").unwrap();
        for (key, wire) in [
            ("user:1", "p:dc4b579138e6ab138c8c2563542b5afd"),
            (" user::1", "p:dc4b579138e6ab138c8c2563542b5afd"),
            ("{42}:name", "p:{42}3f1baffe7ff282691172cc8d0e26a2a8"),
            (" {42}::name", "p:{42}3f1baffe7ff282691172cc8d0e26a2a8"),
        ] {
            assert_eq!(map(&hashed, key), (3, wire.into()), "{key}");
        }
        let clear = hashed.with_hash(None);
        assert_eq!(map(&clear, " user::1"), (3, "p:user:1".into()));
        assert_eq!(map(&clear, "x{42}y"), (3, "p:x{42}y".into()));
        assert_eq!(map(&Policy::PLAIN, " user::1"), (0, " user::1".into()));
        assert_eq!(map(&Policy::PLAIN, ""), (0, String::new()));
    }

    /// S0-OPT-04: the database is frozen, too.
    #[test]
    fn databases_are_frozen() {
        for policy in [Policy::MANAGED, Policy::MANAGED.with_hash(None)] {
            for (key, database) in [
                ("user:1", 2),
                ("user:2", 1),
                ("user:3", 5),
                ("a:b", 4),
                ("{42}:name", 4),
                ("x{42}", 4),
                ("42", 4),
                ("{}", 0),
                ("session:0123456789abcdef", 4),
                (" user::1 ", 2),
                ("x::{42}::y", 4),
            ] {
                assert_eq!(map(&policy, key).0, database, "{key}");
            }
        }
        // A hash key of one's own decides otherwise.
        let mine = Policy::MANAGED.with_hash(Some(HashKey([7; 16])));
        let same = |n: u32| map(&mine, &std::format!("{n}")) == map(&Policy::MANAGED, &std::format!("{n}"));
        assert!((0..50).all(|n| !same(n)));
    }

    #[test]
    fn memory_is_asked_for_and_no_more_is_used() {
        let policy = Policy::MANAGED.with_prefix(b"p:").unwrap();
        for (key, needed) in [("k", 34), ("x{t}y", 37), (" a::b", 37), ("a::{t}", 39)] {
            for policy in [policy, policy.with_hash(None)] {
                let needed = if policy.is_hashed() { needed } else { map(&policy, key).1.len() };
                let mut scratch = [0; 64];
                let short = policy.map(key.as_bytes(), &mut scratch[..needed - 1]);
                assert_eq!(short, Err(KeyError::NoRoom { needed }), "{key}");
                assert!(policy.map(key.as_bytes(), &mut scratch[..needed]).is_ok(), "{key}");
                assert_eq!(scratch[needed..], [0; 64][needed..]);
                assert!(needed <= policy.room());
            }
        }
        assert_eq!(Policy::PLAIN.map(b"any", &mut []).map(|wire| wire.key), Ok(&b"any"[..]));
    }

    #[test]
    fn a_prefix_makes_no_hash_tag_of_a_key() {
        for (prefix, ok) in [
            ("", true),
            ("a", true),
            ("{a}", true),
            ("x{a}:", true),
            ("{", false),
            ("{}", false),
            ("a{b", false),
            ("}", true),
            ("}{", false),
        ] {
            let with = Policy::PLAIN.with_prefix(prefix.as_bytes());
            assert_eq!(with.is_ok(), ok, "{prefix}");
        }
    }

    /// a cluster has one database.
    #[test]
    fn a_cluster_has_database_0() {
        assert_eq!(Policy::PLAIN.check_cluster(), Ok(()));
        assert_eq!(Policy::MANAGED.check_cluster(), Err(PolicyError::Cluster));
        let nine = Policy::PLAIN.with_databases(Databases::one(9)).check_cluster();
        let text = std::format!("{}", nine.unwrap_err());
        assert!(text.contains("db") && text.contains("cluster"), "{text}");
    }

    /// S0-OPT-05, X-06: what comes back is stripped, or said to be someone else's, or hashed.
    #[test]
    fn strip() {
        let clear = Policy::MANAGED.with_hash(None).with_prefix(b"p:").unwrap();
        assert_eq!(clear.strip(b"p:a:b"), Ok(&b"a:b"[..]));
        assert_eq!(clear.strip(b"p:"), Ok(&b""[..]));
        assert_eq!(clear.strip(b"q:a"), Err(UnmapError::Foreign));
        assert_eq!(clear.strip(b""), Err(UnmapError::Foreign));
        let hashed = clear.with_hash(Some(HashKey::PUBLIC));
        assert_eq!(hashed.strip(b"p:a:b"), Err(UnmapError::HashedKeys));
        assert_eq!(hashed.strip(b"q:a:b"), Err(UnmapError::Foreign));
        assert_eq!(Policy::PLAIN.strip(b"any"), Ok(&b"any"[..]));
    }
}
