//! The same type from both protocols: what redis-server 7.0.15 answers to a command in RESP2 and in
//! RESP3, byte for byte.

use std::fmt::Debug;

use respire_core::resp::{FromReply, Map, Reply, Seq};

/// An answer in RESP2, and the same in RESP3.
struct Answer {
    command: &'static str,
    resp2: &'static [u8],
    resp3: &'static [u8],
}

const fn answer(command: &'static str, resp2: &'static [u8], resp3: &'static [u8]) -> Answer {
    Answer { command, resp2, resp3 }
}

impl Answer {
    /// Both are read as `value`.
    #[track_caller]
    fn is<T: FromReply<'static> + PartialEq + Debug>(&self, value: T) -> &Self {
        for bytes in [self.resp2, self.resp3] {
            let got = Reply::parse(bytes).expect("one reply").get::<T>();
            assert_eq!(got.as_ref(), Ok(&value), "{}: {}", self.command, bytes.escape_ascii());
        }
        self
    }

    /// Both are read as these elements.
    #[track_caller]
    fn has<T: FromReply<'static> + PartialEq + Debug>(&self, elements: impl AsRef<[T]>) -> &Self {
        for bytes in [self.resp2, self.resp3] {
            let seq: Seq<'_, T> = Reply::parse(bytes).expect("one reply").get().expect(self.command);
            let got: Vec<T> = seq.map(|element| element.expect(self.command)).collect();
            assert_eq!(got, elements.as_ref(), "{}: {}", self.command, bytes.escape_ascii());
        }
        self
    }

    /// Both are read as these pairs.
    #[track_caller]
    fn maps<K, V>(&self, pairs: impl AsRef<[(K, V)]>) -> &Self
    where
        K: FromReply<'static> + PartialEq + Debug,
        V: FromReply<'static> + PartialEq + Debug,
    {
        for bytes in [self.resp2, self.resp3] {
            let map: Map<'_, K, V> = Reply::parse(bytes).expect("one reply").get().expect(self.command);
            let got: Vec<(K, V)> = map.map(|pair| pair.expect(self.command)).collect();
            assert_eq!(got, pairs.as_ref(), "{}: {}", self.command, bytes.escape_ascii());
        }
        self
    }
}

/// A missing value is `None` whatever its type would be.
const NOTHING: [Answer; 8] = [
    answer("GET none", b"$-1\r\n", b"_\r\n"),
    answer("ZSCORE z none", b"$-1\r\n", b"_\r\n"),
    answer("LPOP none", b"$-1\r\n", b"_\r\n"),
    answer("LPOP none 2", b"*-1\r\n", b"_\r\n"),
    answer("BLPOP none 0.01", b"*-1\r\n", b"_\r\n"),
    answer("XREAD STREAMS none 0", b"*-1\r\n", b"_\r\n"),
    answer("ACL GETUSER nobody", b"$-1\r\n", b"_\r\n"),
    answer("EXEC after a change of what was watched", b"*-1\r\n", b"_\r\n"),
];

const FIELDS: Answer = answer(
    "HGETALL h",
    b"*4\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n$2\r\n30\r\n",
    b"%2\r\n$4\r\nname\r\n$3\r\nann\r\n$3\r\nage\r\n$2\r\n30\r\n",
);
const NO_FIELDS: Answer = answer("HGETALL none", b"*0\r\n", b"%0\r\n");
const SCORES: Answer = answer(
    "ZRANGE z 0 -1 WITHSCORES",
    b"*6\r\n$1\r\na\r\n$3\r\n1.5\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$3\r\ninf\r\n",
    b"*3\r\n*2\r\n$1\r\na\r\n,1.5\r\n*2\r\n$1\r\nb\r\n,2\r\n*2\r\n$1\r\nc\r\n,inf\r\n",
);
const MEMBERS: Answer =
    answer("SMEMBERS s", b"*2\r\n$1\r\ny\r\n$1\r\nx\r\n", b"~2\r\n$1\r\ny\r\n$1\r\nx\r\n");
const SETTING: Answer = answer(
    "CONFIG GET maxmemory-policy",
    b"*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n",
    b"%1\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n",
);
const PLACES: Answer = answer(
    "GEOPOS g palermo none",
    b"*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n",
    b"*2\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n_\r\n",
);
const PALERMO: (f64, f64) = (13.361_389_338_970_184, 38.115_556_395_496_3);
const FOUND: Answer = answer(
    "GEOSEARCH g FROMMEMBER palermo BYRADIUS 1 km WITHDIST WITHCOORD",
    b"*1\r\n*3\r\n$7\r\npalermo\r\n$6\r\n0.0000\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n",
    b"*1\r\n*3\r\n$7\r\npalermo\r\n$6\r\n0.0000\r\n*2\r\n,13.36138933897018433\r\n,38.11555639549629859\r\n",
);
#[test]
fn scalars() {
    answer("ZSCORE z a", b"$3\r\n1.5\r\n", b",1.5\r\n").is(1.5).is(1.5f32).is(Some(1.5)).is("1.5");
    answer("ZSCORE z b", b"$1\r\n2\r\n", b",2\r\n").is(2.0).is(2i64).is(2u8).is(2i128);
    answer("ZSCORE z c", b"$3\r\ninf\r\n", b",inf\r\n").is(f64::INFINITY).is(f32::INFINITY);
    answer("ZADD z INCR 1 b", b"$1\r\n1\r\n", b",1\r\n").is(Some(1.0));
    answer("EXISTS n", b":1\r\n", b":1\r\n").is(true).is(1u8).is(1.0).is("1");
    answer("EXISTS none", b":0\r\n", b":0\r\n").is(false).is(0usize);
    answer("SISMEMBER s x", b":1\r\n", b":1\r\n").is(true);
    answer("EVAL 'redis.setresp(3) return true' 0", b":1\r\n", b"#t\r\n").is(true);
    let big = 123_456_789_012_345_678_901_234_567_890u128;
    answer(
        "EVAL 'redis.setresp(3) return {big_number = \"123456789012345678901234567890\"}' 0",
        b"$30\r\n123456789012345678901234567890\r\n",
        b"(123456789012345678901234567890\r\n",
    )
    .is(big)
    .is(big as i128)
    .is(big as f64);
    answer("GET n", b"$2\r\n42\r\n", b"$2\r\n42\r\n")
        .is(42u64)
        .is(42i8)
        .is(42.0)
        .is("42")
        .is(Some(b"42".as_slice()));
    answer("GEODIST g palermo palermo", b"$6\r\n0.0000\r\n", b"$6\r\n0.0000\r\n").is(0.0);
    answer("SET t text", b"+OK\r\n", b"+OK\r\n").is(()).is(true).is(respire_core::resp::Done);
    for nothing in NOTHING {
        nothing.is(None::<i64>).is(None::<f64>).is(None::<&str>).is(None::<(&str, &str)>).is(None::<[u8; 2]>);
    }
}

#[test]
fn text_with_a_format() {
    let client = answer(
        "CLIENT INFO, shortened",
        b"$50\r\nid=52 addr=127.0.0.1:39662 laddr=127.0.0.1:16399 \n\r\n",
        b"=54\r\ntxt:id=52 addr=127.0.0.1:39662 laddr=127.0.0.1:16399 \n\r\n",
    );
    client.is("id=52 addr=127.0.0.1:39662 laddr=127.0.0.1:16399 \n");
}

#[test]
fn elements() {
    MEMBERS.has(["y", "x"]).is(("y", "x")).is(["y", "x"]);
    answer("SMISMEMBER s x q", b"*2\r\n:1\r\n:0\r\n", b"*2\r\n:1\r\n:0\r\n")
        .has([true, false])
        .is([true, false]);
    answer("ZMSCORE z a none", b"*2\r\n$3\r\n1.5\r\n$-1\r\n", b"*2\r\n,1.5\r\n_\r\n").has([Some(1.5), None]);
    answer("HMGET h name none", b"*2\r\n$3\r\nann\r\n$-1\r\n", b"*2\r\n$3\r\nann\r\n_\r\n")
        .is((Some("ann"), None::<i64>));
    PLACES.has([Some(PALERMO), None]);
    FOUND.has([("palermo", 0.0, PALERMO)]);
}

#[test]
fn pairs() {
    FIELDS.maps([("name", "ann"), ("age", "30")]).has([("name", "ann"), ("age", "30")]);
    NO_FIELDS.maps::<&str, &str>([]).has::<(&str, &str)>([]);
    SETTING.maps([("maxmemory-policy", "noeviction")]);
    let scores = [("a", 1.5), ("b", 2.0), ("c", f64::INFINITY)];
    SCORES.has(scores).maps(scores);
    answer("ZPOPMIN z 1", b"*2\r\n$1\r\na\r\n$3\r\n1.5\r\n", b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n")
        .has([("a", 1.5)]);
    answer(
        "HRANDFIELD h 1 WITHVALUES",
        b"*2\r\n$3\r\nage\r\n$2\r\n30\r\n",
        b"*1\r\n*2\r\n$3\r\nage\r\n$2\r\n30\r\n",
    )
    .maps([("age", 30)]);
    let numbers = b"*4\r\n$1\r\na\r\n:0\r\n$1\r\nb\r\n:0\r\n";
    answer("PUBSUB NUMSUB a b", numbers, numbers).maps([("a", 0), ("b", 0)]);
}

#[cfg(feature = "alloc")]
mod owned {
    use std::collections::{BTreeMap, BTreeSet, VecDeque};

    use super::{Answer, FIELDS, FOUND, MEMBERS, NO_FIELDS, NOTHING, PALERMO, PLACES, SCORES, answer};

    /// `XRANGE x - +` answers the same in both; `XREAD` has it inside a map in RESP3.
    const ENTRIES: &[u8] =
        b"*2\r\n*2\r\n$3\r\n1-0\r\n*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nh\r\n$1\r\nu\r\n";
    const STREAMS: Answer = answer(
        "XREAD STREAMS x 0",
        b"*1\r\n*2\r\n$1\r\nx\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nh\r\n$1\r\nu\r\n",
        b"%1\r\n$1\r\nx\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*4\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nh\r\n$1\r\nu\r\n",
    );
    const TRACKING: Answer = answer(
        "CLIENT TRACKINGINFO",
        b"*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n",
        b"%3\r\n$5\r\nflags\r\n~1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n",
    );

    /// The identifier, and its fields.
    type Entry = (String, Vec<(String, String)>);

    fn strings<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    fn entries() -> Vec<Entry> {
        vec![("1-0".into(), strings([("f", "v"), ("g", "w")])), ("2-0".into(), strings([("h", "u")]))]
    }

    #[test]
    fn collections() {
        let map = BTreeMap::from_iter(strings([("name", "ann"), ("age", "30")]));
        FIELDS
            .is(map)
            .is(strings([("name", "ann"), ("age", "30")]))
            .is(VecDeque::from([("name", "ann"), ("age", "30")]));
        FIELDS.is(Vec::from(["name", "ann", "age", "30"]));
        NO_FIELDS.is(BTreeMap::<String, i64>::new()).is(Vec::<(String, i64)>::new());
        SCORES.is(BTreeMap::from([
            ("a".to_owned(), 1.5),
            ("b".to_owned(), 2.0),
            ("c".to_owned(), f64::INFINITY),
        ]));
        MEMBERS.is(BTreeSet::from(["x", "y"])).is(vec!["y".to_owned(), "x".to_owned()]);
        MEMBERS.is(Box::<[&str]>::from(["y", "x"])).is(VecDeque::from(["y", "x"]));
        PLACES.is(vec![Some(PALERMO), None]);
        FOUND.is(vec![("palermo".to_owned(), 0.0, PALERMO)]);
        for nothing in NOTHING {
            nothing.is(None::<String>).is(None::<Vec<u8>>).is(None::<BTreeMap<String, String>>);
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn hashed_with_any_hasher() {
        use std::collections::{HashMap, HashSet};
        use std::hash::{BuildHasherDefault, DefaultHasher};

        type Fixed = BuildHasherDefault<DefaultHasher>;
        FIELDS.is(HashMap::<_, _>::from([("name", "ann"), ("age", "30")]));
        FIELDS.is(HashMap::<_, _, Fixed>::from_iter([("name", "ann"), ("age", "30")]));
        MEMBERS.is(HashSet::from(["x", "y"])).is(HashSet::<_, Fixed>::from_iter(["x", "y"]));
    }

    #[test]
    fn streams() {
        answer("XRANGE x - +", ENTRIES, ENTRIES).is(entries());
        STREAMS.is(vec![("x".to_owned(), entries())]).is(BTreeMap::from([("x".to_owned(), entries())]));
        STREAMS.is(Some(BTreeMap::from([("x".to_owned(), entries())])));
        STREAMS.is(BTreeMap::from([(
            "x",
            BTreeMap::from([("1-0", 4), ("2-0", 2)].map(|(id, n)| (id, Count(n)))),
        )]));
    }

    /// How many elements an aggregate has.
    #[derive(PartialEq, Debug)]
    struct Count(usize);

    impl<'a> respire_core::resp::FromReply<'a> for Count {
        fn from_reply(reply: respire_core::resp::Reply<'a>) -> Result<Self, respire_core::resp::DecodeError> {
            Ok(Self(reply.elements().map_or(0, Iterator::count)))
        }
    }

    #[test]
    fn maps_of_anything() {
        use respire_core::resp::Value;
        let expected =
            BTreeMap::from([("flags", 1), ("redirect", 0), ("prefixes", 0)].map(|(key, n)| (key, Count(n))));
        TRACKING.is(expected);
        TRACKING.is((
            "flags".to_owned(),
            BTreeSet::from(["off".to_owned()]),
            "redirect".to_owned(),
            -1i64,
            "prefixes".to_owned(),
            Value::Array(vec![]),
        ));
    }
}
