//! A test dialect: what goes in and out of a connection, line by line, with times and without
//! sockets.
//!
//! ```
//! use respire_core::{conn::{Config, Connection}, testing::Transcript};
//!
//! let transcript = Transcript::parse(r#"
//!     start resp2                 # no HELLO: ready at once
//!     ready resp2
//!     submit 1 GET k
//!     > GET k
//!     < $3\r\nbar
//!     reply 1 "bar"
//!     eof
//!     closed Eof
//! "#).unwrap();
//! transcript.run(&mut Connection::<_, 4>::new([0; 64], [0; 64], Config::default())).unwrap();
//! ```
//!
//! | line | meaning |
//! |---|---|
//! | `@10ms` | the time, since the beginning (`us`, `ms`, `s`) |
//! | `start`, `start resp2 user u password p db 3 name n library l 1` | starts a life |
//! | `start no-evict no-touch tracking bcast noloop nonce 7` | starts one with these (`read`, `optin`, `optout`) |
//! | `submit 1 GET k` | submits a request with token 1; it must be taken |
//! | `until 50ms 1 BLPOP k 0`, `until never …` | the same with a deadline of its own |
//! | `chunked 1 GET k` | submits it to be answered in parts |
//! | `refused Full(InFlight) 1 GET k` | submits; it must be refused so, and change nothing |
//! | `abandon 1`, `abandon 1 NotSent` | turns away from a request, of which this is known |
//! | `close` | ends the connection |
//! | `> GET k`, `> *1\r\n$4\r\nPING` | what the connection writes next; the socket takes it |
//! | `sent`, `sent 5` | the socket takes all, or five bytes, whatever they are |
//! | `< $3\r\nbar` | what it receives |
//! | `eof`, `error`, `timeout` | the stream ends, the transport fails, the timer rings |
//! | `ready resp3`, `reply 1 "bar"`, `push array(2) 1 2`, `push too large`, `failed 1 Unknown`, `closed Eof` | the next event |
//! | `parts 1 "bar"` | all parts of an answer, however it was cut; an aggregate has `end` at its end |
//! | `deadline 5s`, `deadline none`, `in-flight 2`, `protocol resp3`, `subscribed`, `unsubscribed` | how things stand |
//! | `quiet` | nothing to write |
//!
//! Replies and reasons read as their `Debug` shows them. Every event must be named: one that is not
//! is a mismatch. Words with blanks stand in quotes; `\r`, `\n`, `\t`, `\0`, `\\`, `\"`, `\x1b` are
//! bytes. CRLF is added to the bytes behind `<` and `> *`, unless a backslash ends the line. Empty
//! lines and what follows ` # ` count for nothing.

mod parse;
mod run;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::buffer::Storage;
use crate::conn::{Connection, Tracking};
use crate::time::Instant;

/// A transcript, read and ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct Transcript {
    steps: Vec<(usize, Step)>,
}

/// How the bytes that a connection receives are cut into pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Cut {
    /// Each line is one piece.
    Lines,
    /// As [`Cut::Lines`], and cut once more behind so many bytes from the beginning.
    At(usize),
    /// No piece has more bytes than this.
    Every(usize),
}

/// The first line that did not come true, or cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// Which line, from 1.
    pub line: usize,
    /// What the line wants.
    pub wanted: String,
    /// What was there instead.
    pub found: String,
    /// How the bytes were cut.
    pub cut: Cut,
}

/// One line.
#[derive(Clone, Debug)]
enum Step {
    Time(Instant),
    Start(Start),
    Submit { token: u64, words: Vec<Vec<u8>>, until: Until, chunked: bool },
    Refused { token: u64, words: Vec<Vec<u8>>, error: String },
    Abandon(u64, Option<String>),
    Close,
    Transmit(Vec<u8>),
    Sent(Option<usize>),
    Receive(Vec<u8>),
    Eof,
    Error,
    Timeout,
    Event(String),
    Deadline(Option<Instant>),
    InFlight(usize),
    State(&'static str),
}

/// When a request gives up.
#[derive(Clone, Copy, Debug)]
enum Until {
    Configured,
    Own(Option<Instant>),
}

/// The settings of a life, owned.
#[derive(Clone, Debug, Default)]
struct Start {
    protocol: Option<crate::conn::Protocol>,
    user: Option<String>,
    password: Option<String>,
    db: u32,
    name: Option<String>,
    library: Option<(String, String)>,
    no_evict: bool,
    no_touch: bool,
    tracking: Option<Tracking>,
    nonce: Option<u64>,
}

impl Transcript {
    /// Reads the lines of `text`.
    ///
    /// # Errors
    /// The first line that means nothing.
    pub fn parse(text: &str) -> Result<Self, Mismatch> {
        let mut steps = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(" # ").next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                let step = parse::step(line).map_err(|found| Mismatch {
                    line: at + 1,
                    wanted: line.into(),
                    found: found.into(),
                    cut: Cut::Lines,
                })?;
                steps.push((at + 1, step));
            }
        }
        Ok(Self { steps })
    }

    /// How many bytes the connection receives in all.
    pub fn received(&self) -> usize {
        self.steps.iter().map(|(_, step)| if let Step::Receive(bytes) = step { bytes.len() } else { 0 }).sum()
    }

    /// Runs the transcript, each received line as one piece.
    ///
    /// # Errors
    /// The first line that does not come true.
    pub fn run<S: Storage, const N: usize>(&self, connection: &mut Connection<S, N>) -> Result<(), Mismatch> {
        self.run_cut(connection, Cut::Lines)
    }

    /// Runs the transcript with the received bytes cut into pieces.
    ///
    /// # Errors
    /// The first line that does not come true.
    pub fn run_cut<S: Storage, const N: usize>(
        &self,
        connection: &mut Connection<S, N>,
        cut: Cut,
    ) -> Result<(), Mismatch> {
        run::Run::new(connection, cut).all(&self.steps)
    }

    /// Runs the transcript with the received bytes cut behind every byte, once each, and byte by
    /// byte; every time on a new connection. The events must be the same each time.
    ///
    /// # Errors
    /// The first line that does not come true, and the cut with which it did not.
    pub fn run_everyway<S: Storage, const N: usize>(
        &self,
        mut connect: impl FnMut() -> Connection<S, N>,
    ) -> Result<(), Mismatch> {
        self.run(&mut connect())?;
        self.run_cut(&mut connect(), Cut::Every(1))?;
        (1..self.received()).try_for_each(|at| self.run_cut(&mut connect(), Cut::At(at)))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: wanted {}, found {}", self.line, self.wanted, self.found)?;
        if self.cut == Cut::Lines { Ok(()) } else { write!(f, ", cut {:?}", self.cut) }
    }
}

impl core::error::Error for Mismatch {}
