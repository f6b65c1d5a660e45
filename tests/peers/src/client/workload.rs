//! What is asked of every client.

use bytes::Bytes;

use super::Outcome;

/// One piece of work: the same requests for every client.
#[derive(Debug)]
pub(crate) struct Workload {
    /// What it is called.
    pub(crate) name: &'static str,
    /// In which table it stands.
    pub(crate) group: Group,
    /// What is sent.
    pub(crate) command: Command,
    /// Bytes of each value.
    pub(crate) size: usize,
    /// Requests that wait for their replies at the same time.
    pub(crate) in_flight: usize,
    /// Who waits for them.
    pub(crate) threads: Threads,
    /// Every request takes [`DELAY`](super::proxy::DELAY) longer on its way.
    pub(crate) delayed: bool,
}

/// What is compared in one table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Group {
    Small,
    Threads,
    Pipelines,
    Large,
    Many,
    Distance,
    /// Nothing is sent: a connection is taken and given back.
    Pools,
}

/// What is sent again and again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    /// One key.
    Get,
    /// One key.
    Set,
    /// [`KEYS`] keys.
    MGet,
    /// As many GETs as are in flight, handed over and awaited as one.
    Pipeline,
}

/// Who waits for replies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Threads {
    /// One thread, or tasks on an executor of one.
    One,
    /// Tasks on an executor of two.
    Two,
    /// A thread for each request in flight, which blocks.
    Each,
}

/// How many keys an MGET names; the server has a few more.
pub(crate) const KEYS: usize = 100;

const SMALL: usize = 64;
const LARGE: usize = 1 << 20;

/// All of them, table by table.
pub(crate) const WORKLOADS: &[Workload] = &[
    small("get-1", 1),
    small("get-64", 64),
    small("get-512", 512),
    Workload { group: Group::Threads, threads: Threads::Two, ..small("get-64-workers-2", 64) },
    Workload { group: Group::Threads, threads: Threads::Each, ..small("get-64-threads", 64) },
    Workload { group: Group::Pipelines, command: Command::Pipeline, ..small("pipeline-16", 16) },
    Workload { group: Group::Pipelines, command: Command::Pipeline, ..small("pipeline-128", 128) },
    large("set-1m-1", Command::Set, 1),
    large("set-1m-8", Command::Set, 8),
    large("get-1m-1", Command::Get, 1),
    large("get-1m-8", Command::Get, 8),
    Workload { group: Group::Many, command: Command::MGet, ..small("mget-100-1", 1) },
    Workload { group: Group::Many, command: Command::MGet, ..small("mget-100-64", 64) },
    Workload { group: Group::Distance, delayed: true, ..small("get-64-delayed", 64) },
    pool("pool-1", 1, Threads::One),
    pool("pool-64-tasks", 64, Threads::One),
    pool("pool-64-threads", 64, Threads::Each),
];

const fn small(name: &'static str, in_flight: usize) -> Workload {
    Workload {
        name,
        group: Group::Small,
        command: Command::Get,
        size: SMALL,
        in_flight,
        threads: Threads::One,
        delayed: false,
    }
}

const fn large(name: &'static str, command: Command, in_flight: usize) -> Workload {
    Workload { group: Group::Large, command, size: LARGE, ..small(name, in_flight) }
}

const fn pool(name: &'static str, callers: usize, threads: Threads) -> Workload {
    Workload { group: Group::Pools, threads, ..small(name, callers) }
}

impl Group {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 7] =
        [Self::Small, Self::Threads, Self::Pipelines, Self::Large, Self::Many, Self::Distance, Self::Pools];

    /// What stands above the table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Small => "GET of 64 bytes: 1, 64 and 512 in flight",
            Self::Threads => {
                "GET of 64 bytes, 64 in flight: an executor of two threads, and 64 threads that block"
            }
            Self::Pipelines => "Explicit pipelines: 16 and 128 GETs of 64 bytes",
            Self::Large => "SET and GET of 1 MiB: 1 and 8 in flight",
            Self::Many => "MGET of 100 keys: 1 and 64 in flight",
            Self::Distance => "GET of 64 bytes, 64 in flight, 1 ms away",
            Self::Pools => "A connection taken from a pool of 16 and given back: nanoseconds",
        }
    }
}

impl Workload {
    /// The workload of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        WORKLOADS.iter().find(|workload| workload.name == name)
    }

    /// Whether one caller that blocks can do it: one request at a time, or one pipeline.
    pub(crate) fn is_sequential(&self) -> bool {
        self.threads == Threads::One && (self.in_flight == 1 || self.command == Command::Pipeline)
    }

    /// Whether a look at the clock for each operation would be seen in the figures.
    pub(crate) fn is_fast(&self) -> bool {
        [Group::Small, Group::Threads].contains(&self.group)
            && self.in_flight > 1
            && self.threads != Threads::Each
    }

    /// How many threads the requests come from.
    pub(crate) const fn threads(&self) -> usize {
        match self.threads {
            Threads::One => 1,
            Threads::Two => 2,
            Threads::Each => self.in_flight,
        }
    }

    /// How many callers wait, each for its own.
    pub(crate) fn callers(&self) -> usize {
        if self.command == Command::Pipeline { 1 } else { self.in_flight }
    }

    /// How many operations one call is.
    pub(crate) fn batch(&self) -> usize {
        self.in_flight / self.callers()
    }

    /// Its arguments.
    pub(crate) fn work(&'static self) -> Work {
        let keys = match self.command {
            Command::Get | Command::Set => 1,
            Command::MGet => KEYS,
            Command::Pipeline => self.in_flight,
        };
        let keys = (0..keys).map(|at| key(self.size, at)).collect::<Vec<_>>();
        let expected = keys.len() * self.size;
        Work { workload: self, keys, value: value(self.size), expected }
    }
}

/// The arguments of a workload.
#[derive(Debug)]
pub(crate) struct Work {
    /// Whose.
    pub(crate) workload: &'static Workload,
    /// The keys of one call.
    pub(crate) keys: Vec<String>,
    /// What is there, or is put there.
    pub(crate) value: Bytes,
    expected: usize,
}

impl Work {
    /// Whether the values of one call have as many bytes together as they should.
    pub(crate) fn check(&self, got: usize) -> Outcome {
        if got == self.expected {
            return Ok(());
        }
        Err(format!("{got} bytes of values came, not {}", self.expected).into())
    }
}

/// All keys that are read, and what is there.
pub(crate) fn stored() -> impl Iterator<Item = (String, Bytes)> {
    let keys = WORKLOADS
        .iter()
        .flat_map(|workload| workload.work().keys.into_iter().map(|key| (workload.size, key)));
    keys.map(|(size, key)| (key, value(size)))
}

fn key(size: usize, at: usize) -> String {
    format!("key:{size}:{at:03}")
}

fn value(size: usize) -> Bytes {
    Bytes::from(vec![b'x'; size])
}
