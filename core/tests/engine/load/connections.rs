//! A loader's connection: lost, given back, replaced, shared.

use super::*;

/// S0-OPT-20: no SET is lost, no INCR is executed twice, however much of a batch was answered.
#[test]
fn a_loss_in_the_middle_of_a_batch() {
    for answered in 0..24 {
        for size in [5, 20] {
            let mut load = load(&config(), bulk::Config { batch_size: size, ..TENS });
            load.net.silent = true;
            for n in 0..20 {
                match n % 2 {
                    0 => load.push(&set(&format!("k{n}"), n)),
                    _ => load.push(&incr(&format!("k{n}"))),
                };
            }
            load.net.silent = false;
            while load.loader.lease().is_none() {
                load.step();
            }
            load.net.silent = true;
            load.turn();
            let id = load.loader.lease().unwrap().id();
            let (_, client) = load.net.sockets[&id.index()];
            let output = load.net.server.output(client).to_vec();
            let n = output.len().min(answered * 4);
            if n > 0 {
                load.net.engine.recv_space(id).unwrap()[..n].copy_from_slice(&output[..n]);
                load.net.engine.handle_received(id, n);
                load.net.server.sent(client, n);
            }
            load.net.cut();
            load.net.silent = false;
            load.loader.flush();
            load.ms(500);
            assert_eq!(load.results.len(), 20, "{answered} {size}: {:?}", load.loader);
            for n in 0..20 {
                let (kept, told) = (load.kept(&format!("k{n}")), load.results[&n].clone());
                match (n % 2, told.as_str()) {
                    (0, "Answered") => assert_eq!(kept, n.to_string()),
                    (1, "Answered") => assert_eq!(kept, "1"),
                    (1, NOT_SENT) => assert_eq!(kept, "", "{n}"),
                    (1, UNKNOWN) => assert!(kept == "1" || kept.is_empty(), "{n}: {kept}"),
                    _ => panic!("{answered} {size}: {n} is {told}, {kept}"),
                }
            }
        }
    }
}

#[test]
fn a_connection_that_is_lost_between_batches_is_replaced() {
    let mut load = load(&config(), TENS);
    for round in 0..5 {
        load.letters(10);
        load.turn();
        assert_eq!(load.count("Answered"), 10 * (round + 1));
        load.net.cut();
        load.turn();
        assert!(load.loader.lease().is_none(), "nothing to send, so nothing to wish for");
    }
    assert_eq!(load.value("log"), "abcdefghij".repeat(5));
}

#[test]
fn while_nobody_listens_items_wait() {
    let mut load = load(&config(), TENS);
    load.net.down = true;
    load.letters(10);
    load.ms(5000);
    assert_eq!(load.results.len(), 0);
    let dials = load.net.dials;
    assert!((10..2000).contains(&dials), "{dials}");
    load.net.down = false;
    load.ms(1000);
    assert_eq!(load.count("Answered"), 10);
    load.net.down = true;
    load.net.cut();
    load.letters(10);
    load.ms(100);
    load.loader.give_up(&mut load.net.engine, load.net.now);
    load.ms(1);
    assert_eq!(load.count(NOT_SENT), 10);
    assert!(!load.loader.is_waiting(), "what is not needed is not wished for");
    load.ms(600);
    assert_eq!(load.net.engine.pending(), 0);
}

#[test]
fn a_connection_is_given_back_when_there_is_nothing_to_send() {
    let mut load = load(&config(), TENS);
    load.letters(10);
    load.ms(999);
    assert_eq!((load.net.engine.pool_stats().lent, load.loader.lease().is_some()), (2, true));
    load.ms(1);
    assert_eq!((load.net.engine.pool_stats().lent, load.loader.lease()), (1, None));
    let dials = load.net.dials;
    load.letters(9);
    load.ms(4999);
    assert_eq!((load.count("Answered"), load.loader.lease()), (10, None), "they may wait for others");
    load.ms(1);
    assert_eq!((load.count("Answered"), load.net.dials), (19, dials), "the same one again");
}

#[test]
fn with_one_connection_for_all_nobody_starves() {
    let pool = pool::Config { size: 1, ..config().pool };
    let mut load = load(&Config { lanes: 0, pool, ..config() }, TENS);
    let mut batches = Vec::new();
    let mut asked = 0;
    for round in 0..20 {
        // There is always another batch.
        while load.loader.bulk().stats().queued < 40 {
            load.push(&raw("RPUSH").key("l").arg(1));
        }
        load.net.engine.submit(load.net.now, token(round), &ping(), &NONE).unwrap();
        asked += 1;
        for _ in 0..40 {
            load.step();
            load.net.now = load.net.now.saturating_add(Duration::from_millis(1));
            load.net.engine.handle_timeout(load.net.now);
        }
        batches.push(load.loader.bulk().stats().batches);
        assert_eq!(load.told.len(), asked, "round {round}: {:?} {:?}", load.loader, load.net.engine);
    }
    assert!(load.told.iter().all(|told| matches!(told, Told::Reply(..))), "{:?}", load.told);
    assert!(batches.windows(2).all(|two| two[0] < two[1]), "{batches:?}");
    load.loader.close(&mut load.net.engine, load.net.now);
    load.ms(100);
    assert_eq!(load.net.dials, 1);
    assert_eq!(load.loader.bulk().stats().retries, 0);
    assert!(load.loader.is_over());
}

#[test]
fn a_connection_that_is_to_be_replaced_is_given_back_between_batches() {
    let mut load = load(&config(), TENS);
    load.letters(10);
    load.turn();
    let before = load.loader.lease().unwrap();
    load.net.engine.renew(load.net.now);
    load.letters(10);
    load.turn();
    load.ms(50);
    assert_eq!(load.count("Answered"), 20);
    let is_there = load.net.sockets.values().any(|(id, _)| id.is_same_connection(before.id()));
    assert!(!is_there, "{:?}", load.loader);
}
