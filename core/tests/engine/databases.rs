//! Requests for several databases.

use std::time::Duration;

use respire_core::command::{get, set};
use respire_core::conn;
use respire_core::engine::{Config, Heap, Options, Refused};
use respire_core::key::{Databases, Keyed, Policy, Shard, Survey};
use respire_core::pool::{self, DialCode, Refusal};
use respire_core::resp::Value;

use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config, text};

fn several(lanes: u8, databases: Databases) -> Net {
    let pool = pool::Config { size: 8, ..config().pool };
    Net::with(Heap { connections: 8, ..HEAP }, &Config { lanes, databases, pool, ..config() })
}

fn of(database: u32) -> Options {
    // Databases from 2 on.
    Options { shard: Some(Shard { ordinal: (database - 2) as u8, database }), ..NONE }
}

/// How many keys a database has, as the server says.
fn size(net: &mut Net, database: usize) -> String {
    let client = net.server.connect(net.wall());
    let ask = format!("*2\r\n$6\r\nSELECT\r\n$1\r\n{database}\r\n*1\r\n$6\r\nDBSIZE\r\n");
    net.server.receive(net.wall(), client, ask.as_bytes());
    let said = String::from_utf8(net.server.output(client).to_vec()).unwrap();
    net.server.disconnect(client);
    said
}

/// what is for a database is executed there, over shared connections and over one's own.
#[test]
fn each_database_has_its_connections() {
    for lanes in [0, 1, 2] {
        for own in [false, true] {
            let mut net = several(lanes, Databases::range(2, 3));
            for round in 0..3 {
                for database in 2..5 {
                    let options = Options { own, ..of(database) };
                    let value = format!("{database} {round}");
                    net.engine.submit(net.now, token(1), &set("k", value.as_str()), &options).unwrap();
                    net.engine.submit(net.now, token(u64::from(database)), &get("k"), &options).unwrap();
                }
                net.turn();
            }
            let told = net.told();
            assert_eq!(told.len(), 18, "{told:?}");
            for database in 2..5_u64 {
                let last = told
                    .iter()
                    .rev()
                    .find(|told| matches!(told, Told::Reply(token, _) if *token == database));
                let expected = text(&format!("{database} 2"));
                // On connections of their own the two are in no order.
                if !own && lanes > 0 {
                    assert_eq!(last, Some(&Told::Reply(database, expected)), "{lanes}");
                }
            }
            // Each database has its value, and no other has one.
            for database in 0..6 {
                let keys = usize::from((2..5).contains(&database));
                assert_eq!(
                    size(&mut net, database),
                    format!("+OK\r\n:{keys}\r\n"),
                    "{lanes} {own} {database}"
                );
            }
        }
    }
}

#[test]
fn a_key_says_which() {
    let policy = Policy::PLAIN.with_databases(Databases::range(2, 3));
    let mut net = several(1, Databases::range(2, 3));
    for n in 0..20 {
        let key = format!("key {n}");
        let request = Keyed::<_, 64>::new(&policy, set(key.as_str(), n)).unwrap();
        let options = Options::of(request.survey());
        assert_eq!(options.keys, 1);
        net.engine.submit(net.now, token(n), &request, &options).unwrap();
        net.turn();
        let read = get(key.as_str());
        let other = of(2 + (options.shard.unwrap().ordinal as u32 + 1) % 3);
        net.engine.submit(net.now, token(100), &read, &other).unwrap();
        net.engine
            .submit(net.now, token(200), &read, &Options::of(&Survey::of(&policy, &read).unwrap()))
            .unwrap();
        net.turn();
        let told = net.told();
        assert!(
            told.contains(&Told::Reply(100, Value::Null))
                && told.contains(&Told::Reply(200, text(&n.to_string())))
        );
    }
}

#[test]
fn a_database_that_is_not_there_fails_what_is_for_it_and_nothing_else() {
    for lanes in [0, 1] {
        // The server has 16.
        let mut net = several(lanes, Databases::range(14, 3));
        let shard = |ordinal: u8| Options {
            shard: Some(Shard { ordinal, database: 14 + u32::from(ordinal) }),
            ..NONE
        };
        for round in 0..50 {
            net.engine.submit(net.now, token(0), &set("k", "v"), &shard(0)).unwrap();
            net.engine.submit(net.now, token(1), &set("k", "v"), &shard(1)).unwrap();
            net.engine.submit(net.now, token(2), &set("k", "v"), &shard(2)).unwrap();
            net.ms(100);
            let told = net.told();
            assert_eq!(told.len(), 3, "{round}: {told:?}");
            for told in told {
                match told {
                    Told::Reply(0 | 1, _) => {}
                    Told::Failed(2, failed) => {
                        let refused = failed.refused.expect("a reason");
                        assert!(
                            matches!(refused, Refusal::Unavailable(why) if why.code == DialCode::REJECTED)
                        );
                    }
                    other => panic!("{round}: {other:?}"),
                }
            }
        }
        assert!(net.dials < 8, "{} dials", net.dials);
        assert_eq!(net.engine.submit(net.now, token(9), &get("k"), &shard(3)), Err(Refused::NoDatabase));
    }
}

#[test]
fn a_lost_connection_is_replaced_by_one_to_the_same_database() {
    let mut net = several(1, Databases::range(2, 3));
    for round in 0..5 {
        for database in 2..5 {
            let value = format!("{database} {round}");
            net.engine.submit(net.now, token(1), &set("k", value.as_str()), &of(database)).unwrap();
        }
        net.ms(100);
        net.cut();
        net.ms(200);
        net.told();
        for database in 2..5 {
            net.engine.submit(net.now, token(u64::from(database)), &get("k"), &of(database)).unwrap();
        }
        net.ms(100);
        let mut told = net.told();
        told.sort_by_key(|told| format!("{told:?}"));
        let expected = |database: u64| Told::Reply(database, text(&format!("{database} {round}")));
        assert_eq!(told, [expected(2), expected(3), expected(4)]);
    }
}

/// A shared connection gets old, and is asked whether it lives, as any other.
#[test]
fn shared_connections_have_a_life_and_a_pulse() {
    let pool = pool::Config {
        lifetime: Duration::from_secs(10),
        lifetime_jitter: 0,
        health_interval: Duration::from_secs(1),
        ..config().pool
    };
    let connection = conn::Config {
        reply_timeout: Some(Duration::from_secs(1)),
        grace: Duration::from_secs(1),
        ..config().connection
    };
    let mut net = Net::new(&Config { pool, connection, ..config() });
    net.turn();
    for second in 0..100 {
        net.engine.submit(net.now, token(second), &get("k"), &NONE).unwrap();
        net.ms(1000);
        assert_eq!(net.told().len(), 1);
    }
    assert!((9..=12).contains(&net.dials), "{} connections in 100 seconds", net.dials);
    // Nothing is asked for, and the server has gone without a word.
    let dials = net.dials;
    net.silent = true;
    net.ms(9000);
    assert!(net.dials > dials, "a dead connection was found out");
}
