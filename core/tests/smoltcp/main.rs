//! Two smoltcp stacks on a virtual wire and a virtual clock: the connection on one side, the
//! in-memory server on the other.
#![cfg(all(feature = "smoltcp", feature = "testing"))]

mod wire;

use std::cell::RefCell;
use std::time::Duration;

use respire_core::command::{Request, get, incr, quit, set};
use respire_core::conn::{Config, Connection, Event, Settings, Token};
use respire_core::io::smoltcp::Closed;
use respire_core::io::{Socket, pump};
use respire_core::testing::{ClientId, Responder};
use respire_core::time;
use smoltcp::iface::{Config as Hardware, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use crate::wire::{Port, Wire};

/// One side: a stack with one TCP socket of small buffers.
struct Side<'a> {
    port: Port<'a>,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
}

impl<'a> Side<'a> {
    fn new(wire: &'a RefCell<Wire>, side: usize) -> Self {
        let mut port = Port(wire, side);
        let mut hardware = Hardware::new(EthernetAddress([2, 0, 0, 0, 0, side as u8]).into());
        hardware.random_seed = wire.borrow_mut().random();
        let mut interface = Interface::new(hardware, &mut port, Instant::ZERO);
        interface.update_ip_addrs(|list| list.push(IpCidr::new(address(side), 24)).unwrap());
        let memory = |size| tcp::SocketBuffer::new(vec![0; size].leak());
        let mut sockets = SocketSet::new(vec![SocketStorage::EMPTY].leak());
        let handle = sockets.add(tcp::Socket::new(memory(512), memory(128)));
        Self { port, interface, sockets, handle }
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    fn poll(&mut self, now: Instant) -> Option<Instant> {
        self.interface.poll(now, &mut self.port, &mut self.sockets);
        self.interface.poll_at(now, &self.sockets)
    }
}

fn address(side: usize) -> IpAddress {
    IpAddress::v4(192, 0, 2, 1 + side as u8)
}

type Large = Connection<[u8; 4096], 8>;

/// A device and a server, as far as they are now.
struct World<'a> {
    wire: &'a RefCell<Wire>,
    device: Side<'a>,
    peer: Side<'a>,
    connection: Large,
    events: Vec<String>,
    server: Responder,
    client: ClientId,
}

impl<'a> World<'a> {
    fn new(wire: &'a RefCell<Wire>) -> Self {
        let (mut device, mut peer) = (Side::new(wire, 0), Side::new(wire, 1));
        peer.socket().listen(6379).unwrap();
        let socket = device.sockets.get_mut::<tcp::Socket<'_>>(device.handle);
        assert_eq!(socket.try_read(&mut [0; 8]), Err(Closed), "never begun");
        socket.connect(device.interface.context(), (address(1), 6379), 49_152).unwrap();
        assert_eq!(socket.try_read(&mut [0; 8]), Ok(None), "not yet connected");
        assert_eq!(socket.try_write(b"x"), Ok(None), "not yet connected");
        let config = Config { handshake_timeout: Duration::MAX, reply_timeout: None, ..Config::default() };
        let mut connection = Connection::new([0; 4096], [0; 4096], config);
        connection.start(time::Instant::ZERO, &Settings::default()).unwrap();
        let mut server = Responder::new();
        let client = server.connect(Duration::ZERO);
        Self { wire, device, peer, connection, events: Vec::new(), server, client }
    }

    /// Runs both sides until the device has so many events, or its socket fails.
    fn run(&mut self, events: usize) -> Result<(), Closed> {
        for _ in 0..100_000 {
            let now = Instant::from_micros(self.wire.borrow().now);
            self.device.poll(now);
            let on_event = |event: Event<'_>| self.events.push(format!("{event:?}"));
            let turn = pump(&mut self.connection, self.device.socket(), on_event)?;
            self.peer.poll(now);
            self.serve();
            let wakes = [self.device.poll(now), self.peer.poll(now)];
            if self.events.len() >= events {
                return Ok(());
            }
            let mut wire = self.wire.borrow_mut();
            let frame = wire.frames.first_key_value().map(|(key, _)| key.0);
            let next = wakes.into_iter().flatten().map(|at| at.total_micros()).chain(frame).min();
            if !turn.may_read {
                wire.now = next.expect("nothing will ever happen").max(wire.now);
            }
        }
        panic!("no end: {:?}", self.events);
    }

    fn submit(&mut self, token: u64, request: &impl Request) {
        self.connection.submit(time::Instant::ZERO, Token(token), request).unwrap();
    }

    /// Hands a request to the socket, and lets no time pass.
    fn write(&mut self, request: &impl Request) {
        self.submit(1, request);
        pump(&mut self.connection, self.device.socket(), |_| {}).unwrap();
    }

    fn serve(&mut self) {
        let socket = self.peer.socket();
        let mut bytes = [0; 512];
        while let Ok(n @ 1..) = socket.recv_slice(&mut bytes) {
            self.server.receive(Duration::ZERO, self.client, &bytes[..n]);
        }
        if let Ok(n) = socket.send_slice(self.server.output(self.client)) {
            self.server.sent(self.client, n);
        }
        if self.server.wants_close(self.client) && self.server.output(self.client).is_empty() {
            socket.close();
        }
    }
}

/// A pipeline whose value is larger than all socket buffers. The virtual time it took.
fn session(wire: &RefCell<Wire>) -> i64 {
    let mut world = World::new(wire);
    world.run(1).unwrap();
    let value: Vec<u8> = (0..3000).map(|_| wire.borrow_mut().random() as u8).collect();
    world.submit(1, &set("k", &value));
    world.submit(2, &get("k"));
    (3..=6).for_each(|token| world.submit(token, &incr("n")));
    world.run(7).unwrap();
    let got = format!("Reply {{ token: Token(2), reply: \"{}\" }}", value.escape_ascii());
    assert_eq!(
        world.events[..3],
        ["Ready { protocol: Resp3 }", r#"Reply { token: Token(1), reply: "OK" }"#, &got]
    );
    let counted = (1..=4).map(|n| format!("Reply {{ token: Token({}), reply: {n} }}", n + 2));
    assert_eq!(world.events[3..], counted.collect::<Vec<_>>());
    world.submit(7, &quit());
    world.run(9).unwrap();
    assert_eq!(world.events[8], "Closed(Quit)", "the server's FIN is an end");
    wire.borrow().now
}

#[test]
fn a_good_wire() {
    let frames = (0..50).map(|seed| {
        let wire = Wire::new(seed, 0, 0, 0);
        assert!(session(&wire) < 1_000_000, "nothing waits for a timer of TCP");
        wire.borrow().count
    });
    assert!(frames.min() > Some(20));
}

#[test]
fn a_wire_that_loses_repeats_and_reorders() {
    for seed in 0..150 {
        session(&Wire::new(seed, 10, 5, 40_000));
    }
    let again = || session(&Wire::new(7, 20, 10, 100_000));
    assert_eq!(again(), again(), "the same seed, the same time");
}

#[test]
fn an_abort_is_an_error_and_resolves_what_is_in_flight() {
    for seed in 0..20 {
        let wire = Wire::new(seed, 0, 0, 1000);
        let mut world = World::new(&wire);
        world.run(1).unwrap();
        world.write(&get("k"));
        world.peer.socket().abort();
        assert_eq!(world.run(9), Err(Closed));
        assert_eq!(world.events[1..], ["Failed { token: Token(1), failure: Unknown }", "Closed(Transport)"]);
    }
}

#[test]
fn a_refused_connection_is_an_error() {
    let wire = Wire::new(1, 0, 0, 0);
    let mut world = World::new(&wire);
    world.peer.socket().abort();
    assert_eq!(world.run(9), Err(Closed));
    assert_eq!(world.events, ["Closed(Transport)"]);
}

#[test]
fn answers_are_read_before_the_reset_that_follows_them() {
    let wire = Wire::new(1, 0, 0, 0);
    let mut world = World::new(&wire);
    world.run(1).unwrap();
    world.write(&incr("n"));
    // The network stack goes on while the application does not.
    for round in 0..20 {
        let now = Instant::from_micros(wire.borrow().now);
        world.device.poll(now);
        world.peer.poll(now);
        world.serve();
        world.peer.poll(now);
        if round == 10 {
            world.peer.socket().abort();
        }
        wire.borrow_mut().now += 100_000;
    }
    assert_eq!(world.run(9), Err(Closed));
    assert_eq!(world.events[1..], ["Reply { token: Token(1), reply: 1 }", "Closed(Transport)"]);
}
