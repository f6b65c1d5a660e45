//! Options of SET, GETEX and SCAN.

use std::collections::BTreeSet;

use respire::prelude::*;
use respire::resp::Done;

use crate::support::everywhere;

#[test]
fn set_stores_under_conditions() {
    everywhere(|_, client| {
        assert_eq!(client.set("k", "never").xx().wait()?, None);
        assert_eq!(client.set("k", "1").nx().wait()?, Some(Done));
        assert_eq!(client.set("k", "2").nx().wait()?, None);
        assert_eq!(client.set("k", "3").xx().ex(100).wait()?, Some(Done));
        assert!((1..=100).contains(&client.ttl("k").wait()?));
        assert_eq!(client.set("k", "4").expiry(Expiry::Keep).wait()?, Some(Done));
        assert!((1..=100).contains(&client.ttl("k").wait()?));
        assert_eq!(client.set("k", "5").wait()?, Some(Done));
        assert_eq!(client.ttl("k").wait()?, -1);
        assert_eq!(client.set("k", "6").px(50_000).wait()?, Some(Done));
        assert!((1..=50_000).contains(&client.pttl("k").wait()?));
        client.set("k", "7").expiry(Expiry::AtSeconds(4_000_000_000)).wait()?;
        assert_eq!(client.expire_time("k").wait()?, 4_000_000_000);
        client.set("k", "8").when(When::Present).expiry(Expiry::AtMillis(4_100_000_000_000)).wait()?;
        assert_eq!(client.expire_time("k").wait()?, 4_100_000_000);

        let before: Option<i64> = client.set_get("k", "9").xx().ex(10).wait()?;
        assert_eq!(before, Some(8));
        assert!((1..=10).contains(&client.ttl("k").wait()?));
        let none: Option<String> = client.set_get("new", "1").xx().wait()?;
        assert_eq!((none, client.exists("new").wait()?), (None, 0));
        // The same on a request that is not sent yet.
        assert_eq!(client.send(set("k", "10").nx().ex(5)).wait()?, None);
        assert_eq!(client.get::<i64>("k").wait()?, 9);
        Ok(())
    });
}

#[test]
fn a_value_expires() {
    everywhere(|_, client| {
        client.set("k", "v").px(30).wait()?;
        std::thread::sleep(crate::support::ms(60));
        assert_eq!(client.send(get("k")).wait()?, None);
        Ok(())
    });
}

#[test]
fn scan_finds_every_key() {
    everywhere(|_, client| {
        let names: Vec<String> = (0..1000).map(|i| format!("key:{i}")).collect();
        let sets: Vec<_> = names.iter().map(|name| set(name, "v")).collect();
        client.pipeline(sets).wait()?;
        client.send(raw("LPUSH key:list x")).wait()?;

        let mut found = BTreeSet::new();
        let (mut cursor, mut pages) = (0, 0);
        loop {
            let page: (u64, Vec<String>) =
                client.scan(cursor).matching("key:*").count(50).of_type("string").wait()?;
            found.extend(page.1);
            pages += 1;
            cursor = page.0;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(found, names.iter().cloned().collect());
        assert!((5..=40).contains(&pages), "{pages} pages of about 50");

        let mut found = BTreeSet::new();
        let mut cursor = 0;
        loop {
            let (next, page) = client.send(scan(cursor).matching("key:99*")).wait()?;
            found.extend(page);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(found.len(), 11);
        Ok(())
    });
}
