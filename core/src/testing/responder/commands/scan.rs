//! SCAN and its relatives.

use super::super::call::Call;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::glob;
use super::super::number;
use super::super::reply::Outbox;
use super::super::table::Command;
use super::super::value::{Hash, Set, Zset};
use alloc::format;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("scan", -2, scan),
    Command::new("hscan", -3, hscan),
    Command::new("sscan", -3, sscan),
    Command::new("zscan", -3, zscan),
];

/// How many entries a call goes through if it is not told.
const COUNT: usize = 10;

/// The options of a scan.
struct Options<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Reads the arguments from `at` on; only SCAN itself is about types.
    fn read(call: &Call<'a>, mut at: usize, typed: bool) -> Result<Self, Fault> {
        let mut options = Self { count: COUNT, pattern: None, kind: None };
        while at < call.len() {
            if at + 1 == call.len() {
                return Err(SYNTAX);
            } else if call.is(at, "count") {
                let count = call.integer(at + 1)?;
                if count < 1 {
                    return Err(SYNTAX);
                }
                options.count = usize::try_from(count).unwrap_or(usize::MAX);
            } else if call.is(at, "match") {
                options.pattern = Some(call.arg(at + 1));
            } else if call.is(at, "type") && typed {
                options.kind = Some(call.arg(at + 1));
            } else {
                return Err(SYNTAX);
            }
            at += 2;
        }
        Ok(options)
    }

    fn takes(&self, key: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, key))
    }
}

/// A cursor is a number as C's `strtoul` reads it, so nothing is 0 and a sign
/// is allowed.
fn cursor(text: &[u8]) -> Result<u64, Fault> {
    let text = core::str::from_utf8(text).unwrap_or("?");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let cursor = match digits {
        "" if !negative => Ok(0),
        // Only one sign.
        digits if negative && digits.starts_with('+') => Err(()),
        digits => digits.parse::<u64>().map_err(|_| ()),
    };
    match cursor {
        Ok(cursor) if negative => Ok(cursor.wrapping_neg()),
        Ok(cursor) => Ok(cursor),
        Err(()) => Err(Fault::new("ERR invalid cursor")),
    }
}

fn reply(out: &mut Outbox, cursor: u64, items: &[Vec<u8>]) {
    out.array(2);
    out.bulk(format!("{cursor}").as_bytes());
    out.array(items.len());
    for item in items {
        out.bulk(item);
    }
}

fn scan(call: &mut Call<'_>) -> Done {
    let from = cursor(call.arg(1))?;
    let options = Options::read(call, 2, true)?;
    let mut items = Vec::new();
    let next = call.space.scan(from, options.count, |key, value| {
        let kind = options.kind;
        let kind_fits = kind.is_none_or(|kind| kind.eq_ignore_ascii_case(value.type_name().as_bytes()));
        if kind_fits && options.takes(key) {
            items.push(key.to_vec());
        }
    });
    reply(&mut call.me.out, next, &items);
    Ok(())
}

fn hscan(call: &mut Call<'_>) -> Done {
    let from = cursor(call.arg(2))?;
    // Servers look at the options only if the key is there.
    let options = Options::read(call, 3, false);
    let mut items = Vec::new();
    let mut next = 0;
    if let Some(hash) = call.space.read::<Hash>(call.arg(1))? {
        let options = options?;
        let mut show = |field: &[u8], value: &[u8]| {
            if options.takes(field) {
                items.push(field.to_vec());
                items.push(value.to_vec());
            }
        };
        if hash.is_compact() {
            for (field, value) in hash.fields().in_order() {
                show(field, value);
            }
        } else {
            let fields = hash.fields();
            next = fields.scan(from, options.count, |field, value| show(field, value));
        }
    }
    reply(&mut call.me.out, next, &items);
    Ok(())
}

fn sscan(call: &mut Call<'_>) -> Done {
    let from = cursor(call.arg(2))?;
    let options = Options::read(call, 3, false);
    let mut items = Vec::new();
    let mut next = 0;
    if let Some(set) = call.space.read::<Set>(call.arg(1))? {
        let options = options?;
        let mut show = |member: &[u8]| {
            if options.takes(member) {
                items.push(member.to_vec());
            }
        };
        if set.is_compact() {
            for member in set.in_order() {
                show(member);
            }
        } else {
            next = set.members().scan(from, options.count, |member, ()| show(member));
        }
    }
    reply(&mut call.me.out, next, &items);
    Ok(())
}

fn zscan(call: &mut Call<'_>) -> Done {
    let from = cursor(call.arg(2))?;
    let options = Options::read(call, 3, false);
    let mut items = Vec::new();
    let mut next = 0;
    if let Some(zset) = call.space.read::<Zset>(call.arg(1))? {
        let options = options?;
        let mut show = |member: &[u8], score: f64| {
            if options.takes(member) {
                items.push(member.to_vec());
                // Text in both protocols.
                items.push(number::double_text(score).into_bytes());
            }
        };
        if zset.is_compact() {
            for ranked in zset.order() {
                show(&ranked.member, ranked.score);
            }
        } else {
            let scores = zset.scores();
            next = scores.scan(from, options.count, |member, score| show(member, *score));
        }
    }
    reply(&mut call.me.out, next, &items);
    Ok(())
}
