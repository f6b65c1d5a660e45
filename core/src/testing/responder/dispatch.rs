//! From a request to its command: the checks every command goes through.
//!
//! Their order is that of servers, since it decides which of several errors
//! a client sees: does the command exist, is its arity right, is the client
//! authenticated, is it a subscriber, is it inside MULTI.

use super::call::{Call, Shared};
use super::client::{Client, Queued};
use super::commands::transaction;
use super::fault::{Fault, NO_AUTH};
use super::keyspace::Keyspace;
use super::request::Request;
use super::table::{self, Command};

/// Runs one request of `me`, or queues or refuses it.
pub(crate) fn dispatch(request: &Request, me: &mut Client, space: &mut Keyspace, shared: &mut Shared) {
    shared.stats.commands = shared.stats.commands.wrapping_add(1);
    let command = match find(request, shared) {
        Ok(command) => command,
        Err(fault) => return refuse(me, space, shared, None, &fault),
    };
    let allowed = check(command, request, me);
    me.note(space.now(), command.name);
    if let Err(fault) = allowed {
        return refuse(me, space, shared, Some(command), &fault);
    }
    if let Some(multi) = &mut me.multi
        && !command.has(table::UNQUEUED)
    {
        multi.queue.push(Queued { command, request: request.clone() });
        return me.out.simple("QUEUED");
    }
    run(Call { args: request, command, me, space, shared });
}

/// Runs a command that may be run.
pub(crate) fn run(mut call: Call<'_>) {
    if let Err(fault) = (call.command.run)(&mut call) {
        call.shared.stats.errors = call.shared.stats.errors.wrapping_add(1);
        call.me.out.error(&fault);
    }
}

/// The command, or subcommand, that `request` names.
fn find(request: &Request, shared: &mut Shared) -> Result<&'static Command, Fault> {
    let name = request.get(0);
    let old = shared.config.old;
    let found = shared.table.call(name);
    let Some(command) = found.filter(|command| !(old && command.has(table::RECENT))) else {
        let quotes: (&[u8], &[u8]) = if old { (b"`", b"`, ") } else { (b"'", b"' ") };
        return Err(Fault::unknown(name, request.from(1), quotes));
    };
    if command.subcommands.is_empty() || request.len() == 1 {
        return Ok(command);
    }
    let word = request.get(1);
    command.subcommand(word).ok_or_else(|| Fault::subcommand(command.name, word))
}

/// Whether the client may use the command, and in this form.
fn check(command: &Command, request: &Request, me: &Client) -> Result<(), Fault> {
    if !command.takes(request.len()) {
        return Err(Fault::arity(command.name));
    }
    if !me.authenticated && !command.has(table::NO_AUTH) {
        return Err(NO_AUTH);
    }
    if me.is_subscriber() && !command.has(table::PUBSUB) {
        return Err(Fault::of(&[
            b"ERR Can't execute '",
            command.name.as_bytes(),
            b"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
              this context",
        ]));
    }
    Ok(())
}

/// Answers with an error; after MULTI, this spoils the transaction.
fn refuse(
    me: &mut Client,
    space: &mut Keyspace,
    shared: &mut Shared,
    command: Option<&Command>,
    fault: &Fault,
) {
    shared.stats.errors = shared.stats.errors.wrapping_add(1);
    if let Some(multi) = &mut me.multi {
        multi.spoiled = true;
    }
    match command {
        Some(command) if command.name == transaction::EXEC => transaction::abort(me, space, fault),
        _ => me.out.error(fault),
    }
}
