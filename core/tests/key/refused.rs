//! What cannot be sent under a policy, and is refused before anything is.

use respire_core::command::{Later, get, raw, set};
use respire_core::key::{Databases, HashKey, KeyError, Keyed, Policy};

use crate::requests::{sent, under};

/// S4-INV-04, X-06: patterns do not find hashed keys.
#[test]
fn patterns_do_not_find_hashed_keys() {
    let policy = Policy::PLAIN.with_hash(Some(HashKey::PUBLIC)).with_prefix(b"p:").unwrap();
    for line in ["KEYS a*", "SCAN 0 MATCH a*", "SORT a BY w_*", "SORT a GET x_*", "SORT_RO a GET x_*"] {
        assert_eq!(under(&policy, line), Err(KeyError::HashedKeys), "{line}");
    }
    // All of one's own are found by the prefix.
    assert_eq!(under(&policy, "KEYS *").as_deref(), Ok("KEYS p:*"));
    assert_eq!(under(&policy, "SCAN 0 MATCH *").as_deref(), Ok("SCAN 0 MATCH p:*"));
    assert!(under(&policy, "SORT a BY nosort GET #").unwrap().ends_with(" BY nosort GET #"));
    let text = KeyError::HashedKeys.to_string();
    assert!(text.contains("pattern") && text.contains("set of the keys"), "{text}");
}

#[test]
fn what_nobody_knows_is_refused_unless_its_keys_are_marked() {
    let policy = Policy::PLAIN.with_prefix(b"p:").unwrap();
    assert_eq!(under(&policy, "JSON.GET a"), Err(KeyError::UnknownCommand));
    let marked = Keyed::<_, 9>::new(&policy, raw("JSON.GET").key("a").arg("b")).unwrap();
    assert_eq!(sent(&marked), [&b"JSON.GET"[..], b"p:a", b"b"]);
}

#[test]
fn databases_are_not_named_where_keys_choose_them() {
    let several = Policy::PLAIN.with_databases(Databases::range(0, 2));
    for line in ["SELECT 1", "MOVE a 1", "COPY a a DB 1", "SWAPDB 0 1"] {
        assert_eq!(under(&several, line), Err(KeyError::Database), "{line}");
        assert!(under(&Policy::PLAIN, line).is_ok(), "{line}");
    }
    assert_eq!(under(&several, "SORT a BY w_*"), Err(KeyError::CrossShard { keys: 2 }));
    let star = Policy::PLAIN.with_prefix(b"*").unwrap();
    assert_eq!(under(&star, "SORT a BY w_*"), Err(KeyError::Prefix));
}

#[test]
fn keys_are_whole_short_and_there() {
    let policy = Policy::MANAGED;
    assert_eq!(under(&policy, "MGET a  b"), Err(KeyError::Empty));
    let long = "k".repeat(1025);
    assert_eq!(
        Keyed::<_, 64>::new(&policy, get(long.as_str())).map(|_| ()),
        Err(KeyError::TooLong { limit: 1024 })
    );
    assert_eq!(Keyed::<_, 31>::new(&policy, get("k")).map(|_| ()), Err(KeyError::NoRoom { needed: 32 }));
    let later = raw("GET").arg(Later(5));
    assert_eq!(Keyed::<_, 64>::new(&policy, later).map(|_| ()), Err(KeyError::Later));
    assert!(Keyed::<_, 64>::new(&policy, set("k", Later(5))).is_ok());
}
