//! Subscriptions: where they are, what is told of them, and what becomes of them when connections end.

use std::time::Duration;

use respire_core::command::Subscription::{self, Channel, Pattern, Shard};
use respire_core::command::{ping, raw};
use respire_core::conn::{Protocol, Settings};
use respire_core::engine::{Config, Engine, Fixed, Heap, Life, Refused};
use respire_core::pool;
use respire_core::pubsub::{self, Happened};
use respire_core::testing::Responder;
use respire_core::time::Instant;

use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config, ready, text};

const RESP2: Settings<'static> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

impl Net {
    fn subscribe(&mut self, kind: Subscription, name: &str) {
        self.engine.subscribe(self.now, kind, name.as_bytes()).unwrap();
    }

    fn unsubscribe(&mut self, kind: Subscription, name: &str) -> bool {
        self.engine.unsubscribe(self.now, kind, name.as_bytes())
    }

    fn confirmed(&self, kind: Subscription, name: &str) -> bool {
        let registry = self.engine.subscriptions();
        registry
            .find(kind, name.as_bytes())
            .and_then(|id| registry.get(id))
            .is_some_and(|info| info.confirmed)
    }
}

fn happened(what: Happened, name: &str) -> Told {
    Told::Happened(what, name.into())
}

fn message(channel: &str, payload: &str) -> Told {
    Told::Message(String::new(), channel.into(), payload.into())
}

fn resp2(config: &Config) -> Net {
    let mut net = Net::new(config);
    net.settings = RESP2;
    net.turn();
    net
}

/// S1-CLI-09, S3-PUB-05: with RESP3 a shared connection carries messages between answers, and no other is opened.
#[test]
fn on_the_lane() {
    let mut net = ready(&config());
    net.subscribe(Channel, "news");
    net.subscribe(Channel, "news");
    net.subscribe(Pattern, "n?ws.*");
    net.turn();
    assert_eq!(
        net.told(),
        [happened(Happened::Subscribed, "news"), happened(Happened::Subscribed, "n?ws.*")]
    );
    for n in 0..5 {
        net.engine.submit(net.now, token(n), &ping(), &NONE).unwrap();
        assert_eq!(net.publish("news", "a"), 1);
        assert_eq!(net.publish("news.b", "c"), 1);
        net.turn();
        let told = net.told();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told.contains(&message("news", "a")), "{told:?}");
        assert!(told.contains(&Told::Message("n?ws.*".into(), "news.b".into(), "c".into())), "{told:?}");
    }
    assert_eq!((net.dials, net.sockets.len(), net.engine.pool_stats().lent), (1, 1, 1));
    // Wanted twice, it is wanted once more.
    assert!(net.unsubscribe(Channel, "news") && net.unsubscribe(Pattern, "n?ws.*"));
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Unsubscribed, "n?ws.*")]);
    assert!(net.unsubscribe(Channel, "news") && !net.unsubscribe(Channel, "news"));
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Unsubscribed, "news")]);
    assert_eq!((net.publish("news", "late"), net.engine.subscriptions().len()), (0, 0));
    assert_eq!(net.engine.stats().skipped, 0);
}

/// S1-CLI-10: when the shared connection is lost, all is asked again on the next, and the gap told before what comes
/// behind it.
#[test]
fn a_lane_that_is_lost() {
    let mut net = ready(&config());
    net.subscribe(Channel, "a");
    net.subscribe(Pattern, "b*");
    net.turn();
    net.told();
    for round in 1..=3 {
        assert_eq!(net.publish("a", "before"), 1);
        net.cut();
        assert_eq!(net.publish("a", "lost"), 0);
        net.ms(200);
        assert_eq!(net.publish("a", "behind"), 1);
        net.turn();
        assert_eq!(
            net.told(),
            [happened(Happened::Gap, "a"), happened(Happened::Gap, "b*"), message("a", "behind")]
        );
        assert_eq!((net.engine.subscriptions().stats().gaps, net.sockets.len()), (2 * round, 1));
    }
    // The message is here before anybody was told of the gap.
    net.cut();
    net.down = true;
    net.ms(50);
    net.down = false;
    net.ms(500);
    assert_eq!(net.told(), [happened(Happened::Gap, "a"), happened(Happened::Gap, "b*")]);
}

/// A gap is told before a message that has come in the same read as its confirmation.
#[test]
fn a_gap_and_a_message_at_once() {
    let mut net = Net::new(&Config { lanes: 0, ..config() });
    net.settings = RESP2;
    net.subscribe(Channel, "a");
    net.turn();
    net.told();
    net.cut();
    // Without a handshake it is asked for at once.
    net.silent = true;
    net.ms(50);
    assert_eq!((net.publish("a", "1"), net.publish("a", "2")), (1, 1));
    assert_eq!(net.told(), []);
    net.silent = false;
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Gap, "a"), message("a", "1"), message("a", "2")]);
}

/// S3-PUB-05: with RESP2 subscriptions have a connection of their own, as long as there are any.
#[test]
fn a_connection_of_their_own() {
    for case in 0..3 {
        let mut net = Net::new(&Config { lanes: u8::from(case < 2), ..config() });
        match case {
            0 => net.settings = RESP2,
            1 => net.server = Responder::new().without_hello(),
            _ => {}
        }
        net.turn();
        let before = net.sockets.len();
        net.subscribe(Channel, "a");
        net.turn();
        assert_eq!(net.told(), [happened(Happened::Subscribed, "a")], "{case}");
        assert_eq!(net.sockets.len(), before + 1, "{case}");
        net.engine.submit(net.now, token(1), &raw("ECHO").arg("hi"), &NONE).unwrap();
        assert_eq!(net.publish("a", "1"), 1);
        net.turn();
        let told = net.told();
        assert!(told.contains(&message("a", "1")) && told.contains(&Told::Reply(1, text("hi"))), "{told:?}");
        // Lost, it is replaced.
        net.cut();
        net.ms(300);
        assert_eq!(net.told(), [happened(Happened::Gap, "a")], "{case}");
        let lent = net.engine.pool_stats().lent;
        assert!(net.unsubscribe(Channel, "a"));
        net.turn();
        assert_eq!(net.told(), [happened(Happened::Unsubscribed, "a")], "{case}");
        assert_eq!(net.engine.pool_stats().lent, lent - 1, "given back: {case}");
        assert_eq!((net.publish("a", "late"), net.engine.subscriptions().len()), (0, 0));
    }
}

/// What is not wanted any more before there is a connection needs none.
#[test]
fn a_wish_that_is_taken_back() {
    let mut net = Net::new(&Config { lanes: 0, ..config() });
    net.down = true;
    net.subscribe(Channel, "a");
    net.turn();
    assert_eq!(net.engine.pool_stats().waiting, 1);
    assert!(net.unsubscribe(Channel, "a"));
    net.turn();
    assert_eq!((net.engine.pool_stats().waiting, net.engine.subscriptions().len()), (0, 0));
    net.down = false;
    net.ms(1000);
    assert_eq!((net.engine.pool_stats().lent, net.told()), (0, vec![]));
}

/// What is wanted and not during an outage is what is asked for after it.
#[test]
fn an_outage() {
    for settings in [Settings::NONE, RESP2] {
        let mut net = Net::new(&config());
        net.settings = settings;
        net.subscribe(Channel, "stays");
        net.subscribe(Channel, "goes");
        net.turn();
        net.told();
        net.down = true;
        net.cut();
        net.ms(100);
        assert!(net.unsubscribe(Channel, "goes"));
        net.subscribe(Channel, "comes");
        net.ms(100);
        assert_eq!(net.told(), [happened(Happened::Unsubscribed, "goes")]);
        net.down = false;
        net.ms(1000);
        let mut told = net.told();
        told.sort_by_key(|told| format!("{told:?}"));
        assert_eq!(told, [happened(Happened::Gap, "stays"), happened(Happened::Subscribed, "comes")]);
        assert_eq!(
            (net.publish("goes", "x"), net.publish("stays", "x"), net.publish("comes", "x")),
            (0, 1, 1)
        );
    }
}

/// What was asked on a connection that ends was refused by nobody.
#[test]
fn lost_before_the_confirmation() {
    for settings in [Settings::NONE, RESP2] {
        let mut net = Net::new(&config());
        net.settings = settings;
        net.subscribe(Channel, "a");
        net.turn();
        net.told();
        net.silent = true;
        net.subscribe(Channel, "b");
        net.turn();
        net.cut();
        net.silent = false;
        net.ms(300);
        let mut told = net.told();
        told.sort_by_key(|told| format!("{told:?}"));
        assert_eq!(told, [happened(Happened::Gap, "a"), happened(Happened::Subscribed, "b")]);
        assert_eq!(net.engine.subscriptions().stats().refusals, 0);
    }
}

/// A connection without room for what is to be asked has it once requests are answered, or written.
#[test]
fn room_for_asking() {
    let mut net = ready(&config());
    net.silent = true;
    for n in 0..16 {
        net.engine.submit(net.now, token(n), &ping(), &NONE).unwrap();
    }
    net.subscribe(Channel, "a");
    net.turn();
    assert_eq!((net.publish("a", "1"), net.told()), (0, vec![]));
    net.silent = false;
    net.turn();
    assert_eq!((net.confirmed(Channel, "a"), net.told().len()), (true, 17));

    let mut net = Net::with(Heap { buffer: (128, 128), ..HEAP }, &config());
    net.turn();
    net.engine.submit(net.now, token(0), &raw("ECHO").arg(&"x".repeat(100)), &NONE).unwrap();
    net.subscribe(Channel, "a");
    assert_eq!(net.engine.subscriptions().stats().commands, 1);
    net.silent = true;
    net.turn();
    assert_eq!(net.publish("a", "1"), 1, "nothing was answered");
}

/// A server that says no is asked again, after a while; and one that drops a sharded channel, at once.
#[test]
fn refused_and_dropped() {
    let mut net = ready(&config());
    net.subscribe(Shard, "s");
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Refused, "s")]);
    net.shards = true;
    net.ms(100);
    let client = net.blocked.pop().expect("it is asked again");
    net.server.inject(client, b">3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
    net.server.inject(client, b">3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\n1\r\n");
    net.server.inject(client, b">3\r\n$12\r\nsunsubscribe\r\n$1\r\ns\r\n:0\r\n");
    net.turn();
    let told = net.told();
    let since = told.iter().position(|told| *told == happened(Happened::Subscribed, "s")).unwrap();
    assert_eq!(
        told[since..],
        [happened(Happened::Subscribed, "s"), message("s", "1"), happened(Happened::Dropped, "s")]
    );
    assert_eq!(net.blocked.pop(), Some(client), "it is asked again at once");
    net.server.inject(client, b">3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n");
    net.server.inject(client, b">3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\n2\r\n");
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Gap, "s"), message("s", "2")]);
}

/// A connection that says nothing any more is found out although nobody asks for anything.
#[test]
fn a_dead_peer() {
    let pool = pool::Config { health_interval: Duration::from_secs(1), ..config().pool };
    let connection = respire_core::conn::Config {
        reply_timeout: Some(Duration::from_millis(100)),
        grace: Duration::from_millis(100),
        ..config().connection
    };
    for (settings, lanes) in [(Settings::NONE, 1), (RESP2, 1), (Settings::NONE, 0), (RESP2, 0)] {
        let mut net = Net::new(&Config { pool, connection, lanes, ..config() });
        net.settings = settings;
        net.subscribe(Channel, "a");
        net.turn();
        assert_eq!(net.told(), [happened(Happened::Subscribed, "a")]);
        let dials = net.dials;
        net.ms(5500);
        assert_eq!((net.dials, net.publish("a", "1")), (dials, 1), "it lives, and has shown it");
        net.turn();
        assert_eq!(net.told(), [message("a", "1")]);
        net.silent = true;
        net.ms(1500);
        net.silent = false;
        net.ms(500);
        // Where there is no handshake to miss an answer, the subscription on the next one misses its own.
        let mut told = net.told();
        told.retain(|told| *told != happened(Happened::Refused, "a"));
        assert_eq!(told, [happened(Happened::Gap, "a")]);
        assert!(net.dials > dials && net.confirmed(Channel, "a"));
    }
}

/// What is no message is passed over and counted; and what is too large for one is a gap, too.
#[test]
fn odd_pushes() {
    let memory = Heap { buffer: (128, 128), ..HEAP };
    let mut net = Net::with(memory, &config());
    net.subscribe(Channel, "a");
    net.turn();
    net.told();
    let client = net.sockets.values().next().unwrap().1;
    let odd: [&[u8]; 9] = [
        b">3\r\n$7\r\nmessage\r\n:7\r\n$1\r\n1\r\n",
        b">1\r\n$7\r\nmessage\r\n",
        b">2\r\n$7\r\nmessage\r\n$1\r\na\r\n",
        b">3\r\n$7\r\nmessage\r\n*0\r\n$1\r\n1\r\n",
        b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n:1\r\n",
        b">3\r\n$8\r\npmessage\r\n$1\r\na\r\n$1\r\na\r\n",
        b">2\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n",
        b">3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
        b">3\r\n$7\r\nmessage\r\n_\r\n$1\r\n1\r\n",
    ];
    odd.iter().for_each(|push| net.server.inject(client, push));
    net.server.inject(client, b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$200\r\n");
    net.server.inject(client, &[b'x'; 200]);
    net.server.inject(client, b"\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
    net.server.inject(client, b">3\r\n$7\r\nmessage\r\n$4\r\nelse\r\n$1\r\n1\r\n");
    net.server.inject(client, b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n");
    net.turn();
    assert_eq!(net.told(), [happened(Happened::Gap, "a"), message("a", "1")]);
    assert_eq!((net.engine.stats().skipped, net.pushes), (10, 1));
    assert_eq!(net.engine.subscriptions().stats().strays, 1);
}

/// More names than a request may have bytes, and than may be asked at a time.
#[test]
fn many_names_through_small_buffers() {
    const COUNT: usize = if cfg!(miri) { 20 } else { 200 };
    let memory = Heap { subscriptions: COUNT, names: 50 * COUNT, buffer: (96, 96), ..HEAP };
    for settings in [Settings::NONE, RESP2] {
        let mut net = Net::with(memory, &config());
        net.settings = settings;
        for n in 0..COUNT {
            net.subscribe(Channel, &format!("channel:{n:032}"));
        }
        net.turn();
        assert_eq!(net.told().len(), COUNT);
        assert!((0..COUNT).all(|n| net.confirmed(Channel, &format!("channel:{n:032}"))));
        assert_eq!(net.engine.subscriptions().stats().refusals, 0);
        assert_eq!(
            net.engine.subscribe(net.now, Channel, b"one more"),
            Err(Refused::Subscription(pubsub::Refused::Entries))
        );
    }
}

/// S0-SVC-04: at the end nobody waits for a server to end subscriptions, and nothing is left of them.
#[test]
fn close() {
    for (settings, lanes) in [(Settings::NONE, 1), (RESP2, 1), (Settings::NONE, 0), (RESP2, 0)] {
        for answers in [lanes > 0, false] {
            let mut net = Net::new(&Config { lanes, ..config() });
            net.settings = settings;
            net.subscribe(Channel, "a");
            net.turn();
            net.told();
            net.silent = true;
            net.publish("a", "late");
            if answers {
                net.engine.submit(net.now, token(1), &ping(), &NONE).unwrap();
            }
            net.subscribe(Channel, "b");
            net.turn();
            net.engine.close(net.now);
            assert_eq!(net.engine.subscribe(net.now, Channel, b"c"), Err(Refused::Closed));
            assert!(!net.unsubscribe(Channel, "a"));
            net.turn();
            if answers {
                assert_eq!(net.engine.life(), Life::Draining);
                net.silent = false;
                net.turn();
                assert!(matches!(net.told()[..], [Told::Reply(1, _)]));
            }
            assert_eq!((net.engine.life(), net.told()), (Life::Closed, vec![]));
            assert_eq!((net.sockets.len(), net.engine.pool_stats().total), (0, 0));
        }
    }
    // Before there is any connection.
    let mut net = Net::new(&Config { lanes: 0, ..config() });
    net.down = true;
    net.subscribe(Channel, "a");
    net.turn();
    net.engine.close(net.now);
    net.turn();
    assert_eq!((net.engine.life(), net.engine.pool_stats().total), (Life::Closed, 0));
}

/// The shared connection of RESP2 stays what it is, and so do leases.
#[test]
fn beside_leases() {
    let mut net = resp2(&config());
    net.subscribe(Channel, "a");
    net.engine.lease(net.now, token(5)).unwrap();
    net.turn();
    let told = net.told();
    assert!(matches!(told[..], [_, _]), "{told:?}");
    assert_eq!((net.sockets.len(), net.engine.pool_stats().lent), (3, 3));
    assert_eq!(
        net.engine.submit(net.now, token(1), &raw("SUBSCRIBE").arg("b"), &NONE).err(),
        Some(Refused::NeedsLease)
    );
}

/// Without memory for them there are none, and no code.
#[test]
fn an_engine_without_subscriptions() {
    let now = Instant::ZERO;
    let mut engine: Engine<Fixed<2, 512, 8, 1024>, 4> = Engine::new(Fixed, &Config::DEFAULT, now);
    let refused = Err(Refused::Subscription(pubsub::Refused::Entries));
    assert_eq!(engine.subscribe(now, Channel, b"a"), refused);
    assert!(!engine.unsubscribe(now, Channel, b"a"));
    let mut engine: Engine<Fixed<2, 512, 8, 1024, 1, 20>, 4> = Engine::new(Fixed, &Config::DEFAULT, now);
    engine.subscribe(now, Channel, b"a").unwrap();
    assert_eq!(engine.subscribe(now, Channel, b"b"), refused);
    assert_eq!(engine.subscriptions().len(), 1);
}
