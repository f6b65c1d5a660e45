//! Several databases of one server: a key says which.

use std::collections::BTreeMap;

use respire_core::command::{get, mget, raw, set};
use respire_core::engine::{Config, Options};
use respire_core::key::{Databases, Keyed, Policy, Shard, Survey, Target};
use respire_core::pool::{self, DialCode, Refusal};
use respire_core::resp::Value;
use respire_tests::engine::Told;
use respire_tests::{Kind, Server};

use crate::support::{Admin, App, config, failed, redis, reply, status, text};

/// "0-5".
const SIX: Databases = Databases::range(0, 6);
const POLICY: Policy<'static> = Policy::PLAIN.with_databases(SIX);

fn six(lanes: u8) -> Config {
    let config = config();
    Config { lanes, databases: SIX, pool: pool::Config { size: 16, ..config.pool }, ..config }
}

/// How many keys a database has.
fn size(admin: &Admin, database: u32) -> i64 {
    assert_eq!(admin.ask(&format!("SELECT {database}")), status("OK"));
    match admin.ask("DBSIZE") {
        Value::Integer(size) => size,
        other => panic!("{other:?}"),
    }
}

/// S0-OPT-04, X-04: keys are where the policy says, over shared connections and over one's own, and nowhere else.
#[test]
fn db_shard() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for lanes in [0, 1, 2] {
        admin.ask("FLUSHALL");
        let mut app = App::new(server.addr(), &six(lanes));
        let mut sizes = BTreeMap::new();
        for n in 0..600 {
            let key = format!("key:{n}");
            let request = Keyed::<_, 64>::new(&POLICY, set(key.as_str(), n)).unwrap();
            *sizes.entry(POLICY.shard(key.as_bytes()).unwrap().database).or_insert(0) += 1;
            app.ask_with(&request, &Options::of(request.survey()));
        }
        assert!(app.hear_all().iter().all(|told| *told == Told::Reply(status("OK"))));
        assert_eq!(sizes.len(), 6);
        for (database, keys) in sizes {
            assert_eq!(size(&admin, database), keys, "{lanes} {database}");
        }
        for n in 0..600 {
            let key = format!("key:{n}");
            let request = get(key.as_str());
            let token = app.ask_with(&request, &Options::of(&Survey::of(&POLICY, &request).unwrap()));
            assert_eq!(app.hear(token), Told::Reply(text(&n.to_string())));
        }
        assert_eq!(app.engine.stats().failed, 0);
    }
}

/// S0-KEY-03, X-04: what asks for keys of several databases goes to each of them, and the answers become one in the order of
/// the question.
#[test]
fn mget_sharded() {
    let Some(server) = redis() else { return };
    for lanes in [0, 1] {
        let mut app = App::new(server.addr(), &six(lanes));
        let keys: Vec<String> = (0..40).map(|n| format!("key:{n}")).collect();
        // Every third one is missing.
        let value = |n: usize| if n % 3 == 2 { Value::Null } else { text(&n.to_string()) };
        for (n, key) in keys.iter().enumerate().filter(|(n, _)| n % 3 != 2) {
            let request = Keyed::<_, 64>::new(&POLICY, set(key.as_str(), n)).unwrap();
            app.ask_with(&request, &Options::of(request.survey()));
        }
        app.hear_all();
        let request = Keyed::<_, 64>::new(&POLICY, mget(&keys)).unwrap();
        assert!(matches!(request.survey().target(), Target::Split(_)));
        let shards: Vec<Shard> = request.survey().shards(&POLICY).collect();
        assert_eq!(shards.len(), 6);
        let tokens: Vec<_> = shards
            .iter()
            .map(|shard| {
                let options = Options { shard: Some(*shard), ..Options::of(request.survey()) };
                app.ask_with(&request.part(*shard), &options)
            })
            .collect();
        let mut parts = BTreeMap::new();
        for (shard, token) in shards.iter().zip(tokens) {
            let Value::Array(values) = reply(app.hear(token)) else { panic!("no array") };
            parts.insert(shard.database, values.into_iter());
        }
        for (n, key) in keys.iter().enumerate() {
            let shard = POLICY.shard(key.as_bytes()).unwrap();
            assert_eq!(parts.get_mut(&shard.database).and_then(Iterator::next), Some(value(n)), "{key}");
        }
        assert!(parts.values_mut().all(|rest| rest.next().is_none()));
    }
}

/// a database that the server does not have fails what is for it, for a reason, and nothing else.
#[test]
fn db_missing() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--databases", "4"]).start();
    let admin = Admin::of(&server);
    for lanes in [0, 1] {
        let mut app = App::new(server.addr(), &six(lanes));
        for round in 0..20 {
            let tokens: Vec<_> = SIX
                .iter()
                .map(|shard| {
                    let options = Options { shard: Some(shard), ..Options::DEFAULT };
                    app.ask_with(&set("k", round), &options)
                })
                .collect();
            for (database, token) in (0..).zip(tokens) {
                let told = app.hear(token);
                if database < 4 {
                    assert_eq!(told, Told::Reply(status("OK")), "{lanes} {database}");
                    continue;
                }
                let Some(Refusal::Unavailable(why)) = failed(told).refused else { panic!("no reason") };
                assert_eq!(why.code, DialCode::REJECTED);
            }
        }
        assert!(app.counts().dials <= 16, "{} dials", app.counts().dials);
        let db = Options { shard: SIX.shard(3), ..Options::DEFAULT };
        assert_eq!(app.call_with(&raw("DBSIZE"), &db), Told::Reply(Value::Integer(1)));
    }
    assert_eq!([0, 1, 2, 3].map(|database| size(&admin, database)), [1; 4]);
}
