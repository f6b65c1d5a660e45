//! Sorted sets: members and their scores.

use super::super::call::Call;
use super::super::fault::{Done, Fault, NOT_FLOAT, SYNTAX};
use super::super::number;
use super::super::table::Command;
use super::super::value::Zset;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("zadd", -4, zadd),
    Command::new("zincrby", 4, zincrby),
    Command::new("zrem", -3, zrem),
    Command::new("zscore", 3, zscore),
    Command::new("zmscore", -3, zmscore),
    Command::new("zcard", 2, zcard),
    Command::new("zrank", 3, zrank),
    Command::new("zrevrank", 3, zrevrank),
    Command::new("zpopmin", -2, zpopmin),
    Command::new("zpopmax", -2, zpopmax),
];

/// The options of ZADD.
#[derive(Clone, Copy, Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    changed: bool,
    increment: bool,
}

fn zadd(call: &mut Call<'_>) -> Done {
    add_with(call, Options::default())
}

fn zincrby(call: &mut Call<'_>) -> Done {
    add_with(call, Options { increment: true, ..Options::default() })
}

/// Reads the options, which servers do for ZINCRBY as well.
fn add_with(call: &mut Call<'_>, mut options: Options) -> Done {
    let mut at = 2;
    while at < call.len() {
        let option = match () {
            () if call.is(at, "nx") => &mut options.nx,
            () if call.is(at, "xx") => &mut options.xx,
            () if call.is(at, "gt") => &mut options.gt,
            () if call.is(at, "lt") => &mut options.lt,
            () if call.is(at, "ch") => &mut options.changed,
            () if call.is(at, "incr") => &mut options.increment,
            () => break,
        };
        *option = true;
        at += 1;
    }
    add(call, options, at)
}

/// Adds the pairs of score and member from argument `at` on.
fn add(call: &mut Call<'_>, options: Options, at: usize) -> Done {
    let rest = call.len().saturating_sub(at);
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(SYNTAX);
    }
    if options.nx && options.xx {
        return Err(Fault::new("ERR XX and NX options at the same time are not compatible"));
    }
    if usize::from(options.nx) + usize::from(options.gt) + usize::from(options.lt) > 1 {
        return Err(Fault::new("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if options.increment && rest > 2 {
        return Err(Fault::new("ERR INCR option supports a single increment-element pair"));
    }
    let mut pairs = Vec::new();
    let mut args = call.args_from(at);
    while let (Some(score), Some(member)) = (args.next(), args.next()) {
        pairs.push((number::double(score).ok_or(NOT_FLOAT)?, member));
    }
    let key = call.arg(1);
    let mut done = Outcome::default();
    if call.space.read::<Zset>(key)?.is_some() || !options.xx {
        let zset = call.space.write_or_new::<Zset>(key)?;
        let added = pairs
            .into_iter()
            .try_for_each(|(score, member)| add_one(zset, options, score, member, &mut done));
        if done.added + done.updated > 0 {
            call.space.touch(key);
        }
        added?;
    }
    let out = &mut call.me.out;
    match (options.increment, done.score) {
        (true, Some(score)) => out.double(score),
        (true, None) => out.null(),
        (false, _) if options.changed => out.count(done.added + done.updated),
        (false, _) => out.count(done.added),
    }
    Ok(())
}

/// What ZADD has done so far.
#[derive(Default)]
struct Outcome {
    added: usize,
    updated: usize,
    /// The score of the member last looked at, unless an option kept it.
    score: Option<f64>,
}

fn add_one(zset: &mut Zset, options: Options, score: f64, member: &[u8], done: &mut Outcome) -> Done {
    done.score = None;
    let Some(current) = zset.score(member) else {
        if !options.xx {
            zset.set(member, score);
            done.added += 1;
            done.score = Some(score);
        }
        return Ok(());
    };
    if options.nx {
        return Ok(());
    }
    let score = if options.increment { current + score } else { score };
    if score.is_nan() {
        return Err(Fault::new("ERR resulting score is not a number (NaN)"));
    }
    if options.gt && score <= current || options.lt && score >= current {
        return Ok(());
    }
    if score != current {
        zset.set(member, score);
        done.updated += 1;
    }
    done.score = Some(score);
    Ok(())
}

fn zrem(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let members = call.args_from(2);
    let removed = match call.space.write::<Zset>(key)? {
        Some(zset) => members.filter(|member| zset.remove(member)).count(),
        None => 0,
    };
    if removed > 0 {
        call.space.changed(key);
    }
    call.me.out.count(removed);
    Ok(())
}

fn zscore(call: &mut Call<'_>) -> Done {
    let zset = call.space.read::<Zset>(call.arg(1))?;
    match zset.and_then(|zset| zset.score(call.args.get(2))) {
        Some(score) => call.me.out.double(score),
        None => call.me.out.null(),
    }
    Ok(())
}

fn zmscore(call: &mut Call<'_>) -> Done {
    let members = call.args_from(2);
    let zset = call.space.read::<Zset>(call.arg(1))?;
    call.me.out.array(call.args.len().saturating_sub(2));
    for member in members {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => call.me.out.double(score),
            None => call.me.out.null(),
        }
    }
    Ok(())
}

fn zcard(call: &mut Call<'_>) -> Done {
    let zset = call.space.read::<Zset>(call.arg(1))?;
    call.me.out.count(zset.map_or(0, |zset| zset.scores().len()));
    Ok(())
}

fn zrank(call: &mut Call<'_>) -> Done {
    rank(call, false)
}

fn zrevrank(call: &mut Call<'_>) -> Done {
    rank(call, true)
}

fn rank(call: &mut Call<'_>, from_end: bool) -> Done {
    let member = call.arg(2);
    let zset = call.space.read::<Zset>(call.arg(1))?;
    let found = zset.filter(|zset| zset.scores().contains(member));
    let rank = found.and_then(|zset| {
        let mut order = zset.order().iter();
        if from_end {
            order.rev().position(|ranked| *ranked.member == *member)
        } else {
            order.position(|ranked| *ranked.member == *member)
        }
    });
    match rank {
        Some(rank) => call.me.out.count(rank),
        None => call.me.out.null(),
    }
    Ok(())
}

fn zpopmin(call: &mut Call<'_>) -> Done {
    pop(call, false)
}

fn zpopmax(call: &mut Call<'_>) -> Done {
    pop(call, true)
}

fn pop(call: &mut Call<'_>, highest: bool) -> Done {
    let key = call.arg(1);
    let count = match call.len() {
        2 => None,
        3 => Some(call.positive(2)?),
        _ => return Err(SYNTAX),
    };
    let out = &mut call.me.out;
    let Some(zset) = call.space.write::<Zset>(key)? else {
        out.array(0);
        return Ok(());
    };
    let taken = count.unwrap_or(1).min(zset.scores().len());
    // With a count, RESP3 has a pair for each member.
    let nested = count.is_some() && out.resp3;
    out.array(if nested { taken } else { taken * 2 });
    for _ in 0..taken {
        let Some(ranked) = zset.pop(highest) else {
            break;
        };
        if nested {
            out.array(2);
        }
        out.bulk(&ranked.member);
        out.double(ranked.score);
    }
    if taken > 0 {
        call.space.changed(key);
    }
    Ok(())
}
