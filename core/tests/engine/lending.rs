//! Long arguments that are written from where they lie.

use std::cell::Cell;

use respire_core::command::{AnyRequest, Command, Request, Retry, get, incr, set};
use respire_core::conn::Failure;
use respire_core::engine::{Config, Options};
use respire_core::resp::{ArgSink, Done, Value};

use crate::net::{Net, Told, failed, token};
use crate::{NONE, config, ready};

const FROM: usize = 1000;

/// Submits a request to a socket that takes so many bytes of each write, until it has taken them all. How many were lent, and
/// written at once.
fn lend(net: &mut Net, n: u64, request: &dyn AnyRequest, options: &Options, takes: &[usize]) -> [usize; 2] {
    let (mut takes, mut lent, mut all) = (takes.iter().copied(), 0, 0);
    let now = net.wall();
    let Net { engine, server, sockets, .. } = net;
    let mut write = |id: respire_core::pool::Id, parts: [&[u8]; 3]| {
        let bytes = parts.concat();
        let n = takes.next().unwrap_or(0).min(bytes.len());
        server.receive(now, sockets[&id.index()].1, &bytes[..n]);
        (lent, all) = (lent.max(parts[1].len()), all + n);
        n
    };
    engine.submit_lending(net.now, token(n), request, options, FROM, &mut write).unwrap();
    [lent, all]
}

fn strings(net: &mut Net) -> Vec<Value> {
    let told = net.told().into_iter().map(|told| match told {
        Told::Reply(_, value) => value,
        other => panic!("{other:?}"),
    });
    told.collect()
}

/// S1-CONN-06: wherever the socket is full, the rest follows, and others behind it.
#[test]
fn the_socket_takes_a_part() {
    let value: Vec<u8> = (0..4000_u32).map(|n| n as u8).collect();
    let frame = 4000 + b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000\r\n\r\n".len();
    let step = if cfg!(miri) { 500 } else { 7 };
    for first in (0..frame).step_by(step).chain([1, frame - 2, frame - 1, frame]) {
        for second in [0, 1, 100] {
            let mut net = ready(&config());
            net.engine.submit(net.now, token(1), &incr("n"), &NONE).unwrap();
            let waiting = b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n".len();
            let [lent, all] =
                lend(&mut net, 2, &set("k", &value), &NONE, &[waiting + first, second, usize::MAX]);
            assert_eq!(lent, 4000);
            assert_eq!(all, waiting + first, "who has not taken all has no more room");
            net.engine.submit(net.now, token(3), &incr("n"), &NONE).unwrap();
            net.engine.submit(net.now, token(4), &get("k"), &NONE).unwrap();
            net.turn();
            let [one, ok, two, stored] = &strings(&mut net)[..] else { panic!("four answers") };
            assert_eq!((one, two), (&Value::Integer(1), &Value::Integer(2)));
            assert_eq!((ok, stored), (&Value::Simple("OK".into()), &Value::Bulk(value.clone())));
        }
    }
}

#[test]
fn what_is_short_is_copied() {
    let mut net = ready(&config());
    assert_eq!(lend(&mut net, 1, &set("k", &[b'x'; 999][..]), &NONE, &[usize::MAX]), [0, 0]);
    assert_eq!(lend(&mut net, 2, &set("k", &[b'x'; FROM][..]), &NONE, &[usize::MAX])[0], FROM);
    net.turn();
    assert_eq!(strings(&mut net).len(), 2);
}

/// S1-ERR-05: what may go again is kept, and so it is copied.
#[test]
fn what_may_go_again_is_copied() {
    let value = [b'x'; 2000];
    let mut net = ready(&config());
    let again = Options { class: Some(Retry::ReadOnly), ..NONE };
    assert_eq!(lend(&mut net, 1, &set("k", &value[..]), &again, &[usize::MAX]), [0, 0]);
    net.cut();
    net.ms(1000);
    assert_eq!(strings(&mut net), [Value::Simple("OK".into())]);

    let retry = respire_core::retry::Policy { ceiling: Retry::LastWriteWins, ..config().retry };
    let mut net = ready(&Config { retry, ..config() });
    assert_eq!(lend(&mut net, 1, &set("k", &value[..]), &NONE, &[usize::MAX]), [0, 0]);
}

/// What was written in part may have been executed, as far as anybody knows.
#[test]
fn a_connection_that_is_lost_takes_it_along() {
    let value = [b'x'; 2000];
    for takes in [500, usize::MAX] {
        let mut net = ready(&config());
        lend(&mut net, 1, &set("k", &value[..]), &NONE, &[takes]);
        net.cut();
        net.ms(1000);
        assert_eq!(failed(&net.told(), 1).failure, Failure::Unknown, "{takes}");
        net.engine.submit(net.now, token(2), &incr("n"), &NONE).unwrap();
        net.turn();
        assert_eq!(strings(&mut net), [Value::Integer(1)]);
    }
}

/// S1-ERR-05: what was not sent goes again, however long it is.
#[test]
fn a_socket_that_takes_nothing_leaves_it_to_the_next() {
    let value = [b'x'; 2000];
    let mut net = ready(&config());
    assert_eq!(lend(&mut net, 1, &set("k", &value[..]), &NONE, &[0]), [2000, 0]);
    net.cut();
    net.ms(1000);
    assert_eq!(strings(&mut net), [Value::Simple("OK".into())]);
    assert_eq!(net.engine.stats().unkept, 0);
}

/// Without a connection it waits as a copy, like all others.
#[test]
fn without_a_connection_it_waits() {
    let value = [b'x'; 2000];
    let mut net = Net::new(&config());
    assert_eq!(lend(&mut net, 1, &set("k", &value[..]), &NONE, &[usize::MAX]), [0, 0]);
    net.turn();
    assert_eq!(strings(&mut net), [Value::Simple("OK".into())]);
}

/// A request whose argument is another at the nth visit, and from then on.
struct Fickle(Cell<u32>);

impl Request for Fickle {
    type Reply<'r> = Done;

    fn command(&self) -> &'static Command {
        set("", "").command()
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.set(self.0.get().saturating_sub(1));
        sink.arg(b"SET");
        sink.key(b"k");
        sink.arg(&[b'x'; 2000][usize::from(self.0.get() == 0)..]);
    }
}

#[test]
fn who_changes_his_mind_harms_nobody_else() {
    let mut lost = 0;
    for visit in 1..8 {
        let mut net = ready(&config());
        let mut write = |_, _: [&[u8]; 3]| 0;
        let request = Fickle(Cell::new(visit));
        net.engine.submit_lending(net.now, token(1), &request, &NONE, FROM, &mut write).unwrap();
        net.turn();
        net.ms(1000);
        assert_eq!(strings(&mut net), [Value::Simple("OK".into())], "{visit}");
        lost += net.dials - 1;
        net.engine.submit(net.now, token(2), &incr("n"), &NONE).unwrap();
        net.turn();
        assert_eq!(strings(&mut net), [Value::Integer(1)]);
    }
    assert_eq!(lost, 1, "it is noticed when the argument is shown, and sent as it is then");
}
