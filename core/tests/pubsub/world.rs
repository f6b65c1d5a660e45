//! A registry between an application and a server that says everything a server can, in any order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use respire_core::command::Subscription::{self, Channel, Pattern, Shard};
use respire_core::error::ServerError;
use respire_core::pubsub::{Config, Delivery, Entry, Happened, Refused, Registry};
use respire_core::time::{Duration, Instant};

/// Kinds in an order, and a name.
pub(super) type Key = (u8, &'static str);

pub(super) const KEYS: [Key; 9] = [
    (0, "a"),
    (0, "b"),
    (0, ""),
    (0, "a longer name"),
    (1, "a"),
    (1, "b*"),
    (2, "a"),
    (2, "c"),
    (2, "another name that is long"),
];

fn kind(key: Key) -> Subscription {
    [Channel, Pattern, Shard][usize::from(key.0)]
}

fn key(kind: Subscription, name: &[u8]) -> Key {
    let number = [Channel, Pattern, Shard].iter().position(|&other| other == kind).unwrap();
    *KEYS.iter().find(|key| usize::from(key.0) == number && key.1.as_bytes() == name).unwrap()
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Subscribe(usize),
    Unsubscribe(usize),
    Ask {
        sent: bool,
    },
    Serve(Mood),
    /// The server ends a subscription by itself.
    Drop(usize),
    Publish(usize),
    Hear(u8),
    Events(u8),
    Lose,
    Pass(u16),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    Confirms,
    Refuses,
    /// It confirms when nobody waits any more.
    Late,
    /// What was not subscribed is an error.
    Strict,
}

/// What is on its way to the client.
#[derive(Clone, Debug)]
enum Said {
    Confirmed(Key),
    Dropped(Key),
    Refused(u32, &'static str),
    Over(u32),
    Message(Key),
}

/// What is on its way to the server.
struct Command {
    number: u32,
    subscribes: bool,
    names: Vec<Key>,
}

/// What the application was told of what it wants.
#[derive(Clone, Copy, Default, Debug)]
struct User {
    /// It was told that it is subscribed.
    known: bool,
    /// It was lost since.
    lost: bool,
    /// It was wanted anew since.
    anew: bool,
}

pub(super) struct World {
    pub(super) registry: Registry<Vec<u8>, Vec<Entry>>,
    entries: usize,
    memory: usize,
    batch: usize,
    pub(super) wanted: BTreeMap<Key, u32>,
    users: BTreeMap<Key, User>,
    server: BTreeSet<Key>,
    heard: BTreeSet<Key>,
    commands: VecDeque<Command>,
    said: VecDeque<Said>,
    now: Instant,
    /// A subscription that nobody knows of had no entry.
    ghost: bool,
}

impl World {
    pub(super) fn new(entries: usize, memory: usize, batch: usize, seed: u64) -> Self {
        let config = Config {
            batch: batch as u16,
            retry_base: Duration::from_millis(20),
            retry_cap: Duration::from_millis(100),
            seed,
            ..Config::DEFAULT
        };
        Self {
            registry: Registry::new(vec![0; memory], vec![Entry::EMPTY; entries], config),
            entries,
            memory,
            batch: batch.max(1),
            wanted: BTreeMap::new(),
            users: BTreeMap::new(),
            server: BTreeSet::new(),
            heard: BTreeSet::new(),
            commands: VecDeque::new(),
            said: VecDeque::new(),
            now: Instant::ZERO,
            ghost: false,
        }
    }

    pub(super) fn step(&mut self, op: Op) {
        match op {
            Op::Subscribe(at) => self.subscribe(KEYS[at]),
            Op::Unsubscribe(at) => self.unsubscribe(KEYS[at]),
            Op::Ask { sent } => self.ask(sent),
            Op::Serve(mood) => self.serve(mood),
            Op::Drop(at) => {
                if self.server.remove(&KEYS[at]) {
                    self.said.push_back(Said::Dropped(KEYS[at]));
                }
            }
            Op::Publish(at) => {
                if self.server.contains(&KEYS[at]) {
                    self.said.push_back(Said::Message(KEYS[at]));
                }
            }
            Op::Hear(count) => (0..count).for_each(|_| self.hear()),
            Op::Events(count) => {
                let _all = (0..count).all(|_| self.event());
            }
            Op::Lose => self.lose(),
            Op::Pass(millis) => self.now = self.now.saturating_add(Duration::from_millis(millis.into())),
        }
        self.check();
    }

    fn subscribe(&mut self, key: Key) {
        let used = self.registry.len();
        match self.registry.subscribe(kind(key), key.1.as_bytes()) {
            Ok(id) => {
                let wanted = self.wanted.entry(key).or_default();
                *wanted += 1;
                if *wanted == 1 {
                    self.users.entry(key).or_default().anew = true;
                }
                let info = self.registry.get(id).unwrap();
                assert_eq!((info.name, info.kind, info.subscribers), (key.1.as_bytes(), kind(key), *wanted));
            }
            Err(refused) => {
                assert!(!self.wanted.contains_key(&key));
                match refused {
                    Refused::Entries => assert_eq!(used, self.entries),
                    Refused::TooLong => assert!(key.1.len() + 8 > self.memory),
                    _ => assert!(used > 0 && self.memory < KEYS.iter().map(|key| key.1.len() + 8).sum()),
                }
                assert_eq!(self.registry.len(), used);
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, key: Key) {
        let wanted = self.wanted.get_mut(&key);
        assert_eq!(self.registry.unsubscribe(kind(key), key.1.as_bytes()), wanted.is_some());
        if let Some(wanted) = wanted {
            *wanted -= 1;
            if *wanted == 0 {
                self.wanted.remove(&key);
                self.users.entry(key).or_default().lost = false;
            }
        }
    }

    fn ask(&mut self, sent: bool) {
        let Some(ask) = self.registry.poll_ask(self.now) else { return };
        let (number, subscribes) = (ask.number(), ask.subscribes());
        let names: Vec<Key> = ask.names().map(|name| key(ask.kind(), name)).collect();
        assert!(!names.is_empty() && names.len() <= if ask.kind() == Shard { 1 } else { self.batch });
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in &names {
            assert_eq!(self.wanted.contains_key(name), subscribes, "{name:?}");
            assert_eq!(self.heard.contains(name), !subscribes, "{name:?} is so already");
        }
        if sent {
            self.commands.push_back(Command { number, subscribes, names });
        } else {
            self.registry.handle_unsent(number);
            let again = self.registry.poll_ask(self.now).unwrap();
            let names: Vec<Key> = again.names().map(|name| key(again.kind(), name)).collect();
            let command = Command { number: again.number(), subscribes: again.subscribes(), names };
            self.commands.push_back(command);
        }
    }

    fn serve(&mut self, mood: Mood) {
        let Some(Command { number, subscribes, names }) = self.commands.pop_front() else { return };
        let is_stranger = !subscribes && names.iter().all(|name| !self.server.contains(name));
        match mood {
            Mood::Refuses => return self.said.push_back(Said::Refused(number, "LOADING the dataset")),
            Mood::Strict if is_stranger => return self.said.push_back(Said::Refused(number, "NOSUB")),
            Mood::Late => self.said.push_back(Said::Over(number)),
            _ => {}
        }
        for name in names {
            if subscribes {
                self.server.insert(name);
                self.said.push_back(Said::Confirmed(name));
            } else {
                self.server.remove(&name);
                self.said.push_back(Said::Dropped(name));
            }
        }
        self.said.push_back(Said::Over(number));
    }

    fn hear(&mut self) {
        match self.said.pop_front() {
            None => {}
            Some(Said::Confirmed(key)) => {
                let known = self.registry.find(kind(key), key.1.as_bytes()).is_some();
                assert_eq!(self.registry.handle_confirmed(kind(key), key.1.as_bytes()), known);
                self.ghost |= self.registry.find(kind(key), key.1.as_bytes()).is_none();
                self.heard.insert(key);
            }
            Some(Said::Dropped(key)) => {
                let _ = self.registry.handle_dropped(kind(key), key.1.as_bytes());
                if self.heard.remove(&key) {
                    self.miss(key);
                }
            }
            Some(Said::Refused(number, text)) => {
                self.registry.handle_refused(self.now, number, ServerError::new(text.as_bytes()));
            }
            Some(Said::Over(number)) => self.registry.handle_over(self.now, number),
            Some(Said::Message(key)) => self.message(key),
        }
    }

    /// The application misses what is published from here on.
    fn miss(&mut self, key: Key) {
        if self.wanted.contains_key(&key) {
            let user = self.users.entry(key).or_default();
            user.lost |= user.known;
        }
    }

    fn message(&mut self, key: Key) {
        let mut whose = self.registry.handle_message(kind(key), key.1.as_bytes());
        if whose == Delivery::EventsFirst {
            while self.event() {}
            whose = self.registry.handle_message(kind(key), key.1.as_bytes());
        }
        let user = self.users.get(&key).copied().unwrap_or_default();
        let is_wanted = self.wanted.contains_key(&key);
        match whose {
            Delivery::To(id) => {
                assert!(is_wanted && user.known && !user.lost, "a gap was not told: {key:?} {user:?}");
                assert_eq!(self.registry.find(kind(key), key.1.as_bytes()), Some(id));
            }
            Delivery::EventsFirst => panic!("there was no event"),
            Delivery::Nobody => assert!(!is_wanted || user.anew, "{key:?} {user:?}"),
        }
    }

    fn event(&mut self) -> bool {
        let Some(event) = self.registry.poll_event() else { return false };
        let key = key(event.kind, event.name);
        let (happened, is_wanted) = (event.happened, self.wanted.contains_key(&key));
        let user = self.users.entry(key).or_default();
        match happened {
            Happened::Subscribed => {
                assert!(is_wanted && !user.known, "{key:?} {user:?}");
                *user = User { known: true, lost: false, anew: false };
            }
            Happened::Gap => {
                assert!(is_wanted && user.known && (user.lost || user.anew), "{key:?} {user:?}");
                *user = User { known: true, lost: false, anew: false };
            }
            Happened::Dropped => assert!(is_wanted && user.known && user.lost, "{key:?} {user:?}"),
            Happened::Refused => assert!(is_wanted),
            Happened::Unsubscribed => {
                assert!(!is_wanted && user.known, "{key:?} {user:?}");
                *user = User::default();
            }
        }
        true
    }

    fn lose(&mut self) {
        self.registry.handle_lost();
        self.server.clear();
        self.said.clear();
        self.commands.clear();
        for key in std::mem::take(&mut self.heard) {
            self.miss(key);
        }
    }

    /// After every step.
    fn check(&self) {
        for key in KEYS {
            let id = self.registry.find(kind(key), key.1.as_bytes());
            let (wanted, heard) = (self.wanted.get(&key), self.heard.contains(&key));
            match id.and_then(|id| self.registry.get(id)) {
                Some(info) => {
                    assert_eq!(
                        (info.subscribers, info.confirmed),
                        (wanted.copied().unwrap_or(0), heard),
                        "{key:?}"
                    );
                    assert_eq!((info.kind, info.name), (kind(key), key.1.as_bytes()));
                }
                None => assert!(wanted.is_none() && (!heard || self.ghost), "{key:?}"),
            }
        }
        let found =
            KEYS.iter().filter(|&&key| self.registry.find(kind(key), key.1.as_bytes()).is_some()).count();
        assert_eq!(found, self.registry.len());
    }

    /// Everything is answered until there is nothing to do.
    pub(super) fn quiet(&mut self) {
        for _ in 0..300 {
            self.step(Op::Hear(self.said.len() as u8));
            self.step(Op::Events(200));
            (0..4).for_each(|_| self.step(Op::Ask { sent: true }));
            (0..4).for_each(|_| self.step(Op::Serve(Mood::Confirms)));
            if self.registry.is_settled() && self.said.is_empty() {
                break;
            }
            let wake = self.registry.poll_timeout();
            assert!(wake == Instant::MAX || wake <= self.now.saturating_add(Duration::from_millis(100)));
            self.step(Op::Pass(10));
        }
        assert!(self.registry.is_settled(), "{:?}", self.registry);
        while self.event() {}
        assert!(self.wanted.keys().eq(self.heard.iter().filter(|key| self.wanted.contains_key(*key))));
        assert_eq!(self.registry.len(), self.wanted.len());
        assert!(self.ghost || self.wanted.keys().eq(&self.server), "{:?} {:?}", self.wanted, self.server);
        let over = self.users.iter().filter(|(key, _)| !self.wanted.contains_key(*key));
        assert!(
            over.into_iter().all(|(_, user)| !user.known),
            "nobody was told that it is over: {:?}",
            self.users
        );
        assert!(self.wanted.keys().all(|key| self.users[key].known && !self.users[key].lost));
    }
}
