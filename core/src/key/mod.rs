//! From the key that a program says to the database it is in and the bytes that are sent, and back.
//!
//! A [`Policy`] is pure: no connection, no clock, no memory of its own. In this order it
//! - makes keys that mean the same the same ([`Normalise`]): ` a::b ` is `a:b`;
//! - chooses one of several [`Databases`];
//! - hashes ([`HashKey`]), if asked to: what is stored says nothing about what it is for, and is short;
//! - puts a prefix in front, in clear text, so that several programs share a server.
//!
//! ```
//! use respire_core::key::{Databases, HashKey, Policy};
//! let policy = Policy::MANAGED.with_prefix(b"shop:")?;
//! let mut scratch = [0; 64];
//! let wire = policy.map(b" user::1 ", &mut scratch)?;
//! assert_eq!(wire.key, b"shop:dc4b579138e6ab138c8c2563542b5afd");
//! assert_eq!(wire.shard, policy.map(b"user:1", &mut [0; 64])?.shard);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! A request is looked at by a [`Survey`]: it finds the keys, whether the request marks them or only
//! [the table](crate::command::Roles) knows, and says where the request goes, all before a byte is sent.
//! [`Keyed`] then is the request with its keys changed.
//!
//! Hash tags (`{…}`) stay readable in front of a hashed key, and alone decide the database: keys with the same tag are
//! always together, in a cluster's slots as in databases.

mod databases;
mod error;
mod hash;
mod keyed;
mod mapped;
mod normal;
mod policy;
mod slot;
mod survey;
mod unmap;

pub use databases::{Databases, Shard};
pub use error::{DatabasesError, KeyError, PolicyError, UnmapError};
pub use hash::{HashKey, SipHash128};
pub use keyed::Keyed;
pub use mapped::Mapped;
pub use normal::Normalise;
pub use policy::{Policy, Wire};
pub use slot::{SLOTS, slot, tag};
pub use survey::{Survey, Target};
