//! Publish and subscribe.

use super::super::call::Call;
use super::super::client::Client;
use super::super::fault::{Done, Fault, SYNTAX};
use super::super::hub::{Hub, Topic};
use super::super::reply::Outbox;
use super::super::table::{Command, PUBSUB};
use alloc::boxed::Box;
use alloc::vec::Vec;

pub(crate) const COMMANDS: &[Command] = &[
    Command::new("subscribe", -2, subscribe).flags(PUBSUB),
    Command::new("unsubscribe", -1, unsubscribe).flags(PUBSUB),
    Command::new("psubscribe", -2, psubscribe).flags(PUBSUB),
    Command::new("punsubscribe", -1, punsubscribe).flags(PUBSUB),
    Command::new("publish", 3, publish),
    Command::new("pubsub", -2, nothing).with(&[
        Command::new("pubsub|channels", -2, channels),
        Command::new("pubsub|numsub", -2, numsub),
        Command::new("pubsub|numpat", 2, numpat),
    ]),
];

impl Topic {
    /// How messages about this kind of subscription begin.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Channel => ("subscribe", "unsubscribe"),
            Self::Pattern => ("psubscribe", "punsubscribe"),
        }
    }
}

impl Client {
    fn topics(&mut self, topic: Topic) -> &mut alloc::collections::BTreeSet<Box<[u8]>> {
        match topic {
            Topic::Channel => &mut self.channels,
            Topic::Pattern => &mut self.patterns,
        }
    }
}

fn subscribe(call: &mut Call<'_>) -> Done {
    subscribe_to(call, Topic::Channel)
}

fn psubscribe(call: &mut Call<'_>) -> Done {
    subscribe_to(call, Topic::Pattern)
}

fn unsubscribe(call: &mut Call<'_>) -> Done {
    unsubscribe_from(call, Topic::Channel)
}

fn punsubscribe(call: &mut Call<'_>) -> Done {
    unsubscribe_from(call, Topic::Pattern)
}

fn subscribe_to(call: &mut Call<'_>, topic: Topic) -> Done {
    for name in call.args_from(1) {
        if call.me.topics(topic).insert(name.into()) {
            call.shared.hub.subscribe(topic, name, call.me.id);
        }
        confirm(call.me, topic.words().0, Some(name));
    }
    Ok(())
}

fn unsubscribe_from(call: &mut Call<'_>, topic: Topic) -> Done {
    let mut names: Vec<Box<[u8]>> = call.args_from(1).map(Into::into).collect();
    if names.is_empty() {
        names = call.me.topics(topic).iter().cloned().collect();
    }
    let word = topic.words().1;
    if names.is_empty() {
        confirm(call.me, word, None);
    }
    for name in names {
        if call.me.topics(topic).remove(&name) {
            call.shared.hub.unsubscribe(topic, &name, call.me.id);
        }
        confirm(call.me, word, Some(&name));
    }
    Ok(())
}

/// The message that a subscription began or ended.
fn confirm(me: &mut Client, word: &str, name: Option<&[u8]>) {
    let left = me.subscriptions();
    me.out.push(3, |out| {
        out.bulk(word.as_bytes());
        out.maybe(name);
        out.count(left);
    });
}

/// Ends all subscriptions without a word, for a client that goes.
pub(crate) fn unsubscribe_from_all(me: &mut Client, hub: &mut Hub) {
    for topic in [Topic::Channel, Topic::Pattern] {
        for name in core::mem::take(me.topics(topic)) {
            hub.unsubscribe(topic, &name, me.id);
        }
    }
}

fn publish(call: &mut Call<'_>) -> Done {
    let (channel, text) = (call.arg(1), call.arg(2));
    let receivers = call.shared.hub.receivers(channel);
    for (id, pattern) in &receivers {
        let out = if *id == call.me.id {
            &mut call.me.out
        } else {
            match call.shared.clients.get_mut(id) {
                Some(client) if !client.closing => &mut client.out,
                _ => continue,
            }
        };
        message(out, pattern.as_deref(), channel, text);
        call.shared.ready.insert(*id);
    }
    call.me.out.count(receivers.len());
    Ok(())
}

fn message(out: &mut Outbox, pattern: Option<&[u8]>, channel: &[u8], text: &[u8]) {
    match pattern {
        Some(pattern) => out.push(4, |out| {
            out.bulk(b"pmessage");
            out.bulk(pattern);
            out.bulk(channel);
            out.bulk(text);
        }),
        None => out.push(3, |out| {
            out.bulk(b"message");
            out.bulk(channel);
            out.bulk(text);
        }),
    }
}

/// A container is never run without its subcommand: its arity forbids it.
fn nothing(_: &mut Call<'_>) -> Done {
    Err(SYNTAX)
}

fn channels(call: &mut Call<'_>) -> Done {
    let pattern = match call.len() {
        2 => None,
        3 => Some(call.arg(2)),
        _ => {
            return Err(Fault::of(&[
                b"ERR unknown subcommand or wrong number of arguments for '",
                call.arg(1),
                b"'. Try PUBSUB HELP.",
            ]));
        }
    };
    let active = call.shared.hub.active(pattern);
    call.me.out.array(active.len());
    for name in active {
        call.me.out.bulk(name);
    }
    Ok(())
}

fn numsub(call: &mut Call<'_>) -> Done {
    // Flat in both protocols.
    call.me.out.array(call.len().saturating_sub(2).saturating_mul(2));
    for name in call.args_from(2) {
        call.me.out.bulk(name);
        call.me.out.count(call.shared.hub.subscribers(name).len());
    }
    Ok(())
}

fn numpat(call: &mut Call<'_>) -> Done {
    call.me.out.count(call.shared.hub.pattern_count());
    Ok(())
}
