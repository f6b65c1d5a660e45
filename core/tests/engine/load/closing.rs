//! The end of a loader.

use super::*;

/// S0-SVC-04: to close flushes, and every item that was pushed before is executed and told.
#[test]
fn close_sends_what_is_there() {
    // Without a connection, while one is dialled, with one that is idle, and with one that is lost meanwhile.
    for state in 0..4 {
        let mut load = load(&config(), TENS);
        if state > 0 {
            load.push(&ping());
            load.loader.flush();
        }
        if state > 1 {
            load.turn();
        } else {
            load.step();
        }
        for _ in 0..3 {
            load.letters(15);
        }
        load.loader.close(&mut load.net.engine, load.net.now);
        load.net.engine.close(load.net.now);
        assert_eq!(load.loader.push(load.net.now, &ping()), Err(Refused::Closed));
        if state == 3 {
            load.net.cut();
        }
        load.ms(300);
        assert_eq!(load.count("Answered"), 45 + usize::from(state > 0), "{state}: {:?}", load.loader);
        assert_eq!(load.kept("log"), "abcdefghijklmno".repeat(3), "{state}");
        assert!(load.loader.is_over() && load.loader.bulk().is_empty());
        assert_eq!((load.net.engine.life(), load.net.sockets.len()), (Life::Closed, 0), "{state}");
    }
}

/// S0-SVC-04: a server that is dead does not keep anybody.
#[test]
fn close_has_an_end() {
    let drain = Some(Duration::from_millis(200));
    // Nobody listens; it says nothing, to the handshake or to batches; it is silent and nobody has closed the loader.
    for state in 0..5 {
        let mut load = load(&Config { drain, ..config() }, bulk::Config { batch_size: 30, ..TENS });
        match state {
            0 => load.net.down = true,
            1 => load.net.silent = true,
            _ => {
                load.push(&ping());
                load.loader.flush();
                load.turn();
                load.net.silent = true;
            }
        }
        load.letters(20);
        load.letters(20);
        if state == 3 {
            load.turn();
        }
        if state < 4 {
            load.loader.close(&mut load.net.engine, load.net.now);
        }
        load.net.engine.close(load.net.now);
        load.ms(200);
        let others = usize::from(state > 1);
        assert_eq!(load.results.len(), 40 + others, "{state}: {:?} {:?}", load.loader, load.net.engine);
        let not_sent = load.count(NOT_SENT);
        // As many as a connection has in flight may have been executed.
        assert_eq!(load.count(UNKNOWN), if state > 1 { 16 } else { 0 }, "{state}");
        assert_eq!(not_sent + load.count(UNKNOWN), 40);
        assert!(load.loader.is_over(), "{state}: {:?}", load.loader);
        load.ms(1);
        assert_eq!((load.net.engine.life(), load.net.sockets.len()), (Life::Closed, 0), "{state}");
        load.loader.close(&mut load.net.engine, load.net.now);
        assert_eq!(load.loader.poll_timeout(), Instant::MAX);
    }
}

/// What only the engine is told waits for what has a connection, and for nothing else.
#[test]
fn whoever_is_not_closed_before_the_engine_is_told_all_the_same() {
    let mut load = load(&config(), TENS);
    load.letters(5);
    load.turn();
    load.net.engine.close(load.net.now);
    load.net.turn();
    load.ms(10);
    assert_eq!(load.results.len(), 5);
    assert_eq!(load.net.engine.life(), Life::Closed);
    assert_eq!(load.loader.push(load.net.now, &ping()), Err(Refused::Closed));
}
