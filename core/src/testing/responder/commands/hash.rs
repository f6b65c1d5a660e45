//! Hashes.

use super::super::call::Call;
use super::super::extended::Extended;
use super::super::fault::{Done, Fault, NOT_FINITE, NOT_FLOAT, OVERFLOW};
use super::super::number;
use super::super::table::Command;
use super::super::value::Hash;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("hset", -4, hset),
    Command::new("hsetnx", 4, hsetnx),
    Command::new("hmset", -4, hmset),
    Command::new("hget", 3, hget),
    Command::new("hmget", -3, hmget),
    Command::new("hdel", -3, hdel),
    Command::new("hgetall", 2, hgetall),
    Command::new("hexists", 3, hexists),
    Command::new("hkeys", 2, hkeys),
    Command::new("hvals", 2, hvals),
    Command::new("hlen", 2, hlen),
    Command::new("hstrlen", 3, hstrlen),
    Command::new("hincrby", 4, hincrby),
    Command::new("hincrbyfloat", 4, hincrbyfloat),
];

fn hset(call: &mut Call<'_>) -> Done {
    let added = set_fields(call)?;
    call.me.out.count(added);
    Ok(())
}

fn hmset(call: &mut Call<'_>) -> Done {
    set_fields(call)?;
    call.me.out.ok();
    Ok(())
}

/// Sets all fields and returns how many are new.
fn set_fields(call: &mut Call<'_>) -> Result<usize, Fault> {
    if !call.len().is_multiple_of(2) {
        return Err(Fault::arity(call.command.name));
    }
    let key = call.arg(1);
    let hash = call.space.write_or_new::<Hash>(key)?;
    let mut added = 0;
    let mut args = call.args.from(2);
    while let (Some(field), Some(value)) = (args.next(), args.next()) {
        added += usize::from(hash.set(field, value));
    }
    call.space.touch(key);
    Ok(added)
}

fn hsetnx(call: &mut Call<'_>) -> Done {
    let (key, field, value) = (call.arg(1), call.arg(2), call.arg(3));
    let hash = call.space.write_or_new::<Hash>(key)?;
    let missing = hash.get(field).is_none();
    if missing {
        hash.set(field, value);
        call.space.touch(key);
    }
    call.me.out.flag(missing);
    Ok(())
}

fn hget(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let value = hash.and_then(|hash| hash.get(call.args.get(2)));
    call.me.out.maybe(value);
    Ok(())
}

fn hmget(call: &mut Call<'_>) -> Done {
    let fields = call.args_from(2);
    let hash = call.space.read::<Hash>(call.arg(1))?;
    call.me.out.array(call.args.len().saturating_sub(2));
    for field in fields {
        call.me.out.maybe(hash.and_then(|hash| hash.get(field)));
    }
    Ok(())
}

fn hdel(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let fields = call.args_from(2);
    let removed = match call.space.write::<Hash>(key)? {
        Some(hash) => fields.filter(|field| hash.remove(field)).count(),
        None => 0,
    };
    if removed > 0 {
        call.space.changed(key);
    }
    call.me.out.count(removed);
    Ok(())
}

fn hgetall(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let pairs = hash.map(|hash| hash.fields().in_order()).unwrap_or_default();
    call.me.out.map(pairs.len());
    for (field, value) in pairs {
        call.me.out.bulk(field);
        call.me.out.bulk(value);
    }
    Ok(())
}

fn hkeys(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let pairs = hash.map(|hash| hash.fields().in_order()).unwrap_or_default();
    call.me.out.array(pairs.len());
    for (field, _) in pairs {
        call.me.out.bulk(field);
    }
    Ok(())
}

fn hvals(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let pairs = hash.map(|hash| hash.fields().in_order()).unwrap_or_default();
    call.me.out.array(pairs.len());
    for (_, value) in pairs {
        call.me.out.bulk(value);
    }
    Ok(())
}

fn hexists(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let there = hash.is_some_and(|hash| hash.get(call.args.get(2)).is_some());
    call.me.out.flag(there);
    Ok(())
}

fn hlen(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    call.me.out.count(hash.map_or(0, |hash| hash.fields().len()));
    Ok(())
}

fn hstrlen(call: &mut Call<'_>) -> Done {
    let hash = call.space.read::<Hash>(call.arg(1))?;
    let value = hash.and_then(|hash| hash.get(call.args.get(2)));
    call.me.out.count(value.map_or(0, <[u8]>::len));
    Ok(())
}

fn hincrby(call: &mut Call<'_>) -> Done {
    let (key, field, amount) = (call.arg(1), call.arg(2), call.integer(3)?);
    let hash = call.space.read::<Hash>(key)?;
    let before = match hash.and_then(|hash| hash.get(field)) {
        Some(text) => number::integer(text).ok_or(Fault::new("ERR hash value is not an integer"))?,
        None => 0,
    };
    let after = before.checked_add(amount).ok_or(OVERFLOW)?;
    let hash = call.space.write_or_new::<Hash>(key)?;
    hash.set(field, &number::integer_text(after));
    call.space.touch(key);
    call.me.out.integer(after);
    Ok(())
}

fn hincrbyfloat(call: &mut Call<'_>) -> Done {
    let (key, field) = (call.arg(1), call.arg(2));
    let amount = Extended::parse(call.arg(3)).ok_or(NOT_FLOAT)?;
    if !amount.is_finite() {
        return Err(Fault::new("ERR value is NaN or Infinity"));
    }
    let hash = call.space.read::<Hash>(key)?;
    let before = match hash.and_then(|hash| hash.get(field)) {
        Some(text) => Extended::parse(text).ok_or(Fault::new("ERR hash value is not a float"))?,
        None => Extended::ZERO,
    };
    let after = before.add(amount).text().ok_or(NOT_FINITE)?;
    let hash = call.space.write_or_new::<Hash>(key)?;
    hash.set(field, after.as_bytes());
    call.space.touch(key);
    call.me.out.bulk(after.as_bytes());
    Ok(())
}
