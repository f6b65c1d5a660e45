//! The rows of the table of keys, sorted by name: Redis 7.0 to 8.4, Valkey 8.0 to 9.1. All of a command's name
//! is its first word: where a second one makes a difference, the shape says so.

use super::keys::Returned::{Each, EachOfSecond, First, FirstOfEach, Nowhere, Whole};
use super::keys::Spread::{ByCursor, ByKey, Everywhere};
use super::keys::{Merge, Returned, Spread};

/// What is known of a command's keys.
#[derive(Debug)]
pub(super) struct Row {
    /// Its first word in upper case.
    pub(super) name: Name,
    pub(super) shape: Shape,
    pub(super) returned: Returned,
    pub(super) spread: Spread,
}

/// A name, with zeros behind it. As a number it is compared in a few steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Name([u32; 5]);

/// Where keys stand. Positions count from 0 behind the first word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Nowhere.
    Keyless,
    /// From one place up to another.
    Keys {
        /// The first one.
        from: u8,
        /// Behind the last one; [`END`](Shape::END) for all.
        to: u8,
    },
    /// All but the last argument, which is a timeout.
    ButLast,
    /// Each is followed by its value.
    Pairs,
    /// As many as a number says, right behind it.
    Counted {
        /// Where the number stands.
        at: u8,
        /// Whether there is one in front of it, too.
        target: bool,
        /// From one to the next: 2 if each is followed by its value.
        step: u8,
    },
    /// The first half of what follows STREAMS.
    Streams,
    /// The first, behind STORE, and in the patterns behind BY and GET.
    Sort,
    /// The same, and STORE is an error.
    SortOnly,
    /// The first, and behind STORE and STOREDIST from this place on.
    Radius(u8),
    /// The third, or if that is empty all behind KEYS.
    Migrate,
    /// A pattern for keys.
    Pattern,
    /// A cursor and options, MATCH among them.
    Scan,
    /// The same with a cursor that is no number.
    ClusterScan,
    /// All are channels, or patterns of channels.
    Channels,
    /// The first is a channel.
    Publish,
    /// The first two; DB goes before a database.
    Copy,
    /// The first; the second is a database.
    Move,
    /// All are databases.
    Databases,
}

impl Shape {
    /// To the last argument.
    pub(super) const END: u8 = u8::MAX;
}

impl Name {
    /// This word in upper case; `None` if no name is so long.
    #[inline]
    const fn new(word: &[u8]) -> Option<Self> {
        let mut bytes = [0; 20];
        let (mut to, mut from): (&mut [u8], _) = (&mut bytes, word);
        while let [byte, rest @ ..] = from {
            let [first, behind @ ..] = to else { return None };
            *first = byte.to_ascii_uppercase();
            (to, from) = (behind, rest);
        }
        let ([a, b, c, d, e], _) = bytes.as_chunks::<4>() else { return None };
        Some(Self([
            u32::from_be_bytes(*a),
            u32::from_be_bytes(*b),
            u32::from_be_bytes(*c),
            u32::from_be_bytes(*d),
            u32::from_be_bytes(*e),
        ]))
    }
}

impl Row {
    /// Whether its name is this.
    pub(super) fn is(&self, name: &str) -> bool {
        Some(self.name) == Name::new(name.as_bytes())
    }

    /// A command that is not known: keys are what its request marks.
    pub(super) const MARKED: Self = row("", KEYLESS);

    const fn returns(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    const fn spread(self, spread: Spread) -> Self {
        Self { spread, ..self }
    }
}

/// The row of a command by its first word, in any case.
pub(super) fn lookup(name: &[u8]) -> Option<&'static Row> {
    let name = Name::new(name)?;
    let at = ROWS.binary_search_by(|row| row.name.cmp(&name)).ok()?;
    ROWS.get(at)
}

const fn row(name: &'static str, shape: Shape) -> Row {
    // Names that are too long would all be the same, which a test sees.
    let name = match Name::new(name.as_bytes()) {
        Some(name) => name,
        None => Name([0; 5]),
    };
    Row { name, shape, returned: Nowhere, spread: Spread::Whole }
}

const fn counted(at: u8, target: bool, step: u8) -> Shape {
    Shape::Counted { at, target, step }
}

const KEYLESS: Shape = Shape::Keyless;
const ONE: Shape = Shape::Keys { from: 0, to: 1 };
const TWO: Shape = Shape::Keys { from: 0, to: 2 };
const ALL: Shape = Shape::Keys { from: 0, to: Shape::END };
/// BITOP.
const BEHIND_FIRST: Shape = Shape::Keys { from: 1, to: Shape::END };
/// The second word is a subcommand, and what follows it is a key, if anything does: no other subcommand of
/// these has arguments.
const SECOND: Shape = Shape::Keys { from: 1, to: 2 };

static ROWS: &[Row] = &[
    row("ACL", KEYLESS),
    row("APPEND", ONE),
    row("ASKING", KEYLESS),
    row("AUTH", KEYLESS),
    row("BGREWRITEAOF", KEYLESS),
    row("BGSAVE", KEYLESS),
    row("BITCOUNT", ONE),
    row("BITFIELD", ONE),
    row("BITFIELD_RO", ONE),
    row("BITOP", BEHIND_FIRST),
    row("BITPOS", ONE),
    row("BLMOVE", TWO),
    row("BLMPOP", counted(1, false, 1)).returns(First),
    row("BLPOP", Shape::ButLast).returns(First),
    row("BRPOP", Shape::ButLast).returns(First),
    row("BRPOPLPUSH", TWO),
    row("BZMPOP", counted(1, false, 1)).returns(First),
    row("BZPOPMAX", Shape::ButLast).returns(First),
    row("BZPOPMIN", Shape::ButLast).returns(First),
    row("CLIENT", KEYLESS),
    row("CLUSTER", KEYLESS),
    row("CLUSTERSCAN", Shape::ClusterScan).returns(EachOfSecond),
    row("COMMAND", KEYLESS),
    row("COMMANDLOG", KEYLESS),
    row("CONFIG", KEYLESS),
    row("COPY", Shape::Copy),
    row("DBSIZE", KEYLESS).spread(Everywhere(Merge::Sum)),
    row("DEBUG", KEYLESS),
    row("DECR", ONE),
    row("DECRBY", ONE),
    row("DEL", ALL).spread(ByKey(Merge::Sum)),
    row("DELEX", ONE),
    row("DELIFEQ", ONE),
    row("DIGEST", ONE),
    row("DISCARD", KEYLESS),
    row("DUMP", ONE),
    row("ECHO", KEYLESS),
    row("EVAL", counted(1, false, 1)),
    row("EVALSHA", counted(1, false, 1)),
    row("EVALSHA_RO", counted(1, false, 1)),
    row("EVAL_RO", counted(1, false, 1)),
    row("EXEC", KEYLESS),
    row("EXISTS", ALL).spread(ByKey(Merge::Sum)),
    row("EXPIRE", ONE),
    row("EXPIREAT", ONE),
    row("EXPIRETIME", ONE),
    row("FAILOVER", KEYLESS),
    row("FCALL", counted(1, false, 1)),
    row("FCALL_RO", counted(1, false, 1)),
    row("FLUSHALL", KEYLESS),
    row("FLUSHDB", KEYLESS).spread(Everywhere(Merge::Done)),
    row("FUNCTION", KEYLESS),
    row("GEOADD", ONE),
    row("GEODIST", ONE),
    row("GEOHASH", ONE),
    row("GEOPOS", ONE),
    row("GEORADIUS", Shape::Radius(4)),
    row("GEORADIUSBYMEMBER", Shape::Radius(3)),
    row("GEORADIUSBYMEMBER_RO", ONE),
    row("GEORADIUS_RO", ONE),
    row("GEOSEARCH", ONE),
    row("GEOSEARCHSTORE", TWO),
    row("GET", ONE),
    row("GETBIT", ONE),
    row("GETDEL", ONE),
    row("GETEX", ONE),
    row("GETRANGE", ONE),
    row("GETSET", ONE),
    row("HDEL", ONE),
    row("HELLO", KEYLESS),
    row("HEXISTS", ONE),
    row("HEXPIRE", ONE),
    row("HEXPIREAT", ONE),
    row("HEXPIRETIME", ONE),
    row("HGET", ONE),
    row("HGETALL", ONE),
    row("HGETDEL", ONE),
    row("HGETEX", ONE),
    row("HINCRBY", ONE),
    row("HINCRBYFLOAT", ONE),
    row("HKEYS", ONE),
    row("HLEN", ONE),
    row("HMGET", ONE),
    row("HMSET", ONE),
    row("HPERSIST", ONE),
    row("HPEXPIRE", ONE),
    row("HPEXPIREAT", ONE),
    row("HPEXPIRETIME", ONE),
    row("HPTTL", ONE),
    row("HRANDFIELD", ONE),
    row("HSCAN", ONE),
    row("HSET", ONE),
    row("HSETEX", ONE),
    row("HSETNX", ONE),
    row("HSTRLEN", ONE),
    row("HTTL", ONE),
    row("HVALS", ONE),
    row("INCR", ONE),
    row("INCRBY", ONE),
    row("INCRBYFLOAT", ONE),
    row("INFO", KEYLESS),
    row("KEYS", Shape::Pattern).returns(Each).spread(Everywhere(Merge::Joined)),
    row("LASTSAVE", KEYLESS),
    row("LATENCY", KEYLESS),
    row("LCS", TWO),
    row("LINDEX", ONE),
    row("LINSERT", ONE),
    row("LLEN", ONE),
    row("LMOVE", TWO),
    row("LMPOP", counted(0, false, 1)).returns(First),
    row("LOLWUT", KEYLESS),
    row("LPOP", ONE),
    row("LPOS", ONE),
    row("LPUSH", ONE),
    row("LPUSHX", ONE),
    row("LRANGE", ONE),
    row("LREM", ONE),
    row("LSET", ONE),
    row("LTRIM", ONE),
    row("MEMORY", SECOND),
    row("MGET", ALL).spread(ByKey(Merge::InOrder)),
    row("MIGRATE", Shape::Migrate),
    row("MODULE", KEYLESS),
    row("MONITOR", KEYLESS),
    row("MOVE", Shape::Move),
    row("MSET", Shape::Pairs).spread(ByKey(Merge::Done)),
    row("MSETEX", counted(0, false, 2)),
    row("MSETNX", Shape::Pairs),
    row("MULTI", KEYLESS),
    row("OBJECT", SECOND),
    row("PERSIST", ONE),
    row("PEXPIRE", ONE),
    row("PEXPIREAT", ONE),
    row("PEXPIRETIME", ONE),
    row("PFADD", ONE),
    row("PFCOUNT", ALL),
    row("PFDEBUG", SECOND),
    row("PFMERGE", ALL),
    row("PFSELFTEST", KEYLESS),
    row("PING", KEYLESS),
    row("PSETEX", ONE),
    row("PSUBSCRIBE", Shape::Channels),
    row("PSYNC", KEYLESS),
    row("PTTL", ONE),
    row("PUBLISH", Shape::Publish),
    row("PUBSUB", KEYLESS),
    row("PUNSUBSCRIBE", Shape::Channels),
    row("QUIT", KEYLESS),
    row("RANDOMKEY", KEYLESS).returns(Whole).spread(Everywhere(Merge::FirstFound)),
    row("READONLY", KEYLESS),
    row("READWRITE", KEYLESS),
    row("RENAME", TWO),
    row("RENAMENX", TWO),
    row("REPLCONF", KEYLESS),
    row("REPLICAOF", KEYLESS),
    row("RESET", KEYLESS),
    row("RESTORE", ONE),
    row("RESTORE-ASKING", ONE),
    row("ROLE", KEYLESS),
    row("RPOP", ONE),
    row("RPOPLPUSH", TWO),
    row("RPUSH", ONE),
    row("RPUSHX", ONE),
    row("SADD", ONE),
    row("SAVE", KEYLESS),
    row("SCAN", Shape::Scan).returns(EachOfSecond).spread(ByCursor),
    row("SCARD", ONE),
    row("SCRIPT", KEYLESS),
    row("SDIFF", ALL),
    row("SDIFFSTORE", ALL),
    row("SELECT", Shape::Databases),
    row("SENTINEL", KEYLESS),
    row("SET", ONE),
    row("SETBIT", ONE),
    row("SETEX", ONE),
    row("SETNX", ONE),
    row("SETRANGE", ONE),
    row("SHUTDOWN", KEYLESS),
    row("SINTER", ALL),
    row("SINTERCARD", counted(0, false, 1)),
    row("SINTERSTORE", ALL),
    row("SISMEMBER", ONE),
    row("SLAVEOF", KEYLESS),
    row("SLOWLOG", KEYLESS),
    row("SMEMBERS", ONE),
    row("SMISMEMBER", ONE),
    row("SMOVE", TWO),
    row("SORT", Shape::Sort),
    row("SORT_RO", Shape::SortOnly),
    row("SPOP", ONE),
    row("SPUBLISH", Shape::Publish),
    row("SRANDMEMBER", ONE),
    row("SREM", ONE),
    row("SSCAN", ONE),
    row("SSUBSCRIBE", Shape::Channels),
    row("STRLEN", ONE),
    row("SUBSCRIBE", Shape::Channels),
    row("SUBSTR", ONE),
    row("SUNION", ALL),
    row("SUNIONSTORE", ALL),
    row("SUNSUBSCRIBE", Shape::Channels),
    row("SWAPDB", Shape::Databases),
    row("SYNC", KEYLESS),
    row("TIME", KEYLESS),
    row("TOUCH", ALL).spread(ByKey(Merge::Sum)),
    row("TTL", ONE),
    row("TYPE", ONE),
    row("UNLINK", ALL).spread(ByKey(Merge::Sum)),
    row("UNSUBSCRIBE", Shape::Channels),
    row("UNWATCH", KEYLESS),
    row("VADD", ONE),
    row("VCARD", ONE),
    row("VDIM", ONE),
    row("VEMB", ONE),
    row("VGETATTR", ONE),
    row("VINFO", ONE),
    row("VISMEMBER", ONE),
    row("VLINKS", ONE),
    row("VRANDMEMBER", ONE),
    row("VRANGE", ONE),
    row("VREM", ONE),
    row("VSETATTR", ONE),
    row("VSIM", ONE),
    row("WAIT", KEYLESS),
    row("WAITAOF", KEYLESS),
    row("WATCH", ALL),
    row("XACK", ONE),
    row("XACKDEL", ONE),
    row("XADD", ONE),
    row("XAUTOCLAIM", ONE),
    row("XCLAIM", ONE),
    row("XDEL", ONE),
    row("XDELEX", ONE),
    row("XGROUP", SECOND),
    row("XINFO", SECOND),
    row("XLEN", ONE),
    row("XPENDING", ONE),
    row("XRANGE", ONE),
    row("XREAD", Shape::Streams).returns(FirstOfEach),
    row("XREADGROUP", Shape::Streams).returns(FirstOfEach),
    row("XREVRANGE", ONE),
    row("XSETID", ONE),
    row("XTRIM", ONE),
    row("ZADD", ONE),
    row("ZCARD", ONE),
    row("ZCOUNT", ONE),
    row("ZDIFF", counted(0, false, 1)),
    row("ZDIFFSTORE", counted(1, true, 1)),
    row("ZINCRBY", ONE),
    row("ZINTER", counted(0, false, 1)),
    row("ZINTERCARD", counted(0, false, 1)),
    row("ZINTERSTORE", counted(1, true, 1)),
    row("ZLEXCOUNT", ONE),
    row("ZMPOP", counted(0, false, 1)).returns(First),
    row("ZMSCORE", ONE),
    row("ZPOPMAX", ONE),
    row("ZPOPMIN", ONE),
    row("ZRANDMEMBER", ONE),
    row("ZRANGE", ONE),
    row("ZRANGEBYLEX", ONE),
    row("ZRANGEBYSCORE", ONE),
    row("ZRANGESTORE", TWO),
    row("ZRANK", ONE),
    row("ZREM", ONE),
    row("ZREMRANGEBYLEX", ONE),
    row("ZREMRANGEBYRANK", ONE),
    row("ZREMRANGEBYSCORE", ONE),
    row("ZREVRANGE", ONE),
    row("ZREVRANGEBYLEX", ONE),
    row("ZREVRANGEBYSCORE", ONE),
    row("ZREVRANK", ONE),
    row("ZSCAN", ONE),
    row("ZSCORE", ONE),
    row("ZUNION", counted(0, false, 1)),
    row("ZUNIONSTORE", counted(1, true, 1)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn text(name: Name) -> String {
        let bytes = name.0.into_iter().flat_map(u32::to_be_bytes);
        bytes.filter(|&byte| byte > 0).map(char::from).collect()
    }

    #[test]
    fn the_table_is_sorted_and_every_row_is_found_in_any_case() {
        for two in ROWS.windows(2) {
            assert!(two[0].name < two[1].name, "{} before {}", text(two[0].name), text(two[1].name));
        }
        // An interpreter takes its time.
        for row in ROWS.iter().step_by(if cfg!(miri) { 20 } else { 1 }) {
            let found = lookup(text(row.name).to_ascii_lowercase().as_bytes());
            assert_eq!(found.map(|row| row.name), Some(row.name));
        }
        assert!(lookup(b"GEORADIUSBYMEMBER_ROX").is_none() && lookup(b"").is_none());
    }
}
