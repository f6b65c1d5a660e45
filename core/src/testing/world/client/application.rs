//! What the user of a connection does, and what happens to it.

use alloc::format;

use super::super::checker::{Checker, Kindred};
use super::super::fault::Fault;
use super::super::machine::Abandoned;
use super::super::net::Net;
use super::super::server::{Name, payload};
use super::super::trace::Who;
use super::super::work::{Plan, Word};
use super::Client;
use crate::command::{Later, Request, chunked, echo, raw, words};
use crate::conn::{SubmitError, Token};
use crate::error::Misuse;
use crate::resp::Digits;
use crate::time::{Duration, Instant};

impl Client {
    /// A turn of the application. Says whether anything happened.
    pub(in super::super) fn work(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        if !self.up || !self.life.ready {
            return false;
        }
        if self.machine.owed() > 0 {
            return self.supply(net, checker);
        }
        if net.swarm.calm {
            return self.work_in_peace(net, checker);
        }
        if net.hit(Fault::Close) {
            self.note(net, "close", 0, 0);
            self.machine.close();
            return self.poll(net, checker, usize::MAX);
        }
        if net.hit(Fault::Abandon) {
            return self.abandon(net, checker);
        }
        let plan = match self.open {
            Some(_) => self.next_of_block(net),
            None if net.hit(Fault::Quit) => Plan::new(Word::Quit),
            None if net.hit(Fault::Reset) => Plan::new(Word::Reset),
            None => Plan::any(&mut net.random, self.subscribes),
        };
        self.submit(net, checker, plan).is_some()
    }

    /// Ends what was begun, and then asks once more.
    fn work_in_peace(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        if self.open.is_some() {
            let plan = self.next_of_block(net);
            return self.submit(net, checker, plan).is_some();
        }
        if self.seen.fresh.is_some() || self.seen.recovered || !self.life.waiting.is_empty() {
            return false;
        }
        self.seen.fresh = self.submit(net, checker, Plan::new(Word::Echo));
        self.seen.fresh.is_some()
    }

    fn next_of_block(&self, net: &mut Net) -> Plan {
        match self.open {
            Some((_, 0)) if net.random.one_in(6) => Plan::new(Word::Discard),
            Some((_, 0)) => Plan::new(Word::Exec),
            _ => Plan::data(&mut net.random),
        }
    }

    fn submit(&mut self, net: &mut Net, checker: &mut Checker, plan: Plan) -> Option<u64> {
        let token = checker.next_token();
        let now = self.clock(net);
        let (digits, name) = (Digits::unsigned(plan.number), Name::new(token));
        let (list, len) = plan.words(&digits, name.as_bytes());
        let list = list.get(..len).unwrap_or_default();
        let deadline = match plan.word {
            Word::Wait => Some(Some(now.saturating_add(Duration::from_millis(plan.number * 3 + 20)))),
            _ if net.random.one_in(8) => Some(
                (!net.random.one_in(4))
                    .then(|| now.saturating_add(Duration::from_micros(net.random.below(100_000)))),
            ),
            _ => None,
        };
        let result = match plan.later {
            Some(later) => {
                let request = raw("SET").arg(digits.as_bytes()).arg(Later(later)).arg(name.as_bytes());
                self.put(now, deadline, Token(token), &request)
            }
            None if plan.chunked => self.put(now, deadline, Token(token), &chunked(words(list))),
            // Its row knows what can answer it.
            None if plan.word == Word::Echo => self.put(now, deadline, Token(token), &echo(name.as_bytes())),
            None => self.put(now, deadline, Token(token), &words(list)),
        };
        net.trace.note(net.now, Who::Client(self.id), plan.word.name(), token, result.is_ok().into());
        net.trace.say(net.now, Who::Client(self.id), format_args!("  {plan:?}: {result:?}"));
        match result {
            // Only a request that is taken tells the time.
            Ok(()) if deadline.is_none() => _ = self.tell_time(net),
            Ok(()) => {}
            Err(SubmitError::Full(_) | SubmitError::Closed) => return None,
            Err(SubmitError::Misuse(Misuse::SubscribeInMulti)) if self.open.is_some() => return None,
            Err(error) => {
                checker.flag(|| format!("{plan:?} was refused: {error:?}"));
                return None;
            }
        }
        let block = match (plan.word, self.open) {
            (Word::Multi, _) => {
                self.open = Some((checker.begin_block(), net.random.below(4)));
                None
            }
            (_, Some((block, left))) => {
                self.open = left.checked_sub(1).map(|left| (block, left));
                Some(block)
            }
            _ => None,
        };
        let ends = matches!(plan.word, Word::Exec | Word::Discard);
        let kindred = Kindred { block, ends, resets: plan.word == Word::Reset };
        let usual = self.config.reply_timeout.map(|timeout| self.life.clock.saturating_add(timeout));
        let deadline = deadline.unwrap_or(usual);
        checker.taken(&mut self.life, deadline, kindred);
        self.later = plan.later.unwrap_or(0);
        if self.machine.in_flight() > self.most {
            checker.flag(|| "more requests in flight than there is room for".into());
        }
        Some(token)
    }

    fn put(
        &mut self,
        now: Instant,
        deadline: Option<Option<Instant>>,
        token: Token,
        request: &impl Request,
    ) -> Result<(), SubmitError> {
        match deadline {
            Some(deadline) => self.machine.submit_until(deadline, token, request),
            None => self.machine.submit(now, token, request),
        }
    }

    fn supply(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        let owed = self.machine.owed();
        let from = self.later.saturating_sub(owed) as usize;
        let lends = net.random.one_in(2);
        let mut bytes = [0; 400];
        let n = net.random.between(1, if lends { 400 } else { 64 }).min(owed) as usize;
        let piece = bytes.get_mut(..n).unwrap_or_default();
        piece.iter_mut().enumerate().for_each(|(at, byte)| *byte = payload(from + at));
        if lends {
            return self.lend(net, checker, piece);
        }
        // From a deadline on nothing is written until events have said whose it was.
        let late = self.machine.poll_timeout().is_some_and(|at| at <= self.life.clock);
        let idle = self.machine.poll_transmit().is_empty() && !late;
        let taken = self.machine.supply(piece);
        if self.machine.owed() != owed - taken as u64 || taken == 0 && idle {
            checker.flag(|| format!("{taken} of {owed} bytes were taken, and nothing is to be written"));
        }
        taken > 0
    }

    /// Writes these bytes, which are owed, from where they lie.
    fn lend(&mut self, net: &mut Net, checker: &mut Checker, piece: &[u8]) -> bool {
        let owed = self.machine.owed();
        let (mut taken, mut broken) = (0, false);
        for part in self.machine.lend(piece) {
            if part.is_empty() {
                continue;
            }
            checker.writes(&self.life);
            let written = net.write(self.life.line, part);
            broken = written.is_err();
            let n = written.ok().flatten().unwrap_or(0);
            taken += n;
            if n < part.len() {
                break;
            }
        }
        let lent = self.machine.transmitted_lent(taken) as u64;
        if broken {
            self.machine.transport_error();
        }
        if self.machine.owed() + lent != owed {
            checker.flag(|| format!("{lent} of {owed} bytes were lent, and others are owed"));
        }
        taken > 0 || broken
    }

    fn abandon(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        let n = net.random.below(16) as usize;
        let Some(token) = checker.nth_waiting(&self.life, n) else { return false };
        let now = self.tell_time(net);
        let known = self.machine.abandon(now, Token(token));
        self.note(net, "abandon", token, known as u64);
        match known {
            Abandoned::Unknown => checker.abandoned(&mut self.life, token, false),
            Abandoned::NotSent => checker.abandoned(&mut self.life, token, true),
            // A confirmation that was pushed is about to answer it.
            Abandoned::TooLate => {}
        }
        true
    }

    // What befalls it.

    /// Faults of its clock and its timer, and of servers that talk too much.
    pub(in super::super) fn befall(&mut self, net: &mut Net, checker: &mut Checker) {
        const YEAR: u64 = 365 * 86_400_000_000;
        if net.hit(Fault::ClockForward) {
            let most = if net.random.one_in(8) { YEAR } else { 100_000 };
            self.skew += net.random.below(most) as i64;
            self.note(net, "clock forward", 0, 0);
        }
        if net.hit(Fault::ClockBackward) {
            let most = if net.random.one_in(8) { YEAR } else { 100_000 };
            self.skew -= net.random.below(most) as i64;
            self.note(net, "clock backward", 0, 0);
        }
        if net.hit(Fault::EarlyTimer) {
            self.fire(net, checker);
        }
        if self.is_quiet(net) && net.hit(Fault::Stray) {
            net.stray(self.life.line);
            for _ in 0..64 {
                self.read(net);
                self.poll(net, checker, usize::MAX);
                if !self.up {
                    return;
                }
            }
            checker.flag(|| "an answer to nothing was taken".into());
        }
    }

    /// Whether nothing was asked and nothing is on its way.
    fn is_quiet(&self, net: &Net) -> bool {
        let Some(line) = net.lines.get(self.life.line) else { return false };
        let silent = line.up.is_empty() && line.down.is_empty() && line.session.inbox.is_empty();
        let alive = !line.is_done() && !line.broken && !line.finished && line.down.cut.is_none();
        let asked = !self.life.waiting.is_empty() || !self.machine.poll_transmit().is_empty();
        self.up && self.life.ready && silent && alive && !asked && !self.machine.is_closed()
    }

    /// The end of the run.
    pub(in super::super) fn end(&mut self, net: &mut Net, checker: &mut Checker) {
        if self.up {
            self.machine.close();
            self.poll(net, checker, usize::MAX);
            if self.up {
                checker.flag(|| "closed, and not over".into());
            }
        }
    }
}
