//! The native client, shared by threads, under the same faults: it makes new connections by itself, and
//! never a request.

use std::sync::Mutex;
use std::thread;

use respire::command::words;
use respire::conn::Token;
use respire::resp::Value;
use respire::{Error, Single};
use respire_tests::Outcome;
use respire_tests::proxy::{Proxy, Random, Script};

use crate::seeds::seeds;
use crate::verdict::{Deed, Expected, Tally, counted_as_written, text, untrue};
use crate::witness::{Admin, Written, recording};

/// Threads that share a client, and what each asks for.
const THREADS: u64 = 2;
const EACH: u64 = 15;

/// What was asked for, and the outcome of each request, whose place is its token.
#[derive(Default)]
struct Book {
    deeds: Vec<Deed>,
    outcomes: Vec<Outcome>,
}

#[test]
fn a_shared_client_tells_the_truth_under_random_faults() {
    let Some(server) = recording().map(respire_tests::Builder::start) else { return };
    let (mut admin, mut written) = (Admin::connect(server.addr()), Written::of(&server));
    let (mut tally, mut connections, mut proxies) = (Tally::default(), 0, 0);
    for seed in seeds(12) {
        let proxy = Proxy::new(server.addr(), Script::random(seed));
        let book = work(seed, &proxy);
        let log = proxy.log();
        connections += proxy.accepted();
        proxies += 1;
        drop(proxy);
        admin.wait_until_alone();
        written.read_on();
        let says = |token: Token| book.outcomes[usize::try_from(token.0).expect("a place")].clone();
        assert_eq!(untrue(&book.deeds, &says, &written.counts), [""; 0], "seed {seed}:\n{log}");
        tally.add(Tally::said(&book.deeds, &says));
    }
    counted_as_written(&mut admin, &written.counts);
    println!("{connections} connections, {tally:?}");
    let calm = tally.ok < 100 || tally.unknown < 5;
    assert!(proxies < 12 || !calm, "too calm to say anything: {tally:?}");
}

fn work(seed: u64, proxy: &Proxy) -> Book {
    let url = format!("{}?timeout=200ms&connect_timeout=300ms", proxy.url());
    let opened = (0..6).find_map(|_| Single::open(&url).ok());
    let client = opened.unwrap_or_else(|| panic!("seed {seed}: no connection\n{}", proxy.log()));
    let book = Mutex::new(Book::default());
    thread::scope(|scope| {
        for worker in 0..THREADS {
            let (client, book) = (&client, &book);
            scope.spawn(move || {
                let mut random = Random::new(seed * THREADS + worker);
                for n in 0..EACH {
                    let word = format!("c{seed}-{worker}-{n}");
                    let done = Book::run(client, plans(&word, &mut random));
                    book.lock().expect("the book").write(done);
                }
            });
        }
    });
    book.into_inner().expect("the book")
}

/// Requests that belong together: the words of each, and what answers it.
struct Plan {
    requests: Vec<(Vec<String>, Expected)>,
    /// What stands in the append-only file once it is done.
    words: Vec<String>,
}

impl Book {
    /// Makes the requests of these plans in one go.
    fn run(client: &Single, plans: Vec<Plan>) -> Vec<(Plan, Vec<Outcome>)> {
        let all: Vec<_> =
            plans.iter().flat_map(|plan| &plan.requests).map(|(request, _)| words(request)).collect();
        let results = match all.as_slice() {
            [alone] => Ok(vec![client.send(alone).wait()]),
            _ => client.pipeline(all).wait(),
        };
        let mut outcomes = match results {
            Ok(results) => results.into_iter().map(outcome_of).collect::<Vec<_>>().into_iter(),
            Err(error) => {
                let count = plans.iter().map(|plan| plan.requests.len()).sum();
                vec![failed(&error); count].into_iter()
            }
        };
        let mut take = |plan: &Plan| outcomes.by_ref().take(plan.requests.len()).collect();
        plans
            .into_iter()
            .map(|plan| {
                let own = take(&plan);
                (plan, own)
            })
            .collect()
    }

    fn write(&mut self, done: Vec<(Plan, Vec<Outcome>)>) {
        for (plan, outcomes) in done {
            let first = self.outcomes.len() as u64;
            let tokens = (first..).map(Token);
            let steps = tokens.zip(plan.requests).map(|(token, (_, expected))| (token, expected)).collect();
            self.outcomes.extend(outcomes);
            self.deeds.push(Deed { steps, words: plan.words });
        }
    }
}

/// One request, a pipeline, or a transaction in a pipeline.
fn plans(word: &str, random: &mut Random) -> Vec<Plan> {
    let plan = |request: String, answer: Value, word: Option<&str>| Plan {
        requests: vec![(split(&request), Expected::Is(answer))],
        words: word.into_iter().map(str::to_owned).collect(),
    };
    let counted = |word: &str| plan(format!("HINCRBY ledger {word} 1"), Value::Integer(1), Some(word));
    match random.below(4) {
        0 => vec![plan(format!("ECHO {word}"), text(word), None)],
        1 => vec![counted(word)],
        2 => (0..8).map(|n| counted(&format!("{word}-{n}"))).collect(),
        _ => {
            let simple = |text: &str| Expected::Is(Value::Simple(text.as_bytes().to_vec()));
            let all = Value::Array(vec![Value::Integer(1), text(word)]);
            let requests = vec![
                (split("MULTI"), simple("OK")),
                (split(&format!("HINCRBY ledger {word} 1")), simple("QUEUED")),
                (split(&format!("ECHO {word}")), simple("QUEUED")),
                (split("EXEC"), Expected::Is(all)),
            ];
            vec![Plan { requests, words: vec![word.to_owned()] }]
        }
    }
}

fn split(request: &str) -> Vec<String> {
    request.split(' ').map(str::to_owned).collect()
}

fn outcome_of(result: Result<Value, Error>) -> Outcome {
    match result {
        Ok(value) => Outcome::Ok(value),
        Err(error) => failed(&error),
    }
}

/// What an error says about the execution of a request.
fn failed(error: &Error) -> Outcome {
    match error {
        Error::Server(reply) => Outcome::Rejected(reply.to_string()),
        Error::Lost { failure, .. } => (*failure).into(),
        Error::Connect(_) | Error::Refused(_) | Error::SessionLost => Outcome::NotSent,
        _ => Outcome::Unknown,
    }
}
