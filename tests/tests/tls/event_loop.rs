//! The event loop with TLS.

use std::cell::Cell;
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use respire::command::{Request, echo, incr, ping, raw};
use respire::conn::{Failure, Settings, Token};
use respire::engine::{Config, Engine, Event, Heap, Options};
use respire::hook::{Dial, DialEnd, DialOutcome, Hook};
use respire::{Connected, Dialer, Endpoint, EventLoop, Login, Tls, Url};
use respire_core::time::Instant;
use respire_tests::engine::Elsewhere;

use crate::support::{self, Authority, LIMIT, Secure, Tap, records, secure};

const MEMORY: Heap = Heap {
    connections: 2,
    calls: 2048,
    bytes: 80 << 20,
    subscriptions: 0,
    names: 0,
    buffer: (1 << 12, 1 << 26),
};

const OPTIONS: Options = Options::DEFAULT;

fn open(server: &Secure, port: u16) -> EventLoop {
    let url = format!("rediss://:sesame@localhost:{port}").parse().unwrap();
    let mut client = EventLoop::new(url, MEMORY, &Config::DEFAULT).unwrap();
    *client.dialer() = Dialer::tls(server.tls());
    client
}

fn submit<L: Login, H: Hook>(client: &mut EventLoop<L, H>, token: u64, request: &impl Request) {
    let now = client.now();
    client.engine.submit(now, Token(token), request, &OPTIONS).unwrap();
}

/// Turns until so many requests have come to an end, and shows each.
fn ends<L: Login, H: Hook>(client: &mut EventLoop<L, H>, count: usize, mut show: impl FnMut(Event<'_>)) {
    let (start, mut seen) = (Clock::now(), 0);
    while seen < count {
        assert!(start.elapsed() < LIMIT, "{seen} of {count}: {client:?}");
        let each = |event: Event<'_>| {
            seen += 1;
            show(event);
        };
        client.turn(Some(Duration::from_millis(100)), each).expect("waiting");
    }
}

fn pong(event: Event<'_>) {
    match event {
        Event::Reply { reply, .. } => assert_eq!(reply.as_bytes(), Some(&b"PONG"[..])),
        other => panic!("{other:?}"),
    }
}

/// S0-SEC-01: large values both ways at once, many requests, and nothing to do in between.
#[test]
fn everything_works() {
    let Some(server) = secure(&["--requirepass", "sesame"]) else { return };
    let mut client = open(&server, server.port);
    let value: Vec<u8> = (0..8_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for n in 0..4 {
        submit(&mut client, n, &echo(&value));
    }
    ends(&mut client, 4, |event| match event {
        Event::Reply { reply, .. } => assert!(reply.as_bytes() == Some(&value[..])),
        other => panic!("{other:?}"),
    });
    let mut visits = 0;
    for _ in 0..10 {
        (0..1000).for_each(|n| submit(&mut client, n, &incr("visits")));
        ends(&mut client, 1000, |event| match event {
            Event::Reply { reply, .. } => visits = visits.max(reply.get::<i64>().unwrap()),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(visits, 10_000);
    let before = client.counts();
    let start = Clock::now();
    while start.elapsed() < Duration::from_millis(300) {
        client.turn(Some(Duration::from_millis(300)), |event| panic!("{event:?}")).unwrap();
    }
    assert!(client.counts().turns - before.turns <= 3, "{:?}", client.counts());
    assert!(client.close(LIMIT, |event| panic!("{event:?}")).unwrap());
}

/// S0-SEC-01: nothing is sent to who cannot prove to be the server; and who waits for it is told.
#[test]
fn a_stranger_gets_nothing() {
    let Some(server) = secure(&["--requirepass", "sesame"]) else { return };
    let tap = Tap::new(server.address());
    let mut client = open(&server, tap.port());
    *client.dialer() = Dialer::tls(Tls::new().ca_pem(Authority::new("another").pem));
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, |event| match event {
        Event::Failed { failed, .. } => assert_eq!(failed.failure, Failure::NotSent),
        other => panic!("{other:?}"),
    });
    let sent = tap.sent();
    // An alert at most.
    assert!(records(&sent).iter().all(|&(kind, length)| kind != 23 || length == 19), "{:?}", records(&sent));
    // With the right authority from now on.
    *client.dialer() = Dialer::tls(server.tls());
    let start = Clock::now();
    let mut is_there = false;
    while !is_there {
        assert!(start.elapsed() < LIMIT);
        submit(&mut client, 2, &ping());
        ends(&mut client, 1, |event| is_there = matches!(event, Event::Reply { .. }));
    }
}

/// S0-SEC-01: a cut is not an end, and nobody knows what became of the request.
#[test]
fn a_cut_is_no_end() {
    let Some(server) = secure(&["--requirepass", "sesame"]) else { return };
    let tap = Tap::new(server.address());
    let mut client = open(&server, tap.port());
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, pong);
    submit(&mut client, 2, &raw("BLPOP nothing 0"));
    let watcher = support::open(&server.tls(), &format!("rediss://:sesame@localhost:{}", server.port));
    let arrived = || watcher.send(raw("CLIENT LIST").typed::<String>()).wait().unwrap().contains("cmd=blpop");
    let start = Clock::now();
    while !arrived() {
        assert!(start.elapsed() < LIMIT);
        client.turn(Some(Duration::from_millis(10)), |event| panic!("{event:?}")).unwrap();
    }
    tap.cut();
    ends(&mut client, 1, |event| match event {
        Event::Failed { failed, .. } => assert_eq!(failed.failure, Failure::Unknown),
        other => panic!("{other:?}"),
    });
}

/// S1-HOOK-01, S0-SEC-01: a hook says where to dial, and not that there is no TLS.
#[test]
fn a_hook_keeps_tls() {
    let Some(server) = secure(&[]) else { return };
    let tap = Tap::new(server.address());
    let engine = Engine::with_hook(MEMORY, &Config::DEFAULT, Elsewhere(tap.port()), Instant::ZERO);
    let endpoint = Endpoint::Tls { host: "localhost".into(), port: 1 };
    let mut client = EventLoop::with(engine, endpoint, Settings::NONE).unwrap();
    client.dialer().tls = Some(server.tls());
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, pong);
    assert!(tap.sent().starts_with(&[22, 3, 1]), "it begins with a hello");
    // Also if only the endpoint asks for it. Nobody knows this authority, but that is found out by TLS.
    let tap = Tap::new(server.address());
    let engine = Engine::with_hook(MEMORY, &Config::DEFAULT, Elsewhere(tap.port()), Instant::ZERO);
    let endpoint = Endpoint::Tls { host: "localhost".into(), port: 1 };
    let mut client = EventLoop::with(engine, endpoint, Settings::NONE).unwrap();
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, |event| assert!(matches!(event, Event::Failed { .. })));
    assert!(!tap.sent().windows(5).any(|bytes| bytes == b"HELLO"));
}

/// Remembers whether it was TLS that did not come about.
struct Told(Rc<Cell<bool>>);

impl Hook for Told {
    fn after_dial(&mut self, _now: Instant, _dial: &Dial<'_>, end: &DialEnd<'_>) {
        self.0.set(end.outcome == DialOutcome::Tls);
    }
}

/// S1-HOOK-01, S3-CONN-04: a hook is told that it was TLS.
#[test]
fn a_hook_knows_why() {
    let Some(server) = secure(&[]) else { return };
    let told = Rc::new(Cell::new(false));
    let engine = Engine::with_hook(MEMORY, &Config::DEFAULT, Told(Rc::clone(&told)), Instant::ZERO);
    let endpoint = server.url().parse::<Url>().unwrap().endpoint;
    let mut client = EventLoop::with(engine, endpoint, Settings::NONE).unwrap();
    client.dialer().tls = Some(Tls::new().ca_pem(Authority::new("another").pem));
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, |event| assert!(matches!(event, Event::Failed { .. })));
    assert!(told.get());
}

/// S1-OPT-03: through a tunnel of the user's own.
#[test]
fn a_tunnel() {
    let Some(server) = secure(&["--requirepass", "sesame"]) else { return };
    let mut client = open(&server, 1);
    let port = server.port;
    let connect =
        move |_: &Endpoint, _: Duration| TcpStream::connect(("127.0.0.1", port)).map(Connected::from);
    client.dialer().connect = Some(Arc::new(connect));
    submit(&mut client, 1, &ping());
    ends(&mut client, 1, pong);
}
