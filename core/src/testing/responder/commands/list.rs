//! Lists.

use super::super::call::Call;
use super::super::fault::{Done, Fault, INDEX_RANGE, NO_SUCH_KEY, SYNTAX};
use super::super::table::Command;
use super::super::value::List;
use core::ops::Range;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("lpush", -3, lpush),
    Command::new("rpush", -3, rpush),
    Command::new("lpushx", -3, lpushx),
    Command::new("rpushx", -3, rpushx),
    Command::new("lpop", -2, lpop),
    Command::new("rpop", -2, rpop),
    Command::new("llen", 2, llen),
    Command::new("lrange", 4, lrange),
    Command::new("lindex", 3, lindex),
    Command::new("lset", 4, lset),
    Command::new("lrem", 4, lrem),
    Command::new("ltrim", 4, ltrim),
    Command::new("linsert", 5, linsert),
];

/// One end of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Head,
    Tail,
}

fn lpush(call: &mut Call<'_>) -> Done {
    push(call, End::Head, false)
}

fn rpush(call: &mut Call<'_>) -> Done {
    push(call, End::Tail, false)
}

fn lpushx(call: &mut Call<'_>) -> Done {
    push(call, End::Head, true)
}

fn rpushx(call: &mut Call<'_>) -> Done {
    push(call, End::Tail, true)
}

fn push(call: &mut Call<'_>, end: End, only_there: bool) -> Done {
    let key = call.arg(1);
    if only_there && call.space.read::<List>(key)?.is_none() {
        call.me.out.integer(0);
        return Ok(());
    }
    let list = call.space.write_or_new::<List>(key)?;
    for item in call.args.from(2) {
        match end {
            End::Head => list.items.push_front(item.into()),
            End::Tail => list.items.push_back(item.into()),
        }
    }
    call.me.out.count(list.items.len());
    call.space.touch(key);
    Ok(())
}

fn lpop(call: &mut Call<'_>) -> Done {
    pop(call, End::Head)
}

fn rpop(call: &mut Call<'_>) -> Done {
    pop(call, End::Tail)
}

fn pop(call: &mut Call<'_>, end: End) -> Done {
    let key = call.arg(1);
    let count = match call.len() {
        2 => None,
        3 => Some(call.positive(2)?),
        _ => return Err(Fault::arity(call.command.name)),
    };
    let Some(list) = call.space.write::<List>(key)? else {
        match count {
            Some(_) => call.me.out.null_array(),
            None => call.me.out.null(),
        }
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(list.items.len());
    if count.is_some() {
        call.me.out.array(taken);
    }
    for _ in 0..taken {
        let item = match end {
            End::Head => list.items.pop_front(),
            End::Tail => list.items.pop_back(),
        };
        call.me.out.maybe(item.as_deref());
    }
    if taken > 0 {
        call.space.changed(key);
    }
    Ok(())
}

fn llen(call: &mut Call<'_>) -> Done {
    let list = call.space.read::<List>(call.arg(1))?;
    call.me.out.count(list.map_or(0, |list| list.items.len()));
    Ok(())
}

/// The items from `start` to `stop`, both included and counted from the end
/// if negative; empty if there are none.
pub(crate) fn span(start: i64, stop: i64, len: usize) -> Range<usize> {
    let start = place(start, len).unwrap_or(0);
    let stop = match place(stop, len) {
        Some(stop) => stop.saturating_add(1).min(len),
        None => 0,
    };
    start.min(stop)..stop
}

/// Where `index` points, if it is not before the first item.
fn place(index: i64, len: usize) -> Option<usize> {
    if index < 0 {
        len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
    } else {
        Some(usize::try_from(index).unwrap_or(usize::MAX))
    }
}

fn lrange(call: &mut Call<'_>) -> Done {
    let (start, stop) = (call.integer(2)?, call.integer(3)?);
    let Some(list) = call.space.read::<List>(call.arg(1))? else {
        call.me.out.array(0);
        return Ok(());
    };
    let span = span(start, stop, list.items.len());
    call.me.out.array(span.len());
    for item in list.items.range(span) {
        call.me.out.bulk(item);
    }
    Ok(())
}

fn lindex(call: &mut Call<'_>) -> Done {
    let index = call.integer(2);
    let item = match call.space.read::<List>(call.arg(1))? {
        // Servers look at the index only if there is a list.
        Some(list) => place(index?, list.items.len()).and_then(|at| list.items.get(at)),
        None => None,
    };
    call.me.out.maybe(item.map(|item| &**item));
    Ok(())
}

fn lset(call: &mut Call<'_>) -> Done {
    let (key, index, item) = (call.arg(1), call.integer(2), call.arg(3));
    let list = call.space.write::<List>(key)?.ok_or(NO_SUCH_KEY)?;
    let at = place(index?, list.items.len());
    let place = at.and_then(|at| list.items.get_mut(at)).ok_or(INDEX_RANGE)?;
    *place = item.into();
    call.space.touch(key);
    call.me.out.ok();
    Ok(())
}

fn lrem(call: &mut Call<'_>) -> Done {
    let (key, count, item) = (call.arg(1), call.integer(2)?, call.arg(3));
    let Some(list) = call.space.write::<List>(key)? else {
        call.me.out.integer(0);
        return Ok(());
    };
    let mut left = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let before = list.items.len();
    let mut stays = |it: &[u8]| {
        let goes = left > 0 && it == item;
        left -= usize::from(goes);
        !goes
    };
    if count < 0 {
        // From the tail: turn it round, and back.
        list.items.make_contiguous().reverse();
        list.items.retain(|it| stays(it));
        list.items.make_contiguous().reverse();
    } else {
        list.items.retain(|it| stays(it));
    }
    let removed = before - list.items.len();
    if removed > 0 {
        call.space.changed(key);
    }
    call.me.out.count(removed);
    Ok(())
}

fn ltrim(call: &mut Call<'_>) -> Done {
    let (key, start, stop) = (call.arg(1), call.integer(2)?, call.integer(3)?);
    if let Some(list) = call.space.write::<List>(key)? {
        let span = span(start, stop, list.items.len());
        list.items.truncate(span.end);
        list.items.drain(..span.start.min(list.items.len()));
        call.space.changed(key);
    }
    call.me.out.ok();
    Ok(())
}

fn linsert(call: &mut Call<'_>) -> Done {
    let (key, pivot, item) = (call.arg(1), call.arg(3), call.arg(4));
    let after = match () {
        () if call.is(2, "after") => 1,
        () if call.is(2, "before") => 0,
        () => return Err(SYNTAX),
    };
    let Some(list) = call.space.write::<List>(key)? else {
        call.me.out.integer(0);
        return Ok(());
    };
    match list.items.iter().position(|it| **it == *pivot) {
        Some(at) => {
            // At most one past the last item, where VecDeque still inserts.
            list.items.insert(at + after, item.into());
            call.me.out.count(list.items.len());
            call.space.touch(key);
        }
        None => call.me.out.integer(-1),
    }
    Ok(())
}
