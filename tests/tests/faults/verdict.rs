//! Whether what the client said fits what the server did.

use std::collections::HashMap;

use respire::command::{AnyRequest, raw};
use respire::conn::Token;
use respire::resp::Value;
use respire_tests::{Flight, Outcome};

use crate::witness::{Admin, Answer};

/// The codes of errors that say that nothing was done.
const NOT_EXECUTED: [&str; 10] = [
    "BUSY",
    "CLUSTERDOWN",
    "EXECABORT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOAUTH",
    "NOREPLICAS",
    "OOM",
    "READONLY",
];

/// Something that was asked for: one request, or a transaction of several.
pub(crate) struct Deed {
    /// Each request and what answers it.
    pub(crate) steps: Vec<(Token, Expected)>,
    /// Words that stand in the append-only file once for each time that it was done; none if it only reads.
    pub(crate) words: Vec<String>,
}

/// What answers a request, if anything does.
pub(crate) enum Expected {
    Is(Value),
    /// An error with this text, by a command that was executed.
    Fails(String),
}

impl Deed {
    pub(crate) fn new(token: Token, answer: Value, word: Option<&str>) -> Self {
        let words = word.map(str::to_owned).into_iter().collect();
        Self { steps: vec![(token, Expected::Is(answer))], words }
    }

    /// The request that decides what became of it as a whole: the last.
    pub(crate) fn token(&self) -> Token {
        self.steps.last().expect("a request").0
    }

    /// What became of it as a whole.
    pub(crate) fn outcome(&self, flight: &Flight) -> Outcome {
        flight.outcome(self.token())
    }

    /// What cannot be: of the answers, and of the number of times that each word was executed.
    fn judge(&self, says: Says<'_>, executed: &Executed) -> Result<(), String> {
        for (token, expected) in &self.steps {
            match (says(*token), expected) {
                (Outcome::Ok(value), Expected::Is(answer)) if value != *answer => {
                    return Err(format!(
                        "{token:?} was answered by {}, not {}",
                        brief(&value),
                        brief(answer)
                    ));
                }
                (Outcome::Ok(value), Expected::Fails(text)) => {
                    return Err(format!(
                        "{token:?} was answered by {}, not by the error {text}",
                        brief(&value)
                    ));
                }
                (Outcome::Rejected(text), expected)
                    if !is_not_executed(&text)
                        && !matches!(expected, Expected::Fails(own) if *own == text) =>
                {
                    return Err(format!("{token:?} was refused by {text}"));
                }
                _ => {}
            }
        }
        let outcome = says(self.token());
        for word in &self.words {
            let count = executed.get(word.as_bytes()).copied().unwrap_or(0);
            let fits = match &outcome {
                Outcome::Ok(_) => count == 1,
                Outcome::Rejected(_) | Outcome::NotSent => count == 0,
                Outcome::Unknown => count <= 1,
            };
            if !fits {
                return Err(format!("{word} was executed {count} times: {outcome:?}"));
            }
        }
        Ok(())
    }
}

pub(crate) fn is_not_executed(text: &str) -> bool {
    NOT_EXECUTED.contains(&text.split(' ').next().unwrap_or_default())
}

/// What a client says of each of its requests.
pub(crate) type Says<'a> = &'a dyn Fn(Token) -> Outcome;

/// How often each word was executed.
pub(crate) type Executed = HashMap<Vec<u8>, usize>;

/// Everything that cannot be.
pub(crate) fn violations(deeds: &[Deed], flight: &Flight, executed: &Executed) -> Vec<String> {
    let mut wrong = untrue(deeds, &|token| flight.outcome(token), executed);
    wrong.extend_from_slice(flight.wrong());
    wrong
}

/// What is said and cannot be.
pub(crate) fn untrue(deeds: &[Deed], says: Says<'_>, executed: &Executed) -> Vec<String> {
    deeds.iter().filter_map(|deed| deed.judge(says, executed).err()).collect()
}

/// How often each outcome came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) ok: usize,
    pub(crate) rejected: usize,
    pub(crate) not_sent: usize,
    pub(crate) unknown: usize,
}

impl Tally {
    pub(crate) fn of(deeds: &[Deed], flight: &Flight) -> Self {
        Self::said(deeds, &|token| flight.outcome(token))
    }

    pub(crate) fn said(deeds: &[Deed], says: Says<'_>) -> Self {
        let mut tally = Self::default();
        for deed in deeds {
            *match says(deed.token()) {
                Outcome::Ok(_) => &mut tally.ok,
                Outcome::Rejected(_) => &mut tally.rejected,
                Outcome::NotSent => &mut tally.not_sent,
                Outcome::Unknown => &mut tally.unknown,
            } += 1;
        }
        tally
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.rejected += other.rejected;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
    }
}

fn brief(value: &Value) -> String {
    let text = format!("{value:?}");
    if text.len() > 200 {
        format!("{}… ({} bytes)", text.get(..200).unwrap_or_default(), text.len())
    } else {
        text
    }
}

pub(crate) fn text(text: impl AsRef<[u8]>) -> Value {
    Value::Bulk(text.as_ref().to_vec())
}

pub(crate) fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

/// Counts a word in the server's ledger: the answer is 1, unless it was counted before.
pub(crate) fn count(word: &str) -> impl AnyRequest + '_ {
    raw("HINCRBY ledger").arg(word).arg(1)
}

/// Checks that the server's ledger has no word more than once.
pub(crate) fn nothing_twice(admin: &mut Admin) {
    let Answer::List(counts) = admin.done("HVALS ledger") else { panic!("a list of values") };
    let once = Answer::Text("1".to_owned());
    assert!(counts.iter().all(|count| *count == once), "something was executed twice");
}

/// Checks that the server has counted as many executions as it has written down.
pub(crate) fn counted_as_written(admin: &mut Admin, executed: &Executed) {
    let written = executed.get(b"HINCRBY".as_slice()).copied().unwrap_or(0);
    assert_eq!(admin.calls("hincrby").executed, written as u64, "commandstats against the append-only file");
}
