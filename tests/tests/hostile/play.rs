//! One attack against one connection, in memory and in virtual time.

use respire_core::command::{chunked, words};
use respire_core::conn::{Connection, Event, Protocol, Settings, Token};
use respire_core::resp::ProtocolError;
use respire_core::time::{Duration, Instant};
use respire_tests::hostile::{Adversary, Attack, Cut, Cutter, Found, Manner, Outcome, Spoken};

/// A connection in fixed memory.
pub(crate) type Fixed<'m> = Connection<&'m mut [u8], 8>;

/// No attack needs as many turns.
const TURNS: u64 = 50_000_000;

/// A connection and an adversary, and what has come of it so far.
pub(crate) struct Play<'c, 'm> {
    pub(crate) connection: &'c mut Fixed<'m>,
    attack: &'static Attack,
    adversary: Adversary,
    cutter: Cutter,
    /// What the adversary said and the connection has not heard.
    said: Vec<u8>,
    heard: usize,
    end: usize,
    now: Instant,
    /// How long each piece takes.
    tick: Duration,
    /// The token of the attacked request.
    attacked: Token,
    pub(crate) found: Vec<(Token, Found)>,
    pub(crate) pushes: u64,
    pub(crate) parts: u64,
    pub(crate) closed: Option<String>,
    pub(crate) ready: Option<Protocol>,
    /// Calls to the connection, and the pieces that it was given.
    pub(crate) calls: u64,
    pub(crate) pieces: u64,
}

impl<'c, 'm> Play<'c, 'm> {
    /// A new life of this connection.
    pub(crate) fn new(
        connection: &'c mut Fixed<'m>,
        attack: &'static Attack,
        spoken: Spoken,
        cut: Cut,
    ) -> Self {
        let now = Instant::ZERO;
        let settings = Settings { library: Some(("hostile", "1")), ..Settings::default() };
        connection.start(now, &settings).expect("room for the handshake");
        let endless = attack.says.len() == u64::MAX && attack.outcome == Outcome::Stalls;
        Self {
            connection,
            attack,
            adversary: Adversary::new(attack, spoken),
            cutter: Cutter::new(cut),
            said: vec![0; 4 << 10],
            heard: 0,
            end: 0,
            now,
            tick: if endless { Duration::from_millis(50) } else { Duration::ZERO },
            attacked: Token(u64::MAX),
            found: Vec::with_capacity(16),
            pushes: 0,
            parts: 0,
            closed: None,
            ready: None,
            calls: 0,
            pieces: 0,
        }
    }

    /// The attack comes in the handshake already.
    pub(crate) fn at_once(self) -> Self {
        Self { adversary: self.adversary.at_once(), ..self }
    }

    /// Asks something that only this token gets as an answer.
    pub(crate) fn ask(&mut self, token: Token) {
        let text = own(token);
        self.connection.submit(self.now, token, &words(&["ECHO", &text])).expect("room for a request");
    }

    /// Asks for the attack.
    pub(crate) fn provoke(&mut self, token: Token) {
        self.attacked = token;
        self.connection.submit(self.now, token, &words(&["ATTACK"])).expect("room for a request");
        if self.attack.manner == Manner::Abandoned {
            assert!(self.connection.abandon(self.now, token).is_some());
        }
    }

    /// Asks for the attack, to be told it in parts.
    pub(crate) fn provoke_in_parts(&mut self, token: Token) {
        self.attacked = token;
        let request = chunked(words(&["ATTACK"]));
        // There is no end to parts but the deadline.
        if self.attack.says.len() == u64::MAX
            && self.attack.outcome == Outcome::Fatal(ProtocolError::TooLarge)
        {
            self.tick = Duration::from_millis(50);
        }
        self.connection.submit(self.now, token, &request).expect("room for a request");
    }

    /// Goes on until nothing happens by itself.
    pub(crate) fn settle(&mut self) {
        for _ in 0..TURNS {
            self.send();
            if self.hear() {
                continue;
            }
            if !self.connection.poll_transmit().is_empty() {
                continue;
            }
            match self.connection.poll_timeout() {
                Some(deadline) => self.wait(deadline),
                None => return,
            }
        }
        panic!("no end");
    }

    /// Lets the adversary speak before it has heard anything.
    pub(crate) fn be_greeted(&mut self) {
        while self.hear() {}
    }

    fn send(&mut self) {
        let bytes = self.connection.poll_transmit();
        let n = bytes.len();
        self.adversary.receive(bytes);
        self.connection.handle_transmitted(n);
    }

    /// Hands one piece over. Says whether there was any, or an end.
    fn hear(&mut self) -> bool {
        if self.connection.is_closed() {
            self.tell();
            return false;
        }
        if self.heard == self.end {
            let (n, pause) = self.adversary.say(&mut self.said);
            (self.heard, self.end) = (0, n);
            self.wait(self.now.saturating_add(pause));
            if n == 0 {
                let closes = self.adversary.closes();
                if closes {
                    self.connection.handle_eof();
                }
                self.tell();
                return closes;
            }
        }
        let piece = self.cutter.piece(&self.said[self.heard..self.end]);
        let (mut at, end, mut full) = (self.heard, self.heard + piece, false);
        while at < end && !self.connection.is_closed() {
            self.calls += 1;
            match self.connection.recv_space() {
                Some(space) => {
                    let n = space.len().min(end - at);
                    space[..n].copy_from_slice(&self.said[at..at + n]);
                    self.connection.handle_received(n);
                    self.pieces += 1;
                    at += n;
                    full = false;
                }
                None => {
                    let told = self.tell();
                    assert!(told || !full, "no room, although all events were told");
                    full = !told;
                }
            }
        }
        self.heard = end;
        self.tell();
        if !self.tick.is_zero() {
            self.wait(self.now.saturating_add(self.tick));
        }
        true
    }

    fn wait(&mut self, until: Instant) {
        self.now = until;
        self.connection.handle_timeout(until);
        self.tell();
    }

    /// Takes every event. Says whether there was one.
    fn tell(&mut self) -> bool {
        let mut told = false;
        loop {
            self.calls += 1;
            let Some(event) = self.connection.poll_event() else { return told };
            told = true;
            assert!(self.closed.is_none(), "behind the last event: {event:?}");
            let (token, found) = match event {
                Event::Ready { protocol } => {
                    self.ready = Some(protocol);
                    continue;
                }
                Event::Push(_) | Event::PushTooLarge => {
                    self.pushes += 1;
                    continue;
                }
                Event::Closed(reason) => {
                    self.closed = Some(reason.to_string());
                    continue;
                }
                Event::Reply { token, reply } if token == self.attacked => {
                    match self.attack.ask.read(reply) {
                        Ok(text) => (token, Found::Read(text)),
                        Err(error) => (token, Found::Undecodable(error)),
                    }
                }
                Event::Reply { token, reply } => {
                    let text = reply.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                    let own = text.as_deref() == Some(&own(token));
                    assert!(own, "{token:?} was given the answer of another: {reply:?}");
                    (token, Found::Read(String::new()))
                }
                Event::Failed { token, failure } => (token, Found::Failed(failure)),
                Event::Part { token, last, .. } if token == self.attacked => {
                    self.parts += 1;
                    if !last {
                        continue;
                    }
                    (token, Found::Read(String::new()))
                }
                other => panic!("nobody asked for this: {other:?}"),
            };
            assert!(self.found.iter().all(|&(other, _)| other != token), "{token:?} was resolved twice");
            self.found.push((token, found));
        }
    }
}

fn own(token: Token) -> String {
    format!("own-{}", token.0)
}
