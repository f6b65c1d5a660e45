//! What a server does, shown to who asked for it: every argument as it was sent, who sent it, what is lost, and the end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, SystemTime};

use respire::conn::Failure;
use respire::prelude::*;
use respire::pubsub::Overflow;
use respire::{Client, Error, Monitor, Monitored, MonitoredCommand, NewsOptions, Origin};
use respire_tests::chaos::plain;
use respire_tests::{Kind, Server};

use crate::support::{Admin, By, LIMIT, both, builder, clients, kill_others, open, redis, until, within};

/// The next line, which must come in time.
fn line(monitor: &mut Monitor) -> Monitored {
    match monitor.recv_timeout(LIMIT) {
        Some(Some(Ok(line))) => line,
        other => panic!("no line: {other:?}"),
    }
}

/// The next command of this name.
fn command(monitor: &mut Monitor, name: &str) -> MonitoredCommand {
    loop {
        let line = line(monitor);
        let command = line.command.unwrap_or_else(|| panic!("no command: {}", line.raw.escape_ascii()));
        if command.args[0].eq_ignore_ascii_case(name.as_bytes()) {
            return command;
        }
    }
}

/// How many connections show what is done.
fn shown(admin: &mut Admin) -> usize {
    clients(admin).iter().filter(|client| client["flags"].contains('O')).count()
}

/// Every byte of every argument is told as it was sent, by whom, where and when.
#[test]
fn every_argument_as_it_was_sent() {
    both(|server, builder| {
        let client = open(builder);
        let mut monitor = client.monitor().wait().unwrap();
        let all: Vec<u8> = (0..=u8::MAX).collect();
        client.set("a \"key\"\r\n", &all).wait().unwrap();
        let before = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let MonitoredCommand { time, db, origin, args, .. } = command(&mut monitor, "set");
        assert_eq!(args, [b"SET".as_slice(), b"a \"key\"\r\n", &all]);
        assert_eq!(db, 0);
        assert!(time.abs_diff(before) < Duration::from_secs(60), "{time:?}, {before:?}");
        let id: i64 = client.client_id().wait().unwrap();
        let list = clients(&mut Admin::connect(server.addr()));
        let own = list.iter().find(|client| client["id"] == id.to_string()).expect("our connection");
        assert_eq!(origin, Origin::Address(own["addr"].clone()));

        let conn = client.conn().wait().unwrap();
        conn.select(5).wait().unwrap();
        let script = "return redis.call('GET', KEYS[1])";
        conn.send(raw("EVAL").arg(script).arg(1).key("k")).wait_with(|_| Ok(())).unwrap();
        let called = command(&mut monitor, "get");
        assert_eq!((called.origin, called.db), (Origin::Script, 5));
        assert_eq!(called.args, [b"GET".as_slice(), b"k"]);
    });
}

/// Who comes over the server's Unix socket is told by its path, and Valkey's lines are read, too.
#[test]
fn other_ways_and_servers() {
    if let Some(server) =
        Kind::Redis70.available_or_skip().then(|| Server::builder(Kind::Redis70).unix_socket().start())
    {
        let path = server.unix_path().expect("a socket").to_str().expect("text").to_owned();
        let client = open(builder(&format!("unix://{path}")));
        let mut monitor = client.monitor().wait().unwrap();
        client.ping::<String>().wait().unwrap();
        assert_eq!(command(&mut monitor, "ping").origin, Origin::Unix(path));
    }
    for kind in Kind::ALL {
        if kind.available_or_skip() {
            let server = Server::builder(kind).start();
            let client = open(builder(&server.url()));
            let mut monitor = client.monitor().wait().unwrap();
            client.send(raw("ECHO").arg("\0\"")).wait_with(|_| Ok(())).unwrap();
            assert_eq!(command(&mut monitor, "echo").args[1], b"\0\"", "{kind:?}");
        }
    }
}

/// All ways to wait show all lines in their order: an iterator, tasks, one that never waits, a handler, a stream.
#[test]
fn every_way_to_watch() {
    both(|_, builder| {
        let client = open(builder);
        let open = || client.monitor().wait().unwrap();
        let (iterator, mut eager, handled, mut streamed) = (open(), open(), open(), open());
        within(move || {
            let (send, heard) = channel();
            let handler = handled.listen(move |line| send.send(line.unwrap()).is_ok()).unwrap();
            for n in 0..200 {
                client.echo::<String>(&n.to_string()).wait().unwrap();
            }
            let number = |line: Monitored| {
                let args = line.command.unwrap().args;
                let is_echo = args[0].eq_ignore_ascii_case(b"echo");
                is_echo.then(|| str::from_utf8(&args[1]).unwrap().parse::<u32>().unwrap())
            };
            assert!(iterator.filter_map(|line| number(line.unwrap())).take(200).eq(0..200));
            let mut next = 0;
            while next < 200 {
                if let Some(n) = eager.try_next().and_then(|line| number(line.unwrap())) {
                    assert_eq!(n, next);
                    next += 1;
                }
            }
            assert!(heard.iter().filter_map(number).take(200).eq(0..200));
            drop(heard);
            let stream = std::iter::from_fn(|| {
                use futures_core::Stream;
                let next = poll_fn(|context| Pin::new(&mut streamed).poll_next(context));
                plain(next)
            });
            assert!(stream.filter_map(|line| number(line.unwrap())).take(200).eq(0..200));
            client.ping::<String>().wait().unwrap();
            handler.join().unwrap();
        });
    });
}

/// For tasks of every kind.
#[test]
fn tasks_watch() {
    both(|_, builder| {
        let client = open(builder);
        for by in By::ALL {
            by.run(&client, async {
                let mut monitor = client.monitor().await.unwrap();
                let echoed: String = client.echo("x").await.unwrap();
                assert_eq!(echoed, "x");
                loop {
                    let line = monitor.recv().await.expect("a line").unwrap();
                    if line.command.expect("a command").args == [b"ECHO".as_slice(), b"x"] {
                        break;
                    }
                }
            });
        }
    });
}

/// A user who may not see it is told so in the server's words, and the connection is as good as before.
#[test]
fn who_may_not_watch() {
    let Some(server) = redis() else { return };
    Admin::connect(server.addr()).done("ACL SETUSER some on >secret ~* +@all -monitor");
    for protocol in [2, 3] {
        let url = format!("redis://some:secret@{}?protocol={protocol}", server.addr());
        let client = open(builder(&url).connections(2));
        for _ in 0..5 {
            match client.monitor().wait() {
                Err(Error::Server(error)) => assert_eq!(error.code(), "NOPERM"),
                other => panic!("{other:?}"),
            }
        }
        assert!(client.conn().wait().unwrap().ping::<String>().wait().is_ok());
    }
}

/// Only by that way: as a command it is refused everywhere.
#[test]
fn as_a_command_it_is_refused() {
    both(|_, builder| {
        let client = open(builder);
        let conn = client.conn().wait().unwrap();
        assert!(matches!(conn.monitor().wait(), Err(Error::NeedsOwnConnection)));
        assert!(matches!(conn.send(raw("MONITOR")).wait_with(|_| Ok(())), Err(Error::NeedsOwnConnection)));
        assert!(matches!(client.send(monitor()).wait(), Err(Error::NeedsOwnConnection)));
        let lone = client.echo::<String>("x").wait_with(|_| Ok(client.monitor().wait().map(drop)));
        assert!(matches!(lone, Ok(Err(Error::Busy))), "{lone:?}");
    });
}

/// When it is dropped its connection is closed, and lent to nobody; also if that is before the answer.
#[test]
fn dropped_is_closed() {
    both(|server, builder| {
        let mut admin = Admin::connect(server.addr());
        let client = open(builder.connections(2));
        for _ in 0..10 {
            let monitor = client.monitor().wait().unwrap();
            assert_eq!(shown(&mut admin), 1);
            drop(monitor);
            until("the end of it", || shown(&mut admin) == 0);
        }
        for polls in 1..4 {
            let mut call = client.monitor();
            for _ in 0..polls {
                let mut context = Context::from_waker(Waker::noop());
                drop(Pin::new(&mut call).poll(&mut context));
            }
            drop(call);
            until("the end of it", || shown(&mut admin) == 0);
        }
        // There is room for one, and it is as new.
        let conn = client.conn().wait().unwrap();
        assert!(conn.ping::<String>().wait().is_ok());
    });
}

/// A connection that is lost is the last thing that is told; what came before is told before.
#[test]
fn a_lost_connection_is_told_last() {
    both(|server, builder| {
        let client = open(builder);
        let mut admin = Admin::connect(server.addr());
        let mut monitor = client.monitor().wait().unwrap();
        let mut waits = client.monitor().wait().unwrap();
        let waits = thread::spawn(move || {
            plain(async move {
                loop {
                    match waits.recv().await {
                        Some(Ok(_)) => {}
                        end => break (end, waits.recv().await.is_none()),
                    }
                }
            })
        });
        client.echo::<String>("last").wait().unwrap();
        assert!(kill_others(&mut admin) >= 3);
        assert_eq!(command(&mut monitor, "echo").args[1], b"last");
        let end = loop {
            match monitor.recv_timeout(LIMIT) {
                Some(Some(Ok(_))) => {}
                end => break end,
            }
        };
        assert!(matches!(end, Some(Some(Err(Error::Lost { failure: Failure::Unknown, .. })))), "{end:?}");
        assert!(end.flatten().unwrap().unwrap_err().is_connection());
        assert!(monitor.next().is_none() && monitor.try_next().is_none());
        until("him", || waits.is_finished());
        let (end, is_over) = waits.join().unwrap();
        assert!(matches!(end, Some(Err(Error::Lost { .. }))) && is_over, "{end:?}");
        assert!(client.monitor().wait().is_ok(), "another one");
    });
}

/// What nobody takes is dropped, counted, and told by the next that is there; others are not held up.
#[test]
fn what_there_is_no_room_for() {
    both(|_, builder| {
        let client = open(builder);
        for overflow in [Overflow::DropOldest, Overflow::DropNewest, Overflow::Block, Overflow::Close] {
            let options = NewsOptions { bytes: 1000, overflow };
            let mut slow = client.monitor().options(options).wait().unwrap();
            let mut fast = client.monitor().wait().unwrap();
            for n in 0..100 {
                client.echo::<String>(&format!("{n:0>4}")).wait().unwrap();
                assert_eq!(command(&mut fast, "echo").args[1], format!("{n:0>4}").into_bytes());
            }
            let (mut got, mut missed) = (Vec::new(), 0);
            while let Some(line) = slow.try_next() {
                let line = line.unwrap();
                missed += u64::from(line.missed);
                got.push(line.command.unwrap().args[1].clone());
            }
            println!("{overflow:?}: {} of them, {missed} missed, {} dropped", got.len(), slow.dropped());
            assert!((2..20).contains(&got.len()), "{got:?}");
            match overflow {
                Overflow::DropOldest => {
                    assert_eq!(got.last().unwrap(), b"0099");
                    assert_eq!(missed, slow.dropped());
                }
                Overflow::Close => assert!(matches!(slow.recv_timeout(LIMIT), Some(None)), "the end"),
                _ => {
                    assert!(missed == 0 && slow.dropped() > 50);
                    client.echo::<String>("last").wait().unwrap();
                    let last = line(&mut slow);
                    assert_eq!(last.command.unwrap().args[1], b"last");
                    assert_eq!(u64::from(last.missed), slow.dropped());
                }
            }
        }
    });
}

/// A command with its arguments is a line, however long. One that is larger than the receive buffer may be is counted as
/// dropped, and nothing else is lost.
#[test]
fn large_lines() {
    both(|server, builder| {
        let other = open(crate::support::builder(&server.url()));
        let large = "x".repeat(100 << 10);
        for room in [64 << 10, 64 << 20] {
            let client = open(builder.clone().memory(|memory| memory.buffer = (4 << 10, room)));
            let mut monitor = client.monitor().wait().unwrap();
            other.set("large", &large).wait().unwrap();
            other.echo::<String>("behind").wait().unwrap();
            let is_lost = room < large.len();
            if !is_lost {
                assert_eq!(command(&mut monitor, "set").args[2], large.as_bytes());
            }
            let behind = loop {
                let line = line(&mut monitor);
                if line.command.as_ref().is_some_and(|command| command.args[0] == b"ECHO") {
                    break line;
                }
            };
            assert_eq!((u64::from(behind.missed), monitor.dropped()), (is_lost.into(), is_lost.into()));
        }
    });
}

/// S1-CLEAN-01: to close the client ends it at once, and nobody waits for it.
#[test]
fn to_close_the_client_ends_it() {
    both(|_, builder| {
        let client: Client = open(builder);
        let mut monitor = client.monitor().wait().unwrap();
        let (is_over, told) = channel();
        let waits = thread::spawn(move || {
            for line in monitor.by_ref() {
                line.unwrap();
            }
            is_over.send(()).unwrap();
            monitor
        });
        client.close().wait().unwrap();
        told.recv_timeout(LIMIT).expect("the end");
        assert!(waits.join().unwrap().next().is_none());
        assert!(client.monitor().wait().is_err());
    });
}
