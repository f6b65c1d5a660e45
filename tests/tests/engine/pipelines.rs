//! Requests that go together: in one write, in their order, and on behind a connection that is lost.

use respire_core::command::{AnyRequest, get, incr, raw, set};
use respire_core::conn::Failure;
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::proxy::{Act, At, Proxy, Script};

use crate::support::{Admin, App, OWN, PLAIN, config, each_its_own, failed, redis, status, text};

/// S1-CLI-05, S3-LIB-01: a thousand requests go in one piece, as far as the system takes it, and each has its own answer.
#[test]
fn pipe() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for (config, options) in [(config(), PLAIN), (config(), OWN), (each_its_own(2), PLAIN)] {
        let mut app = App::new(server.addr(), &config);
        app.call_with(&raw("DEL").arg("n"), &options);
        let (before, executed) = (app.counts().writes, admin.calls("incr"));
        let request = incr("n");
        let first = app.pipe(&[&request as &dyn AnyRequest; 1000], &options);
        let told = app.hear_all();
        let expected: Vec<_> = (1..=1000).map(|n| Told::Reply(Value::Integer(n))).collect();
        assert_eq!(told[first as usize..], expected);
        // 20 KiB, which a socket may take in more than one piece.
        let writes = app.counts().writes - before;
        assert!((1..=4).contains(&writes), "{writes} writes");
        assert_eq!((admin.calls("incr") - executed, app.engine.pending()), (1000, 0));
    }
}

/// S1-BP-04: a connection that the server ends in the middle of a pipeline. What reads and was not answered goes again,
/// what counts was executed once at most, and nobody is told anything that is not so.
#[test]
fn pipe_resume() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut app = App::new(server.addr(), &config());
    app.value(&set("a", "v"));
    let Value::Integer(id) = app.value(&raw("CLIENT ID")) else { panic!("no id") };
    // Nothing is executed behind this one, although it was sent.
    let kill = raw("CLIENT KILL").arg("ID").arg(id).arg("SKIPME").arg("no");
    let (read, count, counted) = (get("a"), incr("n"), get("n"));
    let all: [&dyn AnyRequest; 8] = [&read, &count, &counted, &kill, &read, &count, &counted, &count];
    let first = app.pipe(&all, &PLAIN) as usize;
    let told = &app.hear_all()[first..];
    let one = Told::Reply(Value::Integer(1));
    assert_eq!(told[..4], [Told::Reply(text("v")), one.clone(), Told::Reply(text("1")), one]);
    assert_eq!([&told[4], &told[6]], [&Told::Reply(text("v")), &Told::Reply(text("1"))]);
    for lost in [&told[5], &told[7]] {
        let failed = failed(lost.clone());
        assert_eq!((failed.failure, failed.attempts), (Failure::Unknown, 1));
    }
    assert_eq!((admin.calls("incr"), admin.ask("GET n")), (1, text("1")));
    assert_eq!((app.engine.stats().retries, app.counts().dials), (2, 2));
}

/// S1-BP-04: the same where all was executed, and answers are lost from any one on.
#[test]
fn pipe_resume_behind_any_answer() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for config in [config(), each_its_own(2)] {
        // The first frame is the handshake's.
        for lost in 1..=9 {
            admin.ask("FLUSHALL");
            let script = Script::new().connection(0).replies(At::Before(lost), Act::Cut);
            let proxy = Proxy::new(server.addr(), script);
            let mut app = App::new(proxy.address(), &config);
            let before = admin.calls("incr");
            let (count, counted) = (incr("n"), get("n"));
            let all: [&dyn AnyRequest; 8] =
                [&count, &counted, &count, &counted, &count, &counted, &count, &counted];
            app.pipe(&all, &PLAIN);
            let told = app.hear_all();
            let executed = admin.calls("incr") - before;
            assert_eq!((executed, admin.ask("GET n")), (4, text("4")), "each of them once");
            for (at, told) in (1..).zip(&told) {
                let is_count = at % 2 == 1;
                match told {
                    Told::Reply(Value::Integer(n)) => {
                        assert!(is_count && at < lost && *n == at.div_ceil(2) as i64, "{lost}: {told:?}");
                    }
                    // Read again, it is what all of them have made of it.
                    Told::Reply(value) => {
                        let n = if at < lost { at / 2 } else { 4 };
                        assert_eq!((is_count, value), (false, &text(&n.to_string())), "{lost}");
                    }
                    Told::Failed(failed) => {
                        let known = (is_count, at >= lost, failed.failure);
                        assert_eq!(known, (true, true, Failure::Unknown), "{lost}");
                    }
                    other => panic!("{lost}: {other:?}"),
                }
            }
        }
    }
    assert_eq!(admin.ask("PING"), status("PONG"));
}
