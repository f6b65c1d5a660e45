//! The world's loop: in each step it is somebody's turn.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::checker::Checker;
use super::client::Client;
use super::net::Net;
use super::report::{Mode, Options, Report};
use super::sweep::Calls;

/// Plays one seed.
#[must_use]
pub fn run(options: &Options) -> Report {
    World::new(options, 0, Calls::default()).play().0
}

/// All there is.
pub(super) struct World {
    options: Options,
    net: Net,
    clients: Vec<Client>,
    checker: Checker,
    /// Steps in a row in which nothing happened.
    idle: u32,
}

/// How many steps may pass until everybody has recovered.
const RECOVERY: u32 = 4000;

impl World {
    /// Keeps so many of the last lines of its transcript.
    pub(super) fn new(options: &Options, keep: usize, calls: Calls) -> Self {
        let mut net = Net::new(options.seed, options.faults, keep);
        net.calls = calls;
        let count = 1 + net.random.below(3) as usize;
        let (old, locked) = (net.server.old, net.server.locked);
        let clients = (0..count).map(|id| Client::new(id, &mut net.random, old, locked)).collect();
        Self { options: *options, net, clients, checker: Checker::default(), idle: 0 }
    }

    pub(super) fn play(mut self) -> (Report, VecDeque<String>, Calls) {
        for _ in 0..self.options.steps {
            if self.is_wrong() {
                break;
            }
            self.step();
        }
        if self.options.mode == Mode::Liveness && !self.is_wrong() {
            self.recover();
        }
        if !self.is_wrong() {
            self.end();
        }
        let Self { options, net, checker, .. } = self;
        let report = Report {
            options,
            hash: net.trace.hash(),
            requests: checker.next_token(),
            connections: net.lines.len() as u64,
            faults: net.swarm.counts,
            outcomes: checker.outcomes,
            wrong: checker.wrong,
        };
        (report, net.trace.into_lines(), net.calls)
    }

    fn is_wrong(&mut self) -> bool {
        if let Some(line) = self.net.garbled {
            self.checker.flag(|| alloc::format!("the server cannot read what was sent on line {line}"));
        }
        self.checker.wrong.is_some()
    }

    fn step(&mut self) {
        let Self { net, clients, checker, .. } = self;
        net.now += net.random.below(60);
        let who = net.random.below(clients.len() as u64) as usize;
        let Some(client) = clients.get_mut(who) else { return };
        net.befall(client.line());
        if !net.swarm.calm {
            client.befall(net, checker);
        }
        let did = match net.random.below(16) {
            0..=6 => client.drive(net, checker),
            7..=9 => client.line().is_some_and(|line| net.serve(line)),
            10 => {
                // One that may have been let go. The newest are those that live.
                let back = net.random.below(net.lines.len().min(6) as u64) as usize;
                let line = net.lines.len().checked_sub(back + 1);
                line.is_some_and(|line| net.serve(line))
            }
            _ => client.work(net, checker),
        };
        self.idle = if did { 0 } else { self.idle + 1 };
        if self.idle > 12 {
            self.idle = 0;
            self.leap();
        }
    }

    /// Nothing happens until then.
    fn leap(&mut self) {
        let now = self.net.now;
        let clients = self.clients.iter().filter_map(|client| client.next_due(now));
        let next = clients.chain(self.net.next_due()).min();
        let most = if self.net.is_awaited() { now + 500 } else { u64::MAX };
        self.net.now = next.unwrap_or(now + 1000).clamp(now + 1, most);
    }

    fn recover(&mut self) {
        self.net.calm_down();
        self.clients.iter_mut().for_each(|client| client.set_clock(&self.net));
        for _ in 0..RECOVERY {
            if self.is_wrong() || self.clients.iter().all(|client| client.seen.recovered) {
                return;
            }
            self.step();
        }
        self.checker.flag(|| "not everybody has recovered".into());
    }

    /// Everybody leaves, and the server does what it can still do.
    fn end(&mut self) {
        let Self { net, clients, checker, .. } = self;
        for client in clients {
            client.end(net, checker);
        }
        net.swarm.calm = true;
        for line in 0..net.lines.len() {
            if let Some(line) = net.lines.get_mut(line) {
                line.stalled = 0;
            }
            for _ in 0..64 {
                if !net.serve(line) {
                    match net.next_due() {
                        Some(due) => net.now = due,
                        None => break,
                    }
                }
            }
        }
        if !self.is_wrong() {
            self.checker.finish(&self.net.server);
        }
    }
}
