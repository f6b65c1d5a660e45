//! What the server does with a request.

use super::super::line::{Did, Owner};
use super::ask::{self, Ask, Read, Verb};
use super::say::{Name, Say, Shape};
use super::{Done, Multi, Phase, Server, Session};
use crate::command::Subscription;
use crate::resp::{Digits, Kind};

/// How many databases the server has.
pub(in super::super) const DATABASES: u64 = 16;

impl Session {
    /// The next request that has come whole.
    pub(in super::super) fn next(&mut self) -> Option<Ask> {
        if self.over || self.inbox.is_empty() {
            return None;
        }
        match ask::read(&self.inbox) {
            Read::Whole(ask, len) => {
                self.inbox.drain(..len);
                Some(ask)
            }
            Read::Short => None,
            Read::Garbled => {
                self.garbled = true;
                self.over = true;
                None
            }
        }
    }
}

impl Session {
    /// A subscription begins or ends, and it says so.
    pub(in super::super) fn confirm(
        &mut self,
        kind: Subscription,
        topic: u8,
        subscribes: bool,
        say: &mut Say<'_>,
    ) {
        let [channels, patterns, shards] = &mut self.topics;
        let (topics, words): (_, [&[u8]; 2]) = match kind {
            Subscription::Channel => (channels, [b"unsubscribe", b"subscribe"]),
            Subscription::Pattern => (patterns, [b"punsubscribe", b"psubscribe"]),
            Subscription::Shard => (shards, [b"sunsubscribe", b"ssubscribe"]),
        };
        let [ends, begins] = words;
        let bit = 1 << topic;
        *topics = if subscribes { *topics | bit } else { *topics & !bit };
        say.resp3 = self.resp3;
        say.open(Kind::Push, 3);
        say.bulk(if subscribes { begins } else { ends });
        say.bulk(&[b'c', b'0' + topic]);
        say.integer(self.count(kind));
    }
}

impl Server {
    /// Does what `ask` wants, or says why not, and writes the answer. `None`: it has to wait until then.
    pub(in super::super) fn execute(
        &mut self,
        session: &mut Session,
        ask: Ask,
        now: u64,
        say: &mut Say<'_>,
    ) -> Result<Done, u64> {
        say.resp3 = session.resp3;
        let owner = ask.token.map_or(Owner::Handshake, Owner::Answer);
        let refuse = |say: &mut Say<'_>, text: &[u8]| {
            say.error(text);
            Ok(Done { owner, did: Did::Refused })
        };
        if self.locked && !session.authed && !matches!(ask.verb, Verb::Hello | Verb::Auth | Verb::Quit) {
            return refuse(say, b"NOAUTH Authentication required.");
        }
        if !session.resp3 && session.is_subscribed() && !ask.verb.is_for_subscribers() {
            return refuse(say, b"ERR Can't execute this: only (P|S)SUBSCRIBE are allowed in this context");
        }
        if let Some(no) = self.phase_refuses(ask.verb) {
            session.multi.iter_mut().for_each(|multi| multi.aborted = true);
            return refuse(say, no);
        }
        if let Some(multi) = &mut session.multi
            && !ask.verb.is_never_queued()
        {
            multi.queue.push(ask);
            say.simple(b"QUEUED");
            return Ok(Done { owner, did: Did::Queued });
        }
        if ask.verb == Verb::Wait && session.blocked.is_none() {
            return Err(now + 1000 * ask.number.max(1));
        }
        let did = self.perform(session, ask, say);
        if let (Some(token), Did::Ran) = (ask.token, did) {
            self.count_up(token, session.db);
        }
        let owner = match (ask.verb, did) {
            (Verb::Subscribe | Verb::Unsubscribe, Did::Ran) => ask.token.map_or(owner, Owner::Confirmation),
            _ => owner,
        };
        Ok(Done { owner, did })
    }

    /// What the server says instead, as it is now.
    const fn phase_refuses(&self, verb: Verb) -> Option<&'static [u8]> {
        Some(match self.phase {
            Phase::Loading if verb.reads() => b"LOADING Redis is loading the dataset in memory",
            Phase::Busy if verb.reads() => b"BUSY Redis is busy running a script.",
            Phase::MasterDown if verb.reads() => b"MASTERDOWN Link with MASTER is down",
            Phase::ReadOnly if verb.writes() => b"READONLY You can't write against a read only replica.",
            _ => return None,
        })
    }

    fn perform(&mut self, session: &mut Session, ask: Ask, say: &mut Say<'_>) -> Did {
        let token = ask.token.unwrap_or(0);
        match ask.verb {
            Verb::Hello => return self.hello(session, ask, say),
            Verb::Auth => {
                session.authed = true;
                say.simple(b"OK");
            }
            Verb::Select if ask.number >= DATABASES => {
                say.error(b"ERR DB index is out of range");
                return Did::Refused;
            }
            Verb::Select => {
                session.db = ask.number;
                say.simple(b"OK");
            }
            Verb::Client => say.simple(b"OK"),
            Verb::Multi if session.multi.is_some() => {
                say.error(b"ERR MULTI calls can not be nested");
                return Did::Refused;
            }
            Verb::Multi => {
                session.multi = Some(Multi::default());
                say.simple(b"OK");
            }
            Verb::Exec => return self.exec(session, say),
            Verb::Discard => {
                let Some(_) = session.multi.take() else {
                    say.error(b"ERR DISCARD without MULTI");
                    return Did::Refused;
                };
                session.watching = None;
                say.simple(b"OK");
            }
            Verb::Watch => {
                session.watching.get_or_insert(false);
                say.simple(b"OK");
            }
            Verb::Ping if !session.resp3 && session.is_subscribed() => {
                say.open(Kind::Array, 2);
                say.bulk(b"pong");
                say.bulk(b"");
            }
            Verb::Ping => say.simple(b"PONG"),
            verb if verb.subscribes().is_some() && ask.token.is_none() => {
                self.confirm_topics(session, ask, say);
            }
            Verb::Subscribe | Verb::Unsubscribe => self.confirm(session, ask, say),
            Verb::Reset => {
                *session = Self::reset(session);
                say.resp3 = false;
                say.simple(b"RESET");
            }
            Verb::Quit => {
                say.simple(b"OK");
                session.over = true;
            }
            Verb::EvalSha if !self.scripts => {
                say.error(b"NOSCRIPT No matching script.");
                return Did::Refused;
            }
            Verb::Unknown => {
                say.error(b"ERR unknown command");
                return Did::Refused;
            }
            _ => self.data(ask, token, say),
        }
        Did::Ran
    }

    /// Commands that may also stand inside a transaction.
    fn data(&mut self, ask: Ask, token: u64, say: &mut Say<'_>) {
        let name = Name::new(token);
        let place = (ask.number % 4) as usize;
        let value = self.keys.get(place).copied().unwrap_or(0);
        match ask.verb {
            Verb::Get | Verb::Swap => match value.checked_sub(1) {
                Some(stored) => say.bulk(Name::new(stored).as_bytes()),
                None => say.null(false),
            },
            Verb::Set => say.simple(b"OK"),
            Verb::Count => say.integer(u64::from(self.count(token)) + 1),
            Verb::Wait => {
                say.open(Kind::Array, 2);
                say.bulk(b"list");
                say.bulk(name.as_bytes());
            }
            Verb::Eval | Verb::EvalSha => {
                self.scripts = true;
                say.shape(Shape(ask.number), token);
            }
            // The handshake's has a number and no token.
            _ if ask.token.is_none() => say.bulk(Digits::unsigned(ask.number).as_bytes()),
            _ => say.bulk(name.as_bytes()),
        }
        if let (Verb::Set | Verb::Swap, Some(key)) = (ask.verb, self.keys.get_mut(place)) {
            *key = token + 1;
        }
    }

    fn hello(&mut self, session: &mut Session, ask: Ask, say: &mut Say<'_>) -> Did {
        if self.old {
            say.error(b"ERR unknown command `HELLO`, with args beginning with: `3`");
            return Did::Refused;
        }
        // HELLO 3 AUTH user password.
        let logs_in = ask.words >= 5;
        if self.locked && !session.authed && !logs_in {
            say.error(b"NOAUTH HELLO must be called with the client already authenticated");
            return Did::Refused;
        }
        session.authed |= logs_in;
        session.resp3 = ask.number == 3;
        say.resp3 = session.resp3;
        say.open(Kind::Map, 4);
        say.bulk(b"server");
        say.bulk(b"world");
        say.bulk(b"proto");
        say.integer(if session.resp3 { 3 } else { 2 });
        Did::Ran
    }

    fn exec(&mut self, session: &mut Session, say: &mut Say<'_>) -> Did {
        let Some(multi) = session.multi.take() else {
            say.error(b"ERR EXEC without MULTI");
            return Did::Refused;
        };
        let touched = session.watching.take() == Some(true);
        if multi.aborted {
            say.error(b"EXECABORT Transaction discarded because of previous errors.");
            return Did::Refused;
        }
        if touched {
            say.null(true);
            return Did::Ran;
        }
        say.open(Kind::Array, multi.queue.len() as u64);
        for ask in multi.queue {
            let token = ask.token.unwrap_or(0);
            match ask.verb {
                Verb::EvalSha if !self.scripts => say.error(b"NOSCRIPT No matching script."),
                Verb::Watch => say.error(b"ERR WATCH inside MULTI is not allowed"),
                _ => self.data(ask, token, say),
            }
            self.count_up(token, session.db);
        }
        Did::Ran
    }

    fn confirm(&self, session: &mut Session, ask: Ask, say: &mut Say<'_>) {
        let token = ask.token.unwrap_or(0);
        session.channels.retain(|&channel| channel != token);
        let word: &[u8] = if ask.verb == Verb::Subscribe {
            session.channels.push(token);
            b"subscribe"
        } else {
            // Its name is the token of the request, so what it ends is the oldest.
            if !session.channels.is_empty() {
                session.channels.remove(0);
            }
            b"unsubscribe"
        };
        say.open(Kind::Push, 3);
        say.bulk(word);
        say.bulk(Name::new(token).as_bytes());
        say.integer(session.channels.len() as u64);
    }

    /// Each topic that the request names, one by one.
    fn confirm_topics(&self, session: &mut Session, ask: Ask, say: &mut Say<'_>) {
        let Some((kind, subscribes)) = ask.verb.subscribes() else { return };
        for topic in (0..8).filter(|topic| ask.topics & 1 << topic != 0) {
            session.confirm(kind, topic, subscribes, say);
        }
    }

    fn reset(session: &mut Session) -> Session {
        Session { inbox: core::mem::take(&mut session.inbox), ..Session::default() }
    }
}
