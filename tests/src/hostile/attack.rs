//! What an attack is, and what must come of it.

use std::collections::BTreeMap;
use std::time::Duration;

use respire_core::conn::{CloseReason, Failure};
use respire_core::resp::{DecodeError, Limits, ProtocolError, Reply, ReplyError, Value};

use super::Spoken;

/// One thing that a server says instead of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its class, from 1 to [`CLASSES`](super::CLASSES).
    pub class: u8,
    /// Its name, of small letters, digits and hyphens; no two have the same.
    pub name: &'static str,
    /// The protocol that it is for; `None`: both.
    pub only: Option<Spoken>,
    /// What the attacked caller wants.
    pub ask: Ask,
    /// The bytes.
    pub says: Says,
    /// How and when they come.
    pub manner: Manner,
    /// What the client allows.
    pub room: Room,
    /// What must come of it.
    pub outcome: Outcome,
}

/// Bytes to say.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// These.
    Bytes(&'static [u8]),
    /// Each part as often as it says.
    Parts(&'static [(&'static [u8], u64)]),
}

/// How and when an attack comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// As the answer to a request.
    Answer,
    /// As soon as the connection stands, before anything was asked.
    Greeting,
    /// As the answer, and nothing is said behind it.
    Last,
    /// As the answer, and then the connection is closed.
    Close,
    /// As the answer, each piece after a pause.
    Drip(Duration),
    /// As the answer, after a pause.
    Late(Duration),
    /// As the answer to somebody who has turned away.
    Abandoned,
}

/// What the client allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// What servers send.
    Server,
    /// Very little: [`Room::limits`].
    Tight,
}

/// What the attacked caller wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Whatever it is.
    Any,
    /// How many values it has, itself and all inside it.
    Count,
    /// An owned tree.
    Tree,
    /// `i64`
    Integer,
    /// `Vec<i64>`
    Integers,
    /// `Vec<Option<i64>>`
    Holes,
    /// `f64`
    Double,
    /// `String`
    Text,
    /// `Vec<String>`
    Texts,
    /// `Vec<(String, String)>`
    Pairs,
    /// `BTreeMap<String, String>`
    Map,
}

/// What must come of an attack.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outcome {
    /// The caller gets this, as `Debug` shows it. Everybody else gets his own.
    Reads(&'static str),
    /// As many pushes, and then the caller gets this.
    Pushes(u64, &'static str),
    /// The caller is told that it is not what he asked for. Everybody else gets his own.
    Decode(DecodeError),
    /// The caller is told that it is too much. Everybody else gets his own.
    TooLarge,
    /// The same for what is nested too deep.
    TooDeep,
    /// Nobody gets anything of it. Everybody else gets his own.
    Dropped,
    /// The connection ends; nobody behind gets an answer. The next connection works.
    Fatal(ProtocolError),
    /// The caller gets this, and then the connection ends because nobody asked for more; these words
    /// are in the reason.
    Surplus(&'static str, &'static str),
    /// It never becomes an answer: the deadline ends the connection.
    Stalls,
    /// The end of the connection ends it.
    Ends,
    /// There is no connection, and these words are in the reason.
    NoEntry(&'static str),
}

/// What came of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    /// It was answered, and this is what was made of the answer.
    Read(String),
    /// It was answered by something else than was asked for.
    Undecodable(DecodeError),
    /// It failed.
    Failed(Failure),
    /// Nothing: somebody turned away from it.
    Nothing,
}

impl Attack {
    pub(super) const fn new(class: u8, name: &'static str, says: &'static [u8], outcome: Outcome) -> Self {
        let (ask, manner, room) = (Ask::Any, Manner::Answer, Room::Server);
        Self { class, name, only: None, ask, says: Says::Bytes(says), manner, room, outcome }
    }

    /// Of very many bytes.
    pub(super) const fn long(
        class: u8,
        name: &'static str,
        says: &'static [(&'static [u8], u64)],
        outcome: Outcome,
    ) -> Self {
        Self { says: Says::Parts(says), ..Self::new(class, name, &[], outcome) }
    }

    pub(super) const fn asked(self, ask: Ask) -> Self {
        Self { ask, ..self }
    }

    pub(super) const fn comes(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    pub(super) const fn tight(self) -> Self {
        Self { room: Room::Tight, ..self }
    }

    pub(super) const fn only(self, spoken: Spoken) -> Self {
        Self { only: Some(spoken), ..self }
    }

    /// The protocols that it is for.
    pub fn protocols(&self) -> impl Iterator<Item = Spoken> {
        let only = self.only;
        [Spoken::Resp2, Spoken::Resp3]
            .into_iter()
            .filter(move |&spoken| only.is_none_or(|only| only == spoken))
    }

    /// What must come of its request, and what must be in the reason of its end.
    ///
    /// `fits`: the client has room for it.
    #[must_use]
    pub fn expected(&self, fits: bool) -> (Found, Option<String>) {
        let read = |text: &str| Found::Read(text.to_owned());
        let unknown = Found::Failed(Failure::Unknown);
        match self.outcome {
            Outcome::Reads(_) | Outcome::Decode(_) if !fits => (Found::Failed(Failure::TooLarge), None),
            Outcome::Reads(text) | Outcome::Pushes(_, text) => (read(text), None),
            Outcome::Decode(error) => (Found::Undecodable(error), None),
            Outcome::TooLarge => (Found::Failed(Failure::TooLarge), None),
            Outcome::TooDeep => (Found::Failed(Failure::TooDeep), None),
            Outcome::Dropped => (Found::Nothing, None),
            Outcome::Fatal(error) => (unknown, Some(CloseReason::Protocol(error).to_string())),
            Outcome::Surplus(text, words) => (read(text), Some(words.to_owned())),
            Outcome::Stalls => (unknown, Some(CloseReason::ReplyTimeout.to_string())),
            Outcome::Ends => (unknown, Some(CloseReason::Eof.to_string())),
            Outcome::NoEntry(words) => (Found::Nothing, Some(words.to_owned())),
        }
    }
}

impl Says {
    /// How many bytes there are; `u64::MAX` if there is no end to them.
    #[must_use]
    pub fn len(self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Parts(parts) => parts.iter().fold(0_u64, |sum, (bytes, times)| {
                sum.saturating_add(times.saturating_mul(bytes.len() as u64))
            }),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// All bytes at once. For short ones.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Parts(parts) => {
                assert!(self.len() <= 16 << 20, "too many to have at once");
                parts.iter().flat_map(|&(bytes, times)| bytes.repeat(times as usize)).collect()
            }
        }
    }
}

impl Room {
    /// The limits that the client must be given.
    #[must_use]
    pub const fn limits(self) -> Limits {
        match self {
            Self::Server => Limits::SERVER,
            Self::Tight => Limits {
                line: 256,
                bulk: 1000,
                elements: 100,
                total: 1000,
                depth: 8,
                frame: 4096,
                skip: 64 << 10,
            },
        }
    }
}

impl Ask {
    /// Makes what is asked for of an answer, in words.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(self, reply: Reply<'_>) -> Result<String, DecodeError> {
        match self {
            Self::Any => Ok(format!("{reply:?}")),
            Self::Count => Ok(reply.preorder().count().to_string()),
            Self::Tree => show(reply.get::<Value>().map(|_| "a tree")),
            Self::Integer => show(reply.get::<i64>()),
            Self::Integers => show(reply.get::<Vec<i64>>()),
            Self::Holes => show(reply.get::<Vec<Option<i64>>>()),
            Self::Double => show(reply.get::<f64>()),
            Self::Text => show(reply.get::<String>()),
            Self::Texts => show(reply.get::<Vec<String>>()),
            Self::Pairs => show(reply.get::<Vec<(String, String)>>()),
            Self::Map => show(reply.get::<BTreeMap<String, String>>()),
        }
    }
}

fn show<T: std::fmt::Debug>(value: Result<T, ReplyError<'_>>) -> Result<String, DecodeError> {
    match value {
        Ok(value) => Ok(format!("{value:?}")),
        Err(ReplyError::Server(error)) => Ok(format!("{error:?}")),
        Err(ReplyError::Decode(error)) => Err(error),
    }
}
