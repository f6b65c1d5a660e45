//! Which requests must keep their order.

use crate::command::Args;

/// What a request has in common with others: nothing, one key, or it may be anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lane(u32);

impl Lane {
    /// It touches no key.
    pub(super) const NONE: Self = Self(0);
    /// It may touch any key.
    pub(super) const ALL: Self = Self(1);

    /// That of a request. One of several keys, or of a command that is not known here, may touch any.
    pub(super) fn of(mut args: Args<'_>) -> Self {
        let name = args.next().unwrap_or_default();
        let is_in = |list| is_among(list, name);
        if is_in(NO_KEY) {
            return Self::NONE;
        }
        let single = is_in(ONE_KEY) || args.left() == 1 && is_in(KEYS);
        args.next().filter(|_| single).map_or(Self::ALL, Self::key)
    }

    /// That of a key, as 30 bits of it: two keys may have the same.
    fn key(key: &[u8]) -> Self {
        let hash = key
            .iter()
            .fold(0x811c_9dc5, |hash: u32, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self(hash | 2)
    }

    /// Whether two requests must keep their order.
    pub(super) fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::NONE, _) | (_, Self::NONE) => false,
            (Self::ALL, _) | (_, Self::ALL) => true,
            (one, two) => one == two,
        }
    }
}

/// Whether a list of words has this one, in any case.
#[inline(never)]
pub(super) fn is_among(list: &[u8], word: &[u8]) -> bool {
    list.split(|&byte| byte == b' ').any(|other| other.eq_ignore_ascii_case(word))
}

/// Commands whose first argument is a key or a channel, and none of the others.
const ONE_KEY: &[u8] = b"SET GET INCR DECR INCRBY DECRBY INCRBYFLOAT APPEND STRLEN GETRANGE SETRANGE GETSET GETDEL \
GETEX SETEX PSETEX SETNX GETBIT SETBIT BITCOUNT BITPOS BITFIELD EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST TTL PTTL \
TYPE DUMP RESTORE HSET HGET HDEL HMSET HMGET HGETALL HSETNX HINCRBY HINCRBYFLOAT HLEN HEXISTS HKEYS HVALS HSCAN \
HEXPIRE HPEXPIRE LPUSH RPUSH LPUSHX RPUSHX LPOP RPOP LLEN LRANGE LINDEX LSET LREM LTRIM LINSERT SADD SREM SCARD \
SISMEMBER SMISMEMBER SMEMBERS SPOP SRANDMEMBER SSCAN ZADD ZREM ZINCRBY ZSCORE ZMSCORE ZCARD ZCOUNT ZRANGE ZRANK \
ZREVRANK ZPOPMIN ZPOPMAX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX ZSCAN XADD XDEL XLEN XTRIM XACK XRANGE \
PFADD GEOADD PUBLISH SPUBLISH";

/// Commands all of whose arguments are keys.
const KEYS: &[u8] = b"DEL UNLINK EXISTS TOUCH MGET PFCOUNT";

/// Commands without keys that change nothing.
const NO_KEY: &[u8] = b"PING ECHO TIME";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Request, words};
    use crate::resp::Encoder;

    fn lane(text: &str) -> Lane {
        let list: std::vec::Vec<&str> = text.split(' ').collect();
        let mut bytes = [0; 200];
        let mut encoder = Encoder::new(&mut bytes);
        words(&list).visit(&mut encoder);
        assert!(encoder.finish().is_written());
        Lane::of(Args::new(&bytes))
    }

    #[test]
    fn requests_of_one_key_meet_and_those_of_several_meet_all() {
        assert!(lane("SET a 1").meets(lane("incr a")));
        assert!(lane("DEL a").meets(lane("HSET a f v")));
        assert!(!lane("SET a 1").meets(lane("SET b 1")));
        for any in
            ["DEL b c", "MSET b 1", "FLUSHALL", "EVAL x 0", "RENAME b c", "NEW b", "GET", "SORT b STORE a"]
        {
            assert_eq!(lane(any), Lane::ALL, "{any}");
            assert!(lane(any).meets(lane("GET a")) && lane(any).meets(lane(any)));
            assert!(!lane(any).meets(lane("ECHO a")));
        }
        assert_eq!(lane("PING"), Lane::NONE);
        assert!(!lane("ECHO a").meets(lane("SET a 1")) && !lane("ECHO a").meets(lane("ECHO a")));
        assert_eq!(Lane::of(Args::new(b"")), Lane::ALL);
    }

    /// These hash to 0, 1, 2 and 3.
    #[test]
    fn no_key_is_taken_for_none_or_for_all() {
        for key in ["ppkttia", "3wbh48b", "h9jbiab", "gx7usxd"] {
            let own = lane(&std::format!("GET {key}"));
            assert!(own != Lane::NONE && own != Lane::ALL, "{key}");
            assert!(own.meets(own) && !own.meets(lane("GET a")), "{key}");
        }
    }
}
