//! Commands about the server as a whole.

use super::super::call::Call;
use super::super::fault::{Done, SYNTAX};
use super::super::keyspace::DATABASES;
use super::super::number;
use super::super::table::Command;
use super::info;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("command", -1, command).with(&[
        Command::new("command|count", 2, command_count),
        Command::new("command|docs", -2, command_docs),
        Command::new("command|list", 2, command_list),
    ]),
    Command::new("config", -2, nothing).with(&[
        Command::new("config|get", -3, config_get),
        Command::new("config|set", -4, config_set),
        Command::new("config|resetstat", 2, config_resetstat),
    ]),
    Command::new("info", -1, info::info),
    Command::new("dbsize", 1, dbsize),
    Command::new("flushdb", -1, flushdb),
    Command::new("flushall", -1, flushall),
    Command::new("time", 1, time),
    Command::new("lastsave", 1, lastsave),
    Command::new("role", 1, role),
];

/// A container is never run without its subcommand: its arity forbids it.
fn nothing(_: &mut Call<'_>) -> Done {
    Err(SYNTAX)
}

/// The details of commands are not kept, so there are none to show.
fn command(call: &mut Call<'_>) -> Done {
    call.me.out.array(0);
    Ok(())
}

fn command_docs(call: &mut Call<'_>) -> Done {
    call.me.out.map(0);
    Ok(())
}

fn command_count(call: &mut Call<'_>) -> Done {
    call.me.out.count(call.shared.table.len());
    Ok(())
}

fn command_list(call: &mut Call<'_>) -> Done {
    call.me.out.array(call.shared.table.len());
    for command in call.shared.table.iter() {
        call.me.out.bulk(command.name.as_bytes());
    }
    Ok(())
}

fn config_get(call: &mut Call<'_>) -> Done {
    let patterns: Vec<&[u8]> = call.args_from(2).collect();
    let found = call.shared.config.matching(patterns.into_iter());
    call.me.out.map(found.len());
    for (name, value) in found {
        call.me.out.bulk(name.as_bytes());
        call.me.out.bulk(value);
    }
    Ok(())
}

fn config_set(call: &mut Call<'_>) -> Done {
    if !call.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    let mut pairs = call.args_from(2);
    while let (Some(name), Some(value)) = (pairs.next(), pairs.next()) {
        call.shared.config.set(name, value)?;
    }
    call.me.out.ok();
    Ok(())
}

fn config_resetstat(call: &mut Call<'_>) -> Done {
    let started = call.shared.stats.started;
    call.shared.stats = super::super::call::Stats { started, ..Default::default() };
    call.shared.table.forget_calls();
    call.space.hits = 0;
    call.space.misses = 0;
    call.space.expired = 0;
    call.me.out.ok();
    Ok(())
}

fn dbsize(call: &mut Call<'_>) -> Done {
    let len = call.space.len();
    call.me.out.count(len);
    Ok(())
}

/// SYNC and ASYNC may be said; there is no difference here.
fn flush_mode(call: &Call<'_>) -> Done {
    match call.len() {
        1 => Ok(()),
        2 if call.is(1, "sync") || call.is(1, "async") => Ok(()),
        _ => Err(SYNTAX),
    }
}

fn flushdb(call: &mut Call<'_>) -> Done {
    flush_mode(call)?;
    call.space.flush();
    call.me.out.ok();
    Ok(())
}

fn flushall(call: &mut Call<'_>) -> Done {
    flush_mode(call)?;
    let selected = call.space.selected();
    for index in 0..DATABASES {
        call.space.select(index);
        call.space.flush();
    }
    call.space.select(selected);
    call.me.out.ok();
    Ok(())
}

fn time(call: &mut Call<'_>) -> Done {
    let now = call.shared.now;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let out = &mut call.me.out;
    out.array(2);
    out.integer_text(seconds);
    out.bulk(&number::integer_text(i64::from(now.subsec_micros())));
    Ok(())
}

/// Nothing is ever saved, which servers count from their start.
fn lastsave(call: &mut Call<'_>) -> Done {
    let started = call.shared.stats.started.unwrap_or_default();
    let seconds = i64::try_from(started.as_secs()).unwrap_or(i64::MAX);
    call.me.out.integer(seconds);
    Ok(())
}

fn role(call: &mut Call<'_>) -> Done {
    let out = &mut call.me.out;
    out.array(3);
    out.bulk(b"master");
    out.integer(0);
    out.array(0);
    Ok(())
}
