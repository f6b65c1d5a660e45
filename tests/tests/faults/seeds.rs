//! Many connections under faults that follow from a seed, and a workload in which every answer can be told
//! from every other.
//!
//! A hundred seeds are run; `RESPIRE_SEEDS` names other ones, as in `RESPIRE_SEEDS=100..5000`. What fails
//! is printed with everything that went through the proxy and the script that does it again.

use std::env;
use std::fmt::Write;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use respire::command::{echo, exec, get, multi, raw, set};
use respire::conn::Config;
use respire::resp::Value;
use respire_tests::proxy::{Proxy, Random, Script};
use respire_tests::{Flight, Outcome, Server};

use crate::verdict::{Deed, Expected, Tally, count, counted_as_written, ok, text, violations};
use crate::witness::{Admin, Written, ms, recording};

/// Servers at work at the same time: they wait most of the time.
const SERVERS: usize = 6;

/// Values that are there from the beginning.
const THERE: u64 = 20;

/// Rounds of requests for each seed, and requests in a round.
const ROUNDS: u64 = 12;
const MOST: u64 = 9;

#[test]
fn every_outcome_is_true_under_random_faults() {
    if recording().is_none() {
        return;
    }
    let seeds = seeds(100);
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new((Tally::default(), 0)));
    thread::scope(|scope| {
        for _ in 0..SERVERS {
            scope.spawn(|| {
                let server = recording().expect("it was there before").start();
                let (mut admin, mut written) = (Admin::connect(server.addr()), Written::of(&server));
                (0..THERE).for_each(|n| drop(admin.done(&format!("SET there:{n} {}", there(n)))));
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        counted_as_written(&mut admin, &written.counts);
                        return;
                    }
                    let (tally, connections) = run(seed, &server, &mut admin, &mut written);
                    let mut sum = sum.lock().expect("no seed failed");
                    sum.0.add(tally);
                    sum.1 += connections;
                }
            });
        }
    });
    let (tally, connections) = sum.into_inner().expect("no seed failed");
    let many = usize::try_from(seeds.end - seeds.start).expect("a number of seeds");
    println!("{many} seeds, {connections} connections, {tally:?}");
    let calm = tally.ok < many * 10 || tally.unknown < many / 2;
    assert!(many < 100 || !calm, "too calm to say anything: {tally:?}");
}

/// The seeds to run: so many, unless others are named.
pub(crate) fn seeds(many: u64) -> Range<u64> {
    // The corpus of the fuzz targets is written by the same name.
    let named = env::var("RESPIRE_SEEDS").ok().filter(|named| named != "write");
    let Some(named) = named else { return 0..many };
    let range = named.split_once("..").unwrap_or(("0", &named));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("RESPIRE_SEEDS={named}: no number"));
    number(range.0)..number(range.1)
}

/// One workload under one script.
fn run(seed: u64, server: &Server, admin: &mut Admin, written: &mut Written) -> (Tally, usize) {
    let proxy = Proxy::new(server.addr(), Script::random(seed));
    let config = Config { handshake_timeout: ms(300), ..Config::default() };
    let mut work = Work {
        seed,
        random: Random::new(!seed),
        flight: Flight::new(proxy.address(), config),
        deeds: Vec::new(),
        lost: false,
    };
    for _ in 0..ROUNDS {
        // A connection may end in its handshake, but not for ever: the script is for the first few.
        let connected = (0..6).any(|_| work.flight.is_connected() || work.flight.connect().is_ok());
        assert!(connected, "seed {seed}: no connection\n{}", proxy.log());
        work.round();
    }
    work.flight.close();
    let (log, connections) = (proxy.log(), proxy.accepted());
    // What is still in the proxy does not come any more, and what reached the server is executed.
    drop(proxy);
    admin.wait_until_alone();
    written.read_on();
    let wrong = violations(&work.deeds, &work.flight, &written.counts);
    if !wrong.is_empty() {
        let mut report = format!("seed {seed}:\n");
        wrong.iter().for_each(|text| writeln!(report, "  {text}").expect("memory"));
        panic!("{report}{log}");
    }
    (Tally::of(&work.deeds, &work.flight), connections)
}

struct Work {
    seed: u64,
    random: Random,
    flight: Flight,
    deeds: Vec<Deed>,
    /// Something of the last round was lost.
    lost: bool,
}

impl Work {
    /// Some requests at once, some of which nobody waits for; then all that are left are awaited.
    fn round(&mut self) {
        let begun = self.deeds.len();
        for _ in 0..1 + self.random.below(MOST) {
            let deed = self.ask();
            let last = deed.token();
            let single = deed.steps.len() == 1;
            self.deeds.push(deed);
            match self.random.below(6) {
                0 => self.flight.turn(ms(0)),
                1 => self.flight.turn(ms(2)),
                2 if single && self.random.once_in(2) => self.flight.abandon(last),
                _ => {}
            }
        }
        self.flight.settle(ms(10_000));
        // On a connection that is kept, late answers come between those to other requests. One on which
        // nothing comes any more is given up by whoever uses it.
        let flight = &self.flight;
        let is_lost =
            |deed: &Deed| deed.outcome(flight) == Outcome::Unknown && !flight.record(deed.token()).abandoned;
        let lost = self.deeds[begun..].iter().any(is_lost);
        if lost && (self.lost || self.random.once_in(3)) {
            self.flight.close();
        }
        self.lost = lost;
    }

    /// One request or one transaction.
    fn ask(&mut self) -> Deed {
        let word = format!("t{}-{}", self.seed, self.deeds.len());
        let until = self.flight.deadline(Some(ms(self.random.pick(&[60, 200, 500]))));
        let (flight, random) = (&mut self.flight, &mut self.random);
        match random.below(10) {
            0 | 1 => Deed::new(flight.submit_until(&echo(&word), until), text(&word), None),
            2 => {
                let long = filled(&word, random);
                Deed::new(flight.submit_until(&echo(&long), until), text(&long), None)
            }
            3 => {
                let long = filled(&word, random);
                Deed::new(flight.submit_until(&set(&word, &long), until), ok(), Some(&word))
            }
            4 | 5 => Deed::new(flight.submit_until(&count(&word), until), Value::Integer(1), Some(&word)),
            6 => {
                let n = random.below(THERE);
                let key = format!("there:{n}");
                Deed::new(flight.submit_until(&get(&key), until), text(there(n)), None)
            }
            7 if random.once_in(2) => {
                let fails = "return {err = 'TOKEN ' .. ARGV[1]}";
                let request = raw("EVAL").arg(fails).arg(0).arg(&word);
                let expected = Expected::Fails(format!("TOKEN {word}"));
                Deed { steps: vec![(flight.submit_until(&request, until), expected)], words: Vec::new() }
            }
            7 => Deed::new(flight.submit_until(&get(&word), until), Value::Null, None),
            8 => {
                let counts = "return {ARGV[1], redis.call('HINCRBY', KEYS[1], ARGV[1], 1)}";
                let request = raw("EVAL").arg(counts).arg(1).key("ledger").arg(&word);
                let both = Value::Array(vec![text(&word), Value::Integer(1)]);
                Deed::new(flight.submit_until(&request, until), both, Some(&word))
            }
            _ => {
                let words = [format!("{word}-a"), format!("{word}-b")];
                let is = |text: &str| Expected::Is(Value::Simple(text.as_bytes().to_vec()));
                let all = vec![Value::Integer(1), text(&word), Value::Integer(1)];
                let steps = vec![
                    (flight.submit_until(&multi(), until), is("OK")),
                    (flight.submit_until(&count(&words[0]), until), is("QUEUED")),
                    (flight.submit_until(&echo(&word), until), is("QUEUED")),
                    (flight.submit_until(&count(&words[1]), until), is("QUEUED")),
                    (flight.submit_until(&exec(), until), Expected::Is(Value::Array(all))),
                ];
                Deed { steps, words: words.into() }
            }
        }
    }
}

/// A value that was there before, like no other.
fn there(n: u64) -> String {
    format!("value-{n}-{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A value that begins with the word and has nothing in common with another: one byte to a MiB.
fn filled(word: &str, random: &mut Random) -> Vec<u8> {
    let most = if random.once_in(25) { 1 << 20 } else { random.pick(&[1, 40, 40, 5000, 70_000]) };
    let len = usize::try_from(1 + random.below(most)).expect("a length");
    let mut bytes = word.as_bytes().to_vec();
    bytes.resize_with(len.max(bytes.len()), || u8::try_from(random.below(256)).expect("a byte"));
    bytes
}
