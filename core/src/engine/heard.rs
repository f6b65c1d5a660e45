//! What a server says to subscribers.

use super::Memory;
use super::answer::Told;
use super::event::Event;
use super::link::Role;
use super::machine::Engine;
use crate::command::Subscription;
use crate::conn::Word;
use crate::hook::Hook;
use crate::pubsub::{Delivery, Id};
use crate::resp::{Kind, Reply};

/// A push, or an array of RESP2 that stands for one.
enum Said<'r> {
    Subscribed(Subscription, &'r [u8]),
    Unsubscribed(Subscription, &'r [u8]),
    Message(Published<'r>),
}

/// A message: the name of the subscription that it came for, the channel, and what was published.
struct Published<'r> {
    kind: Subscription,
    name: &'r [u8],
    channel: &'r [u8],
    payload: &'r [u8],
}

impl<'r> Said<'r> {
    /// `None`: it has the right first word, and nothing else to go with it.
    fn read(word: Word, reply: Reply<'r>) -> Option<Self> {
        let mut elements = reply.elements()?;
        elements.advance()?;
        let name = string(elements.advance()?)?;
        Some(match word {
            Word::Subscribed(kind) => {
                elements.advance()?.as_integer()?;
                Self::Subscribed(kind, name)
            }
            Word::Unsubscribed(kind) => {
                elements.advance()?.as_integer()?;
                Self::Unsubscribed(kind, name)
            }
            Word::Message(kind) => {
                let channel = if kind == Subscription::Pattern { string(elements.advance()?)? } else { name };
                Self::Message(Published { kind, name, channel, payload: string(elements.advance()?)? })
            }
        })
    }
}

/// Digits are no name of a channel.
fn string(reply: Reply<'_>) -> Option<&[u8]> {
    reply.as_bytes().filter(|_| matches!(reply.kind(), Kind::Bulk | Kind::Simple | Kind::Verbatim))
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// A server has said something on its own account. All that has happened to subscriptions before is told.
    pub(super) fn handle_push(&mut self, at: u16, role: Role) -> Option<Told> {
        if M::SUBSCRIBES
            && (self.subs.is_at(at) || self.closing)
            && let Some(word) = self.link(at).and_then(|link| Word::of(link.connection.lent()))
        {
            return self.hear(at, word);
        }
        matches!(role, Role::Lane(_) | Role::Subscriber).then_some(Told::Push(at))
    }

    fn hear(&mut self, at: u16, word: Word) -> Option<Told> {
        let link = self.links.as_ref().get(usize::from(at)).filter(|_| !self.closing)?;
        let registry = &mut self.subs.registry;
        match Said::read(word, link.connection.lent()) {
            None => self.skip_push(),
            Some(Said::Message(Published { kind, name, .. })) => {
                return match registry.handle_message(kind, name) {
                    Delivery::To(id) => Some(Told::Message(at, id)),
                    // There are no events: they are told before a connection is asked for anything.
                    Delivery::EventsFirst | Delivery::Nobody => {
                        self.subs.stir();
                        None
                    }
                };
            }
            Some(Said::Subscribed(kind, name)) => {
                registry.handle_confirmed(kind, name);
            }
            Some(Said::Unsubscribed(kind, name)) => {
                registry.handle_dropped(kind, name);
            }
        }
        self.subs.stir();
        None
    }

    /// It may have been a message: whose, nobody knows.
    pub(super) fn handle_push_too_large(&mut self, at: u16) {
        self.skip_push();
        if M::SUBSCRIBES && self.subs.is_at(at) {
            self.subs.registry.handle_skipped();
        }
    }

    /// A push is of no use to anybody.
    const fn skip_push(&mut self) {
        self.stats.skipped = self.stats.skipped.wrapping_add(1);
    }

    /// The message that a connection lends.
    pub(super) fn message(&self, at: u16, id: Id) -> Option<Event<'_>> {
        let reply = self.link(at)?.connection.lent();
        match Said::read(Word::of(reply)?, reply)? {
            Said::Message(Published { kind, name, channel, payload }) => {
                let pattern = if kind == Subscription::Pattern { name } else { b"" };
                Some(Event::Message { id, kind, pattern, channel, payload })
            }
            _ => None,
        }
    }
}
