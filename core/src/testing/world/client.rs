//! One client: a connection, its driver, and an application that wants things of it.

mod application;

use alloc::boxed::Box;
use core::cell::RefCell;
use core::num::NonZeroU32;

use super::Random;
use super::checker::{Checker, Life};
use super::fault::Fault;
use super::machine::{End, Machine, Outcome};
use super::net::Net;
use super::sweep::Call;
use super::trace::Who;
use crate::buffer::Growing;
use crate::conn::{Config, Connection, Event, Protocol, Settings, Tracking, TrackingMode};
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
