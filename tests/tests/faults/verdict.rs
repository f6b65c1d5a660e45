//! Whether what the client said fits what the server did.

use std::collections::HashMap;

use respire::command::{AnyRequest, raw};
use respire::conn::Token;
use respire::resp::Value;
use respire_tests::{Flight, Outcome};

use crate::witness::Admin;

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

    /// What became of it as a whole: of its last request.
    pub(crate) fn outcome(&self, flight: &Flight) -> Outcome {
        let (token, _) = self.steps.last().expect("a request");
        flight.outcome(*token)
    }

    /// What cannot be: of the answers, and of the number of times that each word was executed.
    fn judge(&self, flight: &Flight, executed: &HashMap<Vec<u8>, usize>) -> Result<(), String> {
        for (token, expected) in &self.steps {
            match (flight.outcome(*token), expected) {
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
        let outcome = self.outcome(flight);
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

/// Everything that cannot be.
pub(crate) fn violations(deeds: &[Deed], flight: &Flight, executed: &HashMap<Vec<u8>, usize>) -> Vec<String> {
    let judged = deeds.iter().filter_map(|deed| deed.judge(flight, executed).err());
    judged.chain(flight.wrong().iter().cloned()).collect()
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
        let mut tally = Self::default();
        for deed in deeds {
            *match deed.outcome(flight) {
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
    let counts = admin.done("HVALS ledger");
    let crate::witness::Answer::List(counts) = counts else { panic!("{counts:?}") };
    let once = crate::witness::Answer::Text("1".to_owned());
    assert!(counts.iter().all(|count| *count == once), "something was executed twice");
}
