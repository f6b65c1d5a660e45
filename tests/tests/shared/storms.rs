//! Many callers of one client, and connections that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use respire::Client;
use respire_tests::chaos::{Caller, Mix, Round, Tally, Verdict, executed, seed};

use crate::support::{Admin, builder, processed, redis, until};

/// Calls until `over`, and compares what was said with the ledger.
fn play(
    client: Client,
    callers: &[Caller],
    mix: Mix,
    admin: &mut Admin,
    over: impl FnOnce(&mut Admin),
) -> Tally {
    let round = Arc::new(Round::new(mix, 0, false));
    let left = Arc::new(AtomicUsize::new(callers.len()));
    let callers: Vec<_> = callers
        .iter()
        .zip(1_u64..)
        .map(|(&caller, number)| {
            let (round, client, left) = (Arc::clone(&round), client.clone(), Arc::clone(&left));
            thread::spawn(move || {
                let tally = caller.call(&round, 0, &client, number << 16);
                drop(client);
                left.fetch_sub(1, Ordering::SeqCst);
                tally
            })
        })
        .collect();
    drop(client);
    over(admin);
    round.end();
    until("all callers", || left.load(Ordering::SeqCst) == 0);
    let mut tally = Tally::default();
    callers.into_iter().for_each(|caller| tally.add(caller.join().expect("a caller")));
    assert_eq!(tally.wrong, [""; 0]);
    tally.claims.append(&mut tally.loads.claims);
    assert_eq!(tally.verdict(&executed(admin)), Verdict::default());
    tally.loads.check(admin);
    assert_eq!((tally.loads.untold, tally.loads.wrong.as_slice()), (0, [""; 0].map(String::from).as_slice()));
    println!(
        "{} requests: {} answered, {} turned away, failed {:?}, latest {:?}",
        tally.ops,
        tally.ok,
        tally.cancelled,
        tally.failed,
        tally.late.iter().max()
    );
    tally
}

/// S3-CONF-04, S1-CLI-07: sixty-four threads that wait, turn away or have little time, while all connections
/// are ended again and again. Each answer is its caller's, and nothing is executed twice.
#[test]
fn a_storm_of_client_kill_among_sixty_four_threads() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    seed(&mut admin);
    let client = builder(&server).config(|config| config.dials = (200, 50)).connect().expect("a client");
    let mix = Mix { timeout: (20, 800), cancel: 4, apart: 100, ..Mix::USUAL };
    let tally = play(client, &[Caller::Thread; 64], mix, &mut admin, |admin| {
        for storm in 1..=20 {
            let reached = processed(admin) + 300;
            until("some requests", || processed(admin) > reached);
            assert!(
                storm > 0
                    && !matches!(
                        admin.ask("CLIENT KILL TYPE normal SKIPME yes"),
                        crate::support::Answer::Error(_)
                    )
            );
        }
        let reached = processed(admin) + 300;
        until("calm", || processed(admin) > reached);
    });
    assert!(tally.ok > 1000 && tally.failed.contains_key("unknown"), "too calm to say anything: {tally:?}");
}

/// S3-CONF-04: threads, tasks of an executor of ours and of others, in runtimes that drive the client and in
/// those that do not, each with a bulk beside: one client for all at once.
#[test]
fn callers_of_every_kind_share_one_client() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    seed(&mut admin);
    let client = builder(&server).connect().expect("a client");
    // Time enough for all of them, whatever else the machine does.
    let mix = Mix { timeout: (10_000, 20_000), bulks: true, ..Mix::USUAL };
    let tally = play(client, &Caller::ALL, mix, &mut admin, |admin| {
        let reached = processed(admin) + 10_000;
        until("many requests", || processed(admin) > reached);
    });
    assert_eq!(tally.ok + tally.cancelled, tally.ops, "{:?}", tally.failed);
    let loads = &tally.loads;
    assert!(
        loads.items > 0 && loads.ok == loads.items,
        "{} of {}: {:?}",
        loads.ok,
        loads.items,
        loads.failed
    );
}

/// S4-CLI-10: closed while everybody is at it: who was sent has his answer, everybody else is told that it is
/// closed, and no connection is left although there are handles.
#[test]
fn a_client_that_is_closed_tells_everybody() {
    let Some(server) = redis() else { return };
    let mut admin = Admin::connect(server.addr());
    seed(&mut admin);
    let client = builder(&server).connect().expect("a client");
    let handle = client.clone();
    let tally = play(client, &Caller::ALL, Mix::USUAL, &mut admin, |admin| {
        let reached = processed(admin) + 2000;
        until("many requests", || processed(admin) > reached);
        handle.close().wait().expect("an end");
        handle.close().wait().expect("the same end");
        admin.wait_until_alone();
    });
    let told = tally.failed.get("not taken: Closed").copied().unwrap_or(0);
    assert!(told > 0, "{:?}", tally.failed);
    assert!(!tally.failed.contains_key("unknown"), "{:?}", tally.failed);
}
