//! Commands about the connection itself.

use super::super::call::{Call, Shared};
use super::super::client::{Client, Silence};
use super::super::fault::{Done, Fault, SYNTAX, WRONG_PASS};
use super::super::number;
use super::super::table::{Command, NO_AUTH, PUBSUB, RECENT, UNQUEUED};
use super::info::VERSION;
use super::{pubsub, transaction};

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("ping", -1, ping).flags(PUBSUB),
    Command::new("echo", 2, echo),
    Command::new("quit", -1, quit).flags(NO_AUTH | PUBSUB | UNQUEUED),
    Command::new("select", 2, select),
    Command::new("auth", -2, auth).flags(NO_AUTH),
    Command::new("hello", -1, hello).flags(NO_AUTH | RECENT),
    Command::new("reset", 1, reset).flags(NO_AUTH | PUBSUB | UNQUEUED | RECENT),
];

/// The one user there is.
const USER: &[u8] = b"default";

fn ping(call: &mut Call<'_>) -> Done {
    if call.len() > 2 {
        return Err(Fault::arity(call.command.name));
    }
    let given = (call.len() == 2).then(|| call.arg(1));
    let subscriber = call.me.is_subscriber();
    let out = &mut call.me.out;
    match given {
        // A RESP2 subscriber expects every reply to look like a message.
        text if subscriber => {
            out.array(2);
            out.bulk(b"pong");
            out.bulk(text.unwrap_or_default());
        }
        Some(text) => out.bulk(text),
        None => out.simple("PONG"),
    }
    Ok(())
}

fn echo(call: &mut Call<'_>) -> Done {
    call.me.out.bulk(call.args.get(1));
    Ok(())
}

fn quit(call: &mut Call<'_>) -> Done {
    call.me.out.ok();
    call.me.closing = true;
    Ok(())
}

fn select(call: &mut Call<'_>) -> Done {
    let index = call.database(1)?;
    call.me.db = index;
    call.space.select(index);
    call.me.out.ok();
    Ok(())
}

fn auth(call: &mut Call<'_>) -> Done {
    let (user, password) = match call.len() {
        2 if call.shared.config.password().is_none() => {
            return Err(Fault::new(
                "ERR AUTH <password> called without any password configured for the default \
                 user. Are you sure your configuration is correct?",
            ));
        }
        2 => (USER, call.arg(1)),
        3 => (call.arg(1), call.arg(2)),
        _ => return Err(SYNTAX),
    };
    log_in(call.me, call.shared, user, password)?;
    call.me.out.ok();
    Ok(())
}

fn log_in(me: &mut Client, shared: &Shared, user: &[u8], password: &[u8]) -> Done {
    // Without a password the default user takes any.
    let right = shared.config.password().is_none_or(|it| it == password);
    if user != USER || !right {
        return Err(WRONG_PASS);
    }
    me.authenticated = true;
    Ok(())
}

fn hello(call: &mut Call<'_>) -> Done {
    let mut resp3 = call.me.out.resp3;
    if call.len() > 1 {
        resp3 = match number::integer(call.arg(1)) {
            Some(2) => false,
            Some(3) => true,
            Some(_) => return Err(Fault::new("NOPROTO unsupported protocol version")),
            None => {
                return Err(Fault::new("ERR Protocol version is not an integer or out of range"));
            }
        };
    }
    let mut at = 2;
    while at < call.len() {
        let more = call.len() - 1 - at;
        if call.is(at, "auth") && more >= 2 {
            log_in(call.me, call.shared, call.args.get(at + 1), call.args.get(at + 2))?;
            at += 3;
        } else if call.is(at, "setname") && more >= 1 {
            set_name(call.me, call.args.get(at + 1))?;
            at += 2;
        } else {
            return Err(Fault::of(&[b"ERR Syntax error in HELLO option '", call.arg(at), b"'"]));
        }
    }
    if !call.me.authenticated {
        return Err(Fault::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        ));
    }
    call.me.out.resp3 = resp3;
    let id = i64::try_from(call.me.id.number()).unwrap_or(i64::MAX);
    let out = &mut call.me.out;
    out.map(7);
    out.bulk(b"server");
    out.bulk(b"redis");
    out.bulk(b"version");
    out.bulk(VERSION.as_bytes());
    out.bulk(b"proto");
    out.integer(if resp3 { 3 } else { 2 });
    out.bulk(b"id");
    out.integer(id);
    out.bulk(b"mode");
    out.bulk(b"standalone");
    out.bulk(b"role");
    out.bulk(b"master");
    out.bulk(b"modules");
    out.array(0);
    Ok(())
}

/// Names the connection; an empty name is none.
pub(crate) fn set_name(me: &mut Client, name: &[u8]) -> Done {
    if !name.iter().all(u8::is_ascii_graphic) {
        return Err(Fault::new("ERR Client names cannot contain spaces, newlines or special characters."));
    }
    me.name = name.to_vec();
    Ok(())
}

/// Makes the connection like a new one.
fn reset(call: &mut Call<'_>) -> Done {
    transaction::discard_all(call.me, call.space);
    pubsub::unsubscribe_from_all(call.me, &mut call.shared.hub);
    call.me.silence = Silence::default();
    call.me.out.muted = false;
    call.me.out.resp3 = false;
    call.me.no_evict = false;
    call.me.no_touch = false;
    call.me.name.clear();
    call.me.authenticated = call.shared.config.password().is_none();
    call.me.db = 0;
    call.space.select(0);
    call.me.out.simple("RESET");
    Ok(())
}
