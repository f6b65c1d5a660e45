//! Who may what: users, passwords, and what is said when the server says no.

use respire_core::command::{echo, get, ping, raw, set};
use respire_core::conn::{Protocol, Settings};
use respire_core::engine::{Config, Refused};
use respire_core::hook::Kind as Ended;
use respire_core::pool::{self, DialCode, Refusal};
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::{Kind, Server};

use crate::support::{Admin, App, LIMIT, PLAIN, config, each_its_own, error, failed, redis, status, text};

const READER: Settings<'static> =
    Settings { user: Some("reader"), password: Some("sesame"), ..Settings::NONE };

/// Each server, and somebody who was there before anything is changed.
fn servers() -> impl Iterator<Item = (Server, Admin)> {
    let kinds = Kind::ALL.into_iter().filter(|kind| kind.available_or_skip());
    kinds.map(|kind| {
        let server = Server::builder(kind).start();
        let admin = Admin::of(&server);
        (server, admin)
    })
}

/// S0-SEC-02, S1-OPT-04: what a user may not do is refused by the server, and his program is told so by the
/// name of the command, once, and nothing else happens to it.
#[test]
fn acl() {
    for (server, admin) in servers() {
        admin.ask("ACL SETUSER reader on >sesame +get ~a:*");
        admin.ask("SET a:1 one");
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let settings = Settings { protocol: Some(protocol), ..READER };
            let mut app = App::logged(server.addr(), &config(), settings);
            assert_eq!(app.value(&get("a:1")), text("one"));
            let refused = error(app.call(&set("a:1", "two")));
            assert!(refused.starts_with("NOPERM ") && refused.contains("'set' command"), "{refused}");
            let other = error(app.call(&get("b:1")));
            assert!(other.starts_with("NOPERM ") && other.contains("key"), "{other}");
            let log = app.take_log();
            let [one, two, three] = &log[..] else { panic!("{log:?}") };
            assert_eq!([one.kind, two.kind, three.kind], [Ended::Answered, Ended::Auth, Ended::Auth]);
            assert!(two.report.starts_with("SET at ") && three.report.starts_with("GET at "), "{log:?}");
            assert_eq!((app.counts().dials, app.engine.stats().retries), (1, 0));
            assert_eq!(app.value(&get("a:1")), text("one"));
        }
    }
}

/// S1-CONN-08, S1-OPT-05, S3-CONF-02: with a password, with a user and his password, in either version, with
/// a name and a database: all of it is so before the first request.
#[test]
fn handshake() {
    for (server, admin) in servers() {
        admin.ask("ACL SETUSER reader on >sesame +@all ~*");
        admin.ask("CONFIG SET requirepass open");
        let open = Settings { password: Some("open"), ..Settings::NONE };
        for (who, user) in [(open, "default"), (READER, "reader")] {
            for (protocol, resp) in [(None, "3"), (Some(Protocol::Resp2), "2"), (Some(Protocol::Resp3), "3")]
            {
                let name = Some("somebody");
                let settings = Settings { protocol, db: 2, name, nonce: Some(77), ..who };
                let mut app = App::with(server.addr(), &Config { db: 2, ..config() }, settings);
                assert_eq!(app.value(&echo("in step")), text("in step"));
                let clients = admin.clients();
                let [client] = &clients[..] else { panic!("{clients:?}") };
                let is = ["user", "resp", "db", "name"].map(|field| &*client[field]);
                assert_eq!(is, [user, resp, "2", "somebody"]);
                assert!(app.close(LIMIT));
                app.until("the server to be left alone", |_| admin.count() == 0);
            }
            let wrong = Settings { password: Some("wrong"), ..who };
            let mut app = App::with(server.addr(), &config(), wrong);
            assert!(refused(&mut app).is_some_and(is_rejected));
        }
    }
}

/// Why no connection is to be had, if there is none.
fn refused(app: &mut App) -> Option<Refusal> {
    match app.try_ask(&ping(), &PLAIN) {
        Err(Refused::Pool(why)) => Some(why),
        Err(other) => panic!("{other:?}"),
        Ok((token, _)) => match app.hear(token) {
            Told::Reply(pong) if pong == status("PONG") => None,
            other => failed(other).refused,
        },
    }
}

fn is_rejected(why: Refusal) -> bool {
    matches!(why, Refusal::Unavailable(why) if why.code == DialCode::REJECTED)
}

/// S1-OPT-06: what a connection is told when it starts may be other than what the last one was told:
/// passwords change, connections that stand go on, and each that is new comes with the newest.
#[test]
fn rotation() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let denied = |admin: &Admin| admin.ask("ACL LOG") != Value::Array(vec![]);
    let base = each_its_own(1);
    let config = Config { pool: pool::Config { fail_after: 1, ..base.pool }, ..base };
    let mut app = App::with(server.addr(), &config, Settings::NONE);
    for (round, password) in (1..).zip(["one", "two", "three"]) {
        admin.ask(&format!("CONFIG SET requirepass {password}"));
        app.login().password = Some(password);
        if round > 1 {
            assert_eq!(app.value(&ping()), status("PONG"), "who is in stays in");
            assert_eq!(app.counts().dials, round - 1);
            assert_eq!(admin.kill_all(), 1);
        }
        assert_eq!(app.value(&raw("ACL WHOAMI")), text("default"));
        assert_eq!((app.counts().dials, denied(&admin)), (round, false));
    }
    // Who was not told comes in vain, until he is.
    admin.ask("CONFIG SET requirepass four");
    admin.kill_all();
    app.until("a refusal", |app| refused(app).is_some_and(is_rejected));
    assert!(denied(&admin));
    app.login().password = Some("four");
    app.until("a connection", |app| refused(app).is_none());
}
