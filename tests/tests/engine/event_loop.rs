//! The library's event loop, by itself.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant as Clock};

use respire::engine::{Config, Event, Heap, Options};
use respire::{Endpoint, EventLoop, Url};
use respire_core::command::{get, ping, set};
use respire_core::conn::{Settings, Token};
use respire_core::engine::Engine;
use respire_core::hook::Hook;
use respire_core::time::Instant;
use respire_tests::engine::Elsewhere;
use respire_tests::{Kind, Server};

use crate::support::{LIMIT, config, ms, redis};

const MEMORY: Heap = Heap {
    connections: 4,
    calls: 64,
    bytes: 1 << 16,
    subscriptions: 0,
    names: 0,
    buffer: (1 << 12, 1 << 24),
};

/// Turns until so many were answered.
fn answers<L: respire::Login, H: Hook>(client: &mut EventLoop<L, H>, count: usize) -> Vec<(u64, Vec<u8>)> {
    let (start, mut told) = (Clock::now(), Vec::new());
    while told.len() < count {
        assert!(start.elapsed() < LIMIT, "{told:?} {client:?}");
        let each = |event: Event<'_>| match event {
            Event::Reply { token, reply } => {
                told.push((token.0, reply.as_bytes().unwrap_or_default().to_vec()));
            }
            other => panic!("{other:?}"),
        };
        client.turn(Some(ms(100)), each).expect("waiting");
    }
    told
}

#[test]
fn a_greeting() {
    let Some(server) = redis() else { return };
    let mut client = EventLoop::new(server.url().parse().unwrap(), MEMORY, &Config::DEFAULT).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &set("greeting", "hello"), &Options::DEFAULT).unwrap();
    client.engine.submit(now, Token(2), &get("greeting"), &Options::DEFAULT).unwrap();
    assert_eq!(answers(&mut client, 2), [(1, b"OK".to_vec()), (2, b"hello".to_vec())]);
    assert!(client.close(LIMIT, |event| panic!("{event:?}")).unwrap());
    assert_eq!((client.sockets(), client.patience()), (0, None));
}

/// S1-CONN-03: the same over a Unix socket.
#[test]
fn over_a_unix_socket() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).unix_socket().start();
    let path = server.unix_path().expect("a server with a Unix socket");
    let url = Url::new(Endpoint::Unix(path.to_str().expect("a path in ASCII").into()));
    let mut client = EventLoop::new(url, MEMORY, &Config::DEFAULT).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    assert_eq!(answers(&mut client, 1), [(1, b"PONG".to_vec())]);
}

/// Another thread ends the waiting, and costs nothing before.
#[test]
fn another_thread_wakes_it() {
    let Some(server) = redis() else { return };
    let mut client = EventLoop::new(server.url().parse().unwrap(), MEMORY, &Config::DEFAULT).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    answers(&mut client, 1);
    let turns = client.counts().turns;
    let waker = client.waker();
    let thread = thread::spawn(move || {
        thread::sleep(ms(200));
        waker.wake().expect("a wake-up");
    });
    let start = Clock::now();
    client.turn(Some(LIMIT), |event| panic!("{event:?}")).unwrap();
    assert!(start.elapsed() >= ms(190), "it waited: {:?}", start.elapsed());
    assert!(start.elapsed() < LIMIT, "it was woken");
    assert_eq!(client.counts().turns, turns + 1);
    thread.join().expect("no panic");
}

/// S1-HOOK-01: a hook says where to dial.
#[test]
fn a_hook_sends_it_elsewhere() {
    let Some(server) = redis() else { return };
    let engine = Engine::with_hook(MEMORY, &config(), Elsewhere(server.port()), Instant::ZERO);
    let nowhere = Endpoint::Tcp { host: "127.0.0.1".into(), port: 1 };
    let mut client = EventLoop::with(engine, nowhere, Settings::NONE).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    assert_eq!(answers(&mut client, 1), [(1, b"PONG".to_vec())]);
}

/// Nobody listens on the IPv6 address of the name, or on no address of it.
#[test]
fn every_address_of_a_name_is_tried() {
    let Some(server) = redis() else { return };
    let url = format!("redis://localhost:{}", server.port()).parse().unwrap();
    let mut client = EventLoop::new(url, MEMORY, &config()).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    assert_eq!(answers(&mut client, 1), [(1, b"PONG".to_vec())]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("redis://localhost:{free}").parse().unwrap();
    let mut client = EventLoop::new(url, MEMORY, &config()).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    let (start, mut failed) = (Clock::now(), None);
    while failed.is_none() {
        assert!(start.elapsed() < LIMIT, "{client:?}");
        client.turn(Some(ms(100)), |event| failed = Some(format!("{event:?}"))).unwrap();
    }
    assert!(failed.unwrap().contains("Unavailable"), "it says that nobody is there");
}

/// An address that does not answer has its time, and no more.
#[test]
fn a_silent_address_is_given_up() {
    // The kernel takes so many connections that nobody accepts, and ignores what comes then.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let full: Vec<_> = (0..4).map(|_| std::net::TcpStream::connect_timeout(&address, ms(200))).collect();
    assert!(full.iter().any(Result::is_err), "the line is full");
    let mut url = Url::new(Endpoint::Tcp { host: "127.0.0.1".into(), port: address.port() });
    url.connect_timeout = ms(100);
    let mut client = EventLoop::new(url, MEMORY, &config()).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    let (start, mut told) = (Clock::now(), Vec::new());
    while told.is_empty() {
        assert!(start.elapsed() < LIMIT, "{client:?}");
        client.turn(Some(ms(100)), |event| told.push(format!("{event:?}"))).unwrap();
    }
    assert!(start.elapsed() >= ms(100) && start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    drop((full, listener));
}

#[test]
fn an_idle_loop_does_nothing() {
    let Some(server) = redis() else { return };
    let mut client = EventLoop::new(server.url().parse().unwrap(), MEMORY, &config()).unwrap();
    let now = client.now();
    client.engine.submit(now, Token(1), &ping(), &Options::DEFAULT).unwrap();
    answers(&mut client, 1);
    let before = client.counts();
    let start = Clock::now();
    while start.elapsed() < ms(300) {
        client.turn(Some(ms(300)), |event| panic!("{event:?}")).unwrap();
    }
    let counts = client.counts();
    assert_eq!((counts.reads, counts.writes), (before.reads, before.writes));
    assert!(counts.turns - before.turns <= 3, "{counts:?}");
}
