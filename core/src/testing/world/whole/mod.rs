//! The world around a whole client: an engine with all its connections, in the same lines and before the same server.

mod app;
mod judge;
mod listener;
mod loads;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use app::App;
use judge::Judge;
use listener::Listener;
use loads::Loads;

use super::fault::{Fault, Faults};
use super::net::Net;
use super::report::{Mode, Options, Report};
use super::sweep::Calls;
use crate::conn::Settings;
use crate::engine::{Action, Engine, Event, Heap, Life};
use crate::pool::{DialCode, Id};
use crate::time::Instant;

/// Plays one seed with an [`Engine`] as the client.
#[must_use]
pub fn run_engine(options: &Options) -> Report {
    Whole::new(options, 0).play().0
}

/// The end of the transcript of a seed with an [`Engine`].
#[must_use]
pub fn engine_transcript(options: &Options, lines: usize) -> String {
    let mut text = String::new();
    for line in Whole::new(options, lines).play().1 {
        text += &line;
        text.push('\n');
    }
    text
}

/// How many requests a connection has in flight.
const IN_FLIGHT: usize = 8;

pub(super) type WholeEngine = Engine<Heap, IN_FLIGHT>;

/// All there is.
struct Whole {
    options: Options,
    net: Net,
    engine: WholeEngine,
    /// Which line a connection is on, by its place.
    lines: Vec<Option<(Id, usize)>>,
    /// By the same index: what is to be written there was told.
    unsent: Vec<bool>,
    settings: Settings<'static>,
    /// Numbers among the requests must come back.
    verified: bool,
    app: App,
    listener: Listener,
    loads: Option<Loads>,
    judge: Judge,
    /// The timer is late until then.
    late: u64,
}

/// What nobody can tell from an answer.
const NOT: [Fault; 3] = [Fault::Stray, Fault::LastWord, Fault::Shift];

/// How many steps may pass until everything has recovered.
const RECOVERY: u32 = 6000;

impl Whole {
    fn new(options: &Options, keep: usize) -> Self {
        let allowed = NOT.iter().fold(options.faults, |faults, &fault| faults.without(fault));
        let mut net = Net::new(options.seed, allowed, keep);
        net.calls = Calls::default();
        let (config, memory) = app::config(&mut net);
        let settings = Settings {
            password: net.server.locked.then_some("secret"),
            nonce: net.random.one_in(2).then_some(7),
            ..Settings::NONE
        };
        let now = Instant::from_micros(net.now);
        let engine = Engine::new(memory, &config, now);
        let lines = alloc::vec![None; memory.connections];
        let unsent = alloc::vec![false; memory.connections];
        let judge = Judge::new(&config, now);
        let app = App::new(&mut net, config);
        let verified = config.connection.verify_every.is_some();
        let listener = Listener::new(memory.subscriptions);
        let is_certain = app.leaves_one(memory.connections, memory.subscriptions);
        let loads = net.random.one_in(3).then(|| Loads::new(&mut net, is_certain));
        Self {
            options: *options,
            net,
            engine,
            lines,
            unsent,
            settings,
            verified,
            app,
            listener,
            loads,
            judge,
            late: 0,
        }
    }

    fn play(mut self) -> (Report, VecDeque<String>) {
        for _ in 0..self.options.steps {
            if self.is_wrong() {
                break;
            }
            self.step(true);
        }
        if self.options.mode == Mode::Liveness && !self.is_wrong() {
            self.recover();
        }
        if !self.is_wrong() {
            self.end();
        }
        let Self { options, net, judge, .. } = self;
        let report = Report {
            options,
            hash: net.trace.hash(),
            requests: judge.requests(),
            connections: net.lines.len() as u64,
            faults: net.swarm.counts,
            outcomes: judge.outcomes,
            wrong: judge.wrong,
        };
        (report, net.trace.into_lines())
    }

    fn is_wrong(&mut self) -> bool {
        if let Some(line) = self.net.garbled {
            self.judge.flag(|| alloc::format!("the server cannot read what was sent on line {line}"));
        }
        self.judge.wrong.is_some()
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.net.now)
    }

    fn step(&mut self, works: bool) {
        if !works {
            self.app.release_all(&mut self.engine, Instant::from_micros(self.net.now));
        }
        self.net.now += self.net.random.below(60);
        let line = self.any_line();
        self.net.befall(line.map(|(_, line)| line));
        let did = match self.net.random.below(16) {
            0..=5 => self.drive(line),
            6..=9 => line.is_some_and(|(_, line)| self.net.serve(line)),
            10 => {
                let count = self.net.lines.len() as u64;
                let line = self.net.random.below(count.max(1)) as usize;
                self.net.serve(line)
            }
            11..=12 => self.tell(usize::MAX),
            13 if works => self.listener.work(&mut self.net, &mut self.engine),
            14 if works && self.loads.is_some() => {
                let loads = self.loads.as_mut();
                loads.is_some_and(|loads| loads.work(&mut self.net, &mut self.engine, &mut self.judge))
            }
            _ if works => self.app.work(&mut self.net, &mut self.engine, &mut self.judge),
            _ => self.tell(usize::MAX),
        };
        let some = self.net.random.below(4) as usize;
        let told = self.tell(some);
        let timed = self.keep_time();
        if !did && !told && !timed && self.net.random.one_in(8) {
            self.leap();
        }
    }

    fn any_line(&mut self) -> Option<(Id, usize)> {
        let live: Vec<_> = self.lines.iter().flatten().copied().collect();
        live.get(self.net.random.below(live.len() as u64) as usize).copied()
    }

    /// Events, at most so many, and then batches and actions.
    fn tell(&mut self, most: usize) -> bool {
        let now = self.now();
        let mut did = false;
        for _ in 0..most {
            let Some(event) = self.engine.poll_event(now) else {
                // It may have wished for something, or given it back.
                let loads = self.loads.as_mut();
                if loads.is_some_and(|loads| loads.turn(&mut self.engine, now, &mut self.judge)) {
                    continue;
                }
                break;
            };
            did = true;
            match event {
                Event::Reply { token, reply } => self.judge.reply(token.0, reply),
                Event::Failed { token, failed } => {
                    let loads = self.loads.as_mut();
                    if !loads.is_some_and(|loads| loads.handle_failed(now, token, &failed)) {
                        self.judge.failed(token.0, &failed);
                    }
                }
                Event::Leased { token, lease } => {
                    let loads = self.loads.as_mut();
                    if loads.is_some_and(|loads| loads.handle_leased(now, token, lease)) {
                        continue;
                    }
                    let line = self.lines.get(lease.id().index()).copied().flatten().map(|(_, line)| line);
                    self.judge.leased(token.0);
                    self.app.leased(lease, line, &self.net, &mut self.engine, &mut self.judge);
                }
                Event::Subscription(event) => self.listener.happened(&event, &mut self.judge),
                Event::Message { kind, pattern, channel, payload, .. } => {
                    self.listener.hear(kind, pattern, channel, payload, &mut self.judge);
                }
                Event::Push(_) => {}
            }
        }
        if most == usize::MAX {
            while let Some(action) = self.engine.poll_action(now) {
                did = true;
                self.act(action);
            }
        }
        let wishes = self.loads.as_ref().is_some_and(Loads::is_waiting);
        self.judge.balanced(&self.engine, usize::from(wishes), now);
        did
    }

    /// When anything is due.
    fn due(&self) -> Instant {
        let loads = self.loads.as_ref().map_or(Instant::MAX, Loads::poll_timeout);
        self.engine.poll_timeout().min(loads)
    }

    fn act(&mut self, action: Action) {
        let now = self.now();
        match action {
            Action::Open { id, .. } => match self.net.connect() {
                Ok(line) => {
                    let nonce = self.settings.nonce.is_some();
                    if let Some(line) = self.net.lines.get_mut(line) {
                        (line.nonce, line.verified) = (nonce, self.verified);
                    }
                    match self.lines.get_mut(id.index()) {
                        Some(place @ None) => *place = Some((id, line)),
                        _ => self.judge.flag(|| "two connections in one place".into()),
                    }
                    if self.engine.handle_connected(now, id, &self.settings).is_err() {
                        self.judge.flag(|| "the handshake does not fit".into());
                    }
                }
                Err(_) => self.engine.handle_connect_failed(now, id, DialCode(1)),
            },
            Action::Close(id) => {
                if let Some((_, line)) = self.lines.get_mut(id.index()).and_then(Option::take) {
                    self.net.release(line);
                }
            }
        }
    }

    /// Moves bytes of one connection.
    fn drive(&mut self, line: Option<(Id, usize)>) -> bool {
        let Some((id, line)) = line else { return self.tell(usize::MAX) };
        let mut did = false;
        while let Some(id) = self.engine.poll_unsent() {
            self.unsent.iter_mut().skip(id.index()).take(1).for_each(|told| *told = true);
        }
        let ready = self.engine.poll_transmit(id);
        let was_told =
            self.unsent.get_mut(id.index()).is_none_or(|told| core::mem::replace(told, !ready.is_empty()));
        if !ready.is_empty() {
            if !was_told {
                self.judge.flag(|| "bytes to be written of which nobody was told".into());
            }
            match self.net.write(line, ready) {
                Ok(Some(n)) => {
                    self.engine.handle_transmitted(id, n);
                    did = true;
                }
                Ok(None) => {}
                Err(_) => {
                    self.engine.handle_transport_error(id);
                    return true;
                }
            }
        }
        let Some(space) = self.engine.recv_space(id) else { return did };
        match self.net.read(line, space) {
            Ok(None) => return did,
            Ok(Some(0)) => self.engine.handle_eof(id),
            Ok(Some(n)) => self.engine.handle_received(id, n),
            Err(_) => self.engine.handle_transport_error(id),
        }
        true
    }

    fn keep_time(&mut self) -> bool {
        let now = self.now();
        if now < self.due() && !self.net.hit(Fault::EarlyTimer) || self.net.now < self.late {
            return false;
        }
        if self.net.hit(Fault::LateTimer) {
            self.late = self.net.now + self.net.random.below(50_000);
            return false;
        }
        self.engine.handle_timeout(now);
        self.tell(usize::MAX);
        if self.due() <= now {
            self.engine.handle_timeout(now);
            self.tell(usize::MAX);
            let due = self.due();
            if due <= now {
                self.judge.flag(|| {
                    alloc::format!(
                        "the timer has fired twice, and wants to at once again: {due:?} {:?} {:?}",
                        self.loads,
                        self.engine
                    )
                });
            }
        }
        true
    }

    /// Nothing happens until then.
    fn leap(&mut self) {
        let now = self.net.now;
        let due = self.due();
        let timer = (due != Instant::MAX).then_some(due.as_micros().max(self.late));
        let next = timer.into_iter().chain(self.net.next_due()).min();
        let most = if self.net.is_awaited() { now + 500 } else { u64::MAX };
        self.net.now = next.unwrap_or(now + 1000).clamp(now + 1, most);
    }

    /// Nothing goes wrong any more: all that was asked is told, and what is asked now is answered.
    fn recover(&mut self) {
        self.net.calm_down();
        let mut fresh = None;
        for _ in 0..RECOVERY {
            if self.is_wrong() {
                return;
            }
            if fresh.is_none() {
                fresh = self.app.ask_plainly(&mut self.net, &mut self.engine, &mut self.judge);
            }
            let loads = self.loads.as_mut().filter(|loads| loads.is_certain && !loads.is_idle());
            let is_loading = loads.map(Loads::flush).is_some();
            let all_told = !is_loading
                && fresh.is_some_and(|token| self.judge.is_answered(token))
                && self.judge.waiting() == 0;
            if all_told && self.listener.hears_all(&mut self.net, &self.engine) {
                return;
            }
            match fresh {
                Some(token) if self.judge.is_answered(token) => {}
                // It fails while the pool still thinks that nobody is there.
                Some(token) if self.judge.is_over(token) => fresh = None,
                _ => {}
            }
            self.step(false);
        }
        let waiting = self.judge.waiting();
        let (listener, loads, engine) = (&self.listener, &self.loads, &self.engine);
        self.judge
            .flag(|| alloc::format!("not recovered: {waiting} wait, {listener:?}, {loads:?}, {engine:?}"));
    }

    /// The client is closed, and the server does what it can still do.
    fn end(&mut self) {
        self.net.calm_down();
        let now = self.now();
        if let Some(loads) = self.loads.as_mut().filter(|_| self.net.random.one_in(2)) {
            loads.close(&mut self.engine, now);
        }
        self.engine.close(now);
        self.listener.close();
        for _ in 0..RECOVERY {
            if self.is_wrong() || self.engine.life() == Life::Closed {
                break;
            }
            self.step(false);
        }
        self.tell(usize::MAX);
        if self.engine.life() != Life::Closed {
            self.judge.flag(|| alloc::format!("it does not end: {:?}", self.engine));
        }
        if let Some(loads) = self.loads.as_ref().filter(|loads| !loads.is_over() || !loads.is_idle()) {
            self.judge.flag(|| alloc::format!("it still loads: {loads:?}"));
        }
        if self.lines.iter().any(Option::is_some) {
            self.judge.flag(|| "a connection was left open".into());
        }
        for line in 0..self.net.lines.len() {
            for _ in 0..64 {
                if !self.net.serve(line) {
                    match self.net.next_due() {
                        Some(due) => self.net.now = due,
                        None => break,
                    }
                }
            }
        }
        if !self.is_wrong() {
            self.judge.finish(&self.net.server);
        }
    }
}

/// Every fault that a whole client can be judged under.
#[must_use]
pub fn engine_faults() -> Faults {
    NOT.iter().fold(Faults::ALL, |faults, &fault| faults.without(fault))
}
