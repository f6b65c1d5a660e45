//! Subscriptions that outlive their connection, over one that an engine lends.

use std::time::Instant;

use respire_core::command::Subscription;
use respire_core::conn::{Event, Token};
use respire_core::engine::Lease;
use respire_core::pubsub::{Config, Delivery, Entry, Happened, Registry};
use respire_core::resp::Value;
use respire_tests::engine::Told;

use crate::support::{Admin, App, LIMIT, config, ms, redis};

/// Three kinds of subscriptions, and what is said of each.
const KINDS: [(Subscription, &str, &str); 3] = [
    (Subscription::Channel, "news", "PUBLISH news"),
    (Subscription::Pattern, "n?ws.*", "PUBLISH news.here"),
    (Subscription::Shard, "shard", "SPUBLISH shard"),
];

/// Somebody who listens, whatever becomes of the connection.
struct Listener {
    app: App,
    registry: Registry<Vec<u8>, Vec<Entry>>,
    wish: Option<u64>,
    lease: Option<Lease>,
    heard: Vec<(Subscription, String)>,
    happened: Vec<(Subscription, Happened)>,
}

impl Listener {
    fn new(app: App) -> Self {
        let registry = Registry::new(vec![0; 1024], vec![Entry::EMPTY; 8], Config::DEFAULT);
        Self { app, registry, wish: None, lease: None, heard: Vec::new(), happened: Vec::new() }
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < LIMIT, "waiting for {what}: {:?} {:?}", self.heard, self.happened);
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.connect();
        self.ask();
        self.app.turn(ms(5));
        self.hear();
        self.note();
    }

    fn note(&mut self) {
        while let Some(event) = self.registry.poll_event() {
            self.happened.push((event.kind, event.happened));
        }
    }

    /// Wishes for a connection if there is none.
    fn connect(&mut self) {
        if self.lease.is_some() {
            return;
        }
        let wish = self.wish.unwrap_or_else(|| self.app.wish().expect("a wish that is taken"));
        self.wish = Some(wish);
        if let Some(Told::Leased(lease)) = self.app.listen().get(&wish).map(|record| &record.told) {
            (self.lease, self.wish) = (Some(*lease), None);
        }
    }

    /// Makes what is confirmed what is wanted.
    fn ask(&mut self) {
        let Some(lease) = self.lease else { return };
        let now = self.app.now();
        while let Some(ask) = self.registry.poll_ask(now) {
            let connection = self.app.engine.leased(lease).expect("a lease");
            let number = ask.number();
            if connection.submit(now, Token(number.into()), &ask).is_err() {
                self.registry.handle_unsent(number);
                return;
            }
        }
    }

    fn hear(&mut self) {
        let Some(lease) = self.lease else { return };
        let now = self.app.now();
        while let Some(event) = self.app.engine.leased(lease).expect("a lease").poll_event() {
            match event {
                Event::Push(push) => {
                    let Ok(Value::Push(words)) = push.get() else { panic!("a push of RESP3: {push:?}") };
                    self.learn(&words);
                }
                Event::Reply { token, .. } | Event::Failed { token, .. } => {
                    self.registry.handle_over(now, u32::try_from(token.0).expect("a number of an ask"));
                }
                Event::Closed(_) => {
                    self.registry.handle_lost();
                    self.app.release(lease);
                    self.lease = None;
                    return;
                }
                other => panic!("nobody asked for this: {other:?}"),
            }
        }
    }

    /// What the server says on its own account.
    fn learn(&mut self, words: &[Value]) {
        let [Value::Bulk(word), Value::Bulk(name), rest @ ..] = words else { panic!("{words:?}") };
        let (kind, word) = match word.split_first() {
            Some((b'p', word)) => (Subscription::Pattern, word),
            Some((b's', word)) if word != b"ubscribe" => (Subscription::Shard, word),
            _ => (Subscription::Channel, &word[..]),
        };
        match (word, rest.last()) {
            (b"subscribe", _) => assert!(self.registry.handle_confirmed(kind, name), "{words:?}"),
            (b"unsubscribe", _) => assert!(self.registry.handle_dropped(kind, name), "{words:?}"),
            (b"message", Some(Value::Bulk(payload))) => {
                // What has happened before it is told before it.
                while self.registry.handle_message(kind, name) == Delivery::EventsFirst {
                    self.note();
                }
                self.heard.push((kind, String::from_utf8_lossy(payload).into_owned()));
            }
            _ => panic!("{words:?}"),
        }
    }
}

/// S1-CLI-09: channels, patterns and sharded channels; each message once, in order.
#[test]
fn pubsub() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut listener = Listener::new(App::new(server.addr(), &config()));
    for (kind, name, _) in KINDS {
        listener.registry.subscribe(kind, name.as_bytes()).expect("room for it");
    }
    listener.until("all to be confirmed", |listener| listener.happened.len() == 3);
    assert!(listener.happened.iter().all(|(_, happened)| *happened == Happened::Subscribed));
    for n in 0..100 {
        for (_, _, publish) in KINDS {
            assert_eq!(admin.ask(&format!("{publish} {n}")), Value::Integer(1));
        }
    }
    listener.until("all messages", |listener| listener.heard.len() == 300);
    for (kind, ..) in KINDS {
        let its = listener.heard.iter().filter(|(of, _)| *of == kind).map(|(_, payload)| payload.clone());
        assert!(its.eq((0..100).map(|n: u32| n.to_string())), "{kind:?}");
    }
    for (kind, name, _) in KINDS {
        assert!(listener.registry.unsubscribe(kind, name.as_bytes()));
    }
    listener.until("the end of all", |listener| listener.registry.is_empty());
    assert_eq!(admin.ask("PUBLISH news late"), Value::Integer(0));
}

/// S1-CLI-10: a connection that is lost is replaced, all is subscribed again, and each gap is told before the first
/// message behind it.
#[test]
fn resubscribed() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    let mut listener = Listener::new(App::new(server.addr(), &config()));
    for (kind, name, _) in KINDS {
        listener.registry.subscribe(kind, name.as_bytes()).expect("room for it");
    }
    listener.until("all to be confirmed", |listener| listener.happened.len() == 3);
    for round in 1..=5 {
        assert_eq!(admin.ask("CLIENT KILL TYPE pubsub"), Value::Integer(1));
        assert_eq!(admin.ask("PUBLISH news lost"), Value::Integer(0));
        let start = listener.app.now();
        listener.until("all gaps", |listener| listener.happened.len() == 3 + 3 * round);
        let took = listener.app.now().saturating_since(start);
        assert!(took < ms(1000), "{took:?}");
        for (_, _, publish) in KINDS {
            assert_eq!(admin.ask(&format!("{publish} {round}")), Value::Integer(1));
        }
        listener.until("the messages behind", |listener| listener.heard.len() == 3 * round);
    }
    assert!(listener.happened[3..].iter().all(|(_, happened)| *happened == Happened::Gap));
    assert!(listener.heard.iter().all(|(_, payload)| payload != "lost"));
    assert_eq!(listener.registry.stats().losses, 5);
}
