//! Sets.

use super::super::call::Call;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::table::Command;
use super::super::value::Set;
use alloc::boxed::Box;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("sadd", -3, sadd),
    Command::new("srem", -3, srem),
    Command::new("smembers", 2, sinter),
    Command::new("sismember", 3, sismember),
    Command::new("smismember", -3, smismember),
    Command::new("scard", 2, scard),
    Command::new("spop", -2, spop),
    Command::new("srandmember", -2, srandmember),
    Command::new("sinter", -2, sinter),
    Command::new("sunion", -2, sunion),
    Command::new("sdiff", -2, sdiff),
];

/// SRANDMEMBER repeats members at most so often; servers would go on until
/// they run out of memory.
const REPEAT_LIMIT: u64 = 1 << 20;

fn sadd(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let set = call.space.write_or_new::<Set>(key)?;
    let added = call.args.from(2).filter(|member| set.add(member)).count();
    if added > 0 {
        call.space.touch(key);
    }
    call.me.out.count(added);
    Ok(())
}

fn srem(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let members = call.args_from(2);
    let removed = match call.space.write::<Set>(key)? {
        Some(set) => members.filter(|member| set.remove(member)).count(),
        None => 0,
    };
    if removed > 0 {
        call.space.changed(key);
    }
    call.me.out.count(removed);
    Ok(())
}

fn sismember(call: &mut Call<'_>) -> Done {
    let set = call.space.read::<Set>(call.arg(1))?;
    let there = set.is_some_and(|set| set.contains(call.args.get(2)));
    call.me.out.flag(there);
    Ok(())
}

fn smismember(call: &mut Call<'_>) -> Done {
    let members = call.args_from(2);
    let set = call.space.read::<Set>(call.arg(1))?;
    call.me.out.array(call.args.len().saturating_sub(2));
    for member in members {
        call.me.out.flag(set.is_some_and(|set| set.contains(member)));
    }
    Ok(())
}

fn scard(call: &mut Call<'_>) -> Done {
    let set = call.space.read::<Set>(call.arg(1))?;
    call.me.out.count(set.map_or(0, |set| set.members().len()));
    Ok(())
}

fn spop(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let count = match call.len() {
        2 => None,
        3 => Some(call.positive(2)?),
        _ => return Err(SYNTAX),
    };
    let Some(set) = call.space.write::<Set>(key)? else {
        match count {
            Some(_) => call.me.out.set(0),
            None => call.me.out.null(),
        }
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(set.members().len());
    if count.is_some() {
        call.me.out.set(taken);
    }
    for _ in 0..taken {
        let seed = call.shared.random.next();
        let member: Option<Box<[u8]>> = set.members().pick(seed).map(Into::into);
        call.me.out.maybe(member.as_deref());
        if let Some(member) = member {
            set.remove(&member);
        }
    }
    if taken > 0 {
        call.space.changed(key);
    }
    Ok(())
}

fn srandmember(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let count = match call.len() {
        2 => None,
        3 => Some(call.integer(2)?),
        _ => return Err(SYNTAX),
    };
    let Some(count) = count else {
        let set = call.space.read::<Set>(key)?;
        let seed = call.shared.random.next();
        call.me.out.maybe(set.and_then(|set| set.members().pick(seed)));
        return Ok(());
    };
    if count == i64::MIN {
        return Err(Fault::new(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        ));
    }
    let set = call.space.read::<Set>(key)?;
    let mut members = set.map(Set::in_order).unwrap_or_default();
    let len = members.len();
    let random = &mut call.shared.random;
    if count >= 0 {
        // The first steps of a shuffle pick without repeating.
        let taken = usize::try_from(count).unwrap_or(usize::MAX).min(len);
        for at in 0..taken {
            members.swap(at, at + random.below(len - at));
        }
        call.me.out.array(taken);
        for member in members.into_iter().take(taken) {
            call.me.out.bulk(member);
        }
        return Ok(());
    }
    if count.unsigned_abs() > REPEAT_LIMIT {
        return Err(Fault::new("ERR value is out of range"));
    }
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(0);
    let wanted = if members.is_empty() { 0 } else { wanted };
    call.me.out.array(wanted);
    for _ in 0..wanted {
        let member = members.get(random.below(len)).copied();
        call.me.out.bulk(member.unwrap_or_default());
    }
    Ok(())
}

/// Copies of members.
type Members = Vec<Box<[u8]>>;

/// The members of each set, none for a missing key.
fn all<'a>(call: &mut Call<'a>) -> Result<Vec<(&'a [u8], Members)>, Fault> {
    let mut sets = Vec::new();
    for key in call.args_from(1) {
        let set = call.space.read::<Set>(key)?;
        let members = set.map(Set::in_order).unwrap_or_default();
        sets.push((key, members.into_iter().map(Into::into).collect()));
    }
    Ok(sets)
}

fn reply(call: &mut Call<'_>, members: &[Box<[u8]>]) {
    call.me.out.set(members.len());
    for member in members {
        call.me.out.bulk(member);
    }
}

fn contains(call: &mut Call<'_>, key: &[u8], member: &[u8]) -> bool {
    let set = call.space.read::<Set>(key).ok().flatten();
    set.is_some_and(|set| set.contains(member))
}

fn sinter(call: &mut Call<'_>) -> Done {
    let mut sets = all(call)?;
    // The smallest set bounds the result, so it is the one to go through.
    sets.sort_by_key(|(_, members)| members.len());
    let mut sets = sets.into_iter();
    let mut members = sets.next().map(|(_, members)| members).unwrap_or_default();
    for (key, _) in sets {
        members.retain(|member| contains(call, key, member));
    }
    reply(call, &members);
    Ok(())
}

fn sunion(call: &mut Call<'_>) -> Done {
    let mut union = Set::default();
    for (_, members) in all(call)? {
        for member in members {
            union.add(&member);
        }
    }
    let members: Vec<Box<[u8]>> = union.in_order().into_iter().map(Into::into).collect();
    reply(call, &members);
    Ok(())
}

fn sdiff(call: &mut Call<'_>) -> Done {
    let mut sets = all(call)?.into_iter();
    let mut members = sets.next().map(|(_, members)| members).unwrap_or_default();
    for (key, _) in sets {
        members.retain(|member| !contains(call, key, member));
    }
    reply(call, &members);
    Ok(())
}
