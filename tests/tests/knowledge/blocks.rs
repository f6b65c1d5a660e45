//! Servers really keep a request as long as the core says.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;
use respire::resp::Value;
use respire_tests::Kind;

use crate::support::{ask, everywhere, frame, open, run, split, text};

/// A server counts from the start of its turn, in milliseconds.
const EARLY: Duration = Duration::from_millis(5);
/// For a busy machine.
const LATE: Duration = Duration::from_secs(5);
const TENTH: Duration = Duration::from_millis(100);

fn blocks(line: &str) -> Blocks {
    Blocks::of(Args::new(&frame(&split(line))))
}

fn timed(client: &Single, line: &str) -> (Duration, Value) {
    let start = Instant::now();
    let value = ask(client, line);
    (start.elapsed(), value)
}

#[test]
fn an_answer_comes_when_the_time_is_over() {
    everywhere(|kind, _, client| {
        // It takes connections and says nothing.
        let silent = TcpListener::bind(("127.0.0.1", 0)).expect("binding a loopback port");
        let port = silent.local_addr().expect("a bound port").port();
        run(client, "SET k v");
        run(client, "XGROUP CREATE s g $ MKSTREAM");
        let migrate = format!("MIGRATE 127.0.0.1 {port} k 0 100");
        let mut lines = vec![
            "BLPOP q 0.1",
            "blpop q r .1",
            "BRPOP q 0.10000",
            "BRPOPLPUSH q r 00.1",
            "BLMOVE q r LEFT RIGHT 0.1",
            "BLMPOP 0.1 1 q LEFT",
            "BZPOPMIN q 0.1",
            "BZPOPMAX q r 0.1",
            "BZMPOP 0.1 1 q MIN",
            "XREAD BLOCK 100 STREAMS s $",
            "XREAD COUNT 3 block 100 STREAMS s $",
            "XREAD BLOCK 20000 BLOCK 100 STREAMS s $",
            "XREADGROUP GROUP g c BLOCK 100 STREAMS s >",
            "XREADGROUP GROUP g STREAMS BLOCK 100 STREAMS s >",
            "WAIT 1 100",
            "DEBUG SLEEP 0.1",
            &migrate,
        ];
        if kind == Kind::Valkey91 {
            lines.push("WAITAOF 0 1 100");
        }
        for line in lines {
            assert_eq!(blocks(line), Blocks::For(TENTH), "{line}");
            let (took, answer) = timed(client, line);
            assert!(took + EARLY >= TENTH, "{kind}: {line}: {answer:?} after {took:?}");
            assert!(took <= TENTH + LATE, "{kind}: {line}: {answer:?} after {took:?}");
            // An error here would be one about the request, and come at once.
            let failed = matches!(&answer, Value::Error(error) if !error.to_string().starts_with("IOERR"));
            assert!(!failed, "{kind}: {line}: {answer:?}");
        }
    });
}

#[test]
fn what_says_no_is_answered_at_once() {
    everywhere(|kind, _, client| {
        for (line, refused) in [
            ("BLPOP q soon", true),
            ("BLPOP q inf", true),
            ("BLPOP q nan", true),
            ("BLPOP q", true),
            ("BLMPOP x 1 q LEFT", true),
            ("WAIT 1 soon", true),
            ("MIGRATE h 1 k 0 x", true),
            ("XREAD BLOCK 1", true),
            ("XREAD BLOCK 1 BLOCK x STREAMS s $", true),
            ("XREAD STREAMS BLOCK 0", false),
            ("CLIENT PAUSE 1", false),
        ] {
            assert_eq!(blocks(line), Blocks::No, "{line}");
            let (took, answer) = timed(client, line);
            assert!(took < LATE, "{kind}: {line}: {took:?}");
            assert_eq!(matches!(answer, Value::Error(_)), refused, "{kind}: {line}: {answer:?}");
        }
        // In a script nothing waits: one server refuses, another has nothing to say.
        let line = "EVAL return(redis.call('XREAD','BLOCK','0','STREAMS',KEYS[1],'$')) 1 s";
        assert_eq!(blocks(line), Blocks::No);
        let (took, answer) = timed(client, line);
        assert!(
            took < LATE && matches!(answer, Value::Error(_) | Value::Null),
            "{kind}: {answer:?} {took:?}"
        );
    });
}

#[test]
fn for_ever_is_until_somebody_ends_it() {
    everywhere(|kind, server, client| {
        let id = match run(client, "CLIENT ID") {
            Value::Integer(id) => id,
            other => panic!("{other:?}"),
        };
        for line in [
            "BLPOP q 0",
            "BLPOP q 0.0",
            "BLPOP q -0.0005",
            "BZMPOP -0 1 q MIN",
            "XREAD BLOCK 0 STREAMS s $",
            "WAIT 1 0",
        ] {
            assert_eq!(blocks(line), Blocks::Forever, "{line}");
            let other = open(server);
            let ended = std::thread::scope(|scope| {
                let waiting = scope.spawn(|| ask(client, line));
                // Only a client that waits can be unblocked. Before that it is given time to end by itself.
                let start = Instant::now();
                loop {
                    if text(&run(&other, "INFO clients")).contains("blocked_clients:1") {
                        break;
                    }
                    assert!(start.elapsed() < LATE, "{kind}: {line} does not block");
                }
                while start.elapsed() < TENTH {
                    assert!(!waiting.is_finished(), "{kind}: {line} has ended");
                    run(&other, "PING");
                }
                assert_eq!(run(&other, &format!("CLIENT UNBLOCK {id}")), Value::Integer(1), "{kind}: {line}");
                waiting.join().expect("the thread that waits")
            });
            assert!(!matches!(ended, Value::Error(_)), "{kind}: {line}: {ended:?}");
        }
        // These end, but only the server can say when.
        for line in ["BLPOP q 1e-1", "BLPOP q 0x1p-4", "BLPOP q +0.1"] {
            assert_eq!(blocks(line), Blocks::Forever, "{line}");
            let (took, answer) = timed(client, line);
            assert!(took >= Duration::from_millis(50) && took < LATE, "{kind}: {line}: {took:?}");
            assert_eq!(answer, Value::Null, "{kind}: {line}");
        }
    });
}
