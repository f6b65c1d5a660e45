//! The server and all that lies between it and its clients, in virtual time.

use alloc::vec::Vec;

use super::Random;
use super::fault::{Fault, Faults, Swarm};
use super::line::{Did, Line, Owner, Tag};
use super::server::{Ask, Done, Phase, Say, Server, Verb};
use super::sweep::{Call, Calls};
use super::trace::{EPOCH, Trace, Who};
use crate::resp::Kind;

/// The connection is reset, or was never made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Broken;

/// Everything but the clients.
#[derive(Debug)]
pub(super) struct Net {
    /// Microseconds.
    pub(super) now: u64,
    pub(super) random: Random,
    pub(super) swarm: Swarm,
    pub(super) trace: Trace,
    pub(super) server: Server,
    pub(super) lines: Vec<Line>,
    /// Where an answer is written before it is sent.
    pub(super) scratch: Vec<u8>,
    /// A client sent what nobody can read, on this line.
    pub(super) garbled: Option<usize>,
    /// Which call fails.
    pub(super) calls: Calls,
}

impl Net {
    pub(super) fn new(seed: u64, allowed: Faults, keep: usize) -> Self {
        let mut random = Random::new(seed);
        let swarm = Swarm::draw(&mut random, allowed);
        let server = Server::new(random.one_in(6), random.one_in(5));
        Self {
            now: EPOCH,
            random,
            swarm,
            trace: Trace::new(keep),
            server,
            lines: Vec::new(),
            scratch: Vec::new(),
            garbled: None,
            calls: Calls::default(),
        }
    }

    /// Whether a fault happens now.
    pub(super) fn hit(&mut self, fault: Fault) -> bool {
        self.swarm.hit(fault)
    }

    fn note(&mut self, line: usize, what: &'static str, a: u64, b: u64) {
        self.trace.note(self.now, Who::Line(line), what, a, b);
    }

    // The client's end.

    /// A new connection.
    pub(super) fn connect(&mut self) -> Result<usize, Broken> {
        if self.calls.fails(Call::Connect) || self.hit(Fault::ConnectRefused) {
            return Err(Broken);
        }
        let id = self.lines.len();
        let window = if self.hit(Fault::TinyWindow) { 1 + self.random.below(16) as usize } else { 4096 };
        let mut line = Line { window, held: true, ..Line::default() };
        if self.hit(Fault::CutAt) {
            let at = Some(1 + self.random.below(300));
            if self.random.one_in(2) { line.up.cut = at } else { line.down.cut = at }
        }
        line.mute = self.hit(Fault::Mute);
        self.lines.push(line);
        self.note(id, "accepted", window as u64, 0);
        if self.hit(Fault::MaxClients) {
            self.last_word(id, b"ERR max number of clients reached");
        } else if self.hit(Fault::Denied) {
            self.last_word(id, b"DENIED Redis is running in protected mode");
        }
        Ok(id)
    }

    /// Writes what the line takes.
    pub(super) fn write(&mut self, id: usize, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        let split = self.hit(Fault::Split);
        let piece = if split { self.random.piece(bytes.len()) } else { bytes.len() };
        let due = self.due();
        let failed = self.calls.fails(Call::Write);
        let Some(line) = self.lines.get_mut(id) else { return Err(Broken) };
        if failed {
            line.reset(false);
        }
        if line.broken {
            return Err(Broken);
        }
        if line.finished {
            // What is sent to a closed socket is answered by a reset.
            line.reset(true);
            return Ok(Some(bytes.len()));
        }
        let room = line.window.saturating_sub(line.up.len());
        let (n, cut) = line.up.until_cut(line.up.len() + piece.min(room));
        let n = n.saturating_sub(line.up.len());
        line.up.put(bytes.get(..n).unwrap_or_default(), due);
        if cut {
            // Some of what is on its way arrives all the same.
            line.reset(false);
        }
        if n > 0 || cut {
            self.note(id, "sent up", n as u64, cut.into());
        }
        if cut && n == 0 { Err(Broken) } else { Ok((n > 0).then_some(n)) }
    }

    /// Reads what has come.
    pub(super) fn read(&mut self, id: usize, to: &mut [u8]) -> Result<Option<usize>, Broken> {
        let split = self.hit(Fault::Split);
        let piece = if split { self.random.piece(to.len()) } else { to.len() };
        let (failed, ended) = (self.calls.fails(Call::Read), self.calls.fails(Call::End));
        let now = self.now;
        let Some(line) = self.lines.get_mut(id) else { return Err(Broken) };
        if failed {
            line.reset(false);
        }
        if ended {
            line.down.lose();
            line.finish();
        }
        if line.vanishes {
            return Ok(None);
        }
        let n = line.down.ready(now).min(piece);
        if n == 0 {
            return match (line.broken, line.finished && line.down.is_empty()) {
                (true, _) => Err(Broken),
                (_, true) => Ok(Some(0)),
                _ => Ok(None),
            };
        }
        let (n, cut) = line.down.until_cut(n);
        line.down.take(to.get_mut(..n).unwrap_or_default());
        if cut {
            line.reset(false);
        }
        self.note(id, "read", n as u64, cut.into());
        if n == 0 { Err(Broken) } else { Ok(Some(n)) }
    }

    /// The client lets go of its end.
    pub(super) fn release(&mut self, id: usize) {
        let lives_on = self.hit(Fault::Ghost);
        let loses = self.random.one_in(2);
        let Some(line) = self.lines.get_mut(id) else { return };
        line.held = false;
        line.down.lose();
        if loses && !lives_on {
            line.up.lose();
        }
        self.note(id, "let go", lives_on.into(), 0);
    }

    // The server's end.

    /// The server takes its turn with one connection. Says whether anything happened.
    pub(super) fn serve(&mut self, id: usize) -> bool {
        let slow = self.hit(Fault::Slow);
        let piece = if self.hit(Fault::Split) { self.random.piece(64) } else { usize::MAX };
        let now = self.now;
        self.server.pass(now);
        let Some(line) = self.lines.get_mut(id) else { return false };
        if line.stalled > now || line.is_done() || line.mute {
            return false;
        }
        let n = line.up.ready(now).min(piece);
        let Line { up, session, .. } = line;
        up.take_into(n, &mut session.inbox);
        let most = if slow { 1 } else { 8 };
        let mut did = n > 0;
        for _ in 0..most {
            did |= match self.execute_next(id) {
                true => true,
                false => break,
            };
        }
        if slow && let Some(line) = self.lines.get_mut(id) {
            line.stalled = now + 2000;
        }
        did
    }

    fn execute_next(&mut self, id: usize) -> bool {
        let Some(line) = self.lines.get_mut(id) else { return false };
        // A server that is not read does not read.
        if line.down.len() > 4096 {
            return false;
        }
        let ask = match line.session.blocked {
            Some((_, until)) if until > self.now => return false,
            Some((ask, _)) => Some(ask),
            None => line.session.next(),
        };
        if line.session.garbled {
            self.garbled = self.garbled.or(Some(id));
            return false;
        }
        let Some(ask) = ask else { return false };
        self.push_sometimes(id);
        self.execute(id, ask);
        self.push_sometimes(id);
        true
    }

    fn execute(&mut self, id: usize, ask: Ask) {
        let Some(line) = self.lines.get_mut(id) else { return };
        self.scratch.clear();
        let mut say = Say::new(&mut self.scratch, line.session.resp3);
        let done = self.server.execute(&mut line.session, ask, self.now, &mut say);
        let digest = say.digest.finish();
        let over = line.session.over;
        match done {
            Err(until) => {
                line.session.blocked = Some((ask, until));
                self.note(id, "blocks", ask.token.unwrap_or(0), until - self.now);
            }
            Ok(done) => {
                line.session.blocked = None;
                self.trace.note(self.now, Who::Line(id), "executed", ask.token.unwrap_or(0), ask.verb as u64);
                self.trace.say(self.now, Who::Line(id), format_args!("  {:?} {:?}", ask.verb, done.did));
                if ask.topics != 0 {
                    self.trace.say(self.now, Who::Line(id), format_args!("  topics {:#b}", ask.topics));
                }
                self.answer(id, ask, done, digest);
            }
        }
        if over && let Some(line) = self.lines.get_mut(id) {
            line.finished = true;
        }
    }

    /// Sends the answer that was written, or what spoils it.
    fn answer(&mut self, id: usize, ask: Ask, done: Done, digest: u64) {
        let answers = matches!(done.owner, Owner::Answer(_)) && done.did == Did::Ran;
        if answers && ask.verb == Verb::Eval && self.hit(Fault::HugeLength) {
            let resp3 = self.lines.get(id).is_some_and(|line| line.session.resp3);
            // 2^32 and 3 more, then three bytes: what 32 bits make of it is a whole answer.
            self.scratch.clear();
            self.scratch.extend_from_slice(b"$4294967299\r\nabc\r\n");
            return self.send(id, Owner::Poison, Did::Ran, u64::from(resp3));
        }
        if answers && ask.verb == Verb::Eval && self.hit(Fault::PushInside) {
            let text = core::mem::take(&mut self.scratch);
            self.scratch.extend_from_slice(b"*2\r\n>2\r\n+message\r\n+x\r\n");
            self.scratch.extend_from_slice(&text);
            return self.send(id, Owner::Poison, Did::Ran, 1);
        }
        if done.owner == Owner::Handshake && self.shifts(id) {
            // A second ECHO is behind the end: it would be an answer to nothing.
            if ask.verb == Verb::Echo || self.random.one_in(2) {
                return self.note(id, "left out", 0, 0);
            }
            self.send(id, done.owner, done.did, digest);
        }
        self.send(id, done.owner, done.did, digest);
    }

    /// Whether something is wrong with this answer of the handshake: once, where it can be noticed.
    fn shifts(&mut self, id: usize) -> bool {
        if !self.lines.get(id).is_some_and(|line| line.nonce && !line.shifted) {
            return false;
        }
        let hit = self.hit(Fault::Shift);
        if hit && let Some(line) = self.lines.get_mut(id) {
            line.shifted = true;
        }
        hit
    }

    /// Sends what was written down the line.
    pub(super) fn send(&mut self, id: usize, owner: Owner, did: Did, digest: u64) {
        let due = self.due();
        let Some(line) = self.lines.get_mut(id) else { return };
        if line.broken || !line.held {
            return;
        }
        line.down.put(&self.scratch, due);
        let end = line.down.put_total();
        line.spoilt |= owner == Owner::Poison;
        line.tags.push_back(Tag { end, owner, did, digest });
        let n = self.scratch.len() as u64;
        self.note(id, "sent down", end, n);
    }

    fn push_sometimes(&mut self, id: usize) {
        let hears = self.lines.get(id).is_some_and(|line| line.session.hears());
        if hears && self.hit(Fault::Push) {
            self.push(id);
        }
    }

    /// The server says something on its own account.
    pub(super) fn push(&mut self, id: usize) {
        let Some(line) = self.lines.get(id).filter(|line| line.session.hears() && !line.is_done()) else {
            return;
        };
        let body = [b'p'; 200];
        let len = if self.random.one_in(8) { 200 } else { 6 };
        let number = self.now % 1_000_000;
        self.scratch.clear();
        let mut say = Say::new(&mut self.scratch, line.session.resp3);
        say.open(Kind::Push, 3);
        say.bulk(b"message");
        say.integer(number);
        say.bulk(body.get(..len).unwrap_or_default());
        let digest = say.digest.finish();
        self.send(id, Owner::Push, Did::Ran, digest);
    }

    /// An error instead of the next answer, and the end.
    pub(super) fn last_word(&mut self, id: usize, text: &[u8]) {
        self.scratch.clear();
        let mut say = Say::new(&mut self.scratch, false);
        say.error(text);
        let digest = say.digest.finish();
        self.send(id, Owner::LastWord, Did::Refused, digest);
        if let Some(line) = self.lines.get_mut(id) {
            line.finish();
        }
    }

    /// Something that nobody asked for.
    pub(super) fn stray(&mut self, id: usize) {
        let error = self.random.one_in(2);
        self.scratch.clear();
        let mut say = Say::new(&mut self.scratch, false);
        if error {
            say.error(b"ERR stray");
        } else {
            say.simple(b"OK");
        }
        let now = self.now;
        if let Some(line) = self.lines.get_mut(id) {
            line.down.put(&self.scratch, now);
            let end = line.down.put_total();
            line.spoilt = true;
            line.tags.push_back(Tag { end, owner: Owner::Stray, did: Did::Refused, digest: 0 });
        }
        self.note(id, "stray", error.into(), 0);
    }

    /// What befalls the server, or the line of one client.
    pub(super) fn befall(&mut self, id: Option<usize>) {
        if self.swarm.calm {
            return;
        }
        let phases = [
            (Fault::Loading, Phase::Loading),
            (Fault::Busy, Phase::Busy),
            (Fault::ReadOnly, Phase::ReadOnly),
            (Fault::MasterDown, Phase::MasterDown),
        ];
        for (fault, phase) in phases {
            if self.hit(fault) {
                self.server.phase = phase;
                self.server.phase_until = self.now + self.random.below(30_000);
                self.trace.note(self.now, Who::World, fault.name(), 0, 0);
            }
        }
        let (kept, lost) = (self.hit(Fault::RestartKept), self.hit(Fault::RestartLost));
        if kept || lost {
            self.server.restart(lost);
            let all = self.random.one_in(2);
            for line in self.lines.iter_mut().filter(|line| !line.is_done()) {
                if all { line.reset(true) } else { line.finish() }
            }
            self.trace.note(self.now, Who::World, "restart", lost.into(), all.into());
        }
        let Some(id) = id.filter(|&id| self.lines.get(id).is_some_and(|line| line.held)) else { return };
        if self.hit(Fault::Eof) {
            self.strike(id, "end of stream", Line::finish);
        }
        if self.hit(Fault::Rst) {
            let all = self.random.one_in(2);
            self.strike(id, "reset", |line| line.reset(all));
        }
        if self.hit(Fault::HalfOpen) {
            self.strike(id, "half open", |line| line.vanishes = true);
        }
        if self.hit(Fault::Stall) {
            let until = self.now + self.random.below(60_000);
            self.strike(id, "stall", |line| line.stalled = until);
        }
        if self.hit(Fault::Touch) {
            self.strike(id, "touch", |line| _ = line.session.touch());
        }
        // An error is a good answer to a number: nobody knows whether it was the last word.
        let quiet = |line: &Line| {
            !line.is_done() && !line.finished && line.session.blocked.is_none() && !line.verified
        };
        if self.hit(Fault::LastWord) && self.lines.get(id).is_some_and(quiet) {
            self.last_word(id, b"ERR Protocol error: world");
        }
        if self.hit(Fault::Push) {
            self.push(id);
        }
    }

    fn strike(&mut self, id: usize, what: &'static str, how: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.get_mut(id) {
            how(line);
        }
        self.note(id, what, 0, 0);
    }

    /// Nothing goes wrong from now on, and what is hopeless is ended as an operating system does in time.
    pub(super) fn calm_down(&mut self) {
        self.swarm.calm = true;
        self.server.phase = Phase::Fine;
        for line in &mut self.lines {
            line.stalled = 0;
            line.window = line.window.max(64);
            line.up.cut = None;
            line.down.cut = None;
            if line.vanishes || line.mute {
                line.vanishes = false;
                line.reset(true);
            }
        }
        self.trace.note(self.now, Who::World, "calm", 0, 0);
    }

    /// When the next byte arrives, or the server goes on.
    pub(super) fn next_due(&self) -> Option<u64> {
        let later = |at: u64| (at > self.now).then_some(at);
        let of_line = |line: &Line| {
            if line.is_done() && !line.held || line.vanishes {
                return None;
            }
            let up = line.up.next_due().filter(|_| !line.session.over && !line.mute);
            let blocked = line.session.blocked.map(|(_, until)| until);
            let times = [up, line.down.next_due(), blocked, Some(line.stalled)];
            times.into_iter().flatten().filter_map(later).min()
        };
        self.lines.iter().filter_map(of_line).min()
    }

    /// Whether bytes have come that somebody could read at once.
    pub(super) fn is_awaited(&mut self) -> bool {
        let now = self.now;
        self.lines.iter_mut().any(|line| {
            let server =
                line.stalled <= now && !line.mute && !line.is_done() && line.session.blocked.is_none();
            let client = line.held && !line.vanishes;
            server && line.up.ready(now) > 0 || client && line.down.ready(now) > 0
        })
    }

    /// When bytes that are sent now arrive.
    fn due(&mut self) -> u64 {
        let long = self.hit(Fault::Delay);
        self.now + if long { self.random.below(80_000) } else { self.random.below(200) }
    }
}
