//! From connections to callers: what was answered, what is tried again, what has failed.

use super::call::NIL;
use super::call::{Call, Over, Stage, Ticket};
use super::event::Event;
use super::lease::Lease;
use super::link::Role;
use super::machine::Engine;
use super::{Config, Failed, Memory};
use crate::command::Args;
use crate::conn::{self, Failure, Token};
use crate::error::Author;
use crate::flaw::flaw;
use crate::hook::Hook;
use crate::pool::{DialCode, Id, Returned};
use crate::pubsub;
use crate::resp::Reply;
use crate::retry::{Fate, Verdict};
use crate::time::Instant;

/// What an event of a connection means, without what it lends.
enum News {
    Nothing,
    Ready,
    Reply(Token, Fate),
    Push,
    PushTooLarge,
    Failed(Token, Failure),
    Closed(DialCode),
    Other,
}

/// What is to be told.
pub(super) enum Told {
    Reply(Token, u16),
    Push(u16),
    Failed(Token, Failed),
    Leased(Token, Lease),
    Subscription,
    Message(u16, pubsub::Id),
}

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// What happened next. What the event lends is valid until the next call; poll until `None`, then
    /// [actions](Self::poll_action).
    #[must_use = "an event is told once"]
    pub fn poll_event(&mut self, now: Instant) -> Option<Event<'_>> {
        self.clock(now);
        let told = loop {
            self.turn();
            if let Some(index) = self.calls.first_over() {
                match self.tell_over(index) {
                    Some(told) => break told,
                    None => continue,
                }
            }
            if M::SUBSCRIBES && self.untold().is_some() {
                break Told::Subscription;
            }
            if self.news.0 == NIL {
                return None;
            }
            if let Some(link) = self.links.as_mut().get_mut(usize::from(self.news.0))
                && matches!(link.role, Role::Lane(_) | Role::Own(_))
                && let Some((token, found)) = link.connection.poll_plain()
            {
                let (at, ticket) = (self.news.0, Ticket::of(token));
                if is_ours(token) {
                    self.tended(at, true);
                    continue;
                }
                self.judge(ticket.index, Verdict::Works);
                let Some(token) = self.replied(at, ticket, false) else { continue };
                self.answering = at;
                return Some(Event::Reply { token, reply: self.link(at)?.connection.plain(found) });
            }
            if let Some(told) = self.step(self.news.0) {
                break told;
            }
        };
        Some(match told {
            Told::Reply(token, at) => {
                self.answering = at;
                Event::Reply { token, reply: self.link(at)?.connection.lent() }
            }
            Told::Push(at) => Event::Push(self.link(at)?.connection.lent()),
            Told::Failed(token, failed) => Event::Failed { token, failed },
            Told::Leased(token, lease) => Event::Leased { token, lease },
            Told::Message(at, id) => self.message(at, id)?,
            Told::Subscription => {
                // What is over needs no connection.
                self.subs.stir();
                Event::Subscription(self.subs.registry.poll_event()?)
            }
        })
    }

    /// The answer that the last event told, once more. It means nothing behind another call.
    pub fn answer(&self) -> Reply<'_> {
        self.link(self.answering).map_or(Reply::NULL, |link| link.connection.lent())
    }

    fn tell_over(&mut self, index: u16) -> Option<Told> {
        let &Call { stage: Stage::Over(over), token, id, .. } = self.calls.at(index)? else { return None };
        Some(match over {
            Over::Failed(failed) => {
                self.forget(index);
                self.stats.failed = self.stats.failed.wrapping_add(1);
                Told::Failed(token, failed)
            }
            Over::Leased => Told::Leased(token, self.grant(index, id?)),
        })
    }

    /// The next event of a connection.
    fn step(&mut self, at: u16) -> Option<Told> {
        let link = self.links.as_mut().get_mut(usize::from(at))?;
        let (role, id) = (link.role, link.id);
        // A lessee polls it himself; or what there is to tell is of one that was here before.
        let event = if matches!(role, Role::Leased | Role::Loading | Role::None | Role::Held) {
            None
        } else {
            link.connection.poll_event()
        };
        let news = match event {
            None => News::Nothing,
            Some(conn::Event::Ready { .. }) => News::Ready,
            Some(conn::Event::Reply { token, reply }) => {
                let kept = |token| self.calls.get(Ticket::of(token)).filter(|call| call.kept.is_some());
                let fate = match reply.error() {
                    None => Fate::Answered,
                    Some(error) => {
                        // Who may have said it matters only to what may go again.
                        let author = kept(token)
                            .map_or(Author::Anyone, |call| Args::new(self.arena.frame(call.kept)).author());
                        Fate::of_error(error.kind(), author)
                    }
                };
                let fate = if is_ours(token) && reply.kind().is_error() { Fate::Unknown } else { fate };
                News::Reply(token, fate)
            }
            Some(conn::Event::Push(_)) => News::Push,
            Some(conn::Event::PushTooLarge) => News::PushTooLarge,
            Some(conn::Event::Failed { token, failure }) => News::Failed(token, failure),
            Some(conn::Event::Closed(reason)) => {
                if role != Role::Opening {
                    self.lost = Some(reason.without_text());
                }
                News::Closed(DialCode::of(&reason))
            }
            Some(_) => News::Other,
        };
        match news {
            News::Nothing => {
                self.unlist_news();
                // A handshake may have gone on.
                self.list_unsent(at);
                self.watch(at);
                flaw!(QueueStalls => return None);
                self.give_up_lane(at);
                // Answers that nobody waits for make room, too.
                self.make_use_of(at);
                if M::SUBSCRIBES {
                    self.unblock_subscriptions(at);
                }
            }
            News::Other => {}
            News::Ready => self.opened(at, id?),
            News::Push => return self.handle_push(at, role),
            News::PushTooLarge => self.handle_push_too_large(at),
            News::Closed(code) => self.closed(at, id?, code),
            News::Failed(token, failure) if M::SUBSCRIBES && is_ask(token) => {
                self.handle_asked(at, token, Some(failure));
            }
            News::Reply(token, _) if M::SUBSCRIBES && is_ask(token) => self.handle_asked(at, token, None),
            News::Failed(token, _) if is_ours(token) => self.tended(at, false),
            News::Reply(token, fate) if is_ours(token) => self.tended(at, fate == Fate::Answered),
            News::Failed(token, failure) => {
                self.failed(Ticket::of(token), Fate::from(failure), Some(failure));
                self.leave(at);
            }
            News::Reply(token, fate @ (Fate::NotExecuted | Fate::Unknown)) => {
                let ticket = Ticket::of(token);
                self.after_answer(at, ticket.index);
                let again = self.failed(ticket, fate, None);
                return self.replied(at, ticket, again).map(|token| Told::Reply(token, at));
            }
            News::Reply(token, _) => {
                let ticket = Ticket::of(token);
                self.judge(ticket.index, Verdict::Works);
                return self.replied(at, ticket, false).map(|token| Told::Reply(token, at));
            }
        }
        None
    }

    /// A request has its answer, which is told unless it goes again.
    #[inline(always)]
    fn replied(&mut self, at: u16, ticket: Ticket, again: bool) -> Option<Token> {
        if !again {
            self.after_answer(at, ticket.index);
        }
        let told = match self.calls.get(ticket) {
            Some(call) if !again => {
                let token = call.token;
                if call.group != NIL {
                    self.count_answer(at, ticket.index);
                }
                self.forget(ticket.index);
                self.stats.answered = self.stats.answered.wrapping_add(1);
                Some(token)
            }
            _ => None,
        };
        self.leave(at);
        told
    }

    /// There may be room on a connection, or it is free.
    #[inline]
    pub(super) fn leave(&mut self, at: u16) {
        let Some(link) = self.link_mut(at) else { return };
        match link.role {
            Role::Lane(_) => self.fill_lane(at),
            Role::Own(last) => {
                link.live = link.live.saturating_sub(1);
                match (link.live, link.id) {
                    (0, Some(id)) => self.take_back(id),
                    _ => self.follow(last, at),
                }
            }
            _ => {}
        }
    }

    fn opened(&mut self, at: u16, id: Id) {
        self.was_ready = true;
        self.open = self.open.saturating_add(1);
        self.stirred = true;
        self.after_dial(at, None);
        self.put_aside(at);
        self.pool.handle_opened(self.now, id);
    }

    /// A connection has ended, and all its requests were told.
    fn closed(&mut self, at: u16, id: Id, code: DialCode) {
        self.unlist_news();
        self.stirred = true;
        let role = self.link(at).map_or(Role::None, |link| link.role);
        match role {
            Role::Opening => self.dial_failed(at, id, code),
            _ => {
                self.pool.handle_closed(self.now, id);
            }
        }
        if matches!(role, Role::Lane(_) | Role::Tuning(_)) {
            self.lose_lane(at);
            self.pool.put(self.now, id, Returned::Broken);
        }
        if M::SUBSCRIBES {
            self.lose_subscriptions(at, id, role);
        }
        self.bury(at);
    }

    /// The driver is to close its socket.
    pub(super) fn bury(&mut self, at: u16) {
        if let Some(link) = self.link_mut(at)
            && link.role != Role::None
        {
            let was_open = !matches!(link.role, Role::Opening | Role::Held);
            (link.role, link.dead) = (Role::None, link.id);
            flaw!(SocketLeaks => return link.dead = None);
            self.to_close += 1;
            self.open = self.open.saturating_sub(u16::from(was_open));
        }
    }

    /// A shared connection, or one for a call, or for a lessee.
    pub(super) fn serve(&mut self, token: Token, id: Id) {
        if M::SUBSCRIBES && token == SITE {
            return self.serve_subscriptions(id);
        }
        let Some(at) = self.find(id) else { return };
        if let Some(link) = self.link_mut(at) {
            link.id = Some(id);
        }
        if let Some(lane) = lane_of(token) {
            return self.serve_lane(lane, id);
        }
        let ticket = Ticket::of(token);
        match self.calls.get(ticket) {
            Some(call) if call.wish => {
                self.set_role(at, Role::Leased);
                if let Some(call) = self.calls.at_mut(ticket.index) {
                    (call.id, call.place) = (Some(id), None);
                }
                self.calls.go(ticket.index, Stage::Over(Over::Leased));
            }
            _ => self.serve_call(ticket, id),
        }
    }
}

#[cfg(feature = "alloc")]
impl<const F: usize, H: Hook> Engine<super::Heap, F, H> {
    /// The bytes of the answer that the last event told, without a copy: their memory is given away for other memory. Where
    /// they are in it, for [`Reply::parsed`]; `None`, and nothing has changed, if much has come behind it: not as a rule behind
    /// a string of 64 KiB and more, for of that no more is read than it has. Whoever has shorter ones copied has them sooner.
    pub fn take_answer(&mut self, memory: &mut alloc::vec::Vec<u8>) -> Option<core::ops::Range<usize>> {
        self.link_mut(self.answering)?.connection.take_lent(memory)
    }
}

/// Requests of our own have a token with this bit.
const OURS: u64 = 1 << 63;

/// Among them, those of the registry of subscriptions with this one, too.
const ASK: u64 = 1 << 62;

/// A request that makes a connection as new, or asks whether it lives.
pub(super) const TENDING: Token = Token(OURS);

/// Whether a request is the registry's.
const fn is_ask(token: Token) -> bool {
    token.0 & (OURS | ASK) == OURS | ASK
}

/// A request of the registry's, by its number.
pub(super) const fn ask_token(number: u32) -> Token {
    Token(OURS | ASK | number as u64)
}

/// Whether a request is none of a caller.
const fn is_ours(token: Token) -> bool {
    token.0 & OURS != 0
}

/// How the pool knows a lane.
pub(super) const fn lane_token(lane: u8) -> Token {
    Token(OURS | lane as u64)
}

/// How the pool knows the connection of subscriptions: as one lane more than there can be.
pub(super) const SITE: Token = lane_token(Config::LANES);

pub(super) const fn lane_of(token: Token) -> Option<u8> {
    if is_ours(token) { Some(token.0 as u8) } else { None }
}
