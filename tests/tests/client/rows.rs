//! Every row of the table once, with its natural type and with one that the caller chose.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use respire::Error;
use respire::prelude::*;
use respire::resp::{Done, ErrorReply, Value};

use crate::support::{everywhere, in_step, open};

#[test]
fn strings() {
    everywhere(|_, client| {
        assert_eq!(client.set("n", 10).wait()?, Some(Done));
        assert_eq!(client.append("n", "5").wait()?, 3);
        assert_eq!(client.incr("n").wait()?, 106);
        assert_eq!(client.incr_by("n", -6).wait()?, 100);
        assert_eq!(client.decr("n").wait()?, 99);
        assert_eq!(client.decr_by("n", 9).wait()?, 90);
        assert_eq!(client.incr_by_float("n", 0.5).wait()?, 90.5);
        assert_eq!(client.send(get("n")).wait()?, Some(b"90.5".to_vec()));
        let float: f64 = client.get("n").wait()?;
        assert_eq!(float, 90.5);
        assert_eq!(client.send(get("none")).wait()?, None);

        client.set("s", "Hello World").wait()?;
        assert_eq!(client.strlen("s").wait()?, 11);
        assert_eq!(client.send(get_range("s", 0, 4)).wait()?, b"Hello");
        let end: String = client.get_range("s", -5, -1).wait()?;
        assert_eq!(end, "World");
        assert_eq!(client.set_range("s", 6, "Redis").wait()?, 11);
        assert_eq!(client.send(set_get("s", "new")).wait()?, Some(b"Hello Redis".to_vec()));
        let before: Option<String> = client.set_get("s", "newer").wait()?;
        assert_eq!(before.as_deref(), Some("new"));
        assert_eq!(client.send(get_ex("s")).ex(100).wait()?, Some(b"newer".to_vec()));
        let kept: String = client.get_ex("s").expiry(Expiry::Persist).wait()?;
        assert_eq!((kept.as_str(), client.ttl("s").wait()?), ("newer", -1));
        assert_eq!(client.send(get_del("s")).wait()?, Some(b"newer".to_vec()));
        let gone: Option<String> = client.get_del("s").wait()?;
        assert_eq!(gone, None);

        assert_eq!(client.mset(&[("a", "1"), ("b", "2")]).wait()?, Done);
        let mixed = [(Key(b"c"), Arg::Integer(3)), (Key(b"d"), Arg::from(1.5))];
        assert_eq!(client.mset(&mixed).wait()?, Done);
        assert!(client.mset_nx(&[("e", "x")]).wait()?);
        assert!(!client.mset_nx(&[("e", "y"), ("f", "z")]).wait()?);
        let one = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(client.send(mget(&["a", "no", "d"])).wait()?, [one("1"), None, one("1.5")]);
        let (a, b, no): (i64, u8, Option<String>) = client.mget(&["a", "b", "no"]).wait()?;
        assert_eq!((a, b, no), (1, 2, None));
        let names = vec!["a".to_owned(), "c".to_owned()];
        let all: [i64; 2] = client.mget(&names).wait()?;
        assert_eq!(all, [1, 3]);
        Ok(())
    });
}

#[test]
fn generic() {
    everywhere(|_, client| {
        client.mset(&[("a", "1"), ("b", "2"), ("c", "3")]).wait()?;
        assert!(client.copy("a", "copy").wait()?);
        assert!(!client.copy("a", "copy").wait()?);
        assert_eq!(client.exists(&["a", "a", "no"]).wait()?, 2);
        assert_eq!(client.touch(&["a", "no"]).wait()?, 1);
        assert_eq!(client.del("copy").wait()?, 1);
        assert_eq!(client.unlink(&["b", "no"]).wait()?, 1);

        assert_eq!((client.ttl("a").wait()?, client.ttl("no").wait()?), (-1, -2));
        assert!(client.expire("a", 100).wait()?);
        assert!(!client.expire("no", 100).wait()?);
        assert!((1..=100).contains(&client.ttl("a").wait()?));
        assert!(client.pexpire("a", 50_000).wait()?);
        assert!((1..=50_000).contains(&client.pttl("a").wait()?));
        assert!(client.expire_at("a", 4_000_000_000).wait()?);
        assert_eq!(client.expire_time("a").wait()?, 4_000_000_000);
        assert!(client.persist("a").wait()?);
        assert!(!client.persist("a").wait()?);

        assert_eq!(client.send(keys("*")).wait()?.len(), 2);
        let names: BTreeSet<String> = client.keys("*").wait()?;
        assert_eq!(names.into_iter().collect::<String>(), "ac");
        assert_eq!(client.send(object_encoding("a")).wait()?.as_deref(), Some("int"));
        let encoding: Vec<u8> = client.object_encoding("a").wait()?;
        assert_eq!(encoding, b"int");
        assert_eq!(client.send(object_encoding("no")).wait()?, None);
        assert_eq!(client.send(type_of("a")).wait()?, "string");
        let none: String = client.type_of("no").wait()?;
        assert_eq!(none, "none");

        assert_eq!(client.rename("c", "d").wait()?, Done);
        assert!(!client.rename_nx("a", "d").wait()?);
        assert!(client.rename_nx("d", "e").wait()?);
        assert_eq!(client.del("e").wait()?, 1);
        assert_eq!(client.send(random_key()).wait()?, Some(b"a".to_vec()));
        let some: Option<String> = client.random_key().wait()?;
        assert_eq!(some.as_deref(), Some("a"));
        assert_eq!(client.send(scan(0)).wait()?, (0, vec![b"a".to_vec()]));
        let page: (u64, Vec<String>) = client.scan(Cursor::default()).wait()?;
        assert_eq!(page, (0, vec!["a".to_owned()]));
        client.flush_db().wait()?;
        assert_eq!(client.send(random_key()).wait()?, None);
        Ok(())
    });
}

#[test]
fn connection() {
    everywhere(|server, client| {
        assert_eq!(client.send(ping()).wait()?, "PONG");
        let pong: Vec<u8> = client.ping().wait()?;
        assert_eq!(pong, b"PONG");
        assert_eq!(client.send(echo("hi")).wait()?, b"hi");
        let number: i64 = client.echo(42).wait()?;
        assert_eq!(number, 42);

        let id = client.client_id().wait()?;
        let nothing = client.send(client_get_name()).wait()?.unwrap_or_default();
        assert_eq!(nothing, "");
        assert_eq!(client.client_set_name("it").wait()?, Done);
        let name: String = client.client_get_name().wait()?;
        assert_eq!(name, "it");
        let info = client.send(client_info()).wait()?;
        assert!(info.contains(&format!("id={id} ")) && info.contains("name=it "), "{info}");
        let info: Vec<u8> = client.client_info().wait()?;
        assert!(info.starts_with(b"id="));
        let list: String = client.client_list().wait()?;
        assert!(list.contains("name=it "), "{list}");
        assert_eq!(client.send(client_list()).wait()?.lines().count(), list.lines().count());

        let other = open(&server.url());
        let its = other.client_id().wait()?;
        assert_eq!(client.client_kill_id(its).wait()?, 1);
        match client.client_kill_id(its).wait() {
            Ok(0) => {}
            other => panic!("nobody is left: {other:?}"),
        }

        client.send(raw("ACL SETUSER ann on >pw +@all ~*")).wait()?;
        assert_eq!(client.auth("ann", "pw").wait()?, Done);
        let who: String = client.send(raw("ACL WHOAMI").typed()).wait()?;
        assert_eq!(who, "ann");
        assert_eq!(client.auth("ann", "no").wait().unwrap_err().code(), Some("WRONGPASS"));

        for version in [3, 2] {
            let about: BTreeMap<_, _> = client.hello(version).wait()?.into_iter().collect();
            assert_eq!(about["proto"], Value::Integer(version));
            in_step(client);
        }

        assert_eq!(client.select(2).wait()?, Done);
        client.set("here", 1).wait()?;
        assert_eq!(client.reset().wait()?, Done);
        assert_eq!(client.exists("here").wait()?, 0, "back in database 0");
        let id = client.client_id().wait()?;
        assert_eq!(client.quit().wait()?, Done);
        assert_ne!(client.client_id().wait()?, id, "a fresh connection");
        Ok(())
    });
}

#[test]
fn server() {
    everywhere(|_, client| {
        assert!(client.command_count().wait()? > 200);
        let old = client.send(config_get("maxmemory-policy")).wait()?;
        assert_eq!(old.len(), 1);
        assert_eq!(client.config_set("maxmemory-policy", "allkeys-lru").wait()?, Done);
        let new: HashMap<String, String> = client.config_get("maxmemory-policy").wait()?;
        assert_eq!(new["maxmemory-policy"], "allkeys-lru");
        client.config_set("maxmemory-policy", &old[0].1).wait()?;
        assert_eq!(client.config_set("hz", 20).wait()?, Done);
        assert_eq!(client.config_reset_stat().wait()?, Done);

        client.set("k", "v").wait()?;
        assert_eq!(client.dbsize().wait()?, 1);
        assert!(client.memory_usage("k").wait()?.is_some_and(|bytes| bytes > 10));
        assert_eq!(client.memory_usage("no").wait()?, None);
        assert_eq!(client.flush_db().wait()?, Done);
        assert_eq!(client.flush_all().wait()?, Done);
        assert_eq!(client.dbsize().wait()?, 0);

        let info = client.send(info()).wait()?;
        assert!(info.contains("redis_version:") && info.contains("# Clients"));
        let section: Vec<u8> = client.info_section("keyspace").wait()?;
        assert!(section.starts_with(b"# Keyspace"));
        assert_eq!(client.send(info_section("keyspace")).wait()?.into_bytes(), section);
        let whole: String = client.info().wait()?;
        assert!(whole.len() > 1000);

        match client.send(role()).wait()? {
            Value::Array(parts) => assert_eq!(parts[0], Value::Bulk(b"master".to_vec())),
            other => panic!("{other:?}"),
        }
        let (role, offset, replicas): (String, u64, Vec<Value>) = client.role().wait()?;
        assert_eq!((role.as_str(), offset, replicas), ("master", 0, vec![]));
        let (seconds, micros) = client.time().wait()?;
        assert!(seconds > 1_700_000_000 && (0..1_000_000).contains(&micros));
        assert!(client.last_save().wait()? <= seconds);
        match client.bg_save().wait() {
            Ok(Done) => {}
            // Of the protocol before: it may still run.
            Err(error) => assert_eq!(error.code(), Some("ERR"), "{error}"),
        }
        assert!(matches!(client.monitor().wait(), Err(Error::NeedsOwnConnection)));
        in_step(client);
        Ok(())
    });
}

#[test]
fn transactions() {
    everywhere(|_, client| {
        assert_eq!(client.watch(&["a", "b"]).wait()?, Done);
        assert_eq!(client.unwatch().wait()?, Done);
        assert_eq!(client.multi().wait()?, Done);
        assert_eq!(client.send(raw("INCR").key("n")).wait()?, Value::Simple(b"QUEUED".to_vec()));
        assert_eq!(client.send(exec()).wait()?, Some(vec![Value::Integer(1)]));

        client.multi().wait()?;
        let queued: Value = client.get("n").wait()?;
        assert_eq!(queued, Value::Simple(b"QUEUED".to_vec()));
        assert!(matches!(client.incr("n").wait(), Err(Error::Decode(_))), "nothing is done yet");
        let (n, incremented): (String, i64) = client.exec().wait()?;
        assert_eq!((n.as_str(), incremented), ("1", 2));

        client.multi().wait()?;
        assert_eq!(client.discard().wait()?, Done);
        assert_eq!(client.discard().wait().unwrap_err().to_string(), "ERR DISCARD without MULTI");
        Ok(())
    });
}

/// The whole transaction in one write; each queued request has a result of its own, too.
#[test]
fn a_transaction_is_a_pipeline() {
    everywhere(|_, client| {
        client.set("text", "x").wait()?;
        let (begun, set, incr, results) = client
            .pipeline((
                multi(),
                set("n", 1).typed::<String>(),
                incr("text").typed::<()>(),
                exec().typed::<(Option<Done>, Result<i64, ErrorReply>)>(),
            ))
            .wait()?;
        assert_eq!((begun?, set?, incr?), (Done, "QUEUED".to_owned(), ()));
        let (set, incr) = results?;
        assert_eq!(set, Some(Done));
        assert!(incr.unwrap_err().to_string().contains("not an integer"));

        // A request that the server does not take spoils the transaction, and the stream stays in step.
        let (begun, wrong, exec) = client.pipeline((multi(), raw("NOSUCH").typed::<()>(), exec())).wait()?;
        assert_eq!(begun?, Done);
        assert_eq!(wrong.unwrap_err().code(), Some("ERR"));
        assert_eq!(exec.unwrap_err().code(), Some("EXECABORT"));
        in_step(client);
        Ok(())
    });
}

#[test]
fn a_watched_key_that_changed_ends_the_transaction() {
    everywhere(|server, client| {
        let other = open(&server.url());
        for changed in [false, true] {
            client.watch("k").wait()?;
            if changed {
                other.set("k", "theirs").wait()?;
            }
            let (_, _, done) = client.pipeline((multi(), raw("SET k ours"), exec())).wait()?;
            assert_eq!(done?.is_none(), changed);
        }
        Ok(())
    });
}

#[test]
fn publish() {
    everywhere(|_, client| {
        assert_eq!(client.publish("nobody", "hears").wait()?, 0);
        Ok(())
    });
}
