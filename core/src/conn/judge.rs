//! What a frame means: an answer, and to whom; a push; a step of the handshake; the end.

use super::close::Reason;
use super::connection::{Connection, Phase};
use super::handshake::Outcome;
use super::in_flight::{Answer, Slot};
use super::settings::Protocol;
use super::state::is_queued;
use super::subscriber::{Subscriber, Word};
use super::{Failure, Token};
use crate::buffer::Storage;
use crate::command::Effect;
use crate::flaw::flaw;
use crate::resp::{Kind, Limits, Over, Piece, Reply, ServerError};

/// What a whole frame turned out to be.
pub(super) enum Verdict {
    /// Of no interest to the application.
    Consumed,
    /// If it is a confirmation that completes its request, it is the answer, too.
    Push(Option<Token>),
    Reply(Token),
    PushTooLarge,
    Failed(Token, Failure),
}

impl<S: Storage, const IN_FLIGHT: usize> Connection<S, IN_FLIGHT> {
    pub(super) fn judge(&mut self, kind: Kind) -> Verdict {
        if let Phase::Handshake { .. } = self.phase {
            return self.judge_greeting(kind, true);
        }
        flaw!(PushIsReply => if kind == Kind::Push { return self.judge_reply(kind) });
        // A RESP2 server sends messages as arrays; so do some that were asked for RESP3 (lessons of
        // Dragonfly and Garnet), for confirmations at least.
        let may_be_array = self.hears_arrays() || self.asked().is_some_and(Slot::awaits_confirmations);
        if kind == Kind::Push || may_be_array && kind == Kind::Array {
            self.judge_push(kind)
        } else {
            self.judge_reply(kind)
        }
    }

    /// An answer in the handshake. `kept`: its bytes are here.
    fn judge_greeting(&mut self, kind: Kind, kept: bool) -> Verdict {
        if kind == Kind::Push {
            return Verdict::Consumed;
        }
        if !kept && (self.sent == 0 || kind.is_error()) {
            // What it says decides, and is gone.
            return self.end(Reason::WindowTooSmall);
        }
        if self.sent == 0 {
            return self.unasked(kind);
        }
        let Phase::Handshake { handshake, .. } = &mut self.phase else { return Verdict::Consumed };
        let len = if kept { self.lent.len } else { 0 };
        let reply = Reply::parsed(self.receive.unread().get(..len).unwrap_or_default());
        let text = reply.error().map(ServerError::text).or(reply.as_bytes());
        match handshake.answer(kind, text.unwrap_or_default()) {
            Outcome::Rejected => return self.end(Reason::Rejected(self.lent.len)),
            Outcome::Stray => return self.end(Reason::Unsolicited),
            Outcome::Ready(protocol) => self.become_ready(protocol),
            Outcome::FallBack => self.send_fallback(),
            Outcome::Pending => {}
        }
        Verdict::Consumed
    }

    /// A push, or an array that may be one.
    fn judge_push(&mut self, kind: Kind) -> Verdict {
        let reply = Reply::parsed(self.receive.unread().get(..self.lent.len).unwrap_or_default());
        let word = Word::of(reply);
        match word {
            Some(Word::Message(_)) => {}
            Some(Word::Subscribed(kind) | Word::Unsubscribed(kind))
                if self.subscriber.confirm(kind, reply).is_some() => {}
            _ if kind == Kind::Push => return Verdict::Push(None),
            _ => return self.judge_reply(kind),
        }
        Verdict::Push(word.and_then(|word| self.confirm(word)))
    }

    /// Counts a confirmation for the request at the head; its token once all are in.
    fn confirm(&mut self, word: Word) -> Option<Token> {
        let subscriber = self.subscriber;
        self.asked().filter(|_| self.is_whole())?;
        let slot = self.in_flight.head_mut()?;
        let done = match (slot.effect, word) {
            (Effect::Subscribe(a), Word::Subscribed(b)) if a == b => {
                slot.left = slot.left.saturating_sub(1);
                slot.left == 0
            }
            // Without names it ends every subscription of its kind.
            (Effect::Unsubscribe(a), Word::Unsubscribed(b)) if a == b && slot.left == 0 => {
                subscriber.count(a) == 0
            }
            (Effect::Unsubscribe(a), Word::Unsubscribed(b)) if a == b => {
                slot.left -= 1;
                slot.left == 0
            }
            _ => false,
        };
        if done { self.in_flight.pop() } else { None }
    }

    /// The oldest request, if the server can know of it: it cannot answer what was not sent, or not
    /// when the answer began.
    pub(super) fn asked(&self) -> Option<&Slot> {
        self.in_flight.head().filter(|slot| self.sent > slot.start && !self.early)
    }

    /// Whether the oldest request was handed over whole: only the newest can owe bytes.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(super) const fn is_whole(&self) -> bool {
        self.owed == 0 || self.in_flight.len() > 1
    }

    /// Whether arrays are messages, as they are to subscribers of RESP2.
    pub(super) const fn hears_arrays(&self) -> bool {
        matches!(self.protocol, Protocol::Resp2) && self.subscriber.is_active()
    }

    /// Whether a string or aggregate that answers this request, the oldest, is told in parts.
    pub(super) fn answers_in_chunks(&self, slot: &Slot) -> bool {
        slot.answer == Answer::Parts && !slot.awaits_confirmations() && self.is_whole()
    }

    /// Whether the oldest request cannot be answered like this: the server does not have all of it.
    const fn is_premature(&self, kind: Kind) -> bool {
        !kind.is_error() && !self.is_whole()
    }

    /// A part of the answer to the oldest request.
    pub(super) fn judge_piece(&mut self, piece: &Piece) -> Option<Token> {
        // Attributes in front of it may have been.
        self.skipping = false;
        let &slot = self.in_flight.head()?;
        if !piece.last {
            return slot.caller();
        }
        self.state.change(slot.effect, slot.left, Kind::Array);
        self.take_effect(slot.effect, Kind::Bulk);
        self.in_flight.pop()
    }

    /// An ordinary reply: it answers the oldest request.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn judge_reply(&mut self, kind: Kind) -> Verdict {
        if self.monitoring && kind == Kind::Simple && self.is_monitor_line() {
            return Verdict::Push(None);
        }
        let Some(slot) = self.asked() else { return self.unasked(kind) };
        if slot.answer == Answer::Number {
            return self.judge_number(kind, slot.token);
        }
        if slot.awaits_confirmations() && !kind.is_error() || self.is_premature(kind) {
            return self.end(Reason::Unsolicited);
        }
        if !self.is_expected(slot, kind) {
            return self.end(Reason::OutOfStep);
        }
        let effect = slot.effect;
        // Hardly any command has one, and only then the text matters.
        if effect != Effect::None {
            let reply = self.lend(self.lent.len);
            let (mut state, detail) = (self.state, slot.left);
            // Inside MULTI nothing is done yet.
            let queued = is_queued(reply);
            match reply.error() {
                Some(error) => state.refuse(effect, error.text()),
                None if queued => state.queue(effect),
                None => state.change(effect, detail, kind),
            }
            self.state = state;
            if !queued {
                self.take_effect(effect, kind);
            }
            if matches!(effect, Effect::Multi | Effect::EndMulti) {
                self.queueing = self.will_queue();
            }
        }
        if !self.is_whole() {
            // The server wants no more of it, and there is no other way to end a frame.
            self.end(Reason::Refused(self.lent.len));
        }
        self.in_flight.pop().map_or(Verdict::Consumed, Verdict::Reply)
    }

    /// Whether a transaction will be open behind what is in flight, without the oldest request.
    #[cold]
    fn will_queue(&self) -> bool {
        let mut open = self.state.transaction;
        for slot in (1..).map_while(|index| self.in_flight.get(index)) {
            match slot.effect {
                Effect::Multi => open = true,
                Effect::EndMulti | Effect::Reset => open = false,
                _ => {}
            }
        }
        open
    }

    /// Whether this can be the answer to the oldest request. Inside MULTI it can also be a status, and to
    /// subscribers of RESP2 even PONG is an array.
    fn is_expected(&self, slot: &Slot, kind: Kind) -> bool {
        let expects = match slot.answer {
            Answer::Whole(expects) => expects,
            Answer::Parts => return true,
            // What is not kept is no number.
            Answer::Number => return false,
        };
        expects.admits(kind) || self.hears_arrays() || is_queued(self.lend(self.lent.len))
    }

    /// An answer when nothing was asked.
    #[cold]
    fn unasked(&mut self, kind: Kind) -> Verdict {
        flaw!(StrayDropped => return Verdict::Consumed);
        self.end(if kind.is_error() { Reason::Refused(self.lent.len) } else { Reason::Unsolicited })
    }

    /// A line of MONITOR starts with the time, which no answer in a line does.
    fn is_monitor_line(&self) -> bool {
        let line = self.lend(self.lent.len).as_bytes().unwrap_or_default();
        self.asked().is_none() || line.first().is_some_and(u8::is_ascii_digit)
    }

    /// What an answer of this kind does to the connection.
    fn take_effect(&mut self, effect: Effect, kind: Kind) {
        match effect {
            _ if kind.is_error() => {}
            Effect::Hello if kind == Kind::Map => self.protocol = Protocol::Resp3,
            Effect::Hello if kind == Kind::Array => self.protocol = Protocol::Resp2,
            Effect::Reset => {
                flaw!(ResetIgnored => return);
                self.protocol = Protocol::Resp2;
                self.subscriber = Subscriber::NONE;
                self.monitoring = false;
                self.scanner.set_line(self.config.limits.line);
            }
            Effect::Monitor => {
                self.monitoring = true;
                // A command with all its arguments is one line.
                let Limits { line, bulk, .. } = self.config.limits;
                self.scanner.set_line(u32::try_from(bulk).unwrap_or(u32::MAX).max(line));
            }
            Effect::Quit => self.quitting = true,
            _ => {}
        }
    }

    /// A frame over the limits, or of which only the end was kept.
    #[cold]
    pub(super) fn judge_skipped(&mut self, kind: Kind, over: Option<Over>) -> Verdict {
        if let Phase::Handshake { .. } = self.phase {
            return self.judge_greeting(kind, false);
        }
        // Subscribers of RESP2 are sent nothing large but messages.
        let message = self.hears_arrays() && kind == Kind::Array;
        if kind == Kind::Push || message || (self.monitoring && kind == Kind::Simple) {
            return Verdict::PushTooLarge;
        }
        let Some(&slot) = self.asked() else { return self.end(Reason::Unsolicited) };
        if self.is_premature(kind) {
            return self.end(Reason::Unsolicited);
        }
        if slot.awaits_confirmations() && !kind.is_error() || !self.is_whole() {
            // Without it nobody knows what this connection is subscribed to, or why it is over.
            return self.end(Reason::WindowTooSmall);
        }
        if !self.is_expected(&slot, kind) {
            return self.end(Reason::OutOfStep);
        }
        if kind.is_error() {
            self.state.refuse(slot.effect, b"");
        } else {
            self.state.change(slot.effect, slot.left, kind);
        }
        self.take_effect(slot.effect, kind);
        let failure = if over == Some(Over::Depth) { Failure::TooDeep } else { Failure::TooLarge };
        self.in_flight.pop().map_or(Verdict::Consumed, |token| Verdict::Failed(token, failure))
    }
}
