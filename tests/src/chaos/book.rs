//! What was asked for and what was said of it; and what the server's ledger says to that.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use respire::Error;
use respire::conn::Failure;
use respire::engine::Refused;
use respire::errors::{Author, Proof};
use respire::resp::{ErrorReply, Value};

use super::loads::Loads;
use super::news::Heard;
use super::work::{Deed, Ended};

/// What was said about the execution of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It was answered.
    Once,
    /// It was not executed.
    Never,
    /// Nobody knows.
    Perhaps,
}

/// What one caller has seen.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Requests.
    pub ops: u64,
    /// With the right answer.
    pub ok: u64,
    /// Their callers have turned away.
    pub cancelled: u64,
    /// Without an answer, by kind.
    pub failed: BTreeMap<String, u64>,
    /// Answers that were not theirs.
    pub wrong: Vec<String>,
    /// Answers that differ from theirs by one bit.
    pub flipped: u64,
    /// How long beyond their deadlines callers had to wait, if it was long.
    pub late: Vec<Duration>,
    /// The slowest answer.
    pub slowest: Duration,
    /// What was said of each request that counts.
    pub claims: Vec<(String, Claim)>,
    /// What subscribers have heard.
    pub heard: Heard,
    /// What became of the items of bulks.
    pub loads: Loads,
}

/// What the ledger says.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Executed more than once.
    pub duplicates: u64,
    /// Answered, and not executed.
    pub lost: u64,
    /// Said not to be executed, and executed.
    pub untrue: u64,
    /// Executed, and asked for by nobody.
    pub strange: u64,
}

impl Claim {
    /// What an error says about the execution of its request.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        kind(error).1
    }
}

/// Below it nobody is called late: there are too many.
const NOTABLE: Duration = Duration::from_millis(5);

impl Tally {
    /// Writes down how a request has ended. Whether it was answered.
    pub fn note(&mut self, deed: &Deed, ended: Ended, took: Duration) -> bool {
        self.ops += 1;
        let over = took.saturating_sub(deed.timeout);
        if over > NOTABLE {
            self.late.push(over);
        }
        let claim = match ended {
            Ended::Never => {
                self.cancelled += 1;
                Claim::Never
            }
            Ended::TurnedAway => {
                self.cancelled += 1;
                Claim::Perhaps
            }
            Ended::Told(Ok(value)) => {
                if value == deed.expected {
                    self.ok += 1;
                    self.slowest = self.slowest.max(took);
                } else if is_one_bit_off(&value, &deed.expected) {
                    self.flipped += 1;
                } else {
                    self.wrong.push(format!("{:?} was answered by {}", deed.words, short(&value)));
                }
                Claim::Once
            }
            Ended::Told(Err(error)) => {
                let (kind, claim) = kind(&error);
                *self.failed.entry(kind).or_default() += 1;
                if matches!(error, Error::Decode(_) | Error::Busy | Error::System(_)) {
                    self.wrong.push(format!("{:?} failed: {error}", deed.words));
                }
                claim
            }
        };
        if let Some(token) = &deed.token {
            self.claims.push((token.clone(), claim));
        }
        claim == Claim::Once
    }

    /// Adds what another has seen.
    pub fn add(&mut self, other: Self) {
        self.ops += other.ops;
        self.ok += other.ok;
        self.cancelled += other.cancelled;
        self.flipped += other.flipped;
        self.slowest = self.slowest.max(other.slowest);
        self.wrong.extend(other.wrong);
        self.late.extend(other.late);
        self.claims.extend(other.claims);
        self.heard.add(other.heard);
        self.loads.add(other.loads);
        for (kind, count) in other.failed {
            *self.failed.entry(kind).or_default() += count;
        }
    }

    /// Compares what was said with how often each was executed.
    #[must_use]
    pub fn verdict(&self, executed: &HashMap<String, u64>) -> Verdict {
        let mut verdict = Verdict::default();
        let mut known = 0;
        for (token, claim) in &self.claims {
            let count = executed.get(token).copied().unwrap_or(0);
            known += u64::from(count > 0);
            verdict.duplicates += u64::from(count > 1);
            verdict.lost += u64::from(count == 0 && *claim == Claim::Once);
            verdict.untrue += u64::from(count > 0 && *claim == Claim::Never);
        }
        verdict.strange = executed.len() as u64 - known;
        verdict
    }
}

/// What an error is called, and what it says about the execution of its request.
fn kind(error: &Error) -> (String, Claim) {
    match error {
        Error::Failed(failed) => failure(failed.failure),
        Error::TooLarge | Error::TooDeep => failure(Failure::TooLarge),
        Error::NotTaken(refused) => {
            let why = match refused {
                Refused::Pool(refusal) => format!("{refusal:?}"),
                other => format!("{other:?}"),
            };
            let why = why.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
            (format!("not taken: {why}"), Claim::Never)
        }
        Error::Server(reply) => refusal(reply),
        other => (format!("{other}"), Claim::Perhaps),
    }
}

/// The same for what has no answer.
pub(super) fn failure(failure: Failure) -> (String, Claim) {
    let (name, claim) = match failure {
        Failure::NotSent => ("not sent", Claim::Never),
        Failure::Expired => ("expired", Claim::Never),
        Failure::Unknown => ("unknown", Claim::Perhaps),
        Failure::TimedOut => ("timed out", Claim::Perhaps),
        _ => ("over a limit", Claim::Once),
    };
    (name.to_owned(), claim)
}

/// The same for a server that says no.
pub(super) fn refusal(reply: &ErrorReply) -> (String, Claim) {
    let is_proof = reply.kind().proof(Author::Server) == Proof::NotExecuted;
    (reply.code().to_owned(), if is_proof { Claim::Never } else { Claim::Perhaps })
}

fn short(value: &Value) -> String {
    let mut text = format!("{value:?}");
    if let Some((end, _)) = text.char_indices().nth(200) {
        text.truncate(end);
    }
    text
}

/// Whether a bit was flipped on the way, inside of a value: that moves no answer.
pub(super) fn is_one_bit_off(a: &Value, b: &Value) -> bool {
    let bits = |a: &[u8], b: &[u8]| {
        a.len() == b.len() && a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>() == 1
    };
    match (a, b) {
        // In its length: then it goes on with those behind it, up to something that looks like its end.
        (Value::Bulk(a), Value::Bulk(b)) if a.len() > b.len() => {
            let (front, rest) = a.split_at(b.len());
            let is_length = bits(a.len().to_string().as_bytes(), b.len().to_string().as_bytes());
            front == b && rest.starts_with(b"\r\n$") && is_length
        }
        (Value::Bulk(a), Value::Bulk(b)) => bits(a, b),
        // The type is a byte, too: `$28` is a string, `,28` a number.
        (Value::Double(double), Value::Bulk(text)) => *double == text.len() as f64,
        (Value::Integer(a), Value::Integer(b)) => bits(a.to_string().as_bytes(), b.to_string().as_bytes()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checker that notices nothing proves nothing.
    #[test]
    fn every_lie_is_noticed() {
        let claims = [("a", Claim::Once), ("b", Claim::Once), ("c", Claim::Never), ("d", Claim::Perhaps)];
        let claims = claims.map(|(token, claim)| (token.to_owned(), claim)).to_vec();
        let tally = Tally { claims, ..Tally::default() };
        let says = |executed: &[(&str, u64)]| {
            tally.verdict(&executed.iter().map(|&(token, count)| (token.to_owned(), count)).collect())
        };
        let well = Verdict::default();
        assert_eq!(says(&[("a", 1), ("b", 1)]), well);
        assert_eq!(says(&[("a", 1), ("b", 1), ("d", 1)]), well);
        assert_eq!(says(&[("a", 2), ("b", 1)]), Verdict { duplicates: 1, ..well.clone() });
        assert_eq!(says(&[("b", 1)]), Verdict { lost: 1, ..well.clone() });
        assert_eq!(says(&[("a", 1), ("b", 1), ("c", 1)]), Verdict { untrue: 1, ..well.clone() });
        assert_eq!(says(&[("a", 1), ("b", 1), ("d", 2)]), Verdict { duplicates: 1, ..well.clone() });
        assert_eq!(says(&[("a", 1), ("b", 1), ("x", 1)]), Verdict { strange: 1, ..well });
    }

    #[test]
    fn one_bit_is_not_another_answer() {
        let bulk = |text: &str| Value::Bulk(text.as_bytes().to_vec());
        assert!(is_one_bit_off(&bulk("token-1"), &bulk("token-3")));
        assert!(!is_one_bit_off(&bulk("token-1"), &bulk("token-2")));
        assert!(!is_one_bit_off(&bulk("token-1"), &bulk("token-1")));
        // As text 12 and 16 differ by a bit.
        let twelve = bulk("twelve bytes");
        assert!(is_one_bit_off(&bulk("twelve bytes\r\n$1"), &twelve));
        assert!(!is_one_bit_off(&bulk("twelve bytes\r\n$12\r\ntwelve bytes"), &twelve));
        assert!(!is_one_bit_off(&bulk("twelve bytes and"), &twelve));
        assert!(is_one_bit_off(&Value::Integer(1), &Value::Integer(3)));
        assert!(!is_one_bit_off(&Value::Integer(1), &bulk("3")));
    }
}
