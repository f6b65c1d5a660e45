//! Engines of every sort under random faults: each caller is told the truth, once.
//!
//! `RESPIRE_SEEDS` names the seeds, as in `RESPIRE_SEEDS=100..5000`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::env;
use std::net::SocketAddr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use respire_core::command::{AnyRequest, Retry, echo, get, incr, multi, raw, set, watch};
use respire_core::conn::{self, Event, Failure, Token};
use respire_core::engine::{Config, Lease, Options, Ticket};
use respire_core::pool::{self, Order};
use respire_core::resp::Value;
use respire_core::retry::{self, BreakerConfig};
use respire_core::time::Duration;
use respire_tests::engine::Told;
use respire_tests::proxy::{Proxy, Random, Script};

use crate::support::{Admin, App, LIMIT, PLAIN, config, ms, redis, status, text, until};

/// How many things are asked for in each seed.
const ROUNDS: u64 = 80;

/// What a caller may be told.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Asked {
    /// A key of its own is counted.
    Count,
    /// A key of its own is set, perhaps more than once.
    Write,
    /// Its own name comes back.
    Echo,
    /// Everybody reads the same.
    Read,
    /// Nothing comes for so short a time.
    Block,
    Lease,
}

#[derive(Default)]
struct Tally {
    answered: usize,
    unsent: usize,
    unknown: usize,
    leased: usize,
}

#[test]
fn every_outcome_is_true_under_random_faults() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let seeds = seeds(24);
    let (count, mut tally) = (seeds.clone().count(), Tally::default());
    for seed in seeds {
        admin.ask("FLUSHALL");
        admin.ask("SET there v");
        let before = admin.calls("incr");
        let proxy = Proxy::new(server.addr(), Script::random(seed));
        let worked = catch_unwind(AssertUnwindSafe(|| work(seed, proxy.address())));
        let log = proxy.log();
        // What stalls there ends, too.
        drop(proxy);
        let book = worked.unwrap_or_else(|panic| {
            eprintln!("seed {seed}:\n{log}");
            resume_unwind(panic)
        });
        until("the server to be left alone", || admin.count() == 0);
        let (untrue, executed) = book.judge(&admin, &mut tally);
        assert_eq!(untrue, [""; 0], "seed {seed}:\n{log}");
        assert_eq!(admin.calls("incr") - before, executed, "seed {seed}:\n{log}");
    }
    let Tally { answered, unsent, unknown, leased } = tally;
    println!("{answered} answered, {unsent} not sent, {unknown} unknown, {leased} leases");
    let calm = answered < 300 || unsent < 5 || unknown < 20 || leased < 20;
    assert!(count < 24 || !calm, "too calm to say anything");
}

/// An engine of some sort.
fn some(random: &mut Random) -> Config {
    let base = config();
    let mut within = |from, to| ms(from + random.below(to - from));
    let connection = conn::Config {
        handshake_timeout: within(50, 200),
        reply_timeout: Some(within(50, 200)),
        write_timeout: Some(within(50, 200)),
        grace: within(20, 200),
        ..base.connection
    };
    let (wait_timeout, dial_timeout, timeout) = (within(100, 400), within(100, 300), within(100, 400));
    let (lifetime, idle_time, health_interval) = (within(50, 300), within(50, 300), within(30, 100));
    let mut perhaps = |span| if random.once_in(3) { span } else { Duration::ZERO };
    let (lifetime, idle_time, health_interval) =
        (perhaps(lifetime), perhaps(idle_time), perhaps(health_interval));
    Config {
        lanes: random.pick(&[0, 1, 1, 2]),
        connection,
        pool: pool::Config {
            size: random.pick(&[1, 2, 3, 6]),
            min_idle: random.pick(&[0, 0, 1]),
            reuse: !random.once_in(6),
            order: random.pick(&[Order::Lifo, Order::Fifo]),
            wait_timeout,
            dial_timeout,
            lifetime,
            idle_time,
            health_interval,
            ..base.pool
        },
        retry: retry::Policy {
            retries: random.pick(&[0, 1, 3]),
            ceiling: random.pick(&[Retry::ReadOnly, Retry::LastWriteWins]),
            ..base.retry
        },
        breaker: random.once_in(5).then(|| BreakerConfig { open: ms(50), ..BreakerConfig::default() }),
        timeout: random.once_in(3).then_some(timeout),
        seed: random.below(u64::MAX),
        ..base
    }
}

/// What was asked, and what was told.
#[derive(Default)]
struct Book {
    asked: HashMap<u64, Asked>,
    told: HashMap<u64, Told>,
    cancelled: HashMap<u64, Failure>,
}

fn work(seed: u64, address: SocketAddr) -> Book {
    let mut random = Random::new(seed + 1_000_000);
    let mut app = App::new(address, &some(&mut random));
    let mut book = Book::default();
    let (mut tickets, mut leases, mut granted) = (BTreeMap::new(), Vec::new(), HashSet::new());
    for _ in 0..ROUNDS {
        let what = random.pick(&[
            Asked::Count,
            Asked::Count,
            Asked::Write,
            Asked::Write,
            Asked::Echo,
            Asked::Read,
            Asked::Block,
            Asked::Lease,
        ]);
        if let Some((token, ticket)) = ask(&mut app, what, &mut random) {
            book.asked.insert(token, what);
            ticket.map(|ticket| tickets.insert(token, ticket));
        }
        app.turn(ms(random.below(4)));
        for (&token, record) in app.listen() {
            tickets.remove(&token);
            if let Told::Leased(lease) = record.told
                && granted.insert(token)
            {
                leases.push(lease);
            }
        }
        if random.once_in(12)
            && let Some((token, ticket)) = tickets.pop_first()
        {
            let now = app.now();
            let failure = app.engine.cancel(now, ticket).expect("it is not over");
            book.cancelled.insert(token, failure);
        }
        leases.retain(|&lease| {
            let keeps = use_lease(&mut app, lease, &mut random) && !random.once_in(3);
            if !keeps {
                app.release(lease);
            }
            keeps
        });
    }
    leases.into_iter().for_each(|lease| app.release(lease));
    app.until("all to be told", |app| {
        // A wish may be granted late. What was given back is not given back again.
        let all: Vec<_> = app.listen().values().filter_map(|record| lease_of(&record.told)).collect();
        all.into_iter().for_each(|lease| app.release(lease));
        let told = app.listen();
        book.asked.keys().all(|token| told.contains_key(token) || book.cancelled.contains_key(token))
    });
    // The network is in order from its fifth connection on: so is the engine.
    app.until("an answer", |app| match app.try_ask(&echo("at last"), &PLAIN) {
        Ok((token, _)) => app.hear(token) == Told::Reply(text("at last")),
        Err(_) => false,
    });
    assert!(app.close(LIMIT), "{app:?}");
    book.told = app.listen().iter().map(|(token, record)| (*token, record.told.clone())).collect();
    book
}

impl Book {
    /// What is not true of what was told, and how often INCR was executed.
    fn judge(&self, admin: &Admin, tally: &mut Tally) -> (Vec<String>, u64) {
        // Those of transactions count a key of their own.
        let mut executed = number(&admin.ask("GETRANGE in:transactions 0 -1"));
        let mut untrue = Vec::new();
        for (&token, &what) in &self.asked {
            let told = self.told.get(&token);
            let failure = match (told, self.cancelled.get(&token)) {
                (Some(Told::Failed(failed)), None) => Some(failed.failure),
                (Some(_), None) => None,
                (None, Some(failure)) => Some(*failure),
                other => {
                    untrue.push(format!("{token} is {other:?}"));
                    continue;
                }
            };
            let never = matches!(failure, Some(Failure::NotSent | Failure::Expired));
            match failure {
                None => tally.answered += 1,
                Some(_) if never => tally.unsent += 1,
                Some(_) => tally.unknown += 1,
            }
            let expected = match what {
                Asked::Count => Value::Integer(1),
                Asked::Write => status("OK"),
                Asked::Echo => text(&name(token)),
                Asked::Read => text("v"),
                Asked::Block => Value::Null,
                Asked::Lease => {
                    tally.leased += usize::from(failure.is_none());
                    continue;
                }
            };
            if failure.is_none() && told != Some(&Told::Reply(expected)) {
                untrue.push(format!("{token}, {what:?}: {told:?}"));
            }
            if matches!(what, Asked::Count | Asked::Write) {
                let count = number(&admin.ask(&format!("GETRANGE {} 0 -1", name(token))));
                executed += if what == Asked::Count { count } else { 0 };
                if count > 1 || never && count > 0 || failure.is_none() && count == 0 {
                    untrue.push(format!(
                        "{token}, {what:?}, was executed {count} times: {told:?}, {failure:?}"
                    ));
                }
            }
        }
        (untrue, executed)
    }
}

/// The number in a text; nothing is zero.
fn number(value: &Value) -> u64 {
    let Value::Bulk(digits) = value else { panic!("text: {value:?}") };
    String::from_utf8_lossy(digits).parse().unwrap_or(0)
}

fn name(token: u64) -> String {
    format!("n{token}")
}

fn lease_of(told: &Told) -> Option<Lease> {
    match told {
        Told::Leased(lease) => Some(*lease),
        _ => None,
    }
}

/// Asks for this; nothing if it is not taken.
fn ask(app: &mut App, what: Asked, random: &mut Random) -> Option<(u64, Option<Ticket>)> {
    let options = Options {
        timeout: random.once_in(8).then(|| ms(random.below(100))),
        own: random.once_in(10),
        ..PLAIN
    };
    let name = name(app.next());
    let taken = match what {
        Asked::Count => app.try_ask(&incr(&name), &options),
        Asked::Write => app.try_ask(&set(&name, 1), &options),
        Asked::Echo => app.try_ask(&echo(&name), &options),
        Asked::Read => app.try_ask(&get("there"), &options),
        Asked::Block => app.try_ask(&raw("BLPOP").arg("nothing").arg(0.02), &options),
        Asked::Lease => return app.wish().ok().map(|token| (token, None)),
    };
    taken.ok().map(|(token, ticket)| (token, Some(ticket)))
}

/// Something that leaves a connection in any state. Whether it still takes requests.
fn use_lease(app: &mut App, lease: Lease, random: &mut Random) -> bool {
    let now = app.now();
    let Some(connection) = app.engine.leased(lease) else { panic!("a lease has ended by itself") };
    while let Some(event) = connection.poll_event() {
        if matches!(event, Event::Closed(_)) {
            return false;
        }
    }
    let exec = raw("EXEC");
    let (watch, multi, incr) = (watch("there"), multi(), incr("in:transactions"));
    let requests: [&dyn AnyRequest; 4] = [&watch, &multi, &incr, &exec];
    let request = random.pick(&[0, 1, 2, 2, 3]);
    connection.submit(now, Token(0), requests[request]).is_ok()
}

/// So many, or those that are named.
fn seeds(many: u64) -> Range<u64> {
    // The corpus of the fuzz targets is written by the same name.
    let named = env::var("RESPIRE_SEEDS").ok().filter(|named| named != "write");
    let Some(named) = named else { return 0..many };
    let range = named.split_once("..").unwrap_or(("0", &named));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("RESPIRE_SEEDS={named}: no number"));
    number(range.0)..number(range.1)
}
