//! The sections of the configuration: plain structs, one field for each option.
//!
//! What each option means, its unit and its range stand in the [table](super::schema::ROWS).

use core::num::{NonZeroU16, NonZeroU32};

use super::{Address, Databases, Network, Password, Patience, Size, Topology};
use crate::command::Retry;
use crate::conn::Protocol;
use crate::time::Duration;

/// Where the server is, and of what sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Server<'a> {
    /// TCP, or a Unix socket.
    pub network: Network,
    /// Host and port, or the path of the socket.
    pub address: Address<'a>,
    /// One server, or a node of a cluster.
    pub topology: Topology,
}

/// Who we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Auth<'a> {
    /// The user; `None`: the server's default one.
    pub username: Option<&'a str>,
    /// The password.
    pub password: Password<'a>,
}

/// What each connection asks for in its handshake, and how it is looked after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Session<'a> {
    /// The version to speak.
    pub protocol: Protocol,
    /// Whether RESP2 will do for a server that does not know RESP3.
    pub protocol_fallback: bool,
    /// A name for `CLIENT LIST`.
    pub client_name: Option<&'a str>,
    /// How often a connection that is idle is asked whether it lives; `None`: never.
    pub health_check_interval: Option<Duration>,
    /// How many requests there may be between two proofs that answers are in step; `None`: no proofs. See
    /// [`conn::Config::verify_every`](crate::conn::Config::verify_every).
    pub verify_every: Option<NonZeroU32>,
}

/// How long things may take. Read the fields by the methods, which know what `Auto` means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timeouts {
    /// For dialling, reading and writing, where these say nothing else; `None`: for ever.
    pub timeout: Option<Duration>,
    /// For dialling one address, and again for the handshake.
    pub dial: Patience,
    /// For an answer.
    pub read: Patience,
    /// For the server to take bytes.
    pub write: Patience,
    /// For a whole operation with its retries, around all of these; `None`: as long as they take.
    pub operation: Option<Duration>,
    /// For the answer to a command that blocks, on top of what its own arguments say.
    pub blocking: Patience,
    /// For the answer to a command that inspects or changes the server.
    pub admin: Patience,
    /// For the answers to one batch.
    pub bulk: Patience,
    /// For an answer that nobody waits for any more, before its connection is given up.
    pub grace: Duration,
}

/// What sort of operation waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Operation {
    /// Any that is none of the others.
    Plain,
    /// A command that blocks by its own arguments: the time is on top of theirs.
    Blocking,
    /// A command that inspects or changes the server.
    Admin,
    /// A batch.
    Bulk,
}

impl Timeouts {
    /// For dialling; `None`: for ever, as with the others.
    pub const fn dial(&self) -> Option<Duration> {
        self.dial.or(self.timeout)
    }

    /// For an answer.
    pub const fn read(&self) -> Option<Duration> {
        self.read.or(self.timeout)
    }

    /// For the server to take bytes.
    pub const fn write(&self) -> Option<Duration> {
        self.write.or(self.timeout)
    }

    /// For the answer to an operation of this sort.
    pub const fn answer(&self, operation: Operation) -> Option<Duration> {
        let special = match operation {
            Operation::Plain => Patience::Auto,
            Operation::Blocking => self.blocking,
            Operation::Admin => self.admin,
            Operation::Bulk => self.bulk,
        };
        special.or(self.read())
    }
}

/// Where keys go, and how they are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Keys<'a> {
    /// The databases that keys are spread over.
    pub databases: Databases,
    /// What stands in front of every key.
    pub prefix: &'a str,
    /// Whether keys are stored as their hashes.
    pub hash: bool,
    /// Whether spaces around a key are taken away.
    pub trim: bool,
    /// Whether several colons in a row become one.
    pub collapse: bool,
    /// Whether keys become lower case.
    pub lowercase: bool,
    /// Bytes of the longest key.
    pub max_len: u32,
}

/// What is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Retries {
    /// How often after the first time.
    pub attempts: u16,
    /// The longest wait before the first of them; doubled for each that follows.
    pub delay: Duration,
    /// The longest wait before any of them.
    pub max_backoff: Duration,
    /// How much of the load they may be, in percent of first attempts.
    pub budget: u8,
    /// How many of them a second there may be whatever the load is.
    pub reserve: u16,
    /// What may be sent again though nobody knows whether it was executed.
    pub ceiling: Retry,
}

/// When a server that fails is left alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Breaker {
    /// Whether it ever is.
    pub status: bool,
    /// How many of the requests must fail, in percent.
    pub ratio: u8,
    /// How many requests there must be before the ratio says anything.
    pub minimum: u32,
    /// Over how long they are counted.
    pub window: Duration,
    /// How long nothing is sent then.
    pub open: Duration,
    /// How many requests are let through after that, to see.
    pub probes: u8,
}

/// How many connections there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pool {
    /// Whether connections are kept; without, each operation has one of its own.
    pub status: bool,
    /// The most that there are.
    pub size: Size,
    /// How many are kept idle, at least.
    pub min_idle: u16,
    /// How many are kept idle, at most; `None`: as many as there are.
    pub max_idle: Option<NonZeroU16>,
    /// How many may be in use before requests are refused without waiting; `None`: any.
    pub max_active: Option<NonZeroU16>,
    /// How old a connection becomes; `None`: any age.
    pub max_lifetime: Option<Duration>,
    /// How much of that is chance, in percent, so that they do not all end at once.
    pub lifetime_jitter: u8,
    /// How long one is idle before it is closed; `None`: any time.
    pub max_idle_time: Option<Duration>,
    /// How long a request may wait for one. `Auto`: see [`Config::wait_timeout`](super::Config::wait_timeout).
    pub wait_timeout: Patience,
    /// Whether the one that has been idle longest is used next, and not the one used last.
    pub fifo: bool,
    /// How many are dialled at a time; `None`: as many as are wanted.
    pub max_dials: Option<NonZeroU16>,
    /// After how many failed dials in a row requests are refused at once.
    pub fail_after: u16,
}

/// How items are sent in batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bulk {
    /// Whether they are; without, each item is sent at once.
    pub status: bool,
    /// Items of a full batch.
    pub batch_size: u32,
    /// Bytes of a full batch.
    pub batch_bytes: u32,
    /// How long an item waits for a batch to be full; `None`: until it is, or is flushed.
    pub flush_interval: Option<Duration>,
    /// How often a batch is tried again.
    pub max_retries: u8,
    /// Whether a batch may be sent while another one waits for answers.
    pub concurrent_flush: bool,
    /// How many may wait then.
    pub max_in_flight: u8,
}

/// Memory of each connection, where it is not fixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Buffers {
    /// Bytes that are read at a time.
    pub read: u32,
    /// Bytes that are written at a time.
    pub write: u32,
}

/// TLS. A frontend that was built without it must refuse a configuration that asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tls<'a> {
    /// Whether it is used.
    pub status: bool,
    /// A file of certificates to trust; `None`: those of the system.
    pub ca: Option<&'a str>,
    /// A file with our certificate.
    pub cert: Option<&'a str>,
    /// A file with its key.
    pub key: Option<&'a str>,
    /// The name that the server must prove; `None`: the host's.
    pub server_name: Option<&'a str>,
}

/// The store of large values in chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Store<'a> {
    /// What the names of its keys start with.
    pub key_prefix: &'a str,
    /// How long values live; `None`: for ever.
    pub expiration: Option<Duration>,
    /// Bytes of a chunk.
    pub chunk_size: u32,
}

/// The cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Cache {
    /// How long a value lives that is stored without a time of its own; `None`: for ever.
    pub ttl: Option<Duration>,
}
