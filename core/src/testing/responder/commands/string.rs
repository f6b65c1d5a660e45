//! Strings.

use super::super::call::Call;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::table::Command;
use super::super::value::{Text, Value};
use super::options::{EX, Expiry, PX, Unit, deadline};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("get", 2, get),
    Command::new("set", -3, set),
    Command::new("setnx", 3, setnx),
    Command::new("setex", 4, setex),
    Command::new("psetex", 4, psetex),
    Command::new("getset", 3, getset),
    Command::new("getdel", 2, getdel),
    Command::new("getex", -2, getex),
    Command::new("mget", -2, mget),
    Command::new("mset", -3, mset),
    Command::new("msetnx", -3, msetnx),
    Command::new("append", 3, append),
    Command::new("strlen", 2, strlen),
    Command::new("getrange", 4, getrange),
    Command::new("substr", 4, getrange),
    Command::new("setrange", 4, setrange),
];

fn get(call: &mut Call<'_>) -> Done {
    let text = call.space.read::<Text>(call.arg(1))?;
    call.me.out.maybe(text.map(|text| &*text.bytes));
    Ok(())
}

fn set(call: &mut Call<'_>) -> Done {
    let (key, value) = (call.arg(1), call.arg(2));
    let (mut if_missing, mut if_there, mut want_old) = (false, false, false);
    let mut expiry = Expiry::Unsaid;
    let mut at = 3;
    while at < call.len() {
        if call.is(at, "nx") && !if_there {
            if_missing = true;
        } else if call.is(at, "xx") && !if_missing {
            if_there = true;
        } else if call.is(at, "get") {
            want_old = true;
        } else if call.is(at, "keepttl") && matches!(expiry, Expiry::Unsaid | Expiry::Keep) {
            expiry = Expiry::Keep;
        } else if let Some(read) = expiry.read(call, at)? {
            expiry = read;
            at += 1;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    let expires = match expiry {
        Expiry::At(unit, text) => Some(deadline(call, unit, text)?),
        _ => None,
    };
    if want_old {
        let old = call.space.read::<Text>(key)?;
        call.me.out.maybe(old.map(|text| &*text.bytes));
    }
    if if_missing || if_there {
        let there = call.space.contains(key);
        if if_missing && there || if_there && !there {
            if !want_old {
                call.me.out.null();
            }
            return Ok(());
        }
    }
    let value = Value::Text(Text::new(value));
    if expiry == Expiry::Keep {
        call.space.replace(key, value);
    } else {
        call.space.put(key, value, expires);
    }
    if !want_old {
        call.me.out.ok();
    }
    Ok(())
}

fn setnx(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let missing = !call.space.contains(key);
    if missing {
        let value = Value::Text(Text::new(call.arg(2)));
        call.space.put(key, value, None);
    }
    call.me.out.flag(missing);
    Ok(())
}

fn setex(call: &mut Call<'_>) -> Done {
    set_with(call, EX)
}

fn psetex(call: &mut Call<'_>) -> Done {
    set_with(call, PX)
}

fn set_with(call: &mut Call<'_>, unit: Unit) -> Done {
    let expires = deadline(call, unit, call.arg(2))?;
    let value = Value::Text(Text::new(call.arg(3)));
    call.space.put(call.args.get(1), value, Some(expires));
    call.me.out.ok();
    Ok(())
}

fn getset(call: &mut Call<'_>) -> Done {
    get(call)?;
    let value = Value::Text(Text::new(call.arg(2)));
    call.space.put(call.args.get(1), value, None);
    Ok(())
}

fn getdel(call: &mut Call<'_>) -> Done {
    get(call)?;
    call.space.remove(call.args.get(1));
    Ok(())
}

fn getex(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let mut expiry = Expiry::Unsaid;
    let mut at = 2;
    while at < call.len() {
        if call.is(at, "persist") && matches!(expiry, Expiry::Unsaid | Expiry::Clear) {
            expiry = Expiry::Clear;
        } else if let Some(read) = expiry.read(call, at)? {
            expiry = read;
            at += 1;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    if call.space.read::<Text>(key)?.is_none() {
        call.me.out.null();
        return Ok(());
    }
    let expires = match expiry {
        Expiry::At(unit, text) => Some(deadline(call, unit, text)?),
        _ => None,
    };
    get(call)?;
    match expires {
        Some(at) if at <= call.space.now() => {
            call.space.remove(key);
        }
        Some(_) => call.space.set_expiry(key, expires),
        None if expiry == Expiry::Clear && call.space.expiry(key).flatten().is_some() => {
            call.space.set_expiry(key, None);
        }
        None => {}
    }
    Ok(())
}

fn mget(call: &mut Call<'_>) -> Done {
    call.me.out.array(call.len().saturating_sub(1));
    for key in call.args_from(1) {
        // A value of another kind counts as none.
        let text = call.space.read::<Text>(key).ok().flatten();
        call.me.out.maybe(text.map(|text| &*text.bytes));
    }
    Ok(())
}

/// That every key has a value.
fn in_pairs(call: &Call<'_>) -> Done {
    if call.len().is_multiple_of(2) {
        return Err(Fault::arity(call.command.name));
    }
    Ok(())
}

fn set_all(call: &mut Call<'_>) {
    let mut args = call.args_from(1);
    while let (Some(key), Some(value)) = (args.next(), args.next()) {
        call.space.put(key, Value::Text(Text::new(value)), None);
    }
}

fn mset(call: &mut Call<'_>) -> Done {
    in_pairs(call)?;
    set_all(call);
    call.me.out.ok();
    Ok(())
}

fn msetnx(call: &mut Call<'_>) -> Done {
    in_pairs(call)?;
    let missing = !call.args_from(1).step_by(2).any(|key| call.space.contains(key));
    if missing {
        set_all(call);
    }
    call.me.out.flag(missing);
    Ok(())
}

/// That a string of `len` bytes is not too long.
fn fits(call: &Call<'_>, len: Option<usize>) -> Result<usize, Fault> {
    len.filter(|&len| len <= call.shared.config.bulk_limit)
        .ok_or(Fault::new("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
}

fn append(call: &mut Call<'_>) -> Done {
    let (key, more) = (call.arg(1), call.arg(2));
    let Some(before) = call.space.read::<Text>(key)?.map(|text| text.bytes.len()) else {
        call.space.put(key, Value::Text(Text::new(more)), None);
        call.me.out.count(more.len());
        return Ok(());
    };
    let len = fits(call, before.checked_add(more.len()))?;
    if let Some(text) = call.space.write::<Text>(key)? {
        text.edit().extend_from_slice(more);
    }
    call.space.touch(key);
    call.me.out.count(len);
    Ok(())
}

fn strlen(call: &mut Call<'_>) -> Done {
    let text = call.space.read::<Text>(call.arg(1))?;
    call.me.out.count(text.map_or(0, |text| text.bytes.len()));
    Ok(())
}

fn getrange(call: &mut Call<'_>) -> Done {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let text = call.space.read::<Text>(call.arg(1))?;
    let bytes = text.map_or(&[][..], |text| &text.bytes);
    // Both before the end, in the wrong order: nothing, however long it is.
    let backwards = start < 0 && end < 0 && start > end;
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let from_end = |index: i64| {
        let index = if index < 0 { len.saturating_add(index) } else { index };
        index.max(0)
    };
    let start = usize::try_from(from_end(start)).unwrap_or(usize::MAX);
    let end = usize::try_from(from_end(end).min(len - 1).saturating_add(1)).unwrap_or(0);
    let shown = bytes.get(start..end).filter(|_| !backwards);
    call.me.out.bulk(shown.unwrap_or_default());
    Ok(())
}

fn setrange(call: &mut Call<'_>) -> Done {
    let (key, offset, patch) = (call.arg(1), call.integer(2)?, call.arg(3));
    let Ok(offset) = usize::try_from(offset) else {
        return Err(Fault::new("ERR offset is out of range"));
    };
    let before = call.space.read::<Text>(key)?.map(|text| text.bytes.len());
    if patch.is_empty() {
        call.me.out.count(before.unwrap_or(0));
        return Ok(());
    }
    let end = fits(call, offset.checked_add(patch.len()))?;
    let text = call.space.write_or_new::<Text>(key)?.edit();
    if text.len() < end {
        text.resize(end, 0);
    }
    if let Some(place) = text.get_mut(offset..end) {
        place.copy_from_slice(patch);
    }
    call.me.out.count(text.len());
    call.space.touch(key);
    Ok(())
}
