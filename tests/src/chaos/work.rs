//! What callers ask for, and how they wait for it.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use respire::command::{Words, words};
use respire::resp::Value;
use respire::{Client, Error};

use crate::proxy::Random;

/// One request, and what must answer it.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The words of the command.
    pub words: Vec<String>,
    /// The answer.
    pub expected: Value,
    /// What stands in the ledger once it is executed.
    pub token: Option<String>,
    /// How long its caller waits.
    pub timeout: Duration,
    /// On a connection of its own.
    pub apart: bool,
    /// Its caller turns away after he has looked so often.
    pub looks: Option<u64>,
    /// The closure that is shown the answer panics.
    pub panics: bool,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// It was not asked for.
    Never,
    /// Its caller has turned away.
    TurnedAway,
    /// There was an answer, or an error.
    Told(Result<Value, Error>),
}

/// What is asked for, and how often: one in so many, or never if that is 0.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Tasks of a runtime, each of which asks for one thing after the other.
    pub tasks: usize,
    /// How long they wait, in milliseconds: from, to.
    pub timeout: (u64, u64),
    /// Callers who turn away.
    pub cancel: u64,
    /// On connections of their own.
    pub apart: u64,
    /// Commands that block.
    pub blocking: u64,
    /// For how long, in milliseconds.
    pub block: u64,
    /// Answers of 100 KB.
    pub large: u64,
    /// Several in one pipeline.
    pub pipelines: u64,
    /// Closures that panic.
    pub panics: u64,
    /// Which clients only read.
    pub readers: Readers,
    /// Whether each caller has a subscriber beside him.
    pub news: bool,
    /// Whether each caller has a bulk beside him.
    pub bulks: bool,
}

/// Who only reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Nobody.
    None,
    /// One of the clients.
    One,
    /// All of them.
    All,
}

impl Mix {
    /// A few of everything, with time.
    pub const USUAL: Self = Self {
        tasks: 4,
        timeout: (500, 1500),
        cancel: 10,
        apart: 50,
        blocking: 200,
        block: 20,
        large: 100,
        pipelines: 20,
        panics: 0,
        readers: Readers::None,
        news: false,
        bulks: false,
    };
}

/// How many keys there are to be read.
pub(super) const SEEDED: u64 = 100;

/// What stands at such a key.
pub(super) fn seeded(key: u64) -> String {
    format!("value of {key} and nothing else")
}

/// The same for a large one.
pub(super) fn large(key: u64) -> String {
    format!("large {key:04} ").repeat(100_000 / 11)
}

impl Deed {
    /// The next one of a caller, whose requests are told apart by `word`.
    #[must_use]
    pub fn next(word: String, mix: &Mix, reads: bool, random: &mut Random) -> Self {
        let once = |n: u64, random: &mut Random| n > 0 && random.once_in(n);
        let (from, to) = mix.timeout;
        let timeout = Duration::from_millis(from + random.below(to - from + 1));
        let looks = once(mix.cancel, random).then(|| random.below(6));
        let apart = once(mix.apart, random);
        let key = random.below(SEEDED);
        let bulk = |text: String| Value::Bulk(text.into_bytes());
        let (words, expected, token) = if once(mix.blocking, random) {
            (
                split(&format!("BLPOP nothing:{word} {}.{:03}", mix.block / 1000, mix.block % 1000)),
                Value::Null,
                None,
            )
        } else if once(mix.large, random) {
            (split(&format!("GET large:{}", key % 10)), bulk(large(key % 10)), None)
        } else {
            match random.below(if reads { 2 } else { 4 }) {
                0 => (split(&format!("ECHO {word}")), bulk(word), None),
                1 => (split(&format!("GET seed:{key}")), bulk(seeded(key)), None),
                _ => (split(&format!("HINCRBY ledger {word} 1")), Value::Integer(1), Some(word)),
            }
        };
        let panics = token.is_none() && once(mix.panics, random);
        Self { words, expected, token, timeout, apart, looks, panics }
    }
}

/// The next ones of a caller: a single one as a rule, or those of a pipeline.
pub(super) fn batch(word: &str, mix: &Mix, reads: bool, random: &mut Random) -> Vec<Deed> {
    let mut first = Deed::next(word.to_owned(), mix, reads, random);
    if mix.pipelines == 0 || !random.once_in(mix.pipelines) || first.words[0] == "BLPOP" {
        return vec![first];
    }
    first.panics = false;
    let plain = Mix { blocking: 0, panics: 0, ..*mix };
    let rest = (1..2 + random.below(11)).map(|n| {
        let deed = Deed::next(format!("{word}.{n}"), &plain, reads, random);
        // They share their caller.
        Deed { timeout: first.timeout, ..deed }
    });
    let rest: Vec<_> = rest.collect();
    [first].into_iter().chain(rest).collect()
}

fn split(request: &str) -> Vec<String> {
    request.split(' ').map(str::to_owned).collect()
}

/// Asks, as a task does; for all of them in one go if there are several.
pub(super) async fn perform(client: &Client, deeds: &[Deed]) -> Vec<Ended> {
    let [deed] = deeds else {
        let call = client.pipeline(requests(deeds)).timeout(deeds[0].timeout);
        return match patiently(call, deeds[0].looks).await {
            Some(results) => each(results, deeds.len()),
            None => deeds.iter().map(|_| Ended::TurnedAway).collect(),
        };
    };
    let call = client.send(words(&deed.words)).timeout(deed.timeout);
    let call = if deed.apart { call.apart() } else { call };
    vec![match (patiently(call, deed.looks).await, deed.looks) {
        (Some(result), _) => Ended::Told(result),
        (None, Some(0)) => Ended::Never,
        (None, _) => Ended::TurnedAway,
    }]
}

/// What comes of a future for somebody who turns away after so many looks at it, if he does.
async fn patiently<F: Future>(future: F, looks: Option<u64>) -> Option<F::Output> {
    let Some(mut left) = looks else { return Some(future.await) };
    if left == 0 {
        return None;
    }
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

fn requests(deeds: &[Deed]) -> Vec<Words<'_, String>> {
    deeds.iter().map(|deed| words(&deed.words)).collect()
}

/// What became of each request of a pipeline.
fn each(results: Result<Vec<Result<Value, Error>>, Error>, count: usize) -> Vec<Ended> {
    match results {
        Ok(results) => results.into_iter().map(Ended::Told).collect(),
        Err(Error::NotTaken(refused)) => {
            (0..count).map(|_| Ended::Told(Err(Error::NotTaken(refused)))).collect()
        }
        // None of them was sent that has not been told of by itself.
        Err(Error::Failed(failed)) => (0..count).map(|_| Ended::Told(Err(Error::Failed(failed)))).collect(),
        Err(other) => panic!("a pipeline of what may stand in one: {other}"),
    }
}

/// Asks, and blocks the thread. Who turns away has begun as a task; some of these decide to wait then.
pub(super) fn perform_here(client: &Client, deeds: &[Deed]) -> Vec<Ended> {
    match deeds {
        [deed] => vec![perform_one_here(client, deed)],
        _ => each(client.pipeline(requests(deeds)).timeout(deeds[0].timeout).wait(), deeds.len()),
    }
}

fn perform_one_here(client: &Client, deed: &Deed) -> Ended {
    let call = client.send(words(&deed.words)).timeout(deed.timeout);
    let mut call = if deed.apart { call.apart() } else { call };
    if deed.panics {
        let panicking = || call.wait_with(|_| -> Result<Value, Error> { resume_unwind(Box::new("meant")) });
        return match catch_unwind(AssertUnwindSafe(panicking)) {
            Ok(result) => Ended::Told(result),
            Err(_) => Ended::TurnedAway,
        };
    }
    let Some(looks) = deed.looks else { return Ended::Told(call.wait()) };
    for _ in 0..looks {
        if let Poll::Ready(result) = pin!(&mut call).poll(&mut Context::from_waker(Waker::noop())) {
            return Ended::Told(result);
        }
    }
    match looks {
        0 => Ended::Never,
        1..4 => Ended::TurnedAway,
        _ => Ended::Told(call.wait()),
    }
}
