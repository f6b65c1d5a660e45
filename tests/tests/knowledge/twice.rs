//! Requests executed twice on real servers: what is left is what the core says.

use std::collections::BTreeMap;

use respire::Single;
use respire::prelude::*;
use respire::resp::Value;
use respire_tests::Kind;

use crate::support::{array, ask, everywhere, frame, run, split, text};

/// What stands in a server before, separated by `;`, then the request. For what is checked: what others
/// write in between, which the second execution must leave alone.
type Row = (&'static str, &'static str, &'static str);

const READS: &[Row] = &[
    ("SET k v", "GET k", ""),
    ("SET k v", "DUMP k", ""),
    ("SET k v", "TOUCH k", ""),
    ("RPUSH l 3 1 2", "SORT l", ""),
    ("RPUSH l 3 1 2", "SORT l BY nosort GET #", ""),
    ("GEOADD g 13 38 a", "GEORADIUS g 13 38 9 km WITHDIST", ""),
    ("GEOADD g 13 38 a", "GEORADIUSBYMEMBER g a 9 km", ""),
    ("SET k abc", "BITFIELD k GET u8 0 GET u8 8", ""),
    ("XADD s 1-1 f v", "XREAD STREAMS s 0", ""),
    ("SADD s a b c", "SRANDMEMBER s", ""),
    // The first PFCOUNT keeps its result in the value.
    ("PFADD h a;PFCOUNT h", "PFCOUNT h", ""),
    ("", "PING", ""),
    ("", "LOLWUT", ""),
    ("SET k v", "EVAL_RO return(redis.call('GET',KEYS[1])) 1 k", ""),
];

const CHECKED: &[Row] = &[
    ("", "SET k v NX", "SET k other"),
    ("SET k old", "SETNX k v", "SET k other"),
    ("", "SET k v EX 1000 NX", "SET k other"),
    ("", "HSETNX h f v", "HSET h f other"),
    ("", "MSETNX a 1 b 2", "SET a other"),
    ("SET a 1", "COPY a b", "SET b other"),
    ("SET a 1", "RENAMENX a b", "SET b other"),
    ("SET a 1", "MOVE a 1", "SET b other"),
    ("", "ZADD z NX 1 a", "ZADD z 7 a"),
    ("", "GEOADD g NX 13 38 a", "GEOADD g 14 38 a"),
    ("", "XADD s 5-1 f v", "XADD s 6-1 f v"),
    ("", "XADD s MAXLEN = 5 5-1 f v", "XADD s 6-1 f v"),
    ("SET k v", "EXPIRE k 1000 NX", "EXPIREAT k 4000000000"),
    ("SET k v", "PEXPIREAT k 4000000000000 NX", "EXPIREAT k 4000000001"),
    ("", "XGROUP CREATE s g 0 MKSTREAM", "XGROUP SETID s g 7-7"),
    ("XGROUP CREATE s g 0 MKSTREAM", "XGROUP CREATECONSUMER s g c", ""),
];

const LAST_WINS: &[Row] = &[
    ("", "SET k v", ""),
    ("SET k old EX 1000", "SET k v XX KEEPTTL", ""),
    ("", "SETEX k 1000 v", ""),
    ("", "PSETEX k 1000000 v", ""),
    ("", "MSET a 1 b 2", ""),
    ("SET k abc", "SETRANGE k 1 xy", ""),
    ("SET k abc", "SETBIT k 8 1", ""),
    ("SET k abc", "BITFIELD k SET u8 0 7 GET u8 0", ""),
    ("SET a abc;SET b b", "BITOP XOR d a b", ""),
    ("SET k v", "GETEX k EXAT 4000000000", ""),
    ("SET k v EX 1000", "GETEX k PERSIST", ""),
    ("SET k v", "EXPIRE k 1000", ""),
    ("SET k v", "EXPIREAT k 4000000000", ""),
    ("SET k v EX 1000", "PERSIST k", ""),
    ("SET k v", "DEL k", ""),
    ("SET k v", "UNLINK k", ""),
    ("SET a v", "RENAME a b", ""),
    ("SET a 1;SET b 2", "COPY a b REPLACE", ""),
    ("", "HSET h f v g w", ""),
    ("", "HMSET h f v", ""),
    ("HSET h f v", "HDEL h f", ""),
    ("", "SADD s a b", ""),
    ("SADD s a b", "SREM s a", ""),
    ("SADD s a;SADD d b", "SMOVE s d a", ""),
    ("SADD s a b;SADD d b", "SDIFFSTORE s s d", ""),
    ("SADD s a b;SADD d c", "SUNIONSTORE s s d", ""),
    ("SADD s a b;SADD d b", "SINTERSTORE s s d", ""),
    ("", "ZADD z 1 a 2 b", ""),
    ("ZADD z 1 a", "ZADD z GT CH 2 a", ""),
    ("ZADD z 1 a", "ZREM z a", ""),
    ("ZADD z 1 a 2 b 3 c", "ZREMRANGEBYSCORE z 1 2", ""),
    ("ZADD z 0 a 0 b 0 c", "ZREMRANGEBYLEX z [a [b", ""),
    ("ZADD a 1 x;ZADD b 2 x", "ZUNIONSTORE d 2 a b", ""),
    ("ZADD a 1 x;ZADD b 2 x", "ZINTERSTORE d 2 a b", ""),
    ("ZADD a 1 x 2 y;ZADD b 2 y", "ZDIFFSTORE a 2 a b", ""),
    ("ZADD a 1 x 2 y", "ZRANGESTORE d a 0 0", ""),
    ("", "GEOADD g 13 38 a", ""),
    ("GEOADD g 13 38 a", "GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 9 km", ""),
    ("GEOADD g 13 38 a", "GEORADIUS g 13 38 9 km STORE d", ""),
    ("RPUSH l 3 1 2", "SORT l STORE d", ""),
    ("RPUSH l a b", "LSET l 0 x", ""),
    ("RPUSH l a b a", "LREM l 0 a", ""),
    ("RPUSH l a b c d", "LTRIM l 0 1", ""),
    ("RPUSH l a b c d", "LTRIM l -2 -1", ""),
    ("RPUSH l a b c d", "LTRIM l 0 -1", ""),
    ("", "PFADD h a b", ""),
    ("PFADD h a;PFADD i b", "PFMERGE h h i", ""),
    ("XADD s 1-1 f v;XADD s 1-2 f v", "XDEL s 1-1", ""),
    ("XADD s 1-1 f v;XADD s 1-2 f v", "XTRIM s MAXLEN 1", ""),
    ("XADD s 1-1 f v", "XSETID s 9-9", ""),
    ("XGROUP CREATE s g 0 MKSTREAM", "XGROUP SETID s g 5-5", ""),
    ("XGROUP CREATE s g 0 MKSTREAM", "XGROUP DESTROY s g", ""),
    ("XGROUP CREATE s g 0 MKSTREAM;XGROUP CREATECONSUMER s g c", "XGROUP DELCONSUMER s g c", ""),
    ("XGROUP CREATE s g 0 MKSTREAM;XADD s 1-1 f v;XREADGROUP GROUP g c STREAMS s >", "XACK s g 1-1", ""),
    ("", "SCRIPT LOAD return(1)", ""),
];

const ACCUMULATING: &[Row] = &[
    ("", "INCR n", ""),
    ("", "DECRBY n 3", ""),
    ("", "INCRBYFLOAT n 0.5", ""),
    ("", "APPEND k v", ""),
    ("", "HINCRBY h f 1", ""),
    ("", "HINCRBYFLOAT h f 0.5", ""),
    ("", "ZINCRBY z 1 a", ""),
    ("", "ZADD z INCR 1 a", ""),
    ("", "LPUSH l a", ""),
    ("RPUSH l a", "RPUSHX l b", ""),
    ("RPUSH l a", "LINSERT l BEFORE a b", ""),
    ("RPUSH l a b c", "LPOP l", ""),
    ("RPUSH l a b c", "RPOP l 2", ""),
    ("RPUSH l a b c", "BLPOP l 1", ""),
    ("RPUSH l a b c", "LMPOP 1 l LEFT", ""),
    ("RPUSH l a b c", "RPOPLPUSH l d", ""),
    ("RPUSH l a b c", "LMOVE l l LEFT RIGHT", ""),
    ("RPUSH l a b a", "LREM l 1 a", ""),
    ("RPUSH l a b c d", "LTRIM l 1 -1", ""),
    ("RPUSH l a b c d", "LTRIM l 0 -2", ""),
    ("RPUSH l a b c d", "LTRIM l 1 2", ""),
    ("SADD s a b c", "SPOP s", ""),
    ("ZADD z 1 a 2 b", "ZPOPMIN z", ""),
    ("ZADD z 1 a 2 b", "BZPOPMAX z 1", ""),
    ("ZADD z 1 a 2 b", "ZMPOP 1 z MIN", ""),
    ("ZADD z 1 a 2 b 3 c", "ZREMRANGEBYRANK z 0 0", ""),
    ("ZADD a 1 x;ZADD b 2 x", "ZUNIONSTORE a 2 a b", ""),
    ("ZADD a 1 x;ZADD b 2 x", "ZINTERSTORE a 2 a b", ""),
    ("ZADD a 1 x 2 y 3 z", "ZRANGESTORE a a 1 -1", ""),
    ("RPUSH l 3 1 2", "SORT l LIMIT 1 2 STORE l", ""),
    ("SET a abc", "BITOP NOT a a", ""),
    ("SET a abc;SET b b", "BITOP XOR a a b", ""),
    ("", "BITFIELD k INCRBY u8 0 1", ""),
    ("", "XADD s * f v", ""),
    ("", "XADD s 5-* f v", ""),
    ("", "XADD s MAXLEN 5 * f v", ""),
    (
        "XGROUP CREATE s g 0 MKSTREAM;XADD s 1-1 f v;XADD s 1-2 f v",
        "XREADGROUP GROUP g c COUNT 1 STREAMS s >",
        "",
    ),
    (
        "XGROUP CREATE s g 0 MKSTREAM;XADD s 1-1 f v;XREADGROUP GROUP g c STREAMS s >",
        "XCLAIM s g d 0 1-1",
        "",
    ),
    (
        "XGROUP CREATE s g 0 MKSTREAM;XADD s 1-1 f v;XREADGROUP GROUP g c STREAMS s >",
        "XAUTOCLAIM s g d 0 0",
        "",
    ),
];

/// The same state twice, but the value is in the first answer only.
const TAKEN: &[Row] = &[
    ("SET k v", "GETDEL k", ""),
    ("SET k old", "GETSET k v", ""),
    ("SET k old", "SET k v GET", ""),
    ("", "SET k v NX GET", ""),
];

/// What Redis 7.0 does not know, in the same order.
const CHECKED_VALKEY: &[Row] = &[
    ("SET k old", "SET k v IFEQ old", "SET k other"),
    ("SET k v", "DELIFEQ k v", "SET k other"),
    ("", "HSETEX h FNX FIELDS 1 f v", "HSET h f other"),
    ("HSET h f v", "HPEXPIREAT h 4000000000000 NX FIELDS 1 f", "HPEXPIREAT h 4000000000001 FIELDS 1 f"),
];

const LAST_WINS_VALKEY: &[Row] = &[
    ("HSET h f v", "HEXPIREAT h 4000000000 FIELDS 1 f", ""),
    ("HSET h f v;HEXPIREAT h 4000000000 FIELDS 1 f", "HPERSIST h FIELDS 1 f", ""),
    ("HSET h f v", "HGETEX h EXAT 4000000000 FIELDS 1 f", ""),
    ("", "HSETEX h EXAT 4000000000 FIELDS 1 f v", ""),
    ("", "MSETEX 1 k v NX", ""),
];

const TAKEN_VALKEY: &[Row] =
    &[("HSET h f v", "HGETDEL h FIELDS 1 f", ""), ("SET k old", "SET k v IFEQ old GET", "")];

#[test]
fn two_executions_leave_what_they_must() {
    everywhere(|kind, _, client| {
        let newer = kind == Kind::Valkey91;
        let valkey = |rows: &'static [Row]| if newer { rows } else { &[] };
        for row in READS {
            let twice = Twice::of(client, row);
            assert!(twice.retry <= Retry::ReadOnly, "{kind}: {row:?}: {:?}", twice.retry);
            assert_eq!(twice.before, twice.once, "{kind}: {row:?}");
            assert_eq!(twice.once, twice.again, "{kind}: {row:?}");
        }
        for row in CHECKED.iter().chain(valkey(CHECKED_VALKEY)) {
            let twice = Twice::of(client, row);
            assert_eq!(twice.retry, Retry::CheckedWrite, "{kind}: {row:?}");
            assert_eq!(twice.between, twice.again, "{kind}: {row:?}");
            assert!(row.2.is_empty() || twice.once != twice.between, "{kind}: {row:?}: nobody wrote");
        }
        for row in LAST_WINS.iter().chain(valkey(LAST_WINS_VALKEY)) {
            let twice = Twice::of(client, row);
            assert_eq!(twice.retry, Retry::LastWriteWins, "{kind}: {row:?}");
            assert_eq!(twice.once, twice.again, "{kind}: {row:?}");
            assert!(
                twice.before != twice.once || row.1.starts_with("SCRIPT") || row.1.ends_with("LTRIM l 0 -1"),
                "{kind}: {row:?}: it did nothing"
            );
        }
        for row in ACCUMULATING {
            let twice = Twice::of(client, row);
            assert_eq!(twice.retry, Retry::Accumulating, "{kind}: {row:?}");
            assert_ne!(twice.before, twice.once, "{kind}: {row:?}");
            assert_ne!(twice.once, twice.again, "{kind}: {row:?}");
        }
        for row in TAKEN.iter().chain(valkey(TAKEN_VALKEY)) {
            let twice = Twice::of(client, row);
            assert_eq!(twice.retry, Retry::Accumulating, "{kind}: {row:?}");
            assert_eq!(twice.once, twice.again, "{kind}: {row:?}");
            assert_ne!(twice.answers[0], twice.answers[1], "{kind}: {row:?}");
        }
    });
}

/// Everything that is stored, and when it expires: a time that counts from now is only its presence.
type State = BTreeMap<Vec<u8>, (Value, String)>;

struct Twice {
    retry: Retry,
    before: State,
    once: State,
    /// After what others wrote.
    between: State,
    again: State,
    answers: [Value; 2],
}

impl Twice {
    fn of(client: &Single, &(prepare, request, others): &Row) -> Self {
        run(client, "FLUSHALL");
        for line in prepare.split(';').filter(|line| !line.is_empty()) {
            run(client, line);
        }
        let before = state(client);
        let first = run(client, request);
        let once = state(client);
        if !others.is_empty() {
            run(client, others);
        }
        let between = state(client);
        // The second may be refused.
        let second = ask(client, request);
        let again = state(client);
        let retry = Retry::of(Args::new(&frame(&split(request))));
        Self { retry, before, once, between, again, answers: [first, second] }
    }
}

fn state(client: &Single) -> State {
    let mut state = State::new();
    for database in ["1", "0"] {
        run(client, &format!("SELECT {database}"));
        for key in array(&run(client, "KEYS *")) {
            let Value::Bulk(name) = key else { panic!("{key:?}") };
            let line = String::from_utf8(name.clone()).expect("keys of this test");
            // Members of a set stand in no order.
            let is_set = text(&run(client, &format!("TYPE {line}"))) == "set";
            let look = if is_set { "SMEMBERS" } else { "DUMP" };
            let mut dump = run(client, &format!("{look} {line}"));
            if let Value::Array(members) = &mut dump {
                members.sort_by_key(text);
            }
            let expires = match run(client, &format!("PEXPIRETIME {line}")) {
                Value::Integer(at) if at >= 4_000_000_000_000 => at.to_string(),
                Value::Integer(at) if at > 0 => "from now".to_owned(),
                _ => "never".to_owned(),
            };
            state.insert([database.as_bytes(), b":", name.as_slice()].concat(), (dump, expires));
        }
    }
    state
}
