//! A driver over a responder in memory, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use respire_core::conn::{Settings, Token};
use respire_core::engine::{Action, Config, Engine, Event, Failed, Heap, Lease};
use respire_core::hook::Hook;
use respire_core::pool::{DialCode, Id};
use respire_core::pubsub::Happened;
use respire_core::resp::Value;
use respire_core::testing::{ClientId, Responder};
use respire_core::time::Instant;

/// What was told.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Told {
    Reply(u64, Value),
    /// The answer is an error.
    Rejected(u64, String),
    Failed(u64, Failed),
    Leased(u64, Lease),
    Happened(Happened, String),
    /// Pattern, channel and payload.
    Message(String, String, String),
}

/// An engine, its sockets and the server.
pub(crate) struct Net<H: Hook = ()> {
    pub(crate) engine: Engine<Heap, 16, H>,
    pub(crate) server: Responder,
    /// What connections are told that are opened from now on.
    pub(crate) settings: Settings<'static>,
    pub(crate) sockets: BTreeMap<usize, (Id, ClientId)>,
    pub(crate) now: Instant,
    pub(crate) told: Vec<Told>,
    /// Nobody listens.
    pub(crate) down: bool,
    /// Bytes of the server stay on their way.
    pub(crate) silent: bool,
    pub(crate) dials: u32,
    pub(crate) pushes: u32,
    /// Why connections have ended.
    pub(crate) reasons: Vec<String>,
    /// Who said BLPOP, or SSUBSCRIBE if there are shards, which the responder does not know, and waits for an answer.
    pub(crate) blocked: Vec<ClientId>,
    pub(crate) shards: bool,
}

pub(crate) const HEAP: Heap =
    Heap { connections: 4, calls: 32, bytes: 4096, subscriptions: 8, names: 256, buffer: (256, 1 << 20) };

pub(crate) type TestEngine = Engine<Heap, 16>;

impl Net {
    pub(crate) fn new(config: &Config) -> Self {
        Self::with(HEAP, config)
    }

    pub(crate) fn with(memory: Heap, config: &Config) -> Self {
        Self::with_hook(memory, config, ())
    }
}

impl<H: Hook> Net<H> {
    pub(crate) fn with_hook(memory: Heap, config: &Config, hook: H) -> Self {
        let now = Instant::from_millis(1_700_000_000_000);
        Self {
            engine: Engine::with_hook(memory, config, hook, now),
            server: Responder::new(),
            settings: Settings::NONE,
            sockets: BTreeMap::new(),
            now,
            told: Vec::new(),
            down: false,
            silent: false,
            dials: 0,
            pushes: 0,
            reasons: Vec::new(),
            blocked: Vec::new(),
            shards: false,
        }
    }

    /// Moves everything that can be moved without time passing.
    pub(crate) fn turn(&mut self) {
        while self.step() {}
    }

    /// Moves one thing: tells an event, does an action, or moves the bytes of a connection. Whether there was any.
    pub(crate) fn step(&mut self) -> bool {
        if let Some(event) = self.engine.poll_event(self.now) {
            match event {
                Event::Reply { token, reply } => {
                    self.told.push(match reply.error() {
                        None => Told::Reply(token.0, reply.get().expect("any value")),
                        Some(error) => Told::Rejected(token.0, error.to_string()),
                    });
                }
                Event::Failed { token, failed } => self.told.push(Told::Failed(token.0, failed)),
                Event::Leased { token, lease } => self.told.push(Told::Leased(token.0, lease)),
                Event::Subscription(event) => {
                    self.told.push(Told::Happened(event.happened, string(event.name)));
                }
                Event::Message { pattern, channel, payload, .. } => {
                    self.told.push(Told::Message(string(pattern), string(channel), string(payload)));
                }
                Event::Push(_) => self.pushes += 1,
            }
            return true;
        }
        if let Some(action) = self.engine.poll_action(self.now) {
            self.act(action);
            return true;
        }
        let sockets: Vec<_> = self.sockets.values().copied().collect();
        sockets.into_iter().any(|(id, client)| self.move_bytes(id, client))
    }

    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::Open { id, .. } => {
                self.dials += 1;
                if self.down {
                    self.engine.handle_connect_failed(self.now, id, DialCode(7));
                } else {
                    let client = self.server.connect(self.wall());
                    self.sockets.insert(id.index(), (id, client));
                    self.engine.handle_connected(self.now, id, &self.settings).expect("it fits");
                }
            }
            Action::Close(id) => {
                let reason = self.engine.close_reason(id).map(|reason| format!("{reason:?}"));
                self.reasons.extend(reason);
                if let Some((_, client)) = self.sockets.remove(&id.index()) {
                    self.server.disconnect(client);
                }
            }
        }
    }

    pub(crate) fn move_bytes(&mut self, id: Id, client: ClientId) -> bool {
        let (now, mut moved) = (self.wall(), false);
        let bytes = self.engine.poll_transmit(id).to_vec();
        if !bytes.is_empty() {
            let says = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
            if says(b"BLPOP") || self.shards && says(b"SSUBSCRIBE") {
                self.blocked.push(client);
            } else {
                self.server.receive(now, client, &bytes);
            }
            self.engine.handle_transmitted(id, bytes.len());
            moved = true;
        }
        if self.silent {
            return moved;
        }
        let output = self.server.output(client).to_vec();
        if !output.is_empty()
            && let Some(space) = self.engine.recv_space(id)
        {
            let n = space.len().min(output.len());
            space[..n].copy_from_slice(&output[..n]);
            self.engine.handle_received(id, n);
            self.server.sent(client, n);
            moved = true;
        } else if output.is_empty() && self.server.wants_close(client) {
            self.server.disconnect(client);
            self.sockets.remove(&id.index());
            self.engine.handle_eof(id);
            moved = true;
        }
        moved
    }

    pub(crate) fn wall(&self) -> Duration {
        Duration::from_micros(self.now.as_micros())
    }

    /// Lets time pass, timer by timer.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.saturating_add(span);
        self.turn();
        loop {
            let due = self.engine.poll_timeout();
            if due > end {
                break;
            }
            self.now = self.now.max(due);
            let before = (due, self.told.len(), self.dials);
            self.engine.handle_timeout(self.now);
            self.turn();
            assert!(
                self.engine.poll_timeout() > self.now
                    || before != (self.engine.poll_timeout(), self.told.len(), self.dials),
                "a timer that nothing comes of: {:?} {:?}",
                self.now,
                self.engine
            );
        }
        self.now = end;
    }

    pub(crate) fn ms(&mut self, millis: u64) {
        self.pass(Duration::from_millis(millis));
    }

    /// Cuts all connections.
    pub(crate) fn cut(&mut self) {
        for (id, client) in std::mem::take(&mut self.sockets).into_values() {
            self.server.disconnect(client);
            self.engine.handle_transport_error(id);
        }
    }

    /// Somebody else publishes. So many have heard it.
    pub(crate) fn publish(&mut self, channel: &str, payload: &str) -> i64 {
        let (now, client) = (self.wall(), self.server.connect(self.wall()));
        self.server.receive(now, client, format!("PUBLISH {channel} {payload}\r\n").as_bytes());
        let heard = String::from_utf8(self.server.output(client).to_vec()).unwrap();
        self.server.disconnect(client);
        heard.trim_start_matches(':').trim_end().parse().unwrap()
    }

    /// What was told since the last time.
    pub(crate) fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// The lease that was told last.
    pub(crate) fn leased(&mut self) -> Lease {
        match self.told().pop() {
            Some(Told::Leased(_, lease)) => lease,
            other => panic!("{other:?}"),
        }
    }
}

/// How this one has failed.
pub(crate) fn failed(told: &[Told], token: u64) -> Failed {
    let of = |told: &Told| match told {
        Told::Failed(of, failed) if *of == token => Some(*failed),
        _ => None,
    };
    told.iter().find_map(of).unwrap_or_else(|| panic!("{told:?}"))
}

pub(crate) const fn token(n: u64) -> Token {
    Token(n)
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
