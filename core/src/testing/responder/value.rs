//! The five kinds of value, and what OBJECT ENCODING calls their form.
//!
//! Every kind has one representation here. The encoding is only a name, kept
//! by the rules of 7.0 with its default limits: a value that once outgrew the
//! compact form keeps the name of the large one.

use super::dict::Dict;
use super::number;
use alloc::boxed::Box;
use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// What a key holds.
#[derive(Clone)]
pub(crate) enum Value {
    Text(Text),
    List(List),
    Set(Set),
    Zset(Zset),
    Hash(Hash),
}

/// One of the five kinds, so that a lookup can ask for it.
pub(crate) trait Kind: Default {
    fn of(value: &Value) -> Option<&Self>;
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;
}

macro_rules! kind {
    ($kind:ident) => {
        impl Kind for $kind {
            fn of(value: &Value) -> Option<&Self> {
                match value {
                    Value::$kind(it) => Some(it),
                    _ => None,
                }
            }

            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                match value {
                    Value::$kind(it) => Some(it),
                    _ => None,
                }
            }

            fn into_value(self) -> Value {
                Value::$kind(self)
            }
        }
    };
}

kind!(Text);
kind!(List);
kind!(Set);
kind!(Zset);
kind!(Hash);

/// The most fields of a hash and members of a sorted set, and the longest of
/// both, that are kept in a listpack.
const COMPACT_FIELDS: usize = 512;
const COMPACT_MEMBERS: usize = 128;
const COMPACT_LENGTH: usize = 64;
/// The most members of an intset.
const INTSET_ENTRIES: usize = 512;
/// The longest string that is embedded in its object.
const EMBEDDED_LENGTH: usize = 44;

impl Value {
    /// What TYPE says.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Zset(_) => "zset",
            Self::Hash(_) => "hash",
        }
    }

    /// What OBJECT ENCODING says.
    pub(crate) fn encoding(&self) -> &'static str {
        match self {
            Self::Text(text) => text.encoding,
            Self::List(_) => "quicklist",
            Self::Set(set) if set.integers => "intset",
            Self::Set(_) => "hashtable",
            Self::Zset(zset) if zset.large => "skiplist",
            Self::Hash(hash) if hash.large => "hashtable",
            Self::Zset(_) | Self::Hash(_) => "listpack",
        }
    }

    /// Whether nothing is left in it, so that its key has to go.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::List(list) => list.items.is_empty(),
            Self::Set(set) => set.members.is_empty(),
            Self::Zset(zset) => zset.scores.is_empty(),
            Self::Hash(hash) => hash.fields.is_empty(),
        }
    }
}

/// A string.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    encoding: &'static str,
}

impl Default for Text {
    fn default() -> Self {
        Self::grown(Vec::new())
    }
}

impl Text {
    /// A string as SET stores it: as an integer if it is one.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        // The first byte rules most strings out before any parsing.
        let digit = matches!(bytes, [b'-' | b'0'..=b'9', ..]);
        let encoding = if digit && bytes.len() <= 20 && number::integer(bytes).is_some() {
            "int"
        } else {
            encoding_of(bytes.len())
        };
        Self { bytes: bytes.to_vec(), encoding }
    }

    /// A string that is text even if it looks like an integer.
    pub(crate) fn plain(bytes: Vec<u8>) -> Self {
        Self { encoding: encoding_of(bytes.len()), bytes }
    }

    /// A string that was changed in place.
    pub(crate) fn grown(bytes: Vec<u8>) -> Self {
        Self { bytes, encoding: "raw" }
    }

    /// Changes the bytes in place.
    pub(crate) fn edit(&mut self) -> &mut Vec<u8> {
        self.encoding = "raw";
        &mut self.bytes
    }
}

fn encoding_of(len: usize) -> &'static str {
    if len <= EMBEDDED_LENGTH { "embstr" } else { "raw" }
}

/// A list.
#[derive(Clone, Default)]
pub(crate) struct List {
    pub(crate) items: VecDeque<Box<[u8]>>,
}

/// A hash.
#[derive(Clone, Default)]
pub(crate) struct Hash {
    fields: Dict<Box<[u8]>>,
    large: bool,
}

impl Hash {
    pub(crate) fn fields(&self) -> &Dict<Box<[u8]>> {
        &self.fields
    }

    /// Whether it is in the compact form, which a scan shows all at once.
    pub(crate) fn is_compact(&self) -> bool {
        !self.large
    }

    pub(crate) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.fields.get(field).map(|value| &**value)
    }

    /// Sets a field; true if it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        let new = self.fields.insert(field, value.into()).is_none();
        self.large |= self.fields.len() > COMPACT_FIELDS
            || field.len() > COMPACT_LENGTH
            || value.len() > COMPACT_LENGTH;
        new
    }

    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        self.fields.remove(field).is_some()
    }
}

/// A set.
#[derive(Clone)]
pub(crate) struct Set {
    members: Dict<()>,
    /// Whether it holds, and always held, few members and only integers.
    integers: bool,
}

impl Default for Set {
    fn default() -> Self {
        Self { members: Dict::default(), integers: true }
    }
}

impl Set {
    pub(crate) fn members(&self) -> &Dict<()> {
        &self.members
    }

    /// Whether it is in the compact form, which a scan shows all at once.
    pub(crate) fn is_compact(&self) -> bool {
        self.integers
    }

    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Adds a member; true if it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        let new = self.members.insert(member, ()).is_none();
        if self.integers {
            self.integers = self.members.len() <= INTSET_ENTRIES && number::integer(member).is_some();
        }
        new
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        self.members.remove(member).is_some()
    }

    /// All members: integers by size, which is how an intset lies, anything
    /// else in the order it came.
    pub(crate) fn in_order(&self) -> Vec<&[u8]> {
        let mut members: Vec<&[u8]> = self.members.in_order().into_iter().map(first).collect();
        if self.integers {
            members.sort_by_key(|member| number::integer(member));
        }
        members
    }
}

fn first<'a>((key, ()): (&'a [u8], &())) -> &'a [u8] {
    key
}

/// A sorted set.
#[derive(Clone, Default)]
pub(crate) struct Zset {
    scores: Dict<f64>,
    order: BTreeSet<Ranked>,
    large: bool,
}

/// A member at its place.
#[derive(Clone)]
pub(crate) struct Ranked {
    pub(crate) score: f64,
    pub(crate) member: Box<[u8]>,
}

impl Zset {
    pub(crate) fn scores(&self) -> &Dict<f64> {
        &self.scores
    }

    /// All members, the lowest score first.
    pub(crate) fn order(&self) -> &BTreeSet<Ranked> {
        &self.order
    }

    /// Whether it is in the compact form, which a scan shows all at once.
    pub(crate) fn is_compact(&self) -> bool {
        !self.large
    }

    pub(crate) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).copied()
    }

    /// Sets the score of a member, new or not.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) {
        // A listpack has whole scores as integers, and no negative zero.
        let score = if score == 0.0 && !self.large { 0.0 } else { score };
        if let Some(old) = self.scores.insert(member, score) {
            self.order.remove(&Ranked::new(member, old));
        }
        self.order.insert(Ranked::new(member, score));
        self.large |= self.scores.len() > COMPACT_MEMBERS || member.len() > COMPACT_LENGTH;
    }

    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.scores.remove(member) else {
            return false;
        };
        self.order.remove(&Ranked::new(member, score))
    }

    /// Takes out the member with the lowest or the highest score.
    pub(crate) fn pop(&mut self, highest: bool) -> Option<Ranked> {
        let ranked = if highest { self.order.pop_last() } else { self.order.pop_first() }?;
        self.scores.remove(&ranked.member);
        Some(ranked)
    }
}

impl Ranked {
    fn new(member: &[u8], score: f64) -> Self {
        Self { score, member: member.into() }
    }
}

// By score, then by member. No score is a NaN: the parser refuses them and
// so does ZINCRBY, hence the order is total.
impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score
            .partial_cmp(&other.score)
            .unwrap_or(Ordering::Equal)
            .then_with(|| self.member.cmp(&other.member))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}
