//! What an error proves, against what the server has done.

use std::thread;
use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;
use respire::resp::Value;
use respire_core::error::{Author, Proof, ServerError};

use crate::support::{ask_words, everywhere, frame, open, run, split};

/// Sends words; the error's code and what it proves.
fn refused(client: &Single, line: &[&str]) -> (String, Proof) {
    let Value::Error(error) = ask_words(client, line) else { panic!("{line:?} is no error") };
    let text = error.to_string();
    let bytes = frame(line);
    let proof = ServerError::new(text.as_bytes()).kind().proof(Args::new(&bytes).author());
    (text.split(' ').next().unwrap_or_default().to_owned(), proof)
}

#[test]
fn a_server_that_refuses_has_not_executed() {
    everywhere(|kind, server, client| {
        let other = open(server);
        let count = || run(&other, "GET n");
        run(client, "SET n 1");
        run(client, "SET text no-list");
        for (prepare, code, restore) in [
            ("CONFIG SET maxmemory 1", "OOM", "CONFIG SET maxmemory 0"),
            ("CONFIG SET min-replicas-to-write 1", "NOREPLICAS", "CONFIG SET min-replicas-to-write 0"),
            ("REPLICAOF 127.0.0.1 1", "READONLY", "REPLICAOF NO ONE"),
            ("ACL SETUSER default -incr", "NOPERM", "ACL SETUSER default +incr"),
        ] {
            run(client, prepare);
            assert_eq!(refused(client, &["INCR", "n"]), (code.to_owned(), Proof::NotExecuted), "{kind}");
            run(client, restore);
            assert_eq!(count(), Value::Bulk(b"1".to_vec()), "{kind}: {code}");
        }
        // A replica without its primary that may not serve what it has.
        run(client, "CONFIG SET replica-serve-stale-data no");
        run(client, "REPLICAOF 127.0.0.1 1");
        assert_eq!(refused(client, &["GET", "n"]), ("MASTERDOWN".to_owned(), Proof::NotExecuted), "{kind}");
        run(client, "REPLICAOF NO ONE");
        // The destination is looked at before anything is taken.
        run(client, "DEL list");
        run(client, "RPUSH list a");
        let moved = refused(client, &["RPOPLPUSH", "list", "text"]);
        assert_eq!(moved, ("WRONGTYPE".to_owned(), Proof::NotExecuted), "{kind}");
        assert_eq!(run(client, "LLEN list"), Value::Integer(1), "{kind}");
        // The answer to EXEC proves nothing by itself, even if it is the truth.
        run(client, "MULTI");
        run(client, "INCR n");
        assert!(matches!(ask_words(client, &["NOSUCH"]), Value::Error(_)));
        assert_eq!(refused(client, &["EXEC"]), ("EXECABORT".to_owned(), Proof::Unknown), "{kind}");
        assert_eq!(count(), Value::Bulk(b"1".to_vec()), "{kind}");
        let abort = ServerError::new(b"EXECABORT").kind();
        assert_eq!(abort.proof(Author::Server), Proof::NotExecuted);
    });
}

#[test]
fn a_busy_server_has_not_executed() {
    everywhere(|kind, server, client| {
        run(client, "CONFIG SET busy-reply-threshold 1");
        let other = open(server);
        thread::scope(|scope| {
            let script = scope.spawn(|| ask_words(&other, &["EVAL", "while true do end", "0"]));
            let start = Instant::now();
            let (code, proof) = loop {
                assert!(start.elapsed() < Duration::from_secs(20), "{kind}: no script makes it busy");
                match ask_words(client, &["INCR", "n"]) {
                    Value::Integer(_) => {}
                    Value::Error(error) => {
                        let text = error.to_string();
                        let bytes = frame(&["INCR", "n"]);
                        let kind = ServerError::new(text.as_bytes()).kind();
                        let before = text.split(' ').next().unwrap_or_default().to_owned();
                        break (before, kind.proof(Args::new(&bytes).author()));
                    }
                    other => panic!("{other:?}"),
                }
            };
            assert_eq!((code.as_str(), proof), ("BUSY", Proof::NotExecuted), "{kind}");
            run(client, "SCRIPT KILL");
            assert!(matches!(script.join().expect("the script's thread"), Value::Error(_)));
        });
    });
}

#[test]
fn a_script_says_what_it_likes() {
    everywhere(|kind, _, client| {
        let script = "redis.call('INCR', KEYS[1]) return {err = ARGV[1]}";
        let codes = [
            "LOADING",
            "BUSY",
            "MASTERDOWN",
            "READONLY",
            "NOREPLICAS",
            "MISCONF",
            "OOM",
            "NOPERM",
            "NOSCRIPT",
            "MOVED 1 127.0.0.1:1",
            "ASK 1 127.0.0.1:1",
            "TRYAGAIN",
            "CLUSTERDOWN",
            "UNBLOCKED",
            "EXECABORT",
            "WRONGTYPE",
        ];
        let mut executed = 0;
        for code in codes {
            let said = refused(client, &["EVAL", script, "1", "n", code]);
            executed += 1;
            assert_eq!(said, (split(code)[0].to_owned(), Proof::Unknown), "{kind}");
            assert_eq!(run(client, "GET n"), Value::Bulk(executed.to_string().into_bytes()), "{kind}");
        }
        // It need not mean to.
        run(client, "SET text no-list");
        let script = "redis.call('INCR', KEYS[1]) return redis.call('LPUSH', 'text', 1)";
        assert_eq!(refused(client, &["EVAL", script, "1", "n"]).1, Proof::Unknown, "{kind}");
        assert_eq!(run(client, "GET n"), Value::Bulk((executed + 1).to_string().into_bytes()), "{kind}");
        // Nor is it only scripts.
        assert_eq!(
            refused(client, &["DEBUG", "ERROR", "LOADING"]),
            ("LOADING".into(), Proof::Unknown),
            "{kind}"
        );
    });
}
