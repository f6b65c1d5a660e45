//! MULTI, EXEC and WATCH.

use super::super::call::Call;
use super::super::client::{Client, Multi};
use super::super::dispatch;
use super::super::fault::{Done, Fault};
use super::super::keyspace::Keyspace;
use super::super::table::{Command, UNQUEUED};

/// The name of the command that a refusal aborts at once.
pub(crate) const EXEC: &str = "exec";

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("multi", 1, multi).flags(UNQUEUED),
    Command::new(EXEC, 1, exec).flags(UNQUEUED),
    Command::new("discard", 1, discard).flags(UNQUEUED),
    Command::new("watch", -2, watch).flags(UNQUEUED),
    Command::new("unwatch", 1, unwatch),
];

fn multi(call: &mut Call<'_>) -> Done {
    if call.me.multi.is_some() {
        return Err(Fault::new("ERR MULTI calls can not be nested"));
    }
    call.me.multi = Some(Multi::default());
    call.me.out.ok();
    Ok(())
}

fn exec(call: &mut Call<'_>) -> Done {
    let Some(multi) = call.me.multi.take() else {
        return Err(Fault::new("ERR EXEC without MULTI"));
    };
    let disturbed = call.space.is_disturbed(call.me.id, &call.me.watched);
    unwatch_all(call.me, call.space);
    if multi.spoiled {
        return Err(Fault::new("EXECABORT Transaction discarded because of previous errors."));
    }
    if disturbed {
        call.me.out.null_array();
        return Ok(());
    }
    call.me.out.array(multi.queue.len());
    // EXEC itself is never queued, so this goes one level deep.
    for queued in &multi.queue {
        dispatch::run(Call {
            args: &queued.request,
            command: queued.command,
            me: call.me,
            space: call.space,
            shared: call.shared,
        });
    }
    Ok(())
}

fn discard(call: &mut Call<'_>) -> Done {
    if call.me.multi.is_none() {
        return Err(Fault::new("ERR DISCARD without MULTI"));
    }
    discard_all(call.me, call.space);
    call.me.out.ok();
    Ok(())
}

fn watch(call: &mut Call<'_>) -> Done {
    if call.me.multi.is_some() {
        return Err(Fault::new("ERR WATCH inside MULTI is not allowed"));
    }
    let db = call.space.selected();
    for key in call.args_from(1) {
        call.space.watch(call.me.id, key);
        call.me.watched.push((db, key.into()));
    }
    call.me.out.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_>) -> Done {
    unwatch_all(call.me, call.space);
    call.me.out.ok();
    Ok(())
}

/// Answers an EXEC that was itself refused.
pub(crate) fn abort(me: &mut Client, space: &mut Keyspace, fault: &Fault) {
    discard_all(me, space);
    let line = fault.line();
    let line = line.strip_prefix(b"ERR ").unwrap_or(line);
    let fault = Fault::of(&[b"EXECABORT Transaction discarded because of: ", line]);
    me.out.error(&fault);
}

/// Forgets the transaction and what was watched for it.
pub(crate) fn discard_all(me: &mut Client, space: &mut Keyspace) {
    me.multi = None;
    unwatch_all(me, space);
}

/// Ends all of a client's watches.
pub(crate) fn unwatch_all(me: &mut Client, space: &mut Keyspace) {
    for (db, key) in core::mem::take(&mut me.watched) {
        space.unwatch(me.id, db, &key);
    }
}
