//! Commands put together at random, the same ones on every run.

/// What commands are made of: `K` stands for any key, `S`, `L`, `H`, `T` and `Z` mostly for one of
/// the kind (string, list, hash, set, sorted set), `V` for any value, `N` mostly for an integer and
/// `O` for an option. No key lives so short that both servers could see it expire at different times.
const TEMPLATES: &str = "\
GET S|SET S V|SET S V O|SET S V O N|SETNX S V|GETSET S V|GETDEL S|GETEX S PERSIST|GETEX S EX 100|MGET S K K|MSET S V K V
MSETNX S V K V|APPEND S V|STRLEN S|GETRANGE S N N|SETRANGE S N V|INCR S|DECR S|INCRBY S N|DECRBY S N
INCRBYFLOAT S N|SETEX S 100 V|DEL K K|UNLINK K|EXISTS K K|TYPE K|RENAME K K|RENAMENX K K|COPY K K O
TOUCH K|EXPIRE K 100 O|PEXPIRE K -1|EXPIREAT K N|TTL K|PERSIST K|OBJECT ENCODING K|KEYS V
HSET H V V|HSET H V V V V|HSETNX H V V|HGET H V|HMGET H V V|HDEL H V|HGETALL H|HEXISTS H V|HKEYS H
HVALS H|HLEN H|HINCRBY H V N|HINCRBYFLOAT H V N|HSTRLEN H V|HSCAN H 0
LPUSH L V V|RPUSH L V|LPUSHX L V|RPUSHX L V|LPOP L|RPOP L N|LLEN L|LRANGE L N N|LINDEX L N|LSET L N V
LREM L N V|LTRIM L N N|LINSERT L BEFORE V V|LINSERT L O V V
SADD T V V|SADD T N N|SREM T V|SMEMBERS T|SISMEMBER T V|SMISMEMBER T V V|SCARD T|SINTER T T|SUNION T K
SDIFF T T K
ZADD Z N V|ZADD Z N V N V|ZADD Z O N V|ZADD Z O O N V|ZREM Z V|ZSCORE Z V|ZMSCORE Z V V|ZINCRBY Z N V
ZCARD Z|ZCOUNT Z N N|ZRANK Z V|ZREVRANK Z V|ZRANGE Z N N|ZRANGE Z N N O|ZRANGE Z N N O O
ZRANGEBYSCORE Z N N O|ZREVRANGE Z N N O|ZRANGEBYLEX Z V V|ZLEXCOUNT Z V V|ZPOPMIN Z N|ZPOPMAX Z|ZSCAN Z 0
MULTI|EXEC|EXEC|DISCARD|WATCH K K|UNWATCH|PING V|ECHO V|SELECT N|CLIENT GETNAME|PUBLISH K V";

const KEYS: &[&str] = &["s", "l", "h", "t", "z", "other", "new"];
const VALUES: &[&str] = &[
    "a",
    "b",
    "c",
    "1",
    "2",
    "-1",
    "0",
    "abc",
    "\"\"",
    "1.5",
    "xyz",
    "*",
    "[a",
    "(b",
    "-",
    "+",
    "\"\\x00\\xff\"",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "5",
    "10",
    "100",
    "1.5",
    "-0.5",
    "1e3",
    "inf",
    "-inf",
    "nan",
    "(1",
    "x",
    "9223372036854775807",
    "-9223372036854775808",
    "01",
    "+1",
    "\" 1\"",
    "0.1",
];
const OPTIONS: &[&str] = &[
    "NX",
    "XX",
    "GET",
    "KEEPTTL",
    "PERSIST",
    "GT",
    "LT",
    "CH",
    "INCR",
    "REV",
    "BYSCORE",
    "BYLEX",
    "LIMIT",
    "WITHSCORES",
    "REPLACE",
    "AFTER",
    "DB",
];

/// The commands of one run.
pub(crate) struct Commands {
    templates: Vec<&'static str>,
    state: u64,
}

impl Commands {
    pub(crate) fn new(seed: u64) -> Self {
        Self { templates: TEMPLATES.split(['|', '\n']).collect(), state: seed.max(1) }
    }

    pub(crate) fn next(&mut self) -> String {
        let at = self.below(self.templates.len());
        let template = self.templates[at];
        let mut words = Vec::new();
        for (at, word) in template.split(' ').enumerate() {
            let lower = word.to_ascii_lowercase();
            words.push(match word {
                "K" => self.pick(KEYS),
                // Mostly the right kind, and sometimes a key of another.
                "S" | "L" | "H" | "T" | "Z" if at > 0 => match self.below(8) {
                    0 => self.pick(KEYS),
                    _ => lower,
                },
                "V" => self.pick(VALUES),
                "N" => match self.below(3) {
                    0 => self.pick(NUMBERS),
                    _ => self.pick(&NUMBERS[..9]),
                },
                "O" => self.pick(OPTIONS),
                word => word.to_owned(),
            });
        }
        match self.below(12) {
            0 => words.push(self.pick(VALUES)),
            1 => drop(words.pop()),
            _ => {}
        }
        words.join(" ")
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[self.below(from.len())].to_owned()
    }

    /// Xorshift (<https://www.jstatsoft.org/article/view/v008i14>).
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % limit as u64).expect("below a usize")
    }
}
