//! Subscriptions that outlive their connections: beside requests with RESP3, on a connection of their own with RESP2.

use std::time::Instant;

use respire::Single;
use respire::prelude::*;
use respire_core::command::{Subscription, get};
use respire_core::conn::{Protocol, Settings};
use respire_core::engine::Refused;
use respire_core::pubsub::Happened;
use respire_core::resp::Value;
use respire_tests::Server;
use respire_tests::engine::{News, Told};

use crate::support::{Admin, App, LIMIT, PLAIN, config, ms, redis};

/// Three kinds of subscriptions, and what is said of each.
const KINDS: [(Subscription, &str, &str); 3] = [
    (Subscription::Channel, "news", "PUBLISH news"),
    (Subscription::Pattern, "n?ws.*", "PUBLISH news.here"),
    (Subscription::Shard, "shard", "SPUBLISH shard"),
];

const BOTH: [Settings<'static>; 2] =
    [Settings::NONE, Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE }];

/// Somebody who listens, whatever becomes of the connection.
struct Listener {
    app: App,
    heard: Vec<(Subscription, String)>,
    happened: Vec<(Subscription, Happened)>,
}

impl Listener {
    /// One who has subscribed to all three.
    fn to_all(server: &Server, settings: Settings<'static>) -> Self {
        let app = App::with(server.addr(), &config(), settings);
        let mut listener = Self { app, heard: Vec::new(), happened: Vec::new() };
        for (kind, name, _) in KINDS {
            listener.subscribe(kind, name);
        }
        listener.until("all to be confirmed", |listener| listener.happened.len() == 3);
        assert!(listener.happened.iter().all(|(_, happened)| *happened == Happened::Subscribed));
        listener
    }

    fn subscribe(&mut self, kind: Subscription, name: &str) {
        let now = self.app.now();
        self.app.engine.subscribe(now, kind, name.as_bytes()).expect("room for it");
    }

    fn unsubscribe(&mut self, kind: Subscription, name: &str) {
        let now = self.app.now();
        assert!(self.app.engine.unsubscribe(now, kind, name.as_bytes()));
    }

    fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            let (heard, happened) = (self.heard.len(), &self.happened);
            assert!(start.elapsed() < LIMIT, "waiting for {what}: {heard} heard, {happened:?}");
            self.turn();
        }
    }

    /// Moves what can be moved. What has happened to a subscription stands before what was heard behind it.
    fn turn(&mut self) {
        self.app.turn(ms(5));
        for news in self.app.take_news() {
            match news {
                News::Happened { happened, kind, .. } => self.happened.push((kind, happened)),
                News::Message { kind, pattern, channel, payload } => {
                    let (_, name, publish) = KINDS[kind as usize];
                    assert!(publish.ends_with(&channel), "{channel}");
                    assert_eq!(pattern, if kind == Subscription::Pattern { name } else { "" });
                    assert!(self.is_there(kind), "nothing is told without a gap: {:?}", self.happened);
                    self.heard.push((kind, payload));
                }
            }
        }
    }

    /// Whether the last that was told of it is that it is subscribed.
    fn is_there(&self, kind: Subscription) -> bool {
        let last = self.happened.iter().rev().find(|(of, _)| *of == kind);
        last.is_some_and(|(_, happened)| matches!(happened, Happened::Subscribed | Happened::Gap))
    }
}

/// S1-CLI-09, S3-PUB-05: channels, patterns and sharded channels; each message once, in order.
#[test]
fn pubsub() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for (settings, connections) in BOTH.into_iter().zip([1, 2]) {
        let mut listener = Listener::to_all(&server, settings);
        assert_eq!(admin.count(), connections);
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
        // The command itself stays what only a lease can say.
        let refused = listener.app.try_ask(&words(&["SUBSCRIBE", "news"]), &PLAIN);
        assert_eq!(refused.err(), Some(Refused::NeedsLease));
        for (kind, name, _) in KINDS {
            listener.unsubscribe(kind, name);
        }
        listener.until("the end of all", |listener| listener.app.engine.subscriptions().is_empty());
        assert!(listener.happened[3..].iter().all(|(_, happened)| *happened == Happened::Unsubscribed));
        assert_eq!(admin.ask("PUBLISH news late"), Value::Integer(0));
        listener.until("the connection to be given back", |_| admin.count() == 1);
        assert!(listener.app.close(LIMIT));
    }
}

/// S1-CLI-10: a connection that is lost is replaced, all is subscribed again, and each gap is told before the first
/// message behind it.
#[test]
fn resubscribed() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    for settings in BOTH {
        let mut listener = Listener::to_all(&server, settings);
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
        assert_eq!(listener.app.engine.subscriptions().stats().losses, 5);
        assert!(listener.app.close(LIMIT));
    }
}

/// S1-CLI-09, S3-PUB-05: one connection carries requests and their answers, and all messages of somebody who publishes
/// as fast as the server takes it.
#[test]
fn a_fast_publisher() {
    const MESSAGES: usize = 20_000;
    let Some(server) = redis() else { return };
    let url = server.url();
    for settings in BOTH {
        let mut listener = Listener::to_all(&server, settings);
        let url = url.clone();
        let publisher = std::thread::spawn(move || {
            let client = Single::open(&url).expect("a server that answers");
            for first in (0..MESSAGES).step_by(500) {
                let all = (first..first + 500).map(|n| publish("news", n));
                let told = client.pipeline(all.collect::<Vec<_>>()).wait().expect("answers");
                assert!(told.into_iter().all(|heard| matches!(heard, Ok(1))));
            }
        });
        let mut answered = 0;
        let mut asked = listener.app.ask(&get("nothing"));
        let start = Instant::now();
        while listener.heard.len() < MESSAGES || answered == 0 {
            assert!(start.elapsed() < LIMIT, "{} heard, {answered} answered", listener.heard.len());
            listener.turn();
            if let Some(record) = listener.app.listen().get(&asked) {
                assert_eq!(record.told, Told::Reply(Value::Null));
                answered += 1;
                asked = listener.app.ask(&get("nothing"));
            }
        }
        publisher.join().expect("a publisher that is heard");
        assert!(
            listener
                .heard
                .iter()
                .map(|(_, payload)| payload.clone())
                .eq((0..MESSAGES).map(|n| n.to_string()))
        );
        assert_eq!((listener.happened.len(), listener.app.engine.stats().skipped), (3, 0));
        println!("{answered} answers between {MESSAGES} messages");
        assert!(listener.app.close(LIMIT));
    }
}
