//! Strings that count.

use super::super::call::Call;
use super::super::extended::Extended;
use super::super::fault::{Done, Fault, NOT_FINITE, NOT_FLOAT, NOT_INTEGER, OVERFLOW};
use super::super::number;
use super::super::table::Command;
use super::super::value::{Text, Value};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("incr", 2, incr),
    Command::new("decr", 2, decr),
    Command::new("incrby", 3, incrby),
    Command::new("decrby", 3, decrby),
    Command::new("incrbyfloat", 3, incrbyfloat),
];

fn incr(call: &mut Call<'_>) -> Done {
    add(call, 1)
}

fn decr(call: &mut Call<'_>) -> Done {
    add(call, -1)
}

fn incrby(call: &mut Call<'_>) -> Done {
    let amount = call.integer(2)?;
    add(call, amount)
}

fn decrby(call: &mut Call<'_>) -> Done {
    let amount = call.integer(2)?;
    let negated = amount.checked_neg().ok_or(Fault::new("ERR decrement would overflow"))?;
    add(call, negated)
}

fn add(call: &mut Call<'_>, amount: i64) -> Done {
    let key = call.arg(1);
    let before = match call.space.read::<Text>(key)? {
        Some(text) => number::integer(&text.bytes).ok_or(NOT_INTEGER)?,
        None => 0,
    };
    let after = before.checked_add(amount).ok_or(OVERFLOW)?;
    let text = Text::new(&number::integer_text(after));
    call.space.replace(key, Value::Text(text));
    call.me.out.integer(after);
    Ok(())
}

fn incrbyfloat(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let before = match call.space.read::<Text>(key)? {
        Some(text) => Extended::parse(&text.bytes).ok_or(NOT_FLOAT)?,
        None => Extended::ZERO,
    };
    let amount = Extended::parse(call.arg(2)).ok_or(NOT_FLOAT)?;
    let after = before.add(amount).text().ok_or(NOT_FINITE)?;
    call.me.out.bulk(after.as_bytes());
    let text = Text::plain(after.into_bytes());
    call.space.replace(key, Value::Text(text));
    Ok(())
}
