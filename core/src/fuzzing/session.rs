//! A connection through any order of calls: what goes in as a token comes out as that token.

use alloc::vec::Vec;

use super::world::{LARGE, STYLES, Wish, World};
use crate::buffer::{Growing, Storage};
use crate::command::{Later, Request, chunked, raw, words};
use crate::conn::{Config, Connection, Failure, Protocol, Settings, Token};
use crate::resp::Encoder;
use crate::time::{Duration, Instant};

/// Plays `data` as calls of an application, a driver and a server.
///
/// # Panics
/// If a request is not resolved exactly once, with its own answer.
pub fn session(data: &[u8]) {
    let (&first, ops) = data.split_first().unwrap_or((&0, &[]));
    let patience = Duration::from_millis(40);
    let grace = if first / 2 % 2 == 0 { Duration::ZERO } else { patience / 2 };
    let config =
        Config { reply_timeout: Some(patience), write_timeout: Some(patience), grace, ..Config::default() };
    if first % 2 == 0 {
        let memory = || Growing::new(64, 4096);
        Player::new(Connection::new(memory(), memory(), config), first, false).play(ops);
    } else {
        Player::new(Connection::new([0; 128], [0; 128], config), first, true).play(ops);
    }
}

struct Player<S: Storage> {
    connection: Connection<S, 6>,
    world: World,
    now: Instant,
    /// Decides what kind of life the next one is.
    lives: u8,
    small: bool,
    token: u64,
    /// How many bytes the newest request left for later.
    later: u8,
    pushes: u64,
}

impl<S: Storage> Player<S> {
    fn new(connection: Connection<S, 6>, lives: u8, small: bool) -> Self {
        let world = World::default();
        Self { connection, world, now: Instant::ZERO, lives, small, token: 0, later: 0, pushes: 0 }
    }

    fn play(mut self, ops: &[u8]) {
        self.start();
        for &op in ops {
            self.op(op % 16, op / 16);
        }
        self.end();
    }

    fn op(&mut self, op: u8, arg: u8) {
        match op {
            0..=2 => self.submit(Wish {
                style: if op == 2 { LARGE + arg % 6 } else { arg % STYLES },
                chunked: if op == 2 { arg / 6 > 0 } else { op == 0 && arg >= STYLES },
                later: (op == 2 && arg / 6 > 1 || op == 1 && arg >= STYLES)
                    .then_some((self.token as u8).wrapping_mul(37)),
            }),
            3 => self.abandon(arg.into()),
            4 => self.transmit(1 + usize::from(arg)),
            5 if arg % 2 == 1 => self.supply(usize::from(arg) * 4),
            5 => self.transmit(usize::MAX),
            6..=7 => (0..=arg % 4).for_each(|_| self.world.answer()),
            8..=9 => self.feed(1 + usize::from(arg)),
            10 => self.feed(usize::MAX),
            11 => {
                self.pushes += 1;
                self.world.push(self.pushes, arg % 4 == 3);
            }
            12 => {
                self.poll();
            }
            13 => self.drain(),
            14 => {
                self.now = self.now.saturating_add(Duration::from_millis(arg.into()));
                self.connection.handle_timeout(self.now);
            }
            _ => self.rare(arg),
        }
    }

    fn rare(&mut self, arg: u8) {
        match arg {
            0 => self.connection.handle_eof(),
            1 => self.connection.handle_transport_error(),
            2 => self.connection.close(),
            3 if self.connection.is_closed() => {
                self.end();
                self.start();
            }
            4 => drop(self.connection.recv_space().map(|space| space.fill(b'?'))),
            5 => self.connection.handle_transmitted(0),
            6 => self.connection.handle_received(0),
            7 => self.connection.handle_timeout(Instant::ZERO),
            8 => assert_eq!(self.connection.abandon(self.now, Token(u64::MAX)), None),
            9 => self.world.object(),
            _ => {
                // A whole turn of an application and a driver.
                self.supply(usize::MAX);
                self.transmit(usize::MAX);
                (0..8).for_each(|_| self.world.answer());
                self.feed(usize::MAX);
                self.drain();
            }
        }
    }

    fn start(&mut self) {
        let kind = self.lives % 8;
        self.lives = self.lives.rotate_right(3);
        let old = kind % 4 == 1;
        let protocol = match kind % 4 {
            0 | 1 => None,
            2 => Some(Protocol::Resp2),
            _ => Some(Protocol::Resp3),
        };
        let resp3 = !old && protocol != Some(Protocol::Resp2);
        let settings = Settings { protocol, name: (kind > 3).then_some("n"), ..Settings::default() };
        self.world = World::new(resp3, old, self.small);
        assert!(self.connection.start(self.now, &settings).is_ok());
        self.world.ready = self.connection.is_ready();
    }

    fn submit(&mut self, wish: Wish) {
        let words_of = World::words(self.token, wish.style);
        let request = words(&words_of);
        match (wish.later, &words_of[..]) {
            (Some(len), [command, name, style]) => {
                let request = raw(command).arg(name).arg(style).arg(Later(len.into())).arg("tail");
                self.take(wish, len, request);
            }
            _ => self.take(wish, 0, request),
        }
    }

    fn take(&mut self, wish: Wish, later: u8, request: impl Request) {
        let held: Vec<u8> = self.connection.poll_transmit().to_vec();
        let owed = self.connection.owed();
        let token = Token(self.token);
        let result = if wish.chunked {
            self.connection.submit(self.now, token, &chunked(&request))
        } else {
            self.connection.submit(self.now, token, &request)
        };
        let ready = self.connection.poll_transmit();
        if result.is_err() {
            let unchanged = ready == held || self.is_late();
            assert!(unchanged && self.connection.owed() == owed, "a refusal changed something");
            return;
        }
        assert_eq!((owed, self.connection.owed()), (0, later.into()), "others were not supplied");
        let mut measure = Encoder::new(&mut []);
        request.visit(&mut measure);
        let len = measure.finish().len();
        if !self.is_late() {
            assert!(ready.starts_with(&held) && ready.len() <= held.len() + len);
            assert!(later > 0 || ready.len() == held.len() + len);
        }
        self.world.submitted(self.token, wish, len + usize::from(later));
        self.later = later;
        self.token += 1;
    }

    fn supply(&mut self, n: usize) {
        let owed = self.connection.owed();
        let payload = World::payload(self.token.wrapping_sub(1), self.later);
        let rest = payload.get(payload.len() - owed as usize..).unwrap_or_default();
        let idle = self.connection.poll_transmit().is_empty() && !self.is_late();
        let taken = self.connection.supply(rest.get(..n).unwrap_or(rest));
        assert_eq!(self.connection.owed(), owed - taken as u64);
        assert!(taken > 0 || !idle || rest.is_empty(), "nobody can go on");
    }

    /// A deadline has passed: nothing is to be written before events have said whose.
    fn is_late(&self) -> bool {
        self.connection.patience(self.now) == Some(Duration::ZERO)
    }

    fn abandon(&mut self, n: usize) {
        if let Some(token) = self.world.nth(n) {
            // A confirmation that was pushed is about to answer its request: too late.
            match self.connection.abandon(self.now, Token(token)) {
                Some(Failure::NotSent) => self.world.take_back(token),
                Some(_) => self.world.abandon(token),
                None => {}
            }
        }
    }

    fn transmit(&mut self, n: usize) {
        let ready = self.connection.poll_transmit();
        let n = n.min(ready.len());
        if let Some(bytes) = ready.get(..n) {
            self.world.transmitted(bytes);
        }
        self.connection.handle_transmitted(n);
    }

    fn feed(&mut self, mut n: usize) {
        while n > 0 && !self.world.outbox.is_empty() {
            let Some(space) = self.connection.recv_space() else {
                self.drain();
                if self.connection.is_closed() {
                    return;
                }
                continue;
            };
            let taken = n.min(space.len()).min(self.world.outbox.len());
            for (place, byte) in space.iter_mut().zip(self.world.outbox.drain(..taken)) {
                *place = byte;
            }
            self.connection.handle_received(taken);
            n -= taken;
        }
    }

    fn poll(&mut self) -> bool {
        let in_flight = self.connection.in_flight();
        let Some(event) = self.connection.poll_event() else { return false };
        let over = self.world.told(&event);
        assert!(self.connection.is_closed() || !over, "a request failed on a living connection");
        assert!(self.connection.in_flight() <= in_flight);
        assert!(self.connection.owed() == 0 || self.connection.in_flight() > 0, "nobody owes these bytes");
        true
    }

    fn drain(&mut self) {
        while self.poll() {}
        let waits = self.connection.poll_timeout();
        assert!(waits.is_some() || self.connection.in_flight() == 0, "nobody watches the time");
    }

    fn end(&mut self) {
        self.connection.close();
        self.drain();
        assert!(self.world.closed && self.connection.is_closed());
        assert_eq!(self.connection.in_flight(), 0);
        assert_eq!(self.connection.poll_transmit(), b"");
        assert!(self.connection.recv_space().is_none());
    }
}
