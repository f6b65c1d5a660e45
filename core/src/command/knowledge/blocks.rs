//! How long a server may keep a request before it answers.

use super::Args;
use crate::time::Duration;

/// How long a server may keep a request before it answers, because the request itself asks for it: a
/// deadline that is shorter cuts off a server that does as it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Blocks {
    /// It answers at once.
    No,
    /// At most so long, give or take the server's own clock (100 ms).
    For(Duration),
    /// Until there is something to say.
    Forever,
}

impl Blocks {
    /// What the request asks for.
    ///
    /// - A timeout that no server takes (`BLPOP q soon`) is `No`: the answer is an error at once.
    /// - One that only a server can read (`1e3`, `0x10`), one of more than 136 years, and one that is
    ///   not there is `Forever`: no deadline is better than one that is wrong.
    /// - In a transaction and in a script nothing blocks, which the bytes do not say; nor that
    ///   `MIGRATE`'s timeout is for each of its steps.
    /// - What is told as messages, SUBSCRIBE and MONITOR, is not meant here.
    pub fn of(mut args: Args<'_>) -> Self {
        let Some(timeout) = args.next().and_then(find) else { return Self::No };
        let text = match timeout {
            Timeout::Block => return block(args),
            Timeout::FirstSeconds => args.next(),
            Timeout::LastSeconds | Timeout::LastMillis => {
                let last = args.by_ref().last();
                last.filter(|_| args.left() == 0)
            }
            Timeout::Migrate => args.nth(4),
            Timeout::Debug => match args.next() {
                Some(word) if !word.eq_ignore_ascii_case(b"SLEEP") => return Self::No,
                _ => args.next(),
            },
        };
        match text {
            Some(text) => span(text, matches!(timeout, Timeout::LastMillis | Timeout::Migrate)),
            None => missing(args),
        }
    }
}

/// Where the timeout stands and what it counts.
#[derive(Clone, Copy)]
enum Timeout {
    FirstSeconds,
    LastSeconds,
    LastMillis,
    /// Milliseconds behind the word BLOCK.
    Block,
    /// Milliseconds behind host, port, key and database.
    Migrate,
    /// Seconds behind the word SLEEP.
    Debug,
}

/// Eleven bytes a row: programs on boards have it, too.
static ROWS: [([u8; 10], Timeout); 14] = [
    (*b"BLPOP     ", Timeout::LastSeconds),
    (*b"BRPOP     ", Timeout::LastSeconds),
    (*b"BRPOPLPUSH", Timeout::LastSeconds),
    (*b"BLMOVE    ", Timeout::LastSeconds),
    (*b"BZPOPMIN  ", Timeout::LastSeconds),
    (*b"BZPOPMAX  ", Timeout::LastSeconds),
    (*b"BLMPOP    ", Timeout::FirstSeconds),
    (*b"BZMPOP    ", Timeout::FirstSeconds),
    (*b"XREAD     ", Timeout::Block),
    (*b"XREADGROUP", Timeout::Block),
    (*b"WAIT      ", Timeout::LastMillis),
    (*b"WAITAOF   ", Timeout::LastMillis),
    (*b"MIGRATE   ", Timeout::Migrate),
    (*b"DEBUG     ", Timeout::Debug),
];

fn find(name: &[u8]) -> Option<Timeout> {
    let mut key = [b' '; 10];
    if name.len() > key.len() {
        return None;
    }
    for (to, from) in key.iter_mut().zip(name) {
        *to = from.to_ascii_uppercase();
    }
    ROWS.iter().find(|(known, _)| *known == key).map(|&(_, timeout)| timeout)
}

/// What stands behind BLOCK, the last time before STREAMS.
fn block(mut args: Args<'_>) -> Blocks {
    let mut found = Blocks::No;
    while let Some(word) = args.next() {
        if word.eq_ignore_ascii_case(b"BLOCK") {
            match args.next() {
                Some(millis) => found = span(millis, true),
                None => break,
            }
        } else if word.eq_ignore_ascii_case(b"GROUP") {
            // A group or a consumer may have any name, STREAMS too.
            args.next();
            args.next();
        } else if word.eq_ignore_ascii_case(b"STREAMS") {
            return found;
        }
    }
    missing(args)
}

/// Without a timeout: it is not here yet, or it is no request that a server takes.
const fn missing(args: Args<'_>) -> Blocks {
    if args.left() > 0 { Blocks::Forever } else { Blocks::No }
}

/// Reads seconds or milliseconds. Zero, and what may be rounded to it, is `Forever`; below it is `No`.
///
/// There is no division: the last three digits of milliseconds are a fraction of seconds.
fn span(text: &[u8], millis: bool) -> Blocks {
    let (negative, text) = match text {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        text => (false, text),
    };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at_checked(digits).unwrap_or_default();
    let (whole, fraction, places) = match rest {
        [] if millis => {
            let (whole, fraction) = whole.split_at_checked(digits.saturating_sub(3)).unwrap_or_default();
            (whole, fraction, fraction.len().saturating_add(6))
        }
        [] => (whole, rest, 9),
        [b'.', fraction @ ..] if !millis => (whole, fraction, 9),
        // No number starts with anything else.
        _ if whole.is_empty() => return Blocks::No,
        _ => return Blocks::Forever,
    };
    if whole.is_empty() && fraction.is_empty() {
        return Blocks::No;
    }
    let (mut secs, mut nanos) = (0_u32, 0_u32);
    for &byte in whole {
        match secs.checked_mul(10).and_then(|secs| secs.checked_add(digit(byte)?)) {
            Some(more) => secs = more,
            None => return Blocks::Forever,
        }
    }
    for at in 0..places {
        match fraction.get(at).map_or(Some(0), |&byte| digit(byte)) {
            Some(next) => nanos = nanos.wrapping_mul(10).wrapping_add(next),
            None => return Blocks::Forever,
        }
    }
    match (secs, nanos) {
        // The server rounds up to milliseconds, so that -0.0001 is zero.
        (0, _) if negative && !millis => Blocks::Forever,
        _ if negative => Blocks::No,
        (0, 0) => Blocks::Forever,
        // It is less than a second anyway; the compiler must see it, too.
        _ => Blocks::For(Duration::new(secs.into(), nanos % 1_000_000_000)),
    }
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte & 0x0f))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request of these words.
    fn blocks(words: &str) -> Blocks {
        Blocks::of(Args::new(&frame(words)))
    }

    fn frame(words: &str) -> std::vec::Vec<u8> {
        let words: std::vec::Vec<_> = words.split(' ').collect();
        let args = words.iter().map(|word| std::format!("${}\r\n{word}\r\n", word.len()));
        (std::format!("*{}\r\n", words.len()) + &args.collect::<std::string::String>()).into_bytes()
    }

    const fn ms(millis: u64) -> Blocks {
        Blocks::For(Duration::from_millis(millis))
    }

    #[test]
    fn a_timeout_stands_where_its_command_has_it() {
        for (words, expected) in [
            ("BLPOP a b 2", ms(2000)),
            ("BRPOP a 2", ms(2000)),
            ("BRPOPLPUSH a b 2", ms(2000)),
            ("BLMOVE a b LEFT RIGHT 2", ms(2000)),
            ("BZPOPMIN a 2", ms(2000)),
            ("BZPOPMAX a 2", ms(2000)),
            ("BLMPOP 2 1 a LEFT", ms(2000)),
            ("BZMPOP 2 1 a MIN COUNT 3", ms(2000)),
            ("XREAD BLOCK 2 STREAMS s $", ms(2)),
            ("XREAD COUNT 5 BLOCK 2 STREAMS s $", ms(2)),
            ("XREAD BLOCK 1 BLOCK 2 STREAMS s $", ms(2)),
            ("XREAD BLOCK 1 block x STREAMS s $", Blocks::No),
            ("XREAD STREAMS BLOCK 2", Blocks::No),
            ("XREAD BLOCK 2", Blocks::No),
            ("XREAD BLOCK", Blocks::No),
            ("XREADGROUP GROUP g c BLOCK 2 NOACK STREAMS s >", ms(2)),
            ("XREADGROUP GROUP STREAMS STREAMS BLOCK 2 STREAMS s >", ms(2)),
            ("XREADGROUP GROUP BLOCK 7 STREAMS s >", Blocks::No),
            ("WAIT 1 2", ms(2)),
            ("WAITAOF 1 1 2", ms(2)),
            ("MIGRATE h 1 k 0 2 COPY", ms(2)),
            ("DEBUG SLEEP 2", ms(2000)),
            ("debug sleep .2", ms(200)),
            ("bLpOp a 2", ms(2000)),
            ("DEBUG JMAP 2", Blocks::No),
            ("DEBUG", Blocks::No),
            ("BLPOP", Blocks::No),
            ("BLMPOP", Blocks::No),
            ("MIGRATE h 1 k 0", Blocks::No),
            ("GET 2", Blocks::No),
            ("LPOP a 2", Blocks::No),
            ("BLPOPX a 2", Blocks::No),
            ("BRPOPLPUSHX a b 2", Blocks::No),
            ("CLIENT PAUSE 2", Blocks::No),
            ("SUBSCRIBE 2", Blocks::No),
        ] {
            assert_eq!(blocks(words), expected, "{words}");
        }
    }

    #[test]
    fn seconds_are_read_without_floats() {
        let nanos = |nanos| Blocks::For(Duration::from_nanos(nanos));
        for (text, expected) in [
            ("1", ms(1000)),
            ("+1", ms(1000)),
            ("01", ms(1000)),
            ("1.", ms(1000)),
            ("1.5", ms(1500)),
            (".5", ms(500)),
            ("0.001", ms(1)),
            ("0.1234567899", nanos(123_456_789)),
            ("0.999999999999", nanos(999_999_999)),
            ("0.000000001", nanos(1)),
            ("4294967295.5", ms(4_294_967_295_500)),
            ("4294967296", Blocks::Forever),
            ("99999999999999999999", Blocks::Forever),
            // For ever, by the server's rules.
            ("0", Blocks::Forever),
            ("-0", Blocks::Forever),
            ("0.0", Blocks::Forever),
            (".0", Blocks::Forever),
            ("-0.0005", Blocks::Forever),
            // Only the server can read it.
            ("1e-3", Blocks::Forever),
            ("1.5e3", Blocks::Forever),
            ("0x10", Blocks::Forever),
            ("-0x0", Blocks::Forever),
            ("1x", Blocks::Forever),
            // No server takes it.
            ("", Blocks::No),
            ("-", Blocks::No),
            (".", Blocks::No),
            ("-1", Blocks::No),
            ("-1.5", Blocks::No),
            ("soon", Blocks::No),
            ("inf", Blocks::No),
            ("nan", Blocks::No),
            ("--1", Blocks::No),
        ] {
            assert_eq!(span(text.as_bytes(), false), expected, "{text}");
        }
    }

    #[test]
    fn milliseconds_are_read_without_division() {
        for (text, expected) in [
            ("1", ms(1)),
            ("12", ms(12)),
            ("123", ms(123)),
            ("1234", ms(1234)),
            ("001", ms(1)),
            ("10000", ms(10_000)),
            ("4294967295999", ms(4_294_967_295_999)),
            ("4294967296000", Blocks::Forever),
            ("0", Blocks::Forever),
            ("000000", Blocks::Forever),
            ("1.5", Blocks::Forever),
            ("1e3", Blocks::Forever),
            ("", Blocks::No),
            ("-1", Blocks::No),
            (".5", Blocks::No),
            ("$", Blocks::No),
        ] {
            assert_eq!(span(text.as_bytes(), true), expected, "{text}");
        }
    }

    #[test]
    fn a_timeout_that_is_not_there_is_for_ever() {
        for words in [
            "BLPOP a 2",
            "BLMPOP 2 1 a LEFT",
            "XREAD BLOCK 2 STREAMS s $",
            "XREADGROUP GROUP g c BLOCK 2 STREAMS s >",
            "WAIT 1 2",
            "MIGRATE h 1 k 0 2",
            "DEBUG SLEEP 2",
        ] {
            let (whole, frame) = (blocks(words), frame(words));
            let name = words.split(' ').next().unwrap().as_bytes();
            let name = frame.windows(name.len()).position(|some| some == name).unwrap() + name.len();
            let mut seen = 0;
            for cut in 0..frame.len() {
                match Blocks::of(Args::new(&frame[..cut])) {
                    Blocks::No => assert!(cut < name, "{words} {cut}"),
                    Blocks::Forever => seen += 1,
                    blocks => assert_eq!(blocks, whole, "{words} {cut}"),
                }
            }
            assert!(seen > 5, "{words}");
        }
    }
}
