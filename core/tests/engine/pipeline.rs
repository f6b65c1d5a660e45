//! Several requests that go together, in their order.

use std::time::Duration;

use respire_core::command::{Retry, append, get, incr, ping, raw, set};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Life, Options, Refused};
use respire_core::resp::Value;
use respire_core::retry::BudgetConfig;

use crate::net::{Net, Told, token};
use crate::{NONE, config, ready, text};

/// What may go again, whatever it is.
const SAFE: Options = Options { class: Some(Retry::Always), ..NONE };

/// Appends one letter for each of so many requests.
fn letters(net: &mut Net, count: u8, options: &Options) {
    let mut pipeline = net.engine.pipeline(net.now, count.into(), options).unwrap();
    for n in 0..count {
        let letter = char::from(b'a' + n).to_string();
        pipeline.push(token(n.into()), &append("log", letter.as_str())).unwrap();
    }
}

/// What was appended so far.
fn log(net: &mut Net) -> String {
    net.engine.submit(net.now, token(1000), &get("log"), &NONE).unwrap();
    net.ms(2000);
    match net.told().pop() {
        Some(Told::Reply(1000, Value::Bulk(log))) => String::from_utf8(log).unwrap(),
        Some(Told::Reply(1000, Value::Null)) => String::new(),
        other => panic!("{other:?}"),
    }
}

/// S1-CLI-05: one write, and an outcome for each.
#[test]
fn a_pipeline_is_one_write() {
    let mut net = ready(&config());
    let mut pipeline = net.engine.pipeline(net.now, 3, &NONE).unwrap();
    pipeline.push(token(1), &set("k", "v")).unwrap();
    pipeline.push(token(2), &incr("k")).unwrap();
    pipeline.push(token(3), &get("k")).unwrap();
    assert!(pipeline.push(token(4), &ping()).is_err(), "three were announced");
    drop(pipeline);
    let (id, _) = *net.sockets.values().next().unwrap();
    let bytes = net.engine.poll_transmit(id);
    assert_eq!(bytes.windows(3).filter(|word| *word == b"*2\r" || *word == b"*3\r").count(), 3);
    net.turn();
    let told = net.told();
    let [Told::Reply(1, _), Told::Rejected(2, _), Told::Reply(3, value)] = &told[..] else {
        panic!("an error is one's own: {told:?}")
    };
    assert_eq!(*value, text("v"));
}

/// S1-BP-04: behind a lost connection it goes on with the first that was not answered and may go again.
#[test]
fn a_pipeline_goes_on_behind_a_loss() {
    let mut net = ready(&config());
    net.silent = true;
    let mut pipeline = net.engine.pipeline(net.now, 4, &NONE).unwrap();
    pipeline.push(token(1), &get("a")).unwrap();
    pipeline.push(token(2), &incr("n")).unwrap();
    pipeline.push(token(3), &get("n")).unwrap();
    pipeline.push(token(4), &get("b")).unwrap();
    drop(pipeline);
    net.turn();
    net.cut();
    net.silent = false;
    net.ms(1000);
    let told = net.told();
    let [Told::Failed(2, failed), Told::Reply(1, _), Told::Reply(3, n), Told::Reply(4, _)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((failed.failure, failed.attempts), (Failure::Unknown, 1));
    assert_eq!(*n, text("1"), "executed once");
    assert_eq!(net.engine.stats().retries, 3);
}

#[test]
fn the_order_is_kept_over_outages() {
    for lanes in [0, 1, 3] {
        for at in 0..12 {
            let budget = BudgetConfig { percent: 20, burst: 100, floor: 10 };
            let mut net = ready(&Config { lanes, budget, ..config() });
            net.engine.submit(net.now, token(99), &ping(), &NONE).unwrap();
            net.turn();
            net.silent = true;
            letters(&mut net, 26, &SAFE);
            net.turn();
            // Some of what was executed is answered.
            net.silent = false;
            for (id, client) in net.sockets.values().copied().collect::<Vec<_>>() {
                let output = net.server.output(client).to_vec();
                let n = output.len().min(at * 5);
                if n > 0 {
                    net.engine.recv_space(id).unwrap()[..n].copy_from_slice(&output[..n]);
                    net.engine.handle_received(id, n);
                    net.server.sent(client, n);
                }
            }
            if at % 2 == 0 {
                while net.engine.poll_event(net.now).is_some() {}
            }
            net.cut();
            net.ms(300);
            net.cut();
            let log = log(&mut net);
            // What was executed twice was so in order, too: every piece goes up.
            let ends: Vec<_> = ('a'..='z').map(|letter| log.rfind(letter)).collect();
            assert!(ends.iter().all(Option::is_some), "{lanes} {at}: {log}");
            assert!(ends.is_sorted(), "{lanes} {at}: {log}");
            assert!(log.len() > 26 || at > 10, "{lanes} {at}: nothing was lost: {log}");
        }
    }
}

#[test]
fn what_is_refused_is_not_part_of_it() {
    let mut net = ready(&config());
    let mut pipeline = net.engine.pipeline(net.now, 3, &NONE).unwrap();
    pipeline.push(token(1), &set("k", "v")).unwrap();
    assert_eq!(pipeline.push(token(2), &raw("SUBSCRIBE").arg("c")), Err(Refused::NeedsLease));
    pipeline.push(token(3), &get("k")).unwrap();
    drop(pipeline);
    net.turn();
    assert!(matches!(&net.told()[..], [Told::Reply(1, _), Told::Reply(3, Value::Bulk(_))]));
}

#[test]
fn there_is_room_for_all_or_none() {
    let mut net = ready(&config());
    assert!(net.engine.pipeline(net.now, 33, &NONE).is_err());
    let mut pipeline = net.engine.pipeline(net.now, 32, &NONE).unwrap();
    for n in 0..32 {
        pipeline.push(token(n), &ping()).unwrap();
    }
    drop(pipeline);
    assert!(net.engine.pipeline(net.now, 1, &NONE).is_err());
    net.turn();
    assert_eq!(net.told().len(), 32);
}

#[test]
fn more_than_a_connection_holds_follow_in_order() {
    for options in [SAFE, Options { own: true, ..SAFE }] {
        let mut net = ready(&config());
        letters(&mut net, 26, &options);
        net.turn();
        assert_eq!(log(&mut net), "abcdefghijklmnopqrstuvwxyz", "a connection has 16 in flight");
        assert_eq!(net.engine.pool_stats().lent, 1, "what was its own was given back");
    }
}

#[test]
fn it_waits_for_a_connection_in_order() {
    let mut net = Net::new(&config());
    net.engine.submit(net.now, token(99), &ping(), &NONE).unwrap();
    letters(&mut net, 26, &NONE);
    net.turn();
    assert_eq!(log(&mut net), "abcdefghijklmnopqrstuvwxyz");
}

#[test]
fn deadlines_and_closing_end_what_follows() {
    let mut net = Net::new(&config());
    net.down = true;
    let options = Options { timeout: Some(Duration::from_millis(50)), ..NONE };
    letters(&mut net, 5, &options);
    net.ms(60);
    let told = net.told();
    assert_eq!(told.len(), 5);
    assert!(
        told.iter().all(|told| matches!(told, Told::Failed(_, failed) if failed.failure != Failure::Unknown))
    );
    letters(&mut net, 5, &NONE);
    net.engine.close(net.now);
    net.ms(10);
    assert_eq!(net.told().len(), 5);
    assert_eq!(net.engine.life(), Life::Closed);
}

#[test]
fn one_of_them_can_be_cancelled() {
    for (lanes, cancelled) in [(0, 0), (1, 0), (0, 2), (1, 2), (0, 4), (1, 4)] {
        let mut net = Net::new(&Config { lanes, ..config() });
        for connected in [false, true] {
            let mut pipeline = net.engine.pipeline(net.now, 5, &NONE).unwrap();
            let tickets: Vec<_> =
                (0..5).map(|n| pipeline.push(token(n), &append("log", "x")).unwrap()).collect();
            drop(pipeline);
            assert!(net.engine.cancel(net.now, tickets[cancelled]).is_some(), "{connected}");
            net.ms(100);
            let told = net.told();
            let replies: Vec<_> = told.iter().map(|told| matches!(told, Told::Reply(..))).collect();
            assert_eq!(replies, [true; 4], "{told:?}");
        }
        assert_eq!(net.engine.pending(), 0);
        net.engine.close(net.now);
        net.ms(1000);
        assert_eq!(net.engine.life(), Life::Closed);
    }
}

#[test]
fn what_blocks_has_a_connection_for_the_whole_pipeline() {
    let mut net = ready(&config());
    let mut pipeline = net.engine.pipeline(net.now, 2, &NONE).unwrap();
    pipeline.push(token(1), &get("k")).unwrap();
    assert_eq!(pipeline.push(token(2), &raw("BLPOP").arg("l").arg(1)), Err(Refused::NeedsLease));
    drop(pipeline);
    net.turn();
    assert_eq!(net.told().len(), 1);
    let own = Options { own: true, ..NONE };
    let mut pipeline = net.engine.pipeline(net.now, 2, &own).unwrap();
    pipeline.push(token(1), &get("k")).unwrap();
    pipeline.push(token(2), &raw("BLPOP").arg("l").arg(1)).unwrap();
    drop(pipeline);
    net.turn();
    assert_eq!(net.blocked.len(), 1, "the lane is not blocked");
}

/// A place among the calls is another's once its call is over.
#[test]
fn nobody_follows_a_call_that_was_cancelled() {
    let pool = respire_core::pool::Config { size: 1, ..config().pool };
    let mut net = Net::new(&Config { lanes: 0, pool, ..config() });
    net.engine.submit(net.now, token(99), &ping(), &NONE).unwrap();
    net.turn();
    net.silent = true;
    let mut pipeline = net.engine.pipeline(net.now, 3, &NONE).unwrap();
    let tickets: Vec<_> = (0..3).map(|n| pipeline.push(token(n), &get("k")).unwrap()).collect();
    drop(pipeline);
    net.turn();
    assert_eq!(net.engine.cancel(net.now, tickets[2]), Some(Failure::Unknown));
    // Its place is that of the first of these, which wait for the connection.
    letters(&mut net, 2, &NONE);
    let (id, client) = *net.sockets.values().next().unwrap();
    let output = net.server.output(client).to_vec();
    let n = output.len() / 3;
    net.engine.recv_space(id).unwrap()[..n].copy_from_slice(&output[..n]);
    net.engine.handle_received(id, n);
    net.server.sent(client, n);
    net.turn();
    net.silent = false;
    net.ms(500);
    net.told();
    assert_eq!(log(&mut net), "ab");
}
