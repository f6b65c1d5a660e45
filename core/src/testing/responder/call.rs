//! What a command's handler gets to work with.

use super::ClientId;
use super::client::Client;
use super::config::Config;
use super::fault::{DB_RANGE, Fault, NOT_INT, NOT_INTEGER, NOT_POSITIVE};
use super::hub::Hub;
use super::keyspace::{DATABASES, Keyspace};
use super::number;
use super::request::Request;
use super::table::{Command, Table};
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

/// One run of one command.
pub(crate) struct Call<'a> {
    pub(crate) args: &'a Request,
    pub(crate) command: &'static Command,
    /// The client that asked.
    pub(crate) me: &'a mut Client,
    pub(crate) space: &'a mut Keyspace,
    pub(crate) shared: &'a mut Shared,
}

/// What commands share beside the keys.
pub(crate) struct Shared {
    /// All clients but the one whose command is being run.
    pub(crate) clients: BTreeMap<ClientId, Box<Client>>,
    /// Clients with output.
    pub(crate) ready: BTreeSet<ClientId>,
    pub(crate) hub: Hub,
    pub(crate) config: Config,
    pub(crate) table: Table,
    pub(crate) stats: Stats,
    pub(crate) random: Random,
    pub(crate) now: Duration,
}

/// Counters for INFO.
#[derive(Default)]
pub(crate) struct Stats {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    pub(crate) errors: u64,
    pub(crate) received: u64,
    pub(crate) started: Option<Duration>,
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>, public domain): the
/// same seed gives the same picks.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, or 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // The remainder is below `limit`, so it fits.
        let limit = (limit as u64).max(1);
        (self.next() % limit) as usize
    }
}

impl<'a> Call<'a> {
    /// Argument `index`; the command's own name is number 0.
    pub(crate) fn arg(&self, index: usize) -> &'a [u8] {
        self.args.get(index)
    }

    /// The arguments from `index` on.
    pub(crate) fn args_from(&self, index: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let args = self.args;
        args.from(index)
    }

    /// How many arguments there are, with the command's name.
    pub(crate) fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether argument `index` is `word`, in any case.
    pub(crate) fn is(&self, index: usize, word: &str) -> bool {
        self.arg(index).eq_ignore_ascii_case(word.as_bytes())
    }

    pub(crate) fn integer(&self, index: usize) -> Result<i64, Fault> {
        number::integer(self.arg(index)).ok_or(NOT_INTEGER)
    }

    /// The index of a database, as SELECT and COPY take it.
    pub(crate) fn database(&self, index: usize) -> Result<usize, Fault> {
        // Servers read it as a C int and have an error of its own beyond.
        let given = i32::try_from(self.integer(index)?).map_err(|_| NOT_INT)?;
        let given = usize::try_from(given).ok();
        given.filter(|&given| given < DATABASES).ok_or(DB_RANGE)
    }

    /// A count that may not be negative.
    pub(crate) fn positive(&self, index: usize) -> Result<usize, Fault> {
        number::integer(self.arg(index)).and_then(|value| usize::try_from(value).ok()).ok_or(NOT_POSITIVE)
    }
}
