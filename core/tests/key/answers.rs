//! Answers: keys come back as the program knows them.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::words;
use respire_core::key::{Databases, HashKey, Policy, Shard, Survey, UnmapError};

use crate::map::{key, model};

/// The answer to these words, as it comes back. `\n` in the answer stands for a whole line end.
fn unmap(policy: &Policy<'_>, line: &str, answer: &str) -> Result<String, UnmapError> {
    let words_of: Vec<_> = line.split(' ').collect();
    let request = words(&words_of);
    let survey = Survey::of(policy, &request).unwrap();
    let shard = policy.databases().shard(policy.databases().count() - 1).unwrap();
    let answer = answer.replace('\n', "\r\n");
    let mut out = vec![b'-'; answer.len() + 40];
    let len = survey.unmap(policy, &request, shard, answer.as_bytes(), &mut out)?;
    assert!(out[len..].len() >= 40 || survey.unmaps(policy));
    let text = String::from_utf8(out[..len].into()).unwrap();
    for short in 0..len {
        let result = survey.unmap(policy, &request, shard, answer.as_bytes(), &mut out[..short]);
        assert_eq!(result, Err(UnmapError::NoRoom), "{line} in {short}");
    }
    Ok(text.replace("\r\n", "\n"))
}

/// S0-OPT-05: the prefix is stripped from the keys of an answer, and from nothing else.
#[test]
fn answers_lose_the_prefix() {
    let policy = Policy::PLAIN.with_prefix(b"p:").unwrap();
    for (line, answer, expected) in [
        ("KEYS *", "*2\n$3\np:a\n$2\np:\n", "*2\n$1\na\n$0\n\n"),
        ("KEYS *", "*0\n", "*0\n"),
        ("KEYS *", "~1\n$3\np:a\n", "~1\n$1\na\n"),
        ("CLUSTERSCAN 0", "*2\n$6\n0-{p:}\n*1\n$3\np:a\n", "*2\n$6\n0-{p:}\n*1\n$1\na\n"),
        ("SCAN 0", "*2\n$2\n17\n*2\n$3\np:a\n$3\np:b\n", "*2\n$2\n17\n*2\n$1\na\n$1\nb\n"),
        ("RANDOMKEY", "$3\np:a\n", "$1\na\n"),
        ("RANDOMKEY", "$-1\n", "$-1\n"),
        ("RANDOMKEY", "_\n", "_\n"),
        ("BLPOP a 0", "*2\n$3\np:a\n$3\np:a\n", "*2\n$1\na\n$3\np:a\n"),
        ("BLPOP a 0", "*-1\n", "*-1\n"),
        ("BZPOPMIN a 0", "*3\n$3\np:a\n$1\nm\n,1.5\n", "*3\n$1\na\n$1\nm\n,1.5\n"),
        ("LMPOP 1 a LEFT", "*2\n$3\np:a\n*1\n$3\np:x\n", "*2\n$1\na\n*1\n$3\np:x\n"),
        (
            "XREAD STREAMS a b 0 0",
            "*2\n*2\n$3\np:a\n*1\n*2\n$3\n1-1\n*2\n$1\nf\n$3\np:a\n*2\n$3\np:b\n*0\n",
            "*2\n*2\n$1\na\n*1\n*2\n$3\n1-1\n*2\n$1\nf\n$3\np:a\n*2\n$1\nb\n*0\n",
        ),
        ("XREAD STREAMS a 0", "%1\n$3\np:a\n*1\n*2\n$3\n1-1\n*0\n", "%1\n$1\na\n*1\n*2\n$3\n1-1\n*0\n"),
        ("XREAD STREAMS a 0", "_\n", "_\n"),
        ("KEYS *", "-ERR p:a\n", "-ERR p:a\n"),
        ("BLPOP a 0", "+QUEUED\n", "+QUEUED\n"),
        ("GET a", "$3\np:a\n", "$3\np:a\n"),
    ] {
        assert_eq!(unmap(&policy, line, answer).as_deref(), Ok(expected), "{line} {answer:?}");
    }
    assert_eq!(unmap(&policy, "RANDOMKEY", "$3\nq:a\n"), Err(UnmapError::Foreign));
    for broken in ["", "*1\n", "*1\n$3\np:", "*1\n$3\np:aXX", "|1\n+a\n:1\n*0\n"] {
        assert_eq!(unmap(&policy, "KEYS *", broken), Err(UnmapError::Unexpected), "{broken:?}");
    }
}

/// what the request named comes back hashed or not; nobody can tell what the others were.
#[test]
fn hashed_keys_come_back_if_the_request_named_them() {
    let policy = Policy::PLAIN.with_hash(Some(HashKey::PUBLIC)).with_prefix(b"p:").unwrap();
    let hashed = "$34\np:dc4b579138e6ab138c8c2563542b5afd\n";
    let popped = unmap(&policy, "BLPOP other user:1 0", &format!("*2\n{hashed}$1\nv\n"));
    assert_eq!(popped.as_deref(), Ok("*2\n$6\nuser:1\n$1\nv\n"));
    let read = unmap(&policy, "XREAD STREAMS user:1 0", &format!("%1\n{hashed}*0\n"));
    assert_eq!(read.as_deref(), Ok("%1\n$6\nuser:1\n*0\n"));
    assert_eq!(unmap(&policy, "KEYS *", &format!("*1\n{hashed}")), Err(UnmapError::HashedKeys));
    assert_eq!(unmap(&policy, "BLPOP other 0", &format!("*2\n{hashed}$1\nv\n")), Err(UnmapError::HashedKeys));
    assert_eq!(unmap(&policy, "KEYS *", "*0\n").as_deref(), Ok("*0\n"));
}

/// SCAN goes from database to database by its cursor.
#[test]
fn a_cursor_says_where_it_goes_on() {
    let three = Policy::PLAIN.with_databases(Databases::range(0, 3));
    // The last database: what is over there is over.
    let joined = format!("*2\n$3\n{}\n*1\n$1\na\n", 5 << 6 | 2);
    assert_eq!(unmap(&three, "SCAN 2", "*2\n$1\n5\n*1\n$1\na\n").as_ref(), Ok(&joined));
    assert_eq!(unmap(&three, "SCAN 2", "*2\n$1\n0\n*0\n").as_deref(), Ok("*2\n$1\n0\n*0\n"));
    let request = words(&["SCAN", "0"]);
    let survey = Survey::of(&three, &request).unwrap();
    assert!(survey.unmaps(&three) && !survey.unmaps(&Policy::PLAIN));
    let mut out = [0; 40];
    let first = Shard { ordinal: 0, database: 0 };
    let len = survey.unmap(&three, &request, first, b"*2\r\n$1\r\n0\r\n*0\r\n", &mut out).unwrap();
    assert_eq!(&out[..len], b"*2\r\n$1\r\n1\r\n*0\r\n");
    assert_eq!(unmap(&three, "SCAN 2", "*2\n$1\nx\n*0\n"), Err(UnmapError::Unexpected));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a server sends: an answer or an error, and never more than there is room for.
    #[test]
    fn any_bytes_are_looked_at(
        line in proptest::sample::select(vec!["KEYS *", "SCAN 0", "RANDOMKEY", "BLPOP a 0", "XREAD STREAMS a 0"]),
        parts in vec(proptest::sample::select(b"*2\r\n|*1\r\n|%1\r\n|$3\r\np:a\r\n|$1\r\n0\r\n|*-1\r\n|$|\r\n|1|:5\r\n|-".split(|&b| b == b'|').collect::<Vec<_>>()), 0..9),
        room in 0..60_usize,
    ) {
        let policy = Policy::PLAIN.with_prefix(b"p:").unwrap().with_databases(Databases::range(0, if line == "SCAN 0" { 2 } else { 1 }));
        let words_of: Vec<_> = line.split(' ').collect();
        let request = words(&words_of);
        let survey = Survey::of(&policy, &request).unwrap();
        if let Ok(len) = survey.unmap(&policy, &request, Shard::default(), &parts.concat(), &mut vec![0; room]) {
            prop_assert!(len <= room);
        }
    }

    /// Every key that a request names comes back as it was named, or as another that means the same.
    #[test]
    fn named_keys_come_back(model in model(), keys in vec(key(), 1..5), which in any::<prop::sample::Index>()) {
        let model = crate::model::Model { databases: vec![0], ..model };
        let policy = model.policy();
        let words_of = [vec![b"BLPOP".to_vec()], keys.clone(), vec![b"0".to_vec()]].concat();
        let request = words(&words_of);
        let Ok(survey) = Survey::of(&policy, &request) else { return Ok(()) };
        let key = which.get(&keys);
        let wire = model.map(key).unwrap().1;
        let answer = [b"*2\r\n$", wire.len().to_string().as_bytes(), b"\r\n", &wire, b"\r\n$1\r\nv\r\n"].concat();
        let mut out = [0; 2000];
        let len = survey.unmap(&policy, &request, Shard::default(), &answer, &mut out).unwrap();
        let reply = respire_core::resp::Reply::parse(&out[..len]).unwrap();
        let (back, value) = reply.get::<(&[u8], &[u8])>().unwrap();
        prop_assert_eq!((model.normal(back).unwrap(), value), (model.normal(key).unwrap(), &b"v"[..]));
        prop_assert!(keys.iter().any(|key| key == back));
    }
}
