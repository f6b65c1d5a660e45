//! One client: a connection, its driver, and an application that wants things of it.

use alloc::boxed::Box;
use alloc::format;
use core::cell::RefCell;
use core::num::NonZeroU32;

use super::Random;
use super::checker::{Checker, Kindred, Life};
use super::fault::Fault;
use super::machine::{Abandoned, End, Machine, Outcome};
use super::net::Net;
use super::server::{Name, payload};
use super::sweep::Call;
use super::trace::Who;
use super::work::{Plan, Word};
use crate::buffer::Growing;
use crate::command::{Later, Request, chunked, echo, raw, words};
use crate::conn::{
    Config, Connection, Event, Protocol, Settings, SubmitError, Token, Tracking, TrackingMode,
};
use crate::error::Misuse;
use crate::resp::Digits;
use crate::time::{Duration, Instant};

/// A client of the world.
pub(super) struct Client {
    id: usize,
    machine: Box<dyn Machine>,
    most: usize,
    settings: Settings<'static>,
    pub(super) life: Life,
    up: bool,
    /// When it connects again.
    retry: u64,
    /// Its clock is so much ahead of the world's, and until when its timer is late.
    skew: i64,
    late: u64,
    config: Config,
    subscribes: bool,
    /// How long the value is that is being supplied.
    later: u64,
    /// A transaction that is not ended: its number, and how many requests are to come.
    open: Option<(usize, u64)>,
    pub(super) seen: Seen,
}

const TRACKING: Tracking = Tracking { mode: TrackingMode::Read, no_loop: true };

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    id: usize,
    told: u64,
    /// The last event answers RESET.
    reset: bool,
    /// A request had no answer because the connection is over.
    lost: bool,
    /// Asked after the world has calmed down.
    fresh: Option<u64>,
    pub(super) recovered: bool,
}

impl Client {
    pub(super) fn new(id: usize, random: &mut Random, old: bool, locked: bool) -> Self {
        let mut patience = || Duration::from_millis(random.between(10, 120));
        let config = Config {
            handshake_timeout: patience(),
            reply_timeout: Some(patience()),
            write_timeout: Some(patience()),
            grace: patience(),
            ..Config::default()
        };
        let grace = if random.one_in(6) { Duration::ZERO } else { config.grace };
        // Not by chance of its own, which would change every story.
        let odd = config.handshake_timeout.as_millis() as u32;
        let verify_every = NonZeroU32::new(if odd.is_multiple_of(3) { 1 + odd % 4 } else { 0 });
        let config = Config { grace, verify_every, ..config };
        let (machine, most): (Box<dyn Machine>, usize) = match random.below(4) {
            0..=1 => (Box::new(Connection::<[u8; 512], 3>::new([0; 512], [0; 512], config)), 3),
            2 => (Box::new(Connection::<_, 8>::new(Growing::new(64, 256), Growing::new(64, 512), config)), 8),
            _ => (
                Box::new(Connection::<_, 16>::new(Growing::new(64, 4096), Growing::new(64, 4096), config)),
                16,
            ),
        };
        let protocol = match random.below(4) {
            0 => Some(Protocol::Resp2),
            1 if !old => Some(Protocol::Resp3),
            _ => None,
        };
        let settings = Settings {
            protocol,
            password: locked.then_some("secret"),
            db: random.below(2) as u32,
            name: random.one_in(2).then_some("n"),
            library: random.one_in(2).then_some(("respire", "0")),
            no_evict: random.one_in(8),
            no_touch: random.one_in(8),
            tracking: (random.one_in(8) && !old).then_some(TRACKING),
            ..Settings::default()
        };
        Self {
            id,
            machine,
            most,
            settings,
            life: Life::new(0, Instant::ZERO, &config),
            up: false,
            retry: 0,
            skew: 0,
            late: 0,
            config,
            subscribes: random.one_in(4),
            later: 0,
            open: None,
            seen: Seen { id, ..Seen::default() },
        }
    }

    /// What its clock says.
    fn clock(&self, net: &Net) -> Instant {
        Instant::from_micros(net.now.saturating_add_signed(self.skew))
    }

    /// Sets a clock that went back right: until it has caught up, no time passes for the connection.
    pub(super) fn set_clock(&mut self, net: &Net) {
        let behind = self.life.clock.as_micros().saturating_sub(self.clock(net).as_micros());
        self.skew = self.skew.saturating_add_unsigned(behind);
    }

    /// The same, and the connection is about to hear it.
    fn tell_time(&mut self, net: &Net) -> Instant {
        let now = self.clock(net);
        self.life.clock = self.life.clock.max(now);
        now
    }

    pub(super) fn line(&self) -> Option<usize> {
        self.up.then_some(self.life.line)
    }

    /// When it wants to be called, in the world's time.
    pub(super) fn next_due(&self, now: u64) -> Option<u64> {
        if !self.up {
            return Some(self.retry);
        }
        let at = self.machine.poll_timeout()?.as_micros().saturating_add_signed(self.skew.saturating_neg());
        Some(at.max(self.late).max(now))
    }

    fn note(&self, net: &mut Net, what: &'static str, a: u64, b: u64) {
        net.trace.note(net.now, Who::Client(self.id), what, a, b);
    }

    // The driver.

    /// A turn of the driver. Says whether anything happened.
    pub(super) fn drive(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        if !self.up {
            return self.connect(net, checker);
        }
        let mut did = self.keep_time(net, checker);
        did |= match net.random.below(8) {
            0..=1 => self.write(net, checker),
            2..=3 => self.read(net),
            4 => self.poll(net, checker, 1),
            5 => self.write(net, checker) | self.read(net),
            _ => self.pump(net, checker),
        };
        let some = if net.random.one_in(3) { net.random.below(3) as usize } else { usize::MAX };
        did | self.poll(net, checker, some)
    }

    fn connect(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        if net.now < self.retry {
            return false;
        }
        self.retry = net.now + net.random.between(100, 3000);
        let Ok(line) = net.connect() else {
            self.note(net, "cannot connect", 0, 0);
            return true;
        };
        let now = self.clock(net);
        self.life = Life::new(line, now, &self.config);
        self.up = true;
        self.open = None;
        self.later = 0;
        self.settings.nonce = net.random.one_in(2).then(|| net.random.below(1_000_000));
        if let Some(line) = net.lines.get_mut(line) {
            line.nonce = self.settings.nonce.is_some();
            line.verified = self.config.verify_every.is_some();
        }
        if self.machine.start(now, &self.settings).is_err() {
            checker.flag(|| "the handshake does not fit".into());
        }
        self.note(net, "start", line as u64, 0);
        self.poll(net, checker, usize::MAX)
    }

    fn keep_time(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        let now = self.clock(net);
        let due = self.machine.poll_timeout().is_some_and(|at| at <= now);
        if !due || net.now < self.late {
            return false;
        }
        if net.calls.fails(Call::Timer) || net.hit(Fault::LateTimer) {
            self.late = net.now + net.random.below(50_000);
            return true;
        }
        self.fire(net, checker);
        true
    }

    /// The timer fires, whether it should or not.
    pub(super) fn fire(&mut self, net: &mut Net, checker: &mut Checker) {
        if !self.up {
            return;
        }
        let now = self.tell_time(net);
        let due = self.machine.poll_timeout().is_some_and(|at| at <= now);
        let was_closed = self.machine.is_closed();
        self.note(net, "timer", due.into(), 0);
        self.machine.timeout(now);
        if !due && !was_closed && self.machine.is_closed() {
            checker.flag(|| "an early timer ended the connection".into());
        }
        self.poll(net, checker, usize::MAX);
        checker.timed(&self.life);
        if due && self.up && self.machine.poll_timeout().is_some_and(|at| at <= now) {
            checker.flag(|| "the timer has fired, and wants to at once again".into());
        }
    }

    fn write(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        let ready = self.machine.poll_transmit();
        if ready.is_empty() {
            return false;
        }
        checker.writes(&self.life);
        match net.write(self.life.line, ready) {
            Ok(n) => {
                self.machine.transmitted(n.unwrap_or(0));
                n.is_some()
            }
            Err(_) => {
                self.machine.transport_error();
                true
            }
        }
    }

    fn read(&mut self, net: &mut Net) -> bool {
        let Some(space) = self.machine.recv_space() else { return false };
        match net.read(self.life.line, space) {
            Ok(None) => return false,
            Ok(Some(0)) => self.machine.eof(),
            Ok(Some(n)) => self.machine.received(n),
            Err(_) => self.machine.transport_error(),
        }
        true
    }

    /// A turn of the library's own loop.
    fn pump(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
        let Self { machine, life, seen, .. } = self;
        let line = life.line;
        let told = seen.told;
        let net = RefCell::new(net);
        let mut end = End { net: &net, line };
        let broken = machine.pump(&mut end, &mut |event| {
            let net = &mut **net.borrow_mut();
            seen.tell(life, net, checker, &event);
        });
        let did = broken.is_err() || seen.told > told;
        self.judge_state(checker);
        did
    }

    /// Tells events, at most so many. Says whether there were any.
    fn poll(&mut self, net: &mut Net, checker: &mut Checker, most: usize) -> bool {
        if !self.up {
            return false;
        }
        let before = self.seen.told;
        let mut left = most;
        while let Some(fewer) = left.checked_sub(1) {
            left = fewer;
            let Some(event) = self.machine.poll_event() else {
                self.drained(net, checker);
                break;
            };
            self.seen.tell(&mut self.life, net, checker, &event);
            self.judge_state(checker);
        }
        if self.life.over {
            self.up = false;
            self.note(net, "gone", 0, 0);
            net.release(self.life.line);
            self.retry = net.now + net.random.between(10, 2000);
        }
        self.seen.told > before
    }

    /// Whether the connection is what its last events make of it.
    fn judge_state(&mut self, checker: &mut Checker) {
        let fresh = !self.machine.is_subscribed() && self.machine.protocol() == Protocol::Resp2;
        if core::mem::take(&mut self.seen.reset) && !fresh {
            checker.flag(|| "the server has reset the connection, and the client has not".into());
        }
        if core::mem::take(&mut self.seen.lost) && !self.machine.is_closed() {
            checker.flag(|| "a request was lost on a living connection".into());
        }
    }

    fn drained(&mut self, net: &mut Net, checker: &mut Checker) {
        if let Some(line) = net.lines.get_mut(self.life.line) {
            checker.drained(&mut self.life, line, &*self.machine);
        }
    }

    // The application.

    /// A turn of the application. Says whether anything happened.
    pub(super) fn work(&mut self, net: &mut Net, checker: &mut Checker) -> bool {
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
    pub(super) fn befall(&mut self, net: &mut Net, checker: &mut Checker) {
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
    pub(super) fn end(&mut self, net: &mut Net, checker: &mut Checker) {
        if self.up {
            self.machine.close();
            self.poll(net, checker, usize::MAX);
            if self.up {
                checker.flag(|| "closed, and not over".into());
            }
        }
    }
}

impl Seen {
    /// Has an event judged.
    fn tell(&mut self, life: &mut Life, net: &mut Net, checker: &mut Checker, event: &Event<'_>) {
        self.told += 1;
        let Some(line) = net.lines.get_mut(life.line) else { return };
        let (what, token) = what(event);
        net.trace.note(net.now, Who::Client(self.id), what, token, 0);
        net.trace.say(net.now, Who::Client(self.id), format_args!("  {event:.200?}"));
        checker.told(life, line, event);
        if self.fresh.is_some_and(|fresh| !checker.is_waiting(fresh)) {
            self.recovered |= what == "reply";
            self.fresh = None;
        }
        self.lost |=
            matches!(event, Event::Failed { failure, .. } if Outcome::of_failure(*failure).is_lost());
        self.reset = matches!(*event, Event::Reply { token, reply }
            if checker.is_reset(token) && !reply.kind().is_error());
    }
}

/// An event in a word, and its token.
fn what(event: &Event<'_>) -> (&'static str, u64) {
    match event {
        Event::Ready { .. } => ("ready", 0),
        Event::Reply { token, .. } => ("reply", token.0),
        Event::Part { token, .. } => ("part", token.0),
        Event::Push(_) => ("push told", 0),
        Event::PushTooLarge => ("push too large", 0),
        Event::Failed { token, .. } => ("failed", token.0),
        Event::Closed(_) => ("closed", 0),
    }
}
