//! From connections to callers: what was answered, what is tried again, what has failed.

use super::call::{Call, Over, Stage, Ticket};
use super::event::Event;
use super::lease::Lease;
use super::link::Role;
use super::machine::{Engine, Lane, NIL};
use super::{Config, Failed, Memory};
use crate::command::{Args, Retry};
use crate::conn::{self, Failure, Token};
use crate::error::Author;
use crate::flaw::flaw;
use crate::hook::{Hook, Outcome};
use crate::pool::{DialCode, Id, Returned};
use crate::pubsub;
use crate::resp::Whole;
use crate::retry::{Attempt, Decision, Fate, Verdict};
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
    Plain(Token, u16, Whole),
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
                match self.replied(at, ticket, false) {
                    Some(Told::Reply(token, _)) => break Told::Plain(token, at, found),
                    _ => continue,
                }
            }
            if let Some(told) = self.step(self.news.0) {
                break told;
            }
        };
        Some(match told {
            Told::Reply(token, at) => Event::Reply { token, reply: self.link(at)?.connection.lent() },
            Told::Plain(token, at, found) => {
                Event::Reply { token, reply: self.link(at)?.connection.plain(found) }
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

    fn tell_over(&mut self, index: u16) -> Option<Told> {
        let &Call { stage: Stage::Over(over), token, id, .. } = self.calls.at(index)? else { return None };
        self.forget(index);
        Some(match over {
            Over::Failed(failed) => {
                self.stats.failed = self.stats.failed.wrapping_add(1);
                Told::Failed(token, failed)
            }
            Over::Leased => Told::Leased(token, Lease(id?)),
        })
    }

    /// The next event of a connection.
    fn step(&mut self, at: u16) -> Option<Told> {
        let link = self.links.as_mut().get_mut(usize::from(at))?;
        let (role, id) = (link.role, link.id);
        // A lessee polls it himself; or what there is to tell is of one that was here before.
        let event = if matches!(role, Role::Leased | Role::None | Role::Held) {
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
            Some(conn::Event::Closed(reason)) => News::Closed(DialCode::of(&reason)),
            Some(_) => News::Other,
        };
        match news {
            News::Nothing => {
                self.unlist_news();
                self.watch(at);
                flaw!(QueueStalls => return None);
                // Answers that nobody waits for make room, too.
                self.dispatch();
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
                return self.replied(at, ticket, again);
            }
            News::Reply(token, _) => {
                let ticket = Ticket::of(token);
                self.judge(ticket.index, Verdict::Works);
                return self.replied(at, ticket, false);
            }
        }
        None
    }

    /// A request has its answer, which is told unless it goes again.
    #[inline]
    fn replied(&mut self, at: u16, ticket: Ticket, again: bool) -> Option<Told> {
        if !again {
            self.after_answer(at, ticket.index);
        }
        let told = match self.calls.get(ticket) {
            Some(call) if !again => {
                let token = call.token;
                self.forget(ticket.index);
                self.stats.answered = self.stats.answered.wrapping_add(1);
                Some(Told::Reply(token, at))
            }
            _ => None,
        };
        self.leave(at);
        told
    }

    /// There may be room on a connection, or it is free.
    #[inline]
    fn leave(&mut self, at: u16) {
        match self.link(at).map(|link| (link.role, link.id)) {
            Some((Role::Own(_), Some(id))) => self.take_back(id),
            Some((Role::Lane(_), _)) => self.dispatch(),
            _ => {}
        }
    }

    /// An attempt has not worked. Whether it is made again; if not, and there is no answer, its caller will be told.
    fn failed(&mut self, ticket: Ticket, fate: Fate, failure: Option<Failure>) -> bool {
        let Some(&call) = self.calls.get(ticket) else { return false };
        let index = ticket.index;
        let verdict = match fate {
            Fate::NotSent => Verdict::Nothing,
            Fate::Answered => Verdict::Works,
            Fate::NotExecuted | Fate::Unknown => Verdict::Fails,
        };
        self.judge(index, verdict);
        if let Some(failure) = failure {
            self.after(index, Outcome::Failed(failure));
        }
        let made = call.made;
        if let Some(call) = self.calls.at_mut(index) {
            call.made = made.saturating_add(1);
            call.doubtful |= fate == Fate::Unknown;
            call.id = None;
        }
        flaw!(RetriedBlindly => if fate == Fate::Unknown { return self.failed_blindly(index) });
        flaw!(BudgetIgnored => self.budget = crate::retry::Budget::new(self.config.budget));
        let decision = if call.kept.is_some() && !self.closing {
            let frame = self.arena.frame(call.kept);
            let class = call.class.unwrap_or_else(|| Retry::of(Args::new(frame)));
            // Where counting ends, there are no more.
            let made = if made == u8::MAX { u32::MAX } else { made.into() };
            let attempt = Attempt { class, fate, made, deadline: call.deadline };
            Some(self.config.retry.decide(self.now, attempt, &mut self.budget, &mut self.random))
        } else {
            None
        };
        match (decision, failure) {
            (Some(Decision::Again(at)), _) => {
                let counter =
                    if fate == Fate::NotSent { &mut self.stats.moved } else { &mut self.stats.retries };
                *counter = counter.wrapping_add(1);
                if let Some(call) = self.calls.at_mut(index) {
                    call.at = at;
                }
                self.wait(index, Stage::Resting);
                if at <= self.now {
                    self.go_again(index);
                }
                flaw!(AgainAndTold => if let Some(failure) = failure { self.end(index, failure, None, None) });
                true
            }
            // The error is the answer.
            (_, None) => false,
            (decision, Some(failure)) => {
                let why = match decision {
                    Some(Decision::Stop(why)) => Some(why),
                    _ => None,
                };
                self.end(index, failure, why, None);
                false
            }
        }
    }

    /// A call has rested.
    pub(super) fn go_again(&mut self, index: u16) {
        let Some(&Call { own, .. }) = self.calls.at(index) else { return };
        if self.config.breaker.is_some() {
            match self.breaker.admit(self.now) {
                Ok(pass) => {
                    if let Some(call) = self.calls.at_mut(index) {
                        call.pass = Some(pass);
                    }
                }
                Err(_) => return self.end(index, Failure::NotSent, None, None),
            }
        }
        if self.before(index, None).is_err() {
            return self.end(index, Failure::NotSent, None, None);
        }
        if own {
            if let Err(error) = self.ask(index, None) {
                let refused = match error {
                    super::Refused::Pool(refused) => Some(refused),
                    _ => None,
                };
                self.end(index, Failure::NotSent, None, refused);
            }
        } else {
            self.wait(index, Stage::Queued);
            self.dispatch();
            // Perhaps there is no hope: the pool knows.
            self.stirred |= self.best_lane().is_none();
        }
    }

    /// The breaker learns what became of an attempt.
    #[inline]
    pub(super) fn judge(&mut self, index: u16, verdict: Verdict) {
        if let Some(pass) = self.calls.at_mut(index).and_then(|call| call.pass.take()) {
            self.breaker.handle_verdict(self.now, pass, verdict);
        }
    }

    /// Sends it once more, whatever it is.
    #[cfg(feature = "flaws")]
    fn failed_blindly(&mut self, index: u16) -> bool {
        let again = self.calls.at(index).is_some_and(|call| call.kept.is_some() && call.made < 3);
        if again {
            self.go_again(index);
        } else {
            self.end(index, Failure::Unknown, None, None);
        }
        again
    }

    fn opened(&mut self, at: u16, id: Id) {
        self.was_ready = true;
        self.stirred = true;
        self.set_role(at, Role::Idle);
        self.pool.handle_opened(self.now, id);
    }

    /// A connection has ended, and all its requests were told.
    fn closed(&mut self, at: u16, id: Id, code: DialCode) {
        self.unlist_news();
        self.stirred = true;
        let role = self.link(at).map_or(Role::None, |link| link.role);
        match role {
            Role::Opening => {
                self.pool.handle_open_failed(self.now, id, code);
            }
            _ => {
                self.pool.handle_closed(self.now, id);
            }
        }
        if let Role::Lane(lane) = role {
            if let Some(lane) = self.lanes.get_mut(usize::from(lane)) {
                *lane = Lane::None;
            }
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
            (link.role, link.dead) = (Role::None, link.id);
            flaw!(SocketLeaks => return link.dead = None);
            self.to_close += 1;
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
            self.set_role(at, Role::Lane(lane));
            if let Some(place) = self.lanes.get_mut(usize::from(lane)) {
                *place = Lane::At(at);
            }
            return self.dispatch();
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
            Some(_) => {
                if self.send_alone(ticket.index, id, None).is_err() {
                    self.end(ticket.index, Failure::NotSent, None, None);
                    self.take_back(id);
                }
            }
            None => self.take_back(id),
        }
    }

    /// Of the deadlines that time has passed: whoever waits is told.
    pub(super) fn expire(&mut self, now: Instant) -> Instant {
        flaw!(WaitsForEver => return Instant::MAX);
        let mut wake = Instant::MAX;
        for index in 0..self.calls.len() {
            let Some(&Call { stage, deadline, at, place, .. }) = self.calls.at(index) else { break };
            if !matches!(stage, Stage::Queued | Stage::Asking | Stage::Resting) {
                continue;
            }
            if deadline <= now {
                if let Some(place) = place {
                    self.pool.cancel(now, place);
                    self.stirred = true;
                }
                self.end(index, Failure::Expired, None, None);
            } else if stage == Stage::Resting && at <= now {
                self.go_again(index);
                wake = wake.min(deadline);
            } else {
                wake = wake.min(if stage == Stage::Resting { at.min(deadline) } else { deadline });
            }
        }
        wake
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

const fn lane_of(token: Token) -> Option<u8> {
    if is_ours(token) { Some(token.0 as u8) } else { None }
}
