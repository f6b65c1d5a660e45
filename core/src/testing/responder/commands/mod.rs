//! The commands, one group per file, each with its part of the table.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod counter;
pub(crate) mod expire;
pub(crate) mod generic;
pub(crate) mod hash;
mod info;
pub(crate) mod list;
mod options;
pub(crate) mod pubsub;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod set;
pub(crate) mod string;
pub(crate) mod transaction;
pub(crate) mod zrange;
pub(crate) mod zset;
