//! How long a server may keep a request before it answers.

use super::Args;
use super::args::number;
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
    /// What the request asks for, to the millisecond.
    ///
    /// - A timeout that no server takes (`BLPOP q soon`) is `No`: the answer is an error at once.
    /// - Whatever else is more than digits with a point is `Forever`, for the server may read it (`1e3`,
    ///   `0x10`, `-0.0001`). So is one below a millisecond, above 2^32 or not there: no deadline is
    ///   better than one that is wrong.
    /// - In a transaction and in a script nothing blocks, which the bytes do not say; nor that
    ///   `MIGRATE`'s timeout is for each of its steps.
    /// - What is told as messages, SUBSCRIBE and MONITOR, is not meant here.
    pub fn of(mut args: Args<'_>) -> Self {
        let Some(place) = args.next().and_then(find) else { return Self::No };
        let text = match place & !MILLIS {
            BLOCK => block(&mut args),
            LAST => args.nth(args.left().wrapping_sub(1)),
            at => args.nth(at.into()),
        };
        match text {
            Some(text) => span(text, place & MILLIS != 0),
            None if args.left() > 0 => Self::Forever,
            None => Self::No,
        }
    }
}

/// The last argument, as the place of a timeout. Others are counted from 0.
const LAST: u8 = 0x40;
/// The one behind the word BLOCK.
const BLOCK: u8 = 0x41;
/// It counts milliseconds; else seconds.
const MILLIS: u8 = 0x80;

/// Where timeouts stand. Eleven bytes a row: programs on boards have it, too.
///
/// The second argument of DEBUG is one behind SLEEP. For the others a deadline does not matter.
static ROWS: [([u8; 10], u8); 14] = [
    (*b"BLPOP     ", LAST),
    (*b"BRPOP     ", LAST),
    (*b"BRPOPLPUSH", LAST),
    (*b"BLMOVE    ", LAST),
    (*b"BZPOPMIN  ", LAST),
    (*b"BZPOPMAX  ", LAST),
    (*b"BLMPOP    ", 0),
    (*b"BZMPOP    ", 0),
    (*b"XREAD     ", BLOCK | MILLIS),
    (*b"XREADGROUP", BLOCK | MILLIS),
    (*b"WAIT      ", LAST | MILLIS),
    (*b"WAITAOF   ", LAST | MILLIS),
    (*b"MIGRATE   ", 4 | MILLIS),
    (*b"DEBUG     ", 1),
];

fn find(name: &[u8]) -> Option<u8> {
    // Where time matters more than size, most commands are not even looked for.
    if cfg!(target_pointer_width = "64") && !b"bdmwx".contains(&(name.first()? | 0x20)) {
        return None;
    }
    let is = |row: &[u8; 10]| match row.split_at_checked(name.len()) {
        Some((start, [] | [b' ', ..])) => start.eq_ignore_ascii_case(name),
        _ => false,
    };
    ROWS.iter().find(|(row, _)| is(row)).map(|&(_, place)| place)
}

/// What stands behind the last BLOCK before STREAMS, or nothing in so many bytes.
fn block<'a>(args: &mut Args<'a>) -> Option<&'a [u8]> {
    let mut found = &b"none"[..];
    loop {
        let word = args.next()?;
        if word.eq_ignore_ascii_case(b"BLOCK") {
            found = args.next()?;
        } else if word.eq_ignore_ascii_case(b"GROUP") {
            // A group and a consumer may have any name, STREAMS too.
            args.nth(1)?;
        } else if word.eq_ignore_ascii_case(b"STREAMS") {
            return Some(found);
        }
    }
}

/// Reads seconds or milliseconds. Zero, and what a server may round to it, is `Forever`.
fn span(text: &[u8], millis: bool) -> Blocks {
    let Some((whole, rest)) = number(text) else { return Blocks::Forever };
    let (secs, part) = match rest {
        [] if millis => (whole / 1000, whole),
        [] => (whole, 0),
        [b'.', places @ ..] if !millis && places.iter().all(u8::is_ascii_digit) => {
            let mut part = 0;
            for at in 0..3 {
                part = part * 10 + u32::from(places.get(at).unwrap_or(&0) & 0x0f);
            }
            (whole, part)
        }
        // No number starts with a letter.
        [b'A'..=0xff, ..] if rest.len() == text.len() => return Blocks::No,
        _ => return Blocks::Forever,
    };
    match (secs, part % 1000) {
        (0, 0) => Blocks::Forever,
        (secs, part) => Blocks::For(Duration::new(secs.into(), part * 1_000_000)),
    }
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
            ("DEBUG OBJECT k", Blocks::No),
            ("DEBUG JMAP", Blocks::No),
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
        for (text, expected) in [
            ("1", ms(1000)),
            ("01", ms(1000)),
            ("1.", ms(1000)),
            ("1.5", ms(1500)),
            (".5", ms(500)),
            ("0.001", ms(1)),
            ("0.12", ms(120)),
            ("0.1239", ms(123)),
            ("0.999999999999", ms(999)),
            ("4294967295.5", ms(4_294_967_295_500)),
            // More, or less, than is read.
            ("0.0009", Blocks::Forever),
            ("4294967296", Blocks::Forever),
            ("99999999999999999999", Blocks::Forever),
            // For ever, by the server's rules.
            ("0", Blocks::Forever),
            ("-0", Blocks::Forever),
            ("0.0", Blocks::Forever),
            (".0", Blocks::Forever),
            (".", Blocks::Forever),
            ("-0.0005", Blocks::Forever),
            // Only the server can read it.
            ("1e-3", Blocks::Forever),
            ("1.5e3", Blocks::Forever),
            ("0x10", Blocks::Forever),
            (".5e1", Blocks::Forever),
            ("-0x0", Blocks::Forever),
            ("1x", Blocks::Forever),
            ("+1", Blocks::Forever),
            ("-1", Blocks::Forever),
            ("", Blocks::Forever),
            // No server takes it.
            ("soon", Blocks::No),
            ("inf", Blocks::No),
            ("nan", Blocks::No),
        ] {
            assert_eq!(span(text.as_bytes(), false), expected, "{text}");
        }
    }

    #[test]
    fn milliseconds_are_read() {
        for (text, expected) in [
            ("1", ms(1)),
            ("12", ms(12)),
            ("123", ms(123)),
            ("1234", ms(1234)),
            ("001", ms(1)),
            ("10000", ms(10_000)),
            ("4294967295", ms(4_294_967_295)),
            ("4294967296", Blocks::Forever),
            ("0", Blocks::Forever),
            ("000000", Blocks::Forever),
            ("1.5", Blocks::Forever),
            ("1e3", Blocks::Forever),
            (".5", Blocks::Forever),
            ("-1", Blocks::Forever),
            ("soon", Blocks::No),
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
            for cut in (0..frame.len()).step_by(if cfg!(miri) { 5 } else { 1 }) {
                match Blocks::of(Args::new(&frame[..cut])) {
                    Blocks::No => assert!(cut < name, "{words} {cut}"),
                    Blocks::Forever => seen += 1,
                    blocks => assert_eq!(blocks, whole, "{words} {cut}"),
                }
            }
            assert!(seen > 0, "{words}");
        }
    }
}
