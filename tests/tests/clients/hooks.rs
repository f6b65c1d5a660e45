//! Hooks of a client: what they are told, in which order, and what they may forbid.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use respire::command::TransactionError;
use respire::config::Address;
use respire::engine::Refused;
use respire::hook::{Attempt, Dial, End, Fate, Hook, Kind, Refusal};
use respire::prelude::*;
use respire::time::Instant;
use respire::{Builder, Error};

use crate::support::{Admin, By, both, builder, ms, open, redis, until};

use crate::witness::{Log, Witness, watched};

/// S1-HOOK-05: hooks stand around each other in the order in which they were added, around everything.
#[test]
fn hook_order() {
    both(|_, builder| {
        let log = Log::default();
        let hooks = |builder: Builder| builder.hook(Witness::new('A', &log)).hook(Witness::new('B', &log));
        let client = open(hooks(builder));
        let around = |what: &str, end: &str| {
            ["A before ", "B before "]
                .map(|who| format!("{who}{what}"))
                .into_iter()
                .chain(["B after ", "A after "].map(|who| format!("{who}{end}")))
                .collect::<Vec<_>>()
        };
        assert_eq!(log.take(), around("dial 1", "dial answered"));
        client.set("k", 1).wait().unwrap();
        assert_eq!(log.take(), around("SET", "SET answered"));
        for by in By::ALL {
            by.run(&client, async { client.set("k", 1).label("here").await.unwrap() });
            assert_eq!(log.take(), around("SET for here", "SET for here answered"), "{by:?}");
        }
        drop(client.pipeline((incr("k"),)).wait().unwrap());
        let told = log.take();
        let inner = around("INCR", "INCR answered");
        assert_eq!(told[..2], ["A before pipeline of 1", "B before pipeline of 1"]);
        assert_eq!(told[2..6], inner);
        assert_eq!(told[6..], ["B after pipeline of 1 1+0+0", "A after pipeline of 1 1+0+0"]);
    });
}

/// S1-HOOK-05: who refuses knows; those around it are told, and nothing is sent.
#[test]
fn who_refuses_cuts_it_short() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let log = Log::default();
        let refuses = |what| Witness { refuses: Some(what), ..Witness::new('B', &log) };
        let client = open(
            builder
                .hook(Witness::new('A', &log))
                .hook(refuses("INCR"))
                .hook(Witness::new('C', &log))
                .connections(4),
        );
        drop(log.take());
        let no = Refused::Hook(Refusal(7));
        assert!(matches!(client.incr("k").wait(), Err(Error::NotTaken(refused)) if refused == no));
        assert_eq!(log.take(), ["A before INCR", "B before INCR", "A after INCR refused"]);
        let conn = client.conn().wait().unwrap();
        drop(log.take());
        assert!(matches!(conn.incr("k").wait(), Err(Error::NotTaken(refused)) if refused == no));
        assert_eq!(log.take(), ["A before INCR", "B before INCR", "A after INCR refused"]);
        let (set, incremented) = client.pipeline((set("s", 1), incr("k"))).wait().unwrap();
        assert!(set.is_ok() && matches!(incremented, Err(Error::NotTaken(refused)) if refused == no));
        assert_eq!(admin.calls("incr").executed, 0);
        // It takes its transaction with it.
        let done = client.transaction((respire::command::set("s", 2), incr("k"))).wait();
        assert!(matches!(done, Err(TransactionError::Failed(Error::NotTaken(refused))) if refused == no));
        let end = format!("A after transaction of 2 {:?} 0+0+0", Fate::Refused(Refusal(7)));
        until("its end", || log.lines().contains(&end));
        assert_eq!(client.get::<i64>("s").wait().unwrap(), 1);
        assert_eq!((admin.calls("incr").executed, admin.calls("exec").executed), (0, 0));
    });
}

/// S1-HOOK-01: a dial may go elsewhere: to a server that no URL names. It may be forbidden, too.
#[test]
fn dials_go_elsewhere() {
    struct Elsewhere(Address<'static>, Arc<AtomicBool>);

    impl Hook for Elsewhere {
        fn before_dial(&mut self, _: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
            assert_eq!((dial.address.host, dial.address.port), ("nowhere.invalid", 1));
            if self.1.load(Ordering::SeqCst) {
                return Err(Refusal(9));
            }
            dial.address = self.0;
            Ok(())
        }
    }

    let Some(server) = redis() else { return };
    let (home, forbidden) =
        (Address { host: "127.0.0.1", port: server.port() }, Arc::new(AtomicBool::new(true)));
    let builder = builder("redis://nowhere.invalid:1").hook(Elsewhere(home, Arc::clone(&forbidden)));
    let client = builder.config(|config| config.pool.backoff_cap = ms(50)).lazy().unwrap();
    assert!(client.incr("k").wait().is_err(), "forbidden");
    forbidden.store(false, Ordering::SeqCst);
    until("a server", || client.incr("k").wait().is_ok());
}

/// S1-HOOK-02: each command with its name, size, keys, server, database, label, time and outcome: on shared connections,
/// on one of its own, and on one that is lent.
#[test]
fn process_hook() {
    #[derive(Clone, Debug, PartialEq)]
    struct Seen {
        name: String,
        bytes: (u64, u64),
        db: u16,
        label: Option<&'static str>,
        kind: Kind,
        micros: u64,
    }

    struct Watch(Arc<Mutex<Vec<Seen>>>, Address<'static>);

    impl Hook for Watch {
        fn after_command(&mut self, now: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
            assert!(attempt.number == 1 && attempt.address == self.1, "{attempt:?}");
            assert!(end.times.ended <= now && end.connection.is_some(), "{end:?}");
            self.0.lock().unwrap().push(Seen {
                name: attempt.command.words.join(" "),
                bytes: (attempt.bytes, end.bytes),
                db: attempt.db,
                label: attempt.label,
                kind: end.outcome.into(),
                micros: end.times.total_micros(),
            });
        }
    }

    let Some(server) = redis() else { return };
    let (seen, home) = (Arc::default(), Address { host: "127.0.0.1", port: server.port() });
    let url = format!("{}/2", server.url());
    let client = open(builder(&url).hook(Watch(Arc::clone(&seen), home)));
    let next = || seen.lock().unwrap().pop().expect("one that was told");
    client.set("k", "value").label("first").wait().unwrap();
    let set = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n".len() as u64;
    let Seen { micros, .. } = next();
    assert!(micros < 20_000_000);
    client.set("k", "value").label("first").wait().unwrap();
    let expected = |kind, bytes, db, label| (kind, bytes, db, label);
    let part = |seen: Seen| (seen.kind, seen.bytes, seen.db, seen.label);
    assert_eq!(part(next()), expected(Kind::Answered, (set, 5), 2, Some("first")));
    assert!(client.incr("k").wait().is_err());
    assert_eq!(next().kind, Kind::Server);
    client.send(get("k")).label("read").read(|_| Ok(())).label("again").wait().unwrap();
    assert_eq!(next().label, Some("again"));
    // It has a connection of its own, and takes its time. What has no row has no name.
    let popped: Option<(String, String)> =
        client.send(raw("BLPOP").key("l").arg(0.2).typed()).wait().unwrap();
    let blocked = next();
    assert!(popped.is_none() && blocked.name.is_empty() && blocked.micros >= 150_000, "{blocked:?}");

    let conn = client.conn().wait().unwrap();
    conn.set("k", "value").label("lent").wait().unwrap();
    assert_eq!(part(next()), expected(Kind::Answered, (set, 5), 2, Some("lent")));
    conn.select(5).wait().unwrap();
    assert_eq!((next().db, conn.strlen("k").wait().unwrap()), (2, 0));
    assert_eq!(next().db, 5);
    assert!(conn.incr("k").wait().is_ok() && next().kind == Kind::Answered);
    assert!(conn.send(raw("NONSENSE")).wait_with(|reply| Ok(reply.get::<i64>()?)).is_err());
    assert_eq!(next().kind, Kind::Server);
    assert!(seen.lock().unwrap().is_empty(), "each once");
}

/// S1-HOOK-03: a pipeline's size and outcome, and each of its commands between its beginning and its end; on a connection that
/// is lent, too.
#[test]
fn pipe_hook() {
    both(|_, builder| {
        let (client, log) = watched(builder);
        client.set("text", "v").wait().unwrap();
        let conn = client.conn().wait().unwrap();
        drop(log.take());
        let expected = [
            "A before pipeline of 3 for all",
            "A before GET for all",
            "A before INCR for all",
            "A before GET for all",
            "A after GET for all answered",
            "A after INCR for all server",
            "A after GET for all answered",
            "A after pipeline of 3 for all 2+1+0",
        ];
        let requests = || (get("text").typed::<String>(), incr("text"), get("text").typed::<String>());
        drop(client.pipeline(requests()).label("all").wait().unwrap());
        assert_eq!(log.take(), expected);
        drop(conn.pipeline(requests()).label("all").wait().unwrap());
        assert_eq!(log.take(), expected);
        // In parts, each of which has an end.
        for _ in 0..2 {
            let many: Vec<_> = (0..2500).map(|_| incr("n")).collect();
            drop(conn.pipeline(many.as_slice()).wait().unwrap());
            drop(client.pipeline(many.as_slice()).wait().unwrap());
        }
        let told = log.take();
        let count = |start: &str| told.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("A before INCR"), count("A after INCR")), (10_000, 10_000));
        assert_eq!(count("A before pipeline"), count("A after pipeline"));
    });
}

/// S1-HOOK-04: a transaction, from `MULTI` to `EXEC`, and how it ended: executed with an error inside, aborted, refused by the
/// server, lost.
#[test]
fn tx_hook() {
    both(|server, builder| {
        let hasty = builder.clone().timeout(ms(300));
        let (client, log) = watched(builder);
        let mut admin = Admin::connect(server.addr());
        admin.done("SET text v");
        let wait = || drop(client.conn().wait().unwrap());
        wait();
        drop(log.take());
        drop(client.transaction((set("a", 1), incr("text"), incr("a"))).label("tx").wait().unwrap());
        let told = log.take();
        assert_eq!(
            told,
            [
                "A before transaction of 3 for tx",
                "A before MULTI for tx",
                "A before SET for tx",
                "A before INCR for tx",
                "A before INCR for tx",
                "A before EXEC for tx",
                "A after MULTI for tx answered",
                "A after SET for tx answered",
                "A after INCR for tx answered",
                "A after INCR for tx answered",
                "A after EXEC for tx answered",
                "A after transaction of 3 for tx Executed 2+1+0",
            ]
        );
        let last = || log.take().pop().expect("the end");
        let aborted = client.check_and_set("watched", 1, |_| {
            admin.done("INCR watched");
            Ok(Some([set("watched", 0)]))
        });
        assert!(matches!(aborted, Err(TransactionError::Aborted)));
        let told = log.take();
        assert!(told.contains(&"A before transaction of 1 watching".to_owned()), "{told:?}");
        assert!(told.contains(&"A after transaction of 1 Aborted 0+0+0".to_owned()), "{told:?}");
        let refused = client.transaction((incr("a"), raw("NONSENSE"))).wait();
        assert!(matches!(refused, Err(TransactionError::Refused { index: 1, .. })));
        assert_eq!(last(), "A after transaction of 2 Discarded 0+0+0");
        let many: Vec<_> = (0..2500).map(|_| incr("n")).collect();
        assert_eq!(client.transaction(many.as_slice()).wait().unwrap().len(), 2500);
        assert_eq!(last(), "A after transaction of 2500 Executed 2500+0+0");

        let (client, log) = watched(hasty);
        drop(client.conn().wait().unwrap());
        server.signal("-STOP");
        let late = client.transaction((incr("a"), incr("a"))).wait();
        server.signal("-CONT");
        assert!(matches!(late, Err(TransactionError::Failed(Error::Failed(_)))), "{late:?}");
        assert_eq!(log.take().pop().unwrap(), "A after transaction of 2 Failed(TimedOut) 0+0+0");
    });
}
