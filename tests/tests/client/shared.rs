//! One client, many threads.

use std::thread;

use respire::Error;
use respire::prelude::*;

use crate::support::{everywhere, lost, ms, open, redis};

#[test]
fn every_thread_gets_its_own_answers() {
    everywhere(|_, client| {
        thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    for i in 0..1000 {
                        client.incr("total").wait().unwrap();
                        let token = format!("{thread}/{i}");
                        if i % 4 == 0 {
                            let (token_back, own) = client
                                .pipeline((echo(&token).typed::<String>(), incr(&token)))
                                .wait()
                                .unwrap();
                            assert_eq!((token_back.unwrap(), own.unwrap()), (token, 1));
                        } else {
                            let back: String = client.echo(&token).wait().unwrap();
                            assert_eq!(back, token);
                        }
                    }
                });
            }
        });
        assert_eq!(client.get::<i64>("total").wait()?, 8000);
        Ok(())
    });
}

#[test]
fn threads_outlive_the_connection() {
    let Some(server) = redis() else { return };
    let (client, other) = (open(&server.url()), open(&server.url()));
    let answered: i64 = thread::scope(|scope| {
        let count = |_| {
            scope.spawn(|| {
                let mut answered = 0;
                for _ in 0..500 {
                    match client.incr("n").wait() {
                        Ok(_) => answered += 1,
                        // Cut off in the handshake.
                        Err(Error::Connect(_)) => {}
                        gone => drop(lost(gone)),
                    }
                }
                answered
            })
        };
        let threads: Vec<_> = (0..4).map(count).collect();
        for _ in 0..10 {
            thread::sleep(ms(5));
            other.send(raw("CLIENT KILL TYPE normal SKIPME yes")).wait().unwrap();
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    // Nothing was sent twice, and at most what was lost was executed without our knowledge.
    let executed: i64 = other.get("n").wait().unwrap();
    assert!((answered..=2000).contains(&executed), "{answered} answered, {executed} executed");
}
