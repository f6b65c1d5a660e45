//! Which requests must keep their order. It asks the table of keys, which takes 8 KB of flash.

use crate::command::{ArgRole, Args, Retry, Roles};

/// What a request has in common with others: nothing, one key, or it may be anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lane(u32);

impl Lane {
    /// It touches no key.
    pub(super) const NONE: Self = Self(0);
    /// It may touch any key.
    pub(super) const ALL: Self = Self(1);

    /// That of a request. One of several keys, of a command that is not known here, or one that must not be
    /// repeated, as a script, may touch any.
    pub(super) fn of(args: Args<'_>) -> Self {
        let mut rest = args;
        let name = rest.next().unwrap_or_default();
        let Some(mut roles) = Roles::of(name, rest.left()) else { return Self::ALL };
        // Most need no more than this.
        if roles.is_first_only() {
            return rest.next().map_or(Self::ALL, Self::key);
        }
        let mut key = None;
        for arg in rest {
            match roles.next(arg) {
                ArgRole::Plain => {}
                ArgRole::Key | ArgRole::Channel if key.is_none() => key = Some(arg),
                _ => return Self::ALL,
            }
        }
        match (key, Retry::of(args)) {
            (_, Retry::Never) => Self::ALL,
            (Some(key), _) => Self::key(key),
            (None, Retry::Always) => Self::NONE,
            (None, _) => Self::ALL,
        }
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
        for one in ["EXISTS a", "OBJECT ENCODING a", "SORT a DESC", "XREAD STREAMS a 0", "PUBLISH a x"] {
            assert!(lane(one).meets(lane("GET a")) && !lane(one).meets(lane("GET b")), "{one}");
        }
        // Who names one key may mean others, as may a script.
        let any = "DEL b c;MSET b 1 c 2;FLUSHALL;DBSIZE;EVAL x 0;EVAL x 1 b;RENAME b c;NEW b;GET;SORT b STORE a;\
            SORT b BY w_*;SCAN 0;KEYS b;MOVE b 1;COPY b c;SWAPDB 0 1;MULTI";
        for any in any.split(';') {
            assert_eq!(lane(any), Lane::ALL, "{any}");
            assert!(lane(any).meets(lane("GET a")) && lane(any).meets(lane(any)));
            assert!(!lane(any).meets(lane("ECHO a")));
        }
        assert_eq!(lane("PING"), Lane::NONE);
        assert!(!lane("ECHO a").meets(lane("SET a 1")) && !lane("ECHO a").meets(lane("ECHO a")));
        assert_eq!(Lane::of(Args::new(b"")), Lane::ALL);
    }
}
