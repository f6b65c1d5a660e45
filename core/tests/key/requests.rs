//! Whole requests: where they go, and what is sent.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::{self, ArgRole, Args, Merge, Pairs, Request, Roles, raw, words};
use respire_core::key::{Databases, KeyError, Keyed, Policy, Survey, Target};
use respire_core::resp::Encoder;

use crate::map::{key, model};
use crate::model::Model;

/// The arguments as they are sent.
pub(crate) fn sent(request: &impl Request) -> Vec<Vec<u8>> {
    let mut frame = vec![0; 10_000];
    let mut encoder = Encoder::new(&mut frame);
    request.visit(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written());
    let args: Vec<_> = Args::new(&frame[..encoded.len()]).map(<[u8]>::to_vec).collect();
    assert_eq!(args.len(), encoded.args());
    args
}

/// What the model sends of these words: all, or the part for one database.
fn expected(model: &Model, words: &[Vec<u8>], only: Option<u32>) -> Result<Vec<Vec<u8>>, KeyError> {
    let mut roles = Roles::of(&words[0], words.len() - 1).ok_or(KeyError::UnknownCommand)?;
    let mut wanted = true;
    let mut all = vec![words[0].clone()];
    for word in &words[1..] {
        match roles.next(word) {
            ArgRole::Key => {
                let (database, wire) = model.map(word)?;
                wanted = only.is_none_or(|only| only == database);
                all.extend(wanted.then_some(wire));
            }
            _ => all.extend(wanted.then(|| word.clone())),
        }
    }
    Ok(all)
}

/// The databases of the keys.
fn databases(model: &Model, words: &[Vec<u8>]) -> Result<(usize, BTreeSet<u32>), KeyError> {
    let mut roles = Roles::of(&words[0], words.len() - 1).unwrap();
    let keys: Vec<_> = words[1..].iter().filter(|word| roles.next(word) == ArgRole::Key).collect();
    let places = keys.iter().map(|key| Ok(model.map(key)?.0)).collect::<Result<_, _>>()?;
    Ok((keys.len(), places))
}

/// Commands whose arguments are keys and values alone.
fn request() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let name = "GET SET MGET DEL EXISTS UNLINK TOUCH MSET MSETNX RENAME SUNION BITOP BLPOP OBJECT ZADD PING ECHO EVAL MULTI";
    let name = proptest::sample::select(name.split(' ').collect::<Vec<_>>());
    (name, vec(key(), 0..9)).prop_map(|(name, args)| [vec![name.as_bytes().to_vec()], args].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S0-OPT-05, S0-KEY-03: each key is changed and nothing else; what cannot be divided is refused, and what can be
    /// is divided so that every key is sent once, to its database, in its order.
    #[test]
    fn requests_go_where_their_keys_are(model in model(), words_of in request()) {
        let policy = model.policy();
        let request = words(&words_of);
        let surveyed = Survey::of(&policy, &request);
        let (keys, places) = match databases(&model, &words_of) {
            Ok(found) => found,
            Err(error) => {
                prop_assert_eq!(surveyed.map(|_| ()), Err(error));
                return Ok(());
            }
        };
        let divisible = match words_of[0].as_slice() {
            b"MGET" => Some(Merge::InOrder),
            b"DEL" | b"EXISTS" | b"UNLINK" | b"TOUCH" => Some(Merge::Sum),
            b"MSET" => Some(Merge::Done),
            _ => None,
        };
        if places.len() > 1 && divisible.is_none() {
            prop_assert_eq!(surveyed.map(|_| ()), Err(KeyError::CrossShard { keys }));
            return Ok(());
        }
        let survey = surveyed.unwrap();
        let keyed = Keyed::<_, 2000>::new(&policy, &request).unwrap();
        prop_assert_eq!(survey.keys(), keys);
        match survey.target() {
            Target::Anywhere => prop_assert!(places.is_empty() && model.databases.len() > 1),
            Target::One(shard) => {
                let one = places.first().or(model.databases.first()).copied();
                prop_assert_eq!(Some(shard.database), one);
            }
            Target::Split(merge) => {
                prop_assert_eq!(Some(merge), divisible);
                prop_assert!(survey.shards(&policy).map(|shard| shard.database).eq(places.iter().copied()));
                let mut order = Vec::new();
                survey.each_key(&policy, &request, |shard, key| order.push((shard.database, key.to_vec())));
                prop_assert_eq!(order.len(), keys);
                for shard in survey.shards(&policy) {
                    let part = sent(&keyed.part(shard));
                    prop_assert_eq!(&part, &expected(&model, &words_of, Some(shard.database)).unwrap());
                    // What is sent there is what each_key says, in its order.
                    let mine = order.iter().filter(|(database, _)| *database == shard.database);
                    let mine: Vec<_> = mine.map(|(_, key)| model.map(key).unwrap().1).collect();
                    let step = if words_of[0] == b"MSET" { 2 } else { 1 };
                    prop_assert!(part[1..].iter().step_by(step).eq(mine.iter()));
                }
            }
            target => prop_assert!(false, "{:?}", target),
        }
        prop_assert_eq!(sent(&keyed), expected(&model, &words_of, None).unwrap());
    }

    /// However the request marks its keys, the same is sent.
    #[test]
    fn typed_raw_and_words_are_mapped_alike(model in model(), a in key(), b in key(), value in key()) {
        let policy = model.policy();
        let keys: [&[u8]; 2] = [&a, &b];
        let pairs: [(&[u8], &[u8]); 2] = [(&a, &value), (&b, &value)];
        let both = Survey::of(&policy, &command::mget(&keys)).map(|survey| survey.target());
        prop_assert_eq!(both, Survey::of(&policy, &words(&[b"mget".as_slice(), &a, &b])).map(|survey| survey.target()));
        let Ok(typed) = Keyed::<_, 2000>::new(&policy, command::mset(Pairs::Slices(&pairs))) else { return Ok(()) };
        let marked = raw("MSET").with(Pairs::Slices(&pairs));
        let half = raw("MSET").arg(a.as_slice()).arg(value.as_slice()).key(b.as_slice()).arg(value.as_slice());
        prop_assert_eq!(sent(&typed), sent(&Keyed::<_, 2000>::new(&policy, marked).unwrap()));
        prop_assert_eq!(sent(&typed), sent(&Keyed::<_, 2000>::new(&policy, half).unwrap()));
    }
}

/// What is sent under a policy.
pub(crate) fn under(policy: &Policy<'_>, line: &str) -> Result<String, KeyError> {
    let words_of: Vec<_> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
    let keyed = Keyed::<_, 100>::new(policy, words(&words_of))?;
    let sent: Vec<_> = sent(&keyed).into_iter().map(|arg| String::from_utf8(arg).unwrap()).collect();
    Ok(sent.join(" "))
}

/// S0-OPT-05: the prefix goes to keys and patterns, wherever they stand, and to nothing else.
#[test]
fn the_prefix_is_on_keys_alone() {
    let policy = Policy::PLAIN.with_prefix(b"p*:").unwrap();
    for (line, expected) in [
        ("SET SET SET", "SET p*:SET SET"),
        ("EVAL s 1 a b", "EVAL s 1 p*:a b"),
        ("XREAD COUNT 1 STREAMS a b 0 0", "XREAD COUNT 1 STREAMS p*:a p*:b 0 0"),
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "ZUNIONSTORE p*:d 2 p*:a p*:b WEIGHTS 1 2"),
        ("MIGRATE h 1 '' 0 9 AUTH p KEYS a", "MIGRATE h 1  0 9 AUTH p KEYS p*:a"),
        ("KEYS a*", r"KEYS p\*:a*"),
        ("SCAN 0", r"SCAN 0 MATCH p\*:*"),
        ("SCAN 0 COUNT 5", r"SCAN 0 COUNT 5 MATCH p\*:*"),
        ("scan 0 match a?[b] count 5", r"scan 0 match p\*:a?[b] count 5"),
        ("CLUSTERSCAN 0", r"CLUSTERSCAN 0 MATCH p\*:*"),
        ("SORT a GET # STORE d", "SORT p*:a GET # STORE p*:d"),
        ("PUBLISH a b", "PUBLISH a b"),
        ("SUBSCRIBE a b", "SUBSCRIBE a b"),
        ("SELECT 3", "SELECT 3"),
        ("DBSIZE", "DBSIZE"),
        ("CONFIG GET a", "CONFIG GET a"),
    ] {
        assert_eq!(under(&policy, line).as_deref(), Ok(expected), "{line}");
    }
    assert_eq!(sent(&Keyed::<_, 9>::new(&policy, command::subscribe(&["a"])).unwrap())[1], b"a");
    let plain = Policy::PLAIN.with_prefix(b"p:").unwrap();
    let sort = "SORT a BY w_*->f LIMIT 0 1 GET x_* GET nothing DESC";
    assert_eq!(
        under(&plain, sort).as_deref(),
        Ok("SORT p:a BY p:w_*->f LIMIT 0 1 GET p:x_* GET nothing DESC")
    );
}

/// X-04: what has no key and means all data goes to every database.
#[test]
fn requests_without_keys_go_everywhere_or_anywhere() {
    let policy = Policy::PLAIN.with_databases(Databases::range(4, 3));
    let target = |line: &str| {
        let words_of: Vec<_> = line.split(' ').collect();
        let survey = Survey::of(&policy, &words(&words_of)).unwrap();
        if matches!(survey.target(), Target::Every(_)) {
            assert!(survey.shards(&policy).map(|shard| shard.database).eq([4, 5, 6]));
        }
        survey.target()
    };
    assert_eq!(target("DBSIZE"), Target::Every(Merge::Sum));
    assert_eq!(target("flushdb ASYNC"), Target::Every(Merge::Done));
    assert_eq!(target("KEYS *"), Target::Every(Merge::Joined));
    assert_eq!(target("RANDOMKEY"), Target::Every(Merge::FirstFound));
    for line in ["PING", "EVAL s 0", "MULTI", "EXEC", "PUBLISH a b", "INFO"] {
        assert_eq!(target(line), Target::Anywhere, "{line}");
    }
    // Each database in turn: its number is in the low bits of the cursor.
    for (cursor, database, inner) in [(0_u64, 4, "0"), (1, 5, "0"), (9 << 6 | 2, 6, "9")] {
        let line = format!("SCAN {cursor} COUNT 5");
        assert!(matches!(target(&line), Target::One(shard) if shard.database == database), "{line}");
        assert_eq!(under(&policy, &line), Ok(format!("SCAN {inner} COUNT 5")));
    }
    assert_eq!(under(&policy, "SCAN 3"), Err(KeyError::Cursor));
    assert_eq!(under(&policy, "SCAN x"), Err(KeyError::Cursor));
    assert_eq!(under(&policy, "SCAN 99999999999999999999"), Err(KeyError::Cursor));
    assert_eq!(
        under(&Policy::PLAIN, "SCAN 99999999999999999999").as_deref(),
        Ok("SCAN 99999999999999999999")
    );
}

/// X-04: keys of two databases, unless a tag keeps them together.
#[test]
fn a_tag_keeps_keys_together() {
    let policy = Policy::MANAGED;
    for line in
        ["RENAME a b", "EVAL s 2 a b", "BLPOP a b 0", "MSETNX a 1 b 2", "SINTERSTORE d a b", "WATCH a b"]
    {
        let refused = under(&policy, line).unwrap_err();
        assert!(matches!(refused, KeyError::CrossShard { keys: 2 | 3 }), "{line}: {refused:?}");
        let tagged = line.replace(" a", " {t}a").replace(" b", " {t}b").replace(" d", " {t}d");
        assert!(under(&policy, &tagged).is_ok(), "{tagged}");
    }
}
