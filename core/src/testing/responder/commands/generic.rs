//! Keys, whatever they hold.

use super::super::call::Call;
use super::super::fault::{Done, Fault, NO_SUCH_KEY, SYNTAX};
use super::super::glob;
use super::super::table::Command;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("del", -2, del),
    Command::new("unlink", -2, del),
    Command::new("exists", -2, exists),
    Command::new("touch", -2, exists),
    Command::new("type", 2, type_of),
    Command::new("keys", 2, keys),
    Command::new("randomkey", 1, randomkey),
    Command::new("rename", 3, rename),
    Command::new("renamenx", 3, renamenx),
    Command::new("copy", -3, copy),
    Command::new("object", -2, nothing).with(&[
        Command::new("object|encoding", 3, encoding),
        Command::new("object|idletime", 3, idletime),
        Command::new("object|refcount", 3, refcount),
        Command::new("object|freq", 3, freq),
    ]),
];

fn del(call: &mut Call<'_>) -> Done {
    let keys = call.args_from(1);
    let removed = keys.filter(|key| call.space.remove(key).is_some()).count();
    call.me.out.count(removed);
    Ok(())
}

fn exists(call: &mut Call<'_>) -> Done {
    let keys = call.args_from(1);
    let found = keys.filter(|key| call.space.contains(key)).count();
    call.me.out.count(found);
    Ok(())
}

fn type_of(call: &mut Call<'_>) -> Done {
    let value = call.space.get(call.args.get(1));
    let name = value.map_or("none", |value| value.type_name());
    call.me.out.simple(name);
    Ok(())
}

fn keys(call: &mut Call<'_>) -> Done {
    let pattern = call.arg(1);
    let all = call.space.in_order().map(|(key, _)| key);
    let found: Vec<&[u8]> = all.filter(|key| glob::matches(pattern, key)).collect();
    call.me.out.array(found.len());
    for key in found {
        call.me.out.bulk(key);
    }
    Ok(())
}

fn randomkey(call: &mut Call<'_>) -> Done {
    let key = call.space.pick(call.shared.random.next());
    call.me.out.maybe(key);
    Ok(())
}

fn rename(call: &mut Call<'_>) -> Done {
    move_to(call, true)?;
    call.me.out.ok();
    Ok(())
}

fn renamenx(call: &mut Call<'_>) -> Done {
    let moved = move_to(call, false)?;
    call.me.out.flag(moved);
    Ok(())
}

fn move_to(call: &mut Call<'_>, replace: bool) -> Result<bool, Fault> {
    let (from, to) = (call.arg(1), call.arg(2));
    if !call.space.contains(from) {
        return Err(NO_SUCH_KEY);
    }
    // Also if both are the same key.
    if !replace && call.space.contains(to) {
        return Ok(false);
    }
    if from != to
        && let Some((value, expires)) = call.space.remove(from)
    {
        call.space.put(to, value, expires);
    }
    Ok(true)
}

fn copy(call: &mut Call<'_>) -> Done {
    let (from, to) = (call.arg(1), call.arg(2));
    let home = call.space.selected();
    let (mut target, mut replace) = (home, false);
    let mut at = 3;
    while at < call.len() {
        if call.is(at, "replace") {
            replace = true;
        } else if call.is(at, "db") && at + 1 < call.len() {
            at += 1;
            target = call.database(at)?;
        } else {
            return Err(SYNTAX);
        }
        at += 1;
    }
    if target == home && from == to {
        return Err(Fault::new("ERR source and destination objects are the same"));
    }
    let expires = call.space.expiry(from).flatten();
    let value = call.space.get(from).cloned();
    let copied = match value {
        Some(value) => {
            call.space.select(target);
            let free = replace || !call.space.contains(to);
            if free {
                call.space.put(to, value, expires);
            }
            call.space.select(home);
            free
        }
        None => false,
    };
    call.me.out.flag(copied);
    Ok(())
}

/// A container is never run without its subcommand: its arity forbids it.
fn nothing(_: &mut Call<'_>) -> Done {
    Err(SYNTAX)
}

fn encoding(call: &mut Call<'_>) -> Done {
    let value = call.space.get(call.args.get(2));
    let name = value.map(|value| value.encoding().as_bytes());
    call.me.out.maybe(name);
    Ok(())
}

/// Nothing here grows old by lying about.
fn idletime(call: &mut Call<'_>) -> Done {
    number_of(call, 0)
}

fn refcount(call: &mut Call<'_>) -> Done {
    number_of(call, 1)
}

fn number_of(call: &mut Call<'_>, number: i64) -> Done {
    if call.space.contains(call.args.get(2)) {
        call.me.out.integer(number);
    } else {
        call.me.out.null();
    }
    Ok(())
}

fn freq(call: &mut Call<'_>) -> Done {
    if !call.space.contains(call.args.get(2)) {
        call.me.out.null();
        return Ok(());
    }
    Err(Fault::new(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
         that when switching between policies at runtime LRU and LFU data will take some time to \
         adjust.",
    ))
}
