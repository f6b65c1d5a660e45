//! When keys expire.

use super::super::call::Call;
use super::super::fault::{Done, Fault};
use super::super::table::Command;
use super::options::{EX, EXAT, PX, PXAT, Unit, absolute};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("expire", -3, expire),
    Command::new("pexpire", -3, pexpire),
    Command::new("expireat", -3, expireat),
    Command::new("pexpireat", -3, pexpireat),
    Command::new("ttl", 2, ttl),
    Command::new("pttl", 2, pttl),
    Command::new("expiretime", 2, expiretime),
    Command::new("pexpiretime", 2, pexpiretime),
    Command::new("persist", 2, persist),
];

fn expire(call: &mut Call<'_>) -> Done {
    expire_in(call, EX)
}

fn pexpire(call: &mut Call<'_>) -> Done {
    expire_in(call, PX)
}

fn expireat(call: &mut Call<'_>) -> Done {
    expire_in(call, EXAT)
}

fn pexpireat(call: &mut Call<'_>) -> Done {
    expire_in(call, PXAT)
}

fn expire_in(call: &mut Call<'_>, unit: Unit) -> Done {
    let key = call.arg(1);
    let (mut nx, mut xx, mut gt, mut lt) = (false, false, false, false);
    for (index, option) in call.args_from(3).enumerate() {
        let flag = match () {
            () if call.is(index + 3, "nx") => &mut nx,
            () if call.is(index + 3, "xx") => &mut xx,
            () if call.is(index + 3, "gt") => &mut gt,
            () if call.is(index + 3, "lt") => &mut lt,
            () => return Err(Fault::of(&[b"ERR Unsupported option ", option])),
        };
        *flag = true;
    }
    if nx && (xx || gt || lt) {
        return Err(Fault::new("ERR NX and XX, GT or LT options at the same time are not compatible"));
    }
    if gt && lt {
        return Err(Fault::new("ERR GT and LT options at the same time are not compatible"));
    }
    let amount = call.integer(2)?;
    let at = absolute(call, unit, amount).ok_or_else(|| Fault::expiry(call.command.name))?;
    let Some(current) = call.space.expiry(key) else {
        call.me.out.flag(false);
        return Ok(());
    };
    // A key without expiry counts as one that lasts for ever.
    let refused = nx && current.is_some()
        || xx && current.is_none()
        || gt && current.is_none_or(|current| at <= current)
        || lt && current.is_some_and(|current| at >= current);
    if refused {
        call.me.out.flag(false);
        return Ok(());
    }
    if at <= call.space.now() {
        call.space.remove(key);
    } else {
        call.space.set_expiry(key, Some(at));
    }
    call.me.out.flag(true);
    Ok(())
}

fn ttl(call: &mut Call<'_>) -> Done {
    show(call, EX)
}

fn pttl(call: &mut Call<'_>) -> Done {
    show(call, PX)
}

fn expiretime(call: &mut Call<'_>) -> Done {
    show(call, EXAT)
}

fn pexpiretime(call: &mut Call<'_>) -> Done {
    show(call, PXAT)
}

fn show(call: &mut Call<'_>, unit: Unit) -> Done {
    let now = call.space.now();
    let shown = match call.space.expiry(call.args.get(1)) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => {
            let millis = if unit.relative { at.saturating_sub(now).max(0) } else { at };
            if unit.seconds { millis.saturating_add(500) / 1000 } else { millis }
        }
    };
    call.me.out.integer(shown);
    Ok(())
}

fn persist(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let had = call.space.expiry(key).flatten().is_some();
    if had {
        call.space.set_expiry(key, None);
    }
    call.me.out.flag(had);
    Ok(())
}
