//! Policies of keys on real servers: what is stored, where, and what comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use respire::resp::{Encoder, Reply, Value};
use respire_core::command::{Merge, Request, words};
use respire_core::key::{Databases, HashKey, Keyed, Policy, Shard, Survey, Target, slot};
use respire_core::resp::{Limits, Scanner};
use respire_tests::{Kind, Server};

use crate::support::{array, everywhere, run, split, text};

/// One connection for each database, and the bytes of answers at hand.
struct Wires<'p> {
    policy: &'p Policy<'p>,
    streams: BTreeMap<u32, TcpStream>,
}

impl<'p> Wires<'p> {
    fn new(policy: &'p Policy<'p>, server: &Server) -> Self {
        let open = |shard: Shard| {
            let mut stream = TcpStream::connect(server.addr()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let database = shard.database.to_string();
            assert_eq!(exchange(&mut stream, &words(&["SELECT", &database])), b"+OK\r\n");
            (shard.database, stream)
        };
        Self { policy, streams: policy.databases().iter().map(open).collect() }
    }

    /// The answer of one database, with its keys as they were.
    fn ask(&mut self, request: &impl Request, survey: &Survey, shard: Shard) -> Value {
        let keyed = Keyed::<_, 1200>::new(self.policy, request).unwrap();
        let frame = exchange(self.streams.get_mut(&shard.database).unwrap(), &keyed.part(shard));
        let mut out = vec![0; frame.len() + 1200];
        let len = survey.unmap(self.policy, request, shard, &frame, &mut out).unwrap();
        Reply::parse(&out[..len]).unwrap().get().unwrap()
    }

    /// The answer to a request, from wherever it has to come.
    fn run(&mut self, line: &[&str]) -> Value {
        let request = words(line);
        let survey = Survey::of(self.policy, &request).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let first = self.policy.databases().shard(0).unwrap();
        let several: Vec<_> = survey.shards(self.policy).collect();
        let (merge, shards) = match survey.target() {
            Target::Split(merge) | Target::Every(merge) => (merge, several),
            Target::One(shard) => return self.ask(&request, &survey, shard),
            _ => return self.ask(&request, &survey, first),
        };
        let answers: Vec<_> =
            shards.iter().map(|&shard| (shard, self.ask(&request, &survey, shard))).collect();
        let elements = |value: &Value| array(value).to_vec();
        match merge {
            Merge::Sum => Value::Integer(answers.iter().map(|(_, value)| integer(value)).sum()),
            Merge::Joined => Value::Array(answers.iter().flat_map(|(_, value)| elements(value)).collect()),
            Merge::InOrder => {
                let mut queues: BTreeMap<_, _> =
                    answers.iter().map(|(shard, value)| (*shard, elements(value).into_iter())).collect();
                let mut all = Vec::new();
                survey.each_key(self.policy, &request, |shard, _| {
                    all.push(queues.get_mut(&shard).unwrap().next().unwrap());
                });
                Value::Array(all)
            }
            _ => answers.into_iter().next().unwrap().1,
        }
    }

    fn line(&mut self, line: &str) -> Value {
        self.run(&split(line))
    }
}

/// Sends a request, and reads the bytes of its answer.
fn exchange(stream: &mut TcpStream, request: &impl Request) -> Vec<u8> {
    let mut frame = vec![0; 100_000];
    let mut encoder = Encoder::new(&mut frame);
    request.visit(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written());
    stream.write_all(&frame[..encoded.len()]).unwrap();
    let (mut bytes, mut scanner) = (Vec::new(), Scanner::new(Limits::SERVER));
    loop {
        let mut more = [0; 4096];
        let len = stream.read(&mut more).unwrap();
        assert!(len > 0, "the server closed the connection");
        bytes.extend_from_slice(&more[..len]);
        if let Some(found) = scanner.scan(&bytes).unwrap() {
            assert_eq!(found.len, bytes.len());
            return bytes;
        }
    }
}

fn integer(value: &Value) -> i64 {
    let Value::Integer(number) = value else { panic!("{value:?}") };
    *number
}

fn strings(value: &Value) -> BTreeSet<String> {
    array(value).iter().map(text).collect()
}

/// S0-OPT-05, S4-CLI-03: every key that any command stores has the prefix, and what comes back has not.
#[test]
fn prefix() {
    everywhere(|kind, server, client| {
        run(client, "SET foreign 1");
        let policy = Policy::PLAIN.with_prefix(b"p[1]*:").unwrap();
        let mut wires = Wires::new(&policy, server);
        for line in [
            "MSET a 1 b 2",
            "RPUSH list 3 1 2",
            "SORT list BY nosort GET # STORE sorted",
            "SORT list STORE sorted2",
            "ZADD z 1 m",
            "ZUNIONSTORE zz 1 z",
            "XADD s * f v",
            "XGROUP CREATE s g 0",
            "COPY a c",
            "RENAME c d",
            "SADD set x",
            "SUNIONSTORE set2 set nothing",
            "BITOP NOT bits a",
            "GEOADD geo 1 2 m",
            "GEOSEARCHSTORE geo2 geo FROMMEMBER m BYRADIUS 9 m",
            "PFMERGE pf pf",
            "EVAL return{redis.call('set',KEYS[1],1),redis.call('set',KEYS[2],ARGV[1])} 2 e1 e2 e3",
        ] {
            let answer = wires.line(line);
            assert!(!matches!(answer, Value::Error(_)), "{kind}: {line}: {answer:?}");
        }
        let mine = "a b bits d e1 e2 geo geo2 list pf s set set2 sorted sorted2 z zz";
        let mine: BTreeSet<_> = split(mine).into_iter().map(String::from).collect();
        let stored = strings(&run(client, "KEYS *"));
        let expected = mine.iter().map(|key| format!("p[1]*:{key}")).chain(["foreign".into()]).collect();
        assert_eq!(stored, expected, "{kind}");

        assert_eq!(strings(&wires.line("KEYS *")), mine);
        assert_eq!(strings(&wires.line("KEYS sort*")), ["sorted".into(), "sorted2".into()].into());
        let scanned = wires.line("SCAN 0 COUNT 1000");
        assert_eq!(strings(&array(&scanned)[1]), mine);
        assert_eq!(text(&array(&wires.line("BLPOP nothing list 1"))[0]), "list");
        assert_eq!(text(&array(&array(&wires.line("XREAD STREAMS s 0"))[0])[0]), "s");
        assert_eq!(text(&array(&wires.line("ZMPOP 1 z MIN"))[0]), "z");
    });
}

/// S0-OPT-07, X-06: what is stored is hashed behind the prefix and the hash tag, and is found again however
/// the key is spelled.
#[test]
fn hash_keys() {
    everywhere(|kind, server, client| {
        let policy = Policy::MANAGED.with_databases(Databases::one(0)).with_prefix(b"p:").unwrap();
        let mut wires = Wires::new(&policy, server);
        wires.line("MSET user:1 1 {t}:a 2 {t}:b 3");
        wires.run(&["APPEND", " user::1 ", "x"]);
        assert_eq!(text(&wires.line("GET user:1")), "1x");
        let stored = strings(&run(client, "KEYS *"));
        assert_eq!(stored.len(), 3, "{kind}: {stored:?}");
        for key in &stored {
            let hash = key.strip_prefix("p:").unwrap();
            let hash = hash.strip_prefix("{t}").unwrap_or(hash);
            assert!(
                hash.len() == 32 && hash.bytes().all(|byte| b"0123456789abcdef".contains(&byte)),
                "{key}"
            );
        }
        assert_eq!(stored.iter().filter(|key| key.starts_with("p:{t}")).count(), 2);
        wires.line("RPUSH queue v");
        assert_eq!(text(&array(&wires.line("BRPOP other queue 1"))[0]), "queue");
    });
}

/// S0-OPT-04, S0-KEY-03, X-04: keys are spread over six databases, requests are divided, and the answers are
/// one again, in order.
#[test]
fn mget_sharded() {
    everywhere(|kind, server, client| {
        for policy in [Policy::MANAGED, Policy::MANAGED.with_hash(None).with_prefix(b"p:").unwrap()] {
            run(client, "FLUSHALL");
            let mut wires = Wires::new(&policy, server);
            let keys: Vec<_> = (0..600).map(|n| format!("user:{n}")).collect();
            let pairs: Vec<_> = keys.iter().flat_map(|key| [key.as_str(), &key[5..]]).collect();
            assert_eq!(wires.run(&[&["MSET"], pairs.as_slice()].concat()), Value::Simple("OK".into()));
            let names: Vec<_> = keys.iter().map(String::as_str).collect();
            let got = wires.run(&[&["MGET", "none"], names.as_slice(), &["none"]].concat());
            let got = array(&got);
            assert_eq!((got.len(), &got[0], &got[601]), (602, &Value::Null, &Value::Null), "{kind}");
            assert!(got[1..601].iter().enumerate().all(|(n, value)| text(value) == n.to_string()));

            let keyspace = text(&run(client, "INFO keyspace"));
            for database in 0..6 {
                let line = keyspace.lines().find(|line| line.starts_with(&format!("db{database}:"))).unwrap();
                let share: u32 = line.split(['=', ',']).nth(1).unwrap().parse().unwrap();
                assert!((60..=140).contains(&share), "{kind}: {keyspace}");
            }
            assert_eq!(integer(&wires.line("DBSIZE")), 600);
            assert_eq!(integer(&wires.line("EXISTS user:1 user:2 user:3 none user:4")), 4);
            assert_eq!(integer(&wires.line("DEL user:1 user:2 none user:3")), 3);

            if !policy.is_hashed() {
                let (mut cursor, mut seen) = (String::from("0"), BTreeSet::new());
                loop {
                    let page = wires.run(&["SCAN", &cursor, "COUNT", "20"]);
                    seen.extend(strings(&array(&page)[1]));
                    cursor = text(&array(&page)[0]);
                    if cursor == "0" {
                        break;
                    }
                }
                assert_eq!(seen.len(), 597, "{kind}");
                assert_eq!(strings(&wires.line("KEYS user:*")), seen);
            }
            wires.line("FLUSHDB");
            assert_eq!(integer(&wires.line("DBSIZE")), 0);
        }
    });
}

/// The slot of a key is the cluster's.
#[test]
fn slots() {
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).args(["--cluster-enabled", "yes"]).start();
        let mut stream = TcpStream::connect(server.addr()).unwrap();
        let policy = Policy::MANAGED.with_hash(Some(HashKey([3; 16]))).with_prefix(b"p:").unwrap();
        for n in 0..300 {
            let clear = [format!("k{n}"), format!("a{{{n}}}b"), format!("{{}}{n}"), format!("{{{{{n}}}}}")];
            let clear = &clear[n % 4];
            let mut scratch = [0; 100];
            let hashed = policy.map(clear.as_bytes(), &mut scratch).unwrap().key;
            for key in [clear.as_bytes(), hashed] {
                let answer = exchange(&mut stream, &words(&[b"CLUSTER".as_slice(), b"KEYSLOT", key]));
                assert_eq!(answer, format!(":{}\r\n", slot(key)).into_bytes(), "{kind}: {clear}");
            }
        }
    }
}
