//! Transactions of many callers, while connections end: each is executed whole or not at all, and no connection that was
//! lent is lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use respire::command::{TransactionError, words};
use respire::prelude::*;
use respire::resp::Value;
use respire::{Client, Error};
use respire_tests::Server;
use respire_tests::chaos::{Claim, executed, plain};

use crate::support::{Admin, builder, ms, processed, redis, until};

const CONNECTIONS: u16 = 4;

fn client(server: &Server) -> Client {
    let builder = builder(server).connections(CONNECTIONS).timeout(ms(2000));
    builder.config(|config| config.dials = (200, 50)).connect().expect("a client")
}

/// Kills all connections again and again while `work` is done by eight threads, then lets it end.
fn storm(admin: &mut Admin, work: impl Fn(u64, &AtomicBool) + Sync) {
    let over = &AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in 0..8 {
            let work = &work;
            scope.spawn(move || work(worker, over));
        }
        for _ in 0..15 {
            let reached = processed(admin) + 100;
            until("some requests", || processed(admin) > reached);
            admin.done("CLIENT KILL TYPE normal SKIPME yes");
        }
        let reached = processed(admin) + 100;
        until("calm", || processed(admin) > reached);
        over.store(true, Ordering::Relaxed);
    });
}

/// As many connections as there may be can be had at once.
fn nothing_is_lent(client: &Client) {
    // One is shared.
    let lent: Vec<_> = (1..CONNECTIONS).map(|_| client.conn().wait().expect("a connection")).collect();
    for (n, conn) in lent.iter().enumerate() {
        let echo: String = conn.echo(&n.to_string()).wait().expect("an answer");
        assert_eq!(echo, n.to_string());
    }
}

/// S1-CLI-06, S1-CLI-07, S1-CLI-08: of two writes in a transaction both are executed or none, whatever happens to the
/// connection; and what was said of them is so.
#[test]
fn a_transaction_is_executed_whole_or_not_at_all() {
    let Some(server) = redis() else { return };
    let client = client(&server);
    let mut admin = Admin::connect(server.addr());
    let claims = std::sync::Mutex::new(HashMap::new());
    storm(&mut admin, |worker, over| {
        let mut n = 0;
        while !over.load(Ordering::Relaxed) {
            let word = format!("{worker}-{n}");
            let (a, b) = (format!("{word}-a"), format!("{word}-b"));
            let (a, b) = (["HINCRBY", "ledger", &a, "1"], ["HINCRBY", "ledger", &b, "1"]);
            let call = client.transaction((words(&a), words(&b)));
            // One in seven turns away.
            let result = match n % 7 {
                0 => {
                    let mut call = std::pin::pin!(call);
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    let _ = call.as_mut().poll(&mut context);
                    None
                }
                1..4 => Some(plain(call)),
                _ => Some(call.wait()),
            };
            let claim = match result {
                None => Claim::Perhaps,
                Some(Ok((a, b))) => {
                    assert!(
                        matches!((&a, &b), (Ok(Value::Integer(1)), Ok(Value::Integer(1)))),
                        "{a:?} {b:?}"
                    );
                    Claim::Once
                }
                Some(Err(TransactionError::Failed(error))) => Claim::of(&error),
                Some(Err(other)) => panic!("{other:?}"),
            };
            claims.lock().expect("the claims").insert(word, claim);
            n += 1;
        }
    });
    nothing_is_lent(&client);
    drop(client);
    let executed = executed(&mut admin);
    let claims = claims.into_inner().expect("the claims");
    let mut counts = HashMap::new();
    for (word, claim) in &claims {
        let [a, b] = ["a", "b"].map(|half| executed.get(&format!("{word}-{half}")).copied().unwrap_or(0));
        assert!(a == b && a <= 1, "{word}: {a} and {b}");
        assert!(*claim != Claim::Once || a == 1, "{word} was answered");
        assert!(*claim != Claim::Never || a == 0, "{word} was said not to be executed");
        *counts.entry(format!("{claim:?}")).or_insert(0) += 1;
    }
    println!("{counts:?}");
    assert!(claims.values().any(|claim| *claim == Claim::Once), "{counts:?}");
}

/// S1-CLI-06: of many who count a number up on condition that nobody else did, none is lost and none counts twice.
#[test]
fn who_changes_on_condition_changes_once() {
    let Some(server) = redis() else { return };
    let client = client(&server);
    let mut admin = Admin::connect(server.addr());
    let (sure, perhaps) = (AtomicU64::new(0), AtomicU64::new(0));
    storm(&mut admin, |_, over| {
        while !over.load(Ordering::Relaxed) {
            let result = client.check_and_set("number", 20, |conn| {
                let number: Option<u64> = conn.get("number").wait()?;
                Ok(Some([set("number", number.unwrap_or(0) + 1)]))
            });
            match result {
                Ok(Some(_)) => sure.fetch_add(1, Ordering::Relaxed),
                Ok(None) => panic!("something is always wanted"),
                Err(TransactionError::Aborted) => continue,
                Err(TransactionError::Failed(error)) => match Claim::of(&error) {
                    Claim::Never => continue,
                    _ => perhaps.fetch_add(1, Ordering::Relaxed),
                },
                Err(other) => panic!("{other:?}"),
            };
        }
    });
    nothing_is_lent(&client);
    let number: Result<Option<u64>, Error> = client.get("number").wait();
    let number = number.expect("an answer").unwrap_or(0);
    let (sure, perhaps) = (sure.into_inner(), perhaps.into_inner());
    println!("{number}: {sure} are sure, {perhaps} unknown");
    assert!(sure > 0 && (sure..=sure + perhaps).contains(&number), "{number}: {sure} and {perhaps}");
}
