//! CLIENT: what connections say about themselves and each other.

use super::super::call::Call;
use super::super::client::Client;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::number;
use super::super::table::Command;
use super::connection;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[Command::new("client", -2, nothing).with(&[
    Command::new("client|id", 2, id),
    Command::new("client|getname", 2, get_name),
    Command::new("client|setname", 3, set_name),
    Command::new("client|setinfo", 4, set_info),
    Command::new("client|info", 2, info),
    Command::new("client|list", -2, list),
    Command::new("client|kill", -3, kill),
    Command::new("client|reply", 3, reply),
    Command::new("client|no-evict", 3, no_evict),
    Command::new("client|no-touch", 3, no_touch),
    Command::new("client|getredir", 2, redirection),
    Command::new("client|tracking", -3, tracking),
])];

/// Which clients CLIENT KILL and CLIENT LIST mean.
#[derive(Default)]
struct Filter<'a> {
    ids: Vec<i64>,
    kind: Option<&'static str>,
    address: Option<&'a [u8]>,
}

impl Filter<'_> {
    fn takes(&self, client: &Client) -> bool {
        let id = i64::try_from(client.id.number()).unwrap_or(i64::MAX);
        (self.ids.is_empty() || self.ids.contains(&id))
            && self.kind.is_none_or(|kind| kind == kind_of(client))
            && self.address.is_none_or(|address| address == client.address().as_bytes())
    }
}

/// What CLIENT LIST TYPE calls the client.
fn kind_of(client: &Client) -> &'static str {
    if client.subscriptions() > 0 { "pubsub" } else { "normal" }
}

fn kind_called(name: &[u8]) -> Result<&'static str, Fault> {
    for (word, kind) in [
        ("normal", "normal"),
        ("slave", "replica"),
        ("replica", "replica"),
        ("pubsub", "pubsub"),
        ("master", "master"),
    ] {
        if name.eq_ignore_ascii_case(word.as_bytes()) {
            return Ok(kind);
        }
    }
    Err(Fault::of(&[b"ERR Unknown client type '", name, b"'"]))
}

/// A container is never run without its subcommand: its arity forbids it.
fn nothing(_: &mut Call<'_>) -> Done {
    Err(SYNTAX)
}

fn id(call: &mut Call<'_>) -> Done {
    let id = i64::try_from(call.me.id.number()).unwrap_or(i64::MAX);
    call.me.out.integer(id);
    Ok(())
}

fn get_name(call: &mut Call<'_>) -> Done {
    let name = (!call.me.name.is_empty()).then_some(call.me.name.as_slice());
    call.me.out.maybe(name);
    Ok(())
}

fn set_name(call: &mut Call<'_>) -> Done {
    connection::set_name(call.me, call.args.get(2))?;
    call.me.out.ok();
    Ok(())
}

/// As 7.2 has it: 7.0 does not know it, but clients send it without asking.
fn set_info(call: &mut Call<'_>) -> Done {
    let (option, value) = (call.arg(2), call.arg(3));
    let (place, name) = if call.is(2, "lib-name") {
        (&mut call.me.library, "lib-name")
    } else if call.is(2, "lib-ver") {
        (&mut call.me.library_version, "lib-ver")
    } else {
        return Err(Fault::of(&[b"ERR Unrecognized option '", option, b"'"]));
    };
    if !value.iter().all(u8::is_ascii_graphic) {
        return Err(Fault::of(&[
            b"ERR ",
            name.as_bytes(),
            b" cannot contain spaces, newlines or special characters.",
        ]));
    }
    *place = value.to_vec();
    call.me.out.ok();
    Ok(())
}

fn info(call: &mut Call<'_>) -> Done {
    let mut line = call.me.describe(call.space.now());
    line.push('\n');
    call.me.out.verbatim(line.as_bytes());
    Ok(())
}

fn list(call: &mut Call<'_>) -> Done {
    let mut filter = Filter::default();
    if call.len() == 4 && call.is(2, "type") {
        filter.kind = Some(kind_called(call.arg(3))?);
    } else if call.len() > 3 && call.is(2, "id") {
        for id in call.args_from(3) {
            let id = number::integer(id);
            filter.ids.push(id.ok_or(Fault::new("ERR Invalid client ID"))?);
        }
    } else if call.len() != 2 {
        return Err(SYNTAX);
    }
    let now = call.space.now();
    let others = call.shared.clients.values().map(|client| &**client);
    let mut clients: Vec<&Client> = others.chain([&*call.me]).collect();
    clients.sort_by_key(|client| client.id);
    let mut text = Vec::new();
    for client in clients {
        if filter.takes(client) {
            text.extend_from_slice(client.describe(now).as_bytes());
            text.push(b'\n');
        }
    }
    call.me.out.verbatim(&text);
    Ok(())
}

fn kill(call: &mut Call<'_>) -> Done {
    let mut filter = Filter::default();
    let mut spare_me = true;
    let old_form = call.len() == 3;
    if old_form {
        filter.address = Some(call.arg(2));
        spare_me = false;
    }
    let mut at = if old_form { 3 } else { 2 };
    while at < call.len() {
        let value = call.arg(at + 1);
        if at + 1 == call.len() {
            return Err(SYNTAX);
        } else if call.is(at, "id") {
            let id = number::integer(value).filter(|&id| id > 0);
            let error = Fault::new("ERR client-id should be greater than 0");
            filter.ids = [id.ok_or(error)?].into();
        } else if call.is(at, "type") {
            filter.kind = Some(kind_called(value)?);
        } else if call.is(at, "addr") {
            filter.address = Some(value);
        } else if call.is(at, "skipme") && call.is(at + 1, "yes") {
            spare_me = true;
        } else if call.is(at, "skipme") && call.is(at + 1, "no") {
            spare_me = false;
        } else {
            return Err(SYNTAX);
        }
        at += 2;
    }
    let mut killed = 0;
    for (id, client) in &mut call.shared.clients {
        if filter.takes(client) && !client.closing {
            client.out.clear();
            client.closing = true;
            call.shared.ready.remove(id);
            killed += 1;
        }
    }
    if !spare_me && filter.takes(call.me) {
        // Its own reply is still sent.
        call.me.closing = true;
        killed += 1;
    }
    match killed {
        0 if old_form => return Err(Fault::new("ERR No such client")),
        _ if old_form => call.me.out.ok(),
        killed => call.me.out.integer(killed),
    }
    Ok(())
}

fn reply(call: &mut Call<'_>) -> Done {
    let silence = &mut call.me.silence;
    let word = call.args.get(2);
    if word.eq_ignore_ascii_case(b"on") {
        silence.off = false;
        silence.skip_next = false;
        call.me.out.muted = false;
        call.me.out.ok();
    } else if word.eq_ignore_ascii_case(b"off") {
        silence.off = true;
        call.me.out.muted = true;
    } else if word.eq_ignore_ascii_case(b"skip") {
        silence.skip_next = !silence.off;
    } else {
        return Err(SYNTAX);
    }
    Ok(())
}

fn no_evict(call: &mut Call<'_>) -> Done {
    call.me.no_evict = on_or_off(call.arg(2))?;
    call.me.out.ok();
    Ok(())
}

fn no_touch(call: &mut Call<'_>) -> Done {
    call.me.no_touch = on_or_off(call.arg(2))?;
    call.me.out.ok();
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool, Fault> {
    if word.eq_ignore_ascii_case(b"on") {
        Ok(true)
    } else if word.eq_ignore_ascii_case(b"off") {
        Ok(false)
    } else {
        Err(SYNTAX)
    }
}

/// Nobody is redirected, since nothing is tracked.
fn redirection(call: &mut Call<'_>) -> Done {
    call.me.out.integer(-1);
    Ok(())
}

fn tracking(_: &mut Call<'_>) -> Done {
    Err(Fault::new("ERR client tracking is not supported here"))
}
