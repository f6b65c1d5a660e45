//! Why a key, a request or a policy is refused. Nothing was sent in any case.

use core::fmt;

use super::Databases;

/// Why a request cannot be sent under the policy. Nothing of it was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum KeyError {
    /// A key is empty, or nothing is left of it once white space is gone.
    Empty,
    /// A key has more bytes than the policy allows.
    TooLong {
        /// How many it may have.
        limit: usize,
    },
    /// The caller's memory is too small for a key as it is sent.
    NoRoom {
        /// How many bytes it takes, the largest key of the request for instance.
        needed: usize,
    },
    /// The keys belong to several databases, and this request cannot be divided. Give them the same hash tag.
    CrossShard {
        /// How many keys the request has.
        keys: usize,
    },
    /// Keys are hashed: a pattern cannot find them. Keep a set of the keys that belong together.
    HashedKeys,
    /// A key comes later in pieces: it must be known at once.
    Later,
    /// Nobody knows which arguments of this command are keys. Mark them ([`raw`](crate::command::raw)`(…).key(…)`).
    UnknownCommand,
    /// The request names a database itself, and the policy has several.
    Database,
    /// A `SCAN` goes on from a cursor that it never returned.
    Cursor,
    /// `SORT … BY` and `GET` replace the first `*`, and the policy's prefix has one.
    Prefix,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the key is empty"),
            Self::TooLong { limit } => write!(f, "the key is longer than {limit} bytes"),
            Self::NoRoom { needed } => {
                write!(f, "the key takes {needed} bytes, and there is no room for them")
            }
            Self::CrossShard { keys } => {
                write!(
                    f,
                    "the {keys} keys are in several databases; the same hash tag {{…}} keeps them together"
                )
            }
            Self::HashedKeys => f.write_str(
                "keys are hashed: a pattern finds none; keep a set of the keys that belong together",
            ),
            Self::Later => f.write_str("a key cannot be supplied later"),
            Self::UnknownCommand => {
                f.write_str("which arguments of this command are keys is not known; mark them")
            }
            Self::Database => f.write_str("the request names a database, and keys are spread over several"),
            Self::Cursor => f.write_str("the cursor is none that SCAN returned"),
            Self::Prefix => f.write_str("the key prefix has a * that SORT would replace"),
        }
    }
}

impl core::error::Error for KeyError {}

/// Why a key of an answer cannot be given back as the program knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UnmapError {
    /// Keys are hashed: nobody can tell what it was.
    HashedKeys,
    /// It lacks the prefix: it belongs to someone else.
    Foreign,
    /// The caller's memory is too small.
    NoRoom,
    /// The answer is not what this command answers, or its cursor is larger than any that a server has.
    Unexpected,
}

impl fmt::Display for UnmapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HashedKeys => "keys are hashed: what this one was cannot be told",
            Self::Foreign => "the key lacks the prefix: it is someone else's",
            Self::NoRoom => "there is no room for the answer without its prefixes",
            Self::Unexpected => "the answer is not what this command answers",
        })
    }
}

impl core::error::Error for UnmapError {}

/// Why there is no such policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PolicyError {
    /// The prefix has a `{`, and no hash tag of its own: it would make one out of half a key.
    Prefix,
    /// A cluster has database 0 and no other.
    Cluster,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prefix => "key_prefix has a { without a hash tag of its own",
            Self::Cluster => "db must be 0 with a cluster: either db or cluster is to be changed",
        })
    }
}

impl core::error::Error for PolicyError {}

/// Why a text is no list of databases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DatabasesError {
    /// Something is not a number.
    NotANumber,
    /// A range ends before it starts.
    Reversed,
    /// A database is listed twice.
    Twice,
    /// More than [`Databases::MAX`], or more than [`Databases::MAX_RANGES`] numbers and ranges.
    TooMany,
}

impl fmt::Display for DatabasesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("databases are numbers: 3, 0-5 or 0,2,8-10"),
            Self::Reversed => f.write_str("a range of databases ends before it starts"),
            Self::Twice => f.write_str("a database is listed twice"),
            Self::TooMany => {
                write!(
                    f,
                    "more than {} databases, or {} ranges of them",
                    Databases::MAX,
                    Databases::MAX_RANGES
                )
            }
        }
    }
}

impl core::error::Error for DatabasesError {}
