//! What a proxy saw and did, in order.

use std::fmt;
use std::time::Duration;

use super::{Script, Step, Way};

/// How many bytes of one entry are shown.
const SHOWN: usize = 120;

/// Everything that went through a proxy and what was done to it: a counterexample that can be read, and
/// run again by its [`script`](Self::script).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
}

/// One line of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Since the proxy was started.
    pub time: Duration,
    /// The number of the connection.
    pub connection: usize,
    /// What happened.
    pub what: What,
}

/// What happened on a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A client came, and the server took the connection; or it did not.
    Opened(bool),
    /// These bytes were written to the other side, by one write.
    Passed(Way, Vec<u8>),
    /// These bytes were not passed on.
    Dropped(Way, Vec<u8>),
    /// A step of the script was done.
    Did(Step),
    /// One side has said all it had to say.
    Finished(Way),
    /// The connection is over: by the script, by both sides, or by an error of the system.
    Over(String),
}

impl Log {
    pub(super) fn push(&mut self, time: Duration, connection: usize, what: What) {
        self.entries.push(Entry { time, connection, what });
    }

    /// The entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was done, as a script that does it again at the same places.
    #[must_use]
    pub fn script(&self) -> Script {
        let did = self.entries.iter().filter_map(|entry| match &entry.what {
            What::Did(step) => Some(step.clone()),
            _ => None,
        });
        did.collect()
    }

    /// All bytes that were passed on in one direction of a connection.
    #[must_use]
    pub fn passed(&self, connection: usize, way: Way) -> Vec<u8> {
        self.writes(connection, way).concat()
    }

    /// The same, write by write.
    #[must_use]
    pub fn writes(&self, connection: usize, way: Way) -> Vec<&[u8]> {
        let here = self.entries.iter().filter(|entry| entry.connection == connection);
        let bytes = here.filter_map(|entry| match &entry.what {
            What::Passed(its, bytes) if *its == way => Some(bytes.as_slice()),
            _ => None,
        });
        bytes.collect()
    }
}

impl fmt::Display for Log {
    /// A line for each entry, and at its end the script that does the same again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))?;
        write!(f, "the same again:\n{}", self.script())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>9.3} ms  {} ", self.time.as_secs_f64() * 1e3, self.connection)?;
        match &self.what {
            What::Opened(true) => f.write_str("opened"),
            What::Opened(false) => f.write_str("refused by the server"),
            What::Passed(Way::Requests, bytes) => write!(f, "> {}", Shown(bytes)),
            What::Passed(Way::Replies, bytes) => write!(f, "< {}", Shown(bytes)),
            What::Dropped(Way::Requests, bytes) => write!(f, ">x {}", Shown(bytes)),
            What::Dropped(Way::Replies, bytes) => write!(f, "<x {}", Shown(bytes)),
            What::Did(step) => write!(f, "! {} {} {}", step.way, step.at, step.act),
            What::Finished(way) => write!(f, "no more {way}"),
            What::Over(how) => write!(f, "over: {how}"),
        }
    }
}

struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get(..SHOWN) {
            Some(shown) => write!(f, "{}… ({} bytes)", shown.escape_ascii(), self.0.len()),
            None => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}
