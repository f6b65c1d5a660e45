//! Commands whose arguments decide what becomes of them when they are executed twice.

use super::{Args, Retry};

/// How the arguments change what a row says. Positions count from 0 behind the words of the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// They do not.
    None,
    /// SET: its options.
    Set,
    /// From here on stand options that are single words, until something else: `NX` is a condition
    /// that ends itself, `INCR` counts.
    Options(usize),
    /// Somewhere from here on, `REPLACE` lifts the condition.
    Replace(usize),
    /// What is asked for goes to another key behind `STORE` or `STOREDIST`.
    Store,
    /// The destination at this place may be among the sources behind it.
    Onto(usize),
    /// BITFIELD: `GET`, `SET` and `INCRBY`.
    Bits,
    /// XADD: whose ID it is.
    Entry,
    /// XTRIM: `~` trims as much as is convenient, each time.
    Trim,
    /// LREM: all of them, or some.
    Remove,
    /// LTRIM: to a length, or by a length.
    Range,
    /// ACL LOG: `RESET`.
    Reset,
}

impl Rule {
    /// What becomes of a request whose row says `base`, with these arguments behind its words.
    pub(super) fn judge(self, base: Retry, args: Args<'_>) -> Retry {
        let judged = match self {
            Self::None => Some(base),
            Self::Set => set(from(args, 2)),
            Self::Options(at) => options(base, from(args, at)),
            Self::Replace(at) => word(from(args, at), b"REPLACE", Retry::LastWriteWins, base),
            Self::Store => store(args),
            Self::Onto(at) => onto(base, from(args, at)),
            Self::Bits => bits(from(args, 1)),
            Self::Entry => entry(from(args, 1)),
            Self::Trim => word(from(args, 1), b"~", Retry::Accumulating, base),
            Self::Remove => remove(from(args, 1)),
            Self::Range => range(from(args, 1)),
            Self::Reset => word(args, b"RESET", Retry::ServerAdmin, base),
        };
        let careful = if self == Self::Reset { Retry::ServerAdmin } else { Retry::Accumulating };
        judged.unwrap_or(careful)
    }
}

/// The arguments from this place on. If one in front of it is not there, neither are these; but how
/// many there are is known.
fn from(mut args: Args<'_>, at: usize) -> Args<'_> {
    if args.left() <= at {
        return Args::default();
    }
    for _ in 0..at {
        args.next();
    }
    args
}

/// At the end of the arguments; or not at the end, if one is not there.
fn end(args: Args<'_>, retry: Retry) -> Option<Retry> {
    (args.left() == 0).then_some(retry)
}

fn is(arg: &[u8], word: &[u8]) -> bool {
    arg.eq_ignore_ascii_case(word)
}

/// `then` if the word is there, else `other`.
fn word(mut args: Args<'_>, word: &[u8], then: Retry, other: Retry) -> Option<Retry> {
    if args.any(|arg| is(arg, word)) { Some(then) } else { end(args, other) }
}

/// `NX` and `IFEQ` are not true any more the second time, unless the value was equal before. The
/// comparison's value may be any word.
fn set(mut args: Args<'_>) -> Option<Retry> {
    let mut retry = Retry::LastWriteWins;
    while let Some(arg) = args.next() {
        if is(arg, b"GET") {
            return Some(Retry::Accumulating);
        } else if is(arg, b"NX") {
            retry = Retry::CheckedWrite;
        } else if is(arg, b"IFEQ") || is(arg, b"IFDEQ") {
            retry = Retry::CheckedWrite;
            args.next();
        } else if is(arg, b"IFNE") || is(arg, b"IFDNE") {
            args.next();
        }
    }
    end(args, retry)
}

fn options(base: Retry, mut args: Args<'_>) -> Option<Retry> {
    let mut retry = base;
    for arg in args.by_ref() {
        if is(arg, b"INCR") {
            return Some(Retry::Accumulating);
        } else if is(arg, b"NX") || is(arg, b"FNX") {
            retry = Retry::CheckedWrite;
        } else if ![&b"XX"[..], b"GT", b"LT", b"CH", b"FXX"].iter().any(|word| is(arg, word)) {
            return Some(retry);
        }
    }
    end(args, retry)
}

/// Whoever stores over what it reads, reads something else the second time.
fn store(mut args: Args<'_>) -> Option<Retry> {
    let source = args.next();
    let mut retry = Retry::ReadOnly;
    let mut goes = false;
    for arg in args.by_ref() {
        if goes {
            retry = retry.max(Retry::LastWriteWins);
            if Some(arg) == source {
                return Some(Retry::Accumulating);
            }
        }
        goes = is(arg, b"STORE") || is(arg, b"STOREDIST");
    }
    end(args, retry)
}

/// What only looks like a key does no harm: the answer is more careful than need be.
fn onto(base: Retry, mut args: Args<'_>) -> Option<Retry> {
    let target = args.next();
    if args.any(|arg| Some(arg) == target) { Some(Retry::Accumulating) } else { end(args, base) }
}

fn bits(mut args: Args<'_>) -> Option<Retry> {
    let mut retry = Retry::ReadOnly;
    for arg in args.by_ref() {
        if is(arg, b"INCRBY") {
            return Some(Retry::Accumulating);
        } else if is(arg, b"SET") {
            retry = Retry::LastWriteWins;
        }
    }
    end(args, retry)
}

/// The ID is the first that is no option; an option that is not known passes for one, and is none.
fn entry(mut args: Args<'_>) -> Option<Retry> {
    while let Some(arg) = args.next() {
        if [&b"NOMKSTREAM"[..], b"KEEPREF", b"DELREF", b"ACKED"].iter().any(|word| is(arg, word)) {
            continue;
        } else if is(arg, b"MAXLEN") || is(arg, b"MINID") {
            if let Some(b"=" | b"~") = args.next() {
                args.next();
            }
        } else if is(arg, b"LIMIT") {
            args.next();
        } else if arg.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
            return Some(Retry::CheckedWrite);
        } else {
            return Some(Retry::Accumulating);
        }
    }
    end(args, Retry::Accumulating)
}

fn remove(mut args: Args<'_>) -> Option<Retry> {
    (args.next()? == b"0").then_some(Retry::LastWriteWins)
}

/// To keep the first so many or the last so many is the same twice; to drop some from an end is not.
fn range(mut args: Args<'_>) -> Option<Retry> {
    let (start, stop) = (args.next()?, args.next()?);
    let to_length = match (start, stop) {
        (b"0", b"-1") => true,
        (b"0", stop) => !stop.starts_with(b"-"),
        (start, b"-1") => start.starts_with(b"-"),
        _ => false,
    };
    to_length.then_some(Retry::LastWriteWins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn frame(words: &str) -> Vec<u8> {
        let words: Vec<_> = words.split(' ').collect();
        let args = words.iter().map(|word| std::format!("${}\r\n{word}\r\n", word.len()));
        (std::format!("*{}\r\n", words.len()) + &args.collect::<String>()).into_bytes()
    }

    fn retry(words: &str) -> Retry {
        Retry::of(Args::new(&frame(words)))
    }

    #[test]
    fn arguments_decide() {
        use Retry::*;
        for (words, expected) in [
            ("SET k v", LastWriteWins),
            ("SET k v EX 10", LastWriteWins),
            ("SET k v XX KEEPTTL", LastWriteWins),
            ("SET nx get", LastWriteWins),
            ("set k v nx", CheckedWrite),
            ("SET k v EX 10 NX", CheckedWrite),
            ("SET k v NX GET", Accumulating),
            ("SET k v GET", Accumulating),
            ("SET k v IFEQ old", CheckedWrite),
            ("SET k v IFDEQ 0011", CheckedWrite),
            ("SET k v IFEQ get", CheckedWrite),
            ("SET k v IFNE nx", LastWriteWins),
            ("SET k v IFDNE nx", LastWriteWins),
            ("SET k v IFEQ old GET", Accumulating),
            ("SETNX k v", CheckedWrite),
            ("ZADD z 1 a", LastWriteWins),
            ("ZADD z XX GT CH 1 incr", LastWriteWins),
            ("ZADD z NX 1 a", CheckedWrite),
            ("ZADD z XX INCR 1 a", Accumulating),
            ("ZADD z 1 nx", LastWriteWins),
            ("GEOADD g NX CH 1 1 a", CheckedWrite),
            ("EXPIRE k 1", LastWriteWins),
            ("EXPIRE k 1 NX", CheckedWrite),
            ("EXPIREAT k 1 GT", LastWriteWins),
            ("HEXPIRE k 1 FIELDS 1 nx", LastWriteWins),
            ("HEXPIRE k 1 NX FIELDS 1 f", CheckedWrite),
            ("HSETEX k FNX FIELDS 1 f v", CheckedWrite),
            ("HSETEX k EX 1 FNX FIELDS 1 f v", LastWriteWins),
            ("COPY a b", CheckedWrite),
            ("COPY a b DB 1 replace", LastWriteWins),
            ("COPY replace replace", CheckedWrite),
            ("RESTORE k 0 dump", CheckedWrite),
            ("RESTORE k 0 dump REPLACE", LastWriteWins),
            ("RESTORE k 0 REPLACE", CheckedWrite),
            ("SORT k", ReadOnly),
            ("SORT k BY x GET y", ReadOnly),
            ("SORT k STORE d", LastWriteWins),
            ("SORT k GET STORE STORE d", LastWriteWins),
            ("SORT k GET STORE STORE k", Accumulating),
            ("SORT store STORE", ReadOnly),
            ("GEORADIUS g 1 1 1 m", ReadOnly),
            ("GEORADIUS g 1 1 1 m STOREDIST d", LastWriteWins),
            ("GEORADIUSBYMEMBER g m 1 m store g", Accumulating),
            ("BITFIELD k GET u8 0", ReadOnly),
            ("BITFIELD k GET u8 0 SET u8 0 1", LastWriteWins),
            ("BITFIELD k SET u8 0 1 incrby u8 0 1", Accumulating),
            ("BITOP AND d a b", LastWriteWins),
            ("BITOP NOT d d", Accumulating),
            ("ZUNIONSTORE d 2 a b", LastWriteWins),
            ("ZUNIONSTORE d 2 d b", Accumulating),
            ("XADD s * f v", Accumulating),
            ("XADD s 5-* f v", Accumulating),
            ("XADD s 5-1 f v", CheckedWrite),
            ("XADD s NOMKSTREAM MAXLEN ~ 5 LIMIT 7 5-1 f v", CheckedWrite),
            ("XADD s MAXLEN 5 * f v", Accumulating),
            ("XADD s MINID = 5 5 f v", CheckedWrite),
            ("XADD s MAXLEN ~ 5 * f v", Accumulating),
            ("XADD s MINID = 5 * f v", Accumulating),
            ("XADD s FUTURE 5 f v", Accumulating),
            ("XTRIM s MAXLEN 5", LastWriteWins),
            ("XTRIM s MAXLEN ~ 5", Accumulating),
            ("LREM l 0 a", LastWriteWins),
            ("LREM l 1 a", Accumulating),
            ("LTRIM l 0 9", LastWriteWins),
            ("LTRIM l 0 -1", LastWriteWins),
            ("LTRIM l -9 -1", LastWriteWins),
            ("LTRIM l 0 -2", Accumulating),
            ("LTRIM l 1 -1", Accumulating),
            ("LTRIM l 1 9", Accumulating),
            ("ACL LOG", ReadOnly),
            ("ACL LOG 5", ReadOnly),
            ("ACL LOG reset", ServerAdmin),
            ("CONFIG GET a", ReadOnly),
            ("CONFIG SET a b", ServerAdmin),
            ("GET k", ReadOnly),
            ("PING", Always),
            ("EVAL_RO s 0", ReadOnly),
            ("EVAL s 0", Never),
            ("WAIT 1 0", Never),
            ("NOSUCH", Never),
            ("CONFIG NOSUCH", Never),
        ]
        .into_iter()
        // An interpreter takes its time.
        .step_by(if cfg!(miri) { 9 } else { 1 })
        {
            assert_eq!(retry(words), expected, "{words}");
            assert_eq!(retry(&words.to_ascii_lowercase()), expected, "{words} in lower case");
        }
    }

    #[test]
    fn what_is_not_there_makes_it_careful() {
        for words in [
            "SET k v NX",
            "ZADD z NX 1 a",
            "COPY a b REPLACE",
            "SORT k STORE d",
            "BITFIELD k GET u8 0",
            "ZUNIONSTORE d 2 a b",
            "XADD s MAXLEN 5 5-1 f v",
            "XTRIM s MAXLEN 5",
            "LREM l 0 a",
            "LTRIM l 0 9",
            "ACL LOG 5",
            "ACL LOG RESET",
        ] {
            let (whole, frame) = (retry(words), frame(words));
            for cut in (0..frame.len()).step_by(if cfg!(miri) { 17 } else { 1 }) {
                let cut = Retry::of(Args::new(&frame[..cut]));
                assert!(cut >= whole, "{words}: {cut:?} is less careful than {whole:?}");
            }
        }
        // How many there are is known all the same.
        let later = |frame: &[u8]| Retry::of(Args::new(frame));
        assert_eq!(later(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nv"), Retry::LastWriteWins);
        assert_eq!(later(b"*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nv"), Retry::Accumulating);
        assert_eq!(later(b"*3\r\n$5\r\nLPUSH\r\n$1\r\nk\r\n$1000\r\nv"), Retry::Accumulating);
        assert_eq!(later(b"*4\r\n$4\r\nZADD\r\n$1\r\nk\r\n$1\r\n1\r\n$1000\r\nv"), Retry::LastWriteWins);
    }
}
