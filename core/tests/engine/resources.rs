//! What was taken is given back: places for requests, their bytes, connections. And the end, once nothing is left.

use std::time::Duration;

use respire_core::command::{AnyRequest, Later, get, incr, multi, raw, set, watch};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Engine, Fixed, Lease, Life, Options, Refused, Ticket};
use respire_core::pool;
use respire_core::resp::Value;
use respire_core::time::Instant;

use crate::net::{Net, Told, token};
use crate::{NONE, config, ready};

/// A place that is taken, a byte that is kept or a connection that is lent would each be missing here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Room {
    requests: usize,
    long_requests: usize,
    leases: usize,
    connections: usize,
}

const OWN: Options = Options { own: true, ..NONE };

/// As many as this take their way.
fn several(net: &mut Net, n: u64, request: &dyn AnyRequest, options: &Options) {
    (0..n).for_each(|n| {
        submit(net, n, request, options);
    });
}

fn submit(net: &mut Net, n: u64, request: &dyn AnyRequest, options: &Options) -> Ticket {
    net.engine.submit(net.now, token(n), request, options).unwrap()
}

/// How much is taken before something is refused. All of it is given back.
fn room(net: &mut Net) -> Room {
    let mut most = |request: &dyn AnyRequest| {
        net.silent = true;
        let mut tickets = Vec::new();
        while let Ok(ticket) = net.engine.submit(net.now, token(0), request, &NONE) {
            tickets.push(ticket);
        }
        net.turn();
        for &ticket in &tickets {
            assert!(net.engine.cancel(net.now, ticket).is_some());
        }
        net.silent = false;
        net.turn();
        tickets.len()
    };
    let (requests, long_requests) = (most(&get("k")), most(&set("k", &"x".repeat(200))));
    for n in 0..8 {
        net.engine.lease(net.now, token(n)).unwrap();
    }
    net.ms(1000);
    let mut leases = Vec::new();
    for told in net.told() {
        match told {
            Told::Leased(_, lease) => leases.push(lease),
            other => assert!(matches!(other, Told::Failed(..)), "{other:?}"),
        }
    }
    let connections = net.sockets.len();
    leases.iter().for_each(|&lease| net.engine.release(net.now, lease));
    net.ms(1000);
    assert_eq!((net.told(), net.engine.pending()), (vec![], 0));
    Room { requests, long_requests, leases: leases.len(), connections }
}

/// Wishes for so many connections, and gets them.
fn leases(net: &mut Net, n: u64) -> Vec<Lease> {
    for n in 0..n {
        net.engine.lease(net.now, token(n)).unwrap();
    }
    net.turn();
    let told = net.told().into_iter();
    told.map(|told| if let Told::Leased(_, lease) = told { lease } else { panic!("{told:?}") }).collect()
}

/// One way that something may go, up to where it is over.
type Way = (&'static str, fn(&mut Net));

const WAYS: [Way; 14] = [
    ("answered", |net| {
        submit(net, 1, &incr("n"), &NONE);
        submit(net, 2, &incr("n"), &OWN);
        net.turn();
    }),
    ("refused", |net| {
        assert_eq!(net.engine.submit(net.now, token(1), &watch("k"), &NONE), Err(Refused::NeedsLease));
        let later = set("k", Later(10));
        assert!(net.engine.submit(net.now, token(1), &later, &OWN).is_err());
    }),
    ("cancelled before and behind its sending", |net| {
        let early = submit(net, 1, &get("k"), &NONE);
        assert_eq!(net.engine.cancel(net.now, early), Some(Failure::NotSent));
        net.silent = true;
        let late = submit(net, 1, &get("k"), &NONE);
        net.turn();
        assert_eq!(net.engine.cancel(net.now, late), Some(Failure::Unknown));
        net.silent = false;
    }),
    ("cancelled in the queue", |net| {
        net.silent = true;
        let tickets: Vec<_> = (0..20).map(|n| submit(net, n, &get("k"), &NONE)).collect();
        tickets.into_iter().rev().for_each(|ticket| assert!(net.engine.cancel(net.now, ticket).is_some()));
        net.silent = false;
    }),
    ("cancelled in the line for a connection", |net| {
        let held = leases(net, 3);
        let ticket = submit(net, 1, &get("k"), &OWN);
        assert_eq!(net.engine.cancel(net.now, ticket), Some(Failure::NotSent));
        held.into_iter().for_each(|lease| net.engine.release(net.now, lease));
    }),
    ("cancelled on a connection of its own", |net| {
        net.silent = true;
        let ticket = submit(net, 1, &raw("BLPOP").arg("q").arg(0), &NONE);
        net.turn();
        assert_eq!(net.engine.cancel(net.now, ticket), Some(Failure::Unknown));
        net.silent = false;
    }),
    ("cancelled while it rests", |net| {
        net.silent = true;
        let ticket = submit(net, 1, &get("k"), &NONE);
        net.turn();
        net.cut();
        net.turn();
        assert_eq!((net.engine.stats().retries > 0, net.engine.pending()), (true, 1));
        assert_eq!(net.engine.cancel(net.now, ticket), Some(Failure::Unknown));
        net.silent = false;
    }),
    ("late in every stage", |net| {
        let held = leases(net, 3);
        net.silent = true;
        let soon = Some(Duration::from_millis(50));
        several(net, 20, &get("k"), &Options { timeout: soon, ..NONE });
        submit(net, 20, &get("k"), &Options { timeout: soon, ..OWN });
        net.ms(100);
        assert_eq!(net.told().len(), 21);
        net.silent = false;
        held.into_iter().for_each(|lease| net.engine.release(net.now, lease));
    }),
    ("lost", |net| {
        net.silent = true;
        several(net, 20, &incr("n"), &NONE);
        submit(net, 20, &incr("n"), &OWN);
        net.turn();
        net.cut();
        net.silent = false;
    }),
    ("lost while nobody is there", |net| {
        net.silent = true;
        several(net, 20, &get("k"), &NONE);
        net.turn();
        net.cut();
        (net.down, net.silent) = (true, false);
        net.ms(1000);
        net.down = false;
    }),
    ("lost in the handshake", |net| {
        net.cut();
        net.silent = true;
        net.turn();
        net.cut();
        net.silent = false;
    }),
    ("a wish that is given up", |net| {
        let held = leases(net, 2);
        // One has its connection already and was not told, one has none.
        let tickets = [1, 2].map(|n| net.engine.lease(net.now, token(n)).unwrap());
        let known = tickets.map(|ticket| net.engine.cancel(net.now, ticket));
        assert_eq!(known, [Some(Failure::NotSent); 2]);
        held.into_iter().for_each(|lease| net.engine.release(net.now, lease));
    }),
    ("a lessee who leaves in the middle", |net| {
        for lease in leases(net, 3) {
            let now = net.now;
            let connection = net.engine.leased(lease).unwrap();
            connection.submit(now, token(1), &multi()).unwrap();
            connection.submit(now, token(2), &incr("n")).unwrap();
            net.engine.release(now, lease);
        }
    }),
    ("a lease whose connection is lost", |net| {
        let held = leases(net, 3);
        net.cut();
        net.turn();
        held.into_iter().for_each(|lease| net.engine.release(net.now, lease));
    }),
];

/// S1-CLEAN-02: whatever way a request or a wish goes, all that it had is there for the next ones.
#[test]
fn whatever_happens_all_is_given_back() {
    let mut net = ready(&config());
    let all = room(&mut net);
    assert_eq!((all.requests, all.leases, all.connections), (32, 3, 4));
    assert!((1..32).contains(&all.long_requests), "{all:?}");
    for (name, way) in WAYS {
        way(&mut net);
        net.ms(20_000);
        net.told();
        assert_eq!((room(&mut net), net.engine.pending()), (all, 0), "{name}");
    }
}

/// S1-CLI-01, S1-CLEAN-02: the end comes once: when the last answer is told, the last lease is back and the
/// last connection closed, and not before. Nothing comes behind it.
#[test]
fn the_end_comes_once_and_last() {
    let pool = pool::Config { min_idle: 1, ..config().pool };
    let mut net = ready(&Config { pool, ..config() });
    let lease = leases(&mut net, 1)[0];
    submit(&mut net, 1, &raw("BLPOP").arg("q").arg(0), &NONE);
    submit(&mut net, 2, &get("k"), &NONE);
    net.silent = true;
    net.turn();
    assert_eq!(net.sockets.len(), 4);
    let mut ends = 0;
    let mut was = net.engine.life();
    net.engine.close(net.now);
    for step in 0..200 {
        // One thing at a time.
        match step {
            50 => net.silent = false,
            100 => net.engine.release(net.now, lease),
            // What blocks without end is given up.
            150 => net.now = net.now.saturating_add(Duration::from_secs(5)),
            _ => {}
        }
        net.engine.handle_timeout(net.now);
        net.step();
        let life = net.engine.life();
        ends += u32::from(life == Life::Closed && was != Life::Closed);
        assert_eq!(life == Life::Closed, net.sockets.is_empty(), "{step}: {:?}", net.engine);
        assert!(life == Life::Closed || was != Life::Closed, "it came back");
        was = life;
        // One was idle; the shared one stays until all are answered.
        if let Some((_, left)) = [(49, 3), (99, 3), (149, 2)].into_iter().find(|(at, _)| *at == step) {
            assert_eq!(net.sockets.len(), left, "{step}: {:?}", net.engine);
        }
    }
    assert_eq!((ends, net.told().len(), net.engine.pending()), (1, 2, 0));
    assert_eq!(net.engine.poll_event(net.now), None);
    assert_eq!(net.engine.poll_action(net.now), None);
    assert_eq!(net.engine.poll_timeout(), Instant::MAX);
}

/// S1-POOL-01: nothing in it is shared and nothing locked: whoever owns it may take it to another thread, in
/// the middle of everything.
#[test]
#[cfg(not(target_family = "wasm"))]
fn it_moves_to_another_thread() {
    const fn is_send_and_sync<T: Send + Sync>() {}
    const { is_send_and_sync::<Engine<Fixed<2, 64, 4, 64>, 4>>() };
    let mut net = ready(&config());
    submit(&mut net, 1, &incr("n"), &NONE);
    let mut net = std::thread::spawn(move || {
        net.turn();
        net
    })
    .join()
    .unwrap();
    assert_eq!(net.told(), [Told::Reply(1, Value::Integer(1))]);
}

/// Bytes of the two buffers of a connection.
fn buffers(net: &mut Net, lease: Lease) -> Vec<usize> {
    let shown = format!("{:?}", net.engine.leased(lease).expect("the lease is not over"));
    let sizes = shown.split("size: ").skip(1);
    sizes.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// S1-KI-02: what a connection has grown to is kept while it is used now and then, and given back when it is not. Who uses
/// it next finds nothing changed.
#[test]
fn memory_rests_with_its_connection() {
    let mut net = Net::new(&config());
    net.engine.lease(net.now, token(1)).unwrap();
    net.ms(10);
    let mut lease = net.leased();
    let value = "x".repeat(1000);
    for (pause, is_kept) in [(900, true), (999, true), (1000, false), (5000, false), (0, true)] {
        let connection = net.engine.leased(lease).unwrap();
        for n in 0..12 {
            connection.submit(net.now, token(n), &set("k", &value)).unwrap();
        }
        connection.submit(net.now, token(12), &get("k")).unwrap();
        net.ms(10);
        let connection = net.engine.leased(lease).unwrap();
        let answered = std::iter::from_fn(|| connection.poll_event().map(|_| ())).count();
        assert_eq!((answered, connection.in_flight()), (13, 0));
        let used = buffers(&mut net, lease);
        assert!(used.iter().all(|&size| size >= 1000), "{used:?}");

        net.engine.release(net.now, lease);
        net.ms(pause);
        lease = net.engine.lease_idle(net.now).expect("it is idle");
        let kept = if is_kept { used } else { vec![0, 0] };
        assert_eq!(buffers(&mut net, lease), kept, "after {pause} ms");
        assert_eq!(net.engine.lease_idle(net.now), None, "it is the only one");
    }
}
