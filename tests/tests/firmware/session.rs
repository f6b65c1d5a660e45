//! A whole session of the board, with real servers and a login of its own, seen from both sides.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;
use respire_tests::{Builder, Kind, Server};

use crate::board::{Board, Run};

const NO_PORT: i32 = 2;
const REJECTED: i32 = 23;
const NOT_BACK: i32 = 24;

/// How long the host waits for what will happen soon.
const PATIENCE: Duration = Duration::from_secs(10);

/// The board's user may touch its own keys and its own channel, and nothing that is dangerous.
fn server(kind: Kind) -> Builder {
    let user = ["board", "on", ">sesame", "~respire:*", "&respire:*", "+@all", "-@dangerous"];
    Server::builder(kind).arg("--user").args(user)
}

/// A client whose own connection the server's figures do not count.
fn observer(server: &Server) -> Single {
    let client = Single::open(&server.url()).expect("the host connects");
    client.send(raw("CONFIG RESETSTAT")).wait().expect("CONFIG RESETSTAT");
    client
}

/// Lets the board log in, and does `meanwhile` on the host when the board counts until it is killed.
fn run(board: &Board, port: u16, client: &Single, meanwhile: impl FnOnce() + Send) -> Run {
    thread::scope(|scope| {
        scope.spawn(|| {
            until(|| doomed(client) > 100);
            meanwhile();
        });
        board.run_with(&format!("board:sesame@{port}"))
    })
}

/// How far the board has counted. Not by GET, which the board is counted by.
fn doomed(client: &Single) -> usize {
    let text: String = client.get_range("respire:session:doomed", 0, -1).wait().expect("GETRANGE");
    text.parse().unwrap_or(0)
}

/// One field of INFO.
fn info(client: &Single, section: &str, field: &str) -> u64 {
    let text: String = client.send(raw("INFO").arg(section).typed()).wait().expect("INFO");
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {field} in {text}"))
}

fn kill(client: &Single) {
    let request = raw("CLIENT KILL").arg("USER").arg("board").typed::<i64>();
    assert_eq!(client.send(request).wait().expect("CLIENT KILL"), 1);
}

#[track_caller]
fn until(mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "it has not happened");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn all_that_a_device_may_ask_for() {
    for kind in Kind::ALL {
        let Some(board) = Board::or_skip("session") else { return };
        if !kind.available_or_skip() {
            continue;
        }
        let server = server(kind).start();
        let client = observer(&server);
        let run = run(&board, server.port(), &client, || kill(&client));
        println!("{kind}: {run}");
        run.ended_with(0);
        assert_eq!(run.figure("attempts"), 1, "{run}");
        assert!(run.figure("perhaps executed") > 0, "{run}");
        assert_eq!(run.figure("in flight at most"), 20, "{run}");
        what_is_left(&client, &run);
        what_was_asked(&client);
        until(|| info(&client, "clients", "connected_clients") == 1);
        run.is_within_limits(&board);
    }
}

fn what_is_left(client: &Single, run: &Run) {
    let value: Option<String> = client.get("respire:session").wait().expect("GET");
    assert_eq!(value.as_deref(), Some("from the board"));
    let large: Option<Vec<u8>> = client.get("respire:session:large").wait().expect("GET");
    assert!(large.is_some_and(|large| large.into_iter().eq((0..100_000).map(|n| (n % 251) as u8))));
    assert_eq!(client.strlen("respire:session:brief").wait().expect("STRLEN"), 0);
    let count: Option<u64> = client.get("respire:n").wait().expect("GET");
    assert_eq!(count, Some(2004));
    let answered = run.figure("answered");
    let unknown = run.figure("perhaps executed");
    assert!((answered..=answered + unknown).contains(&doomed(client)), "{run}");
}

/// Each command was executed as often as the board says it asked for it, and none failed but the one
/// that should.
fn what_was_asked(client: &Single) {
    let text: String = client.send(raw("INFO commandstats").typed()).wait().expect("INFO");
    let stats: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':')).collect();
    let field = |command: &str, name: &str| -> usize {
        let line = stats.get(command).unwrap_or_else(|| panic!("no {command} in {text}"));
        let value = line.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {line}"))
    };
    // The host has asked for one STRLEN and three GETs itself by now.
    let calls = [
        ("hello", 2),
        ("set", 4),
        ("get", 1005 + 3),
        ("ttl", 1),
        ("lpush", 1),
        ("del", 2),
        ("strlen", 1 + 1),
        ("incr", 2005 + doomed(client)),
        ("subscribe", 1),
        ("publish", 1),
        ("unsubscribe", 1),
    ];
    for (command, count) in calls {
        assert_eq!(field(command, "calls"), count, "{command}: {text}");
        let failed = usize::from(command == "lpush");
        assert_eq!(field(command, "failed_calls"), failed, "{command}: {text}");
        assert_eq!(field(command, "rejected_calls"), 0, "{command}: {text}");
    }
}

#[test]
fn a_server_that_is_full_is_asked_again_later() {
    let Some(board) = Board::or_skip("session") else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = server(Kind::Redis70).start();
    let client = observer(&server);
    let allow = |count: u64| {
        client.send(raw("CONFIG SET maxclients").arg(count)).wait().expect("CONFIG SET");
    };
    let run = run(&board, server.port(), &client, || {
        allow(1);
        kill(&client);
        until(|| info(&client, "stats", "rejected_connections") >= 3);
        allow(10);
    });
    run.ended_with(0);
    assert!(run.figure("attempts") >= 4, "{run}");
    what_is_left(&client, &run);
}

#[test]
fn a_server_that_never_comes_back_is_given_up() {
    let Some(board) = Board::or_skip("session") else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = server(Kind::Redis70).start();
    let (port, client) = (server.port(), observer(&server));
    let run = run(&board, port, &client, move || drop(server));
    run.ended_with(NOT_BACK);
    assert!(run.figure("answered") > 100, "{run}");
}

#[test]
fn a_board_that_nobody_kills_leaves_by_itself() {
    let Some(board) = Board::or_skip("session") else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    // Without a login, as by hand.
    let server = Server::redis();
    let run = board.run(server.port());
    run.ended_with(0);
    assert_eq!(run.figure("perhaps executed"), 0, "{run}");
}

#[test]
fn a_wrong_password() {
    let Some(board) = Board::or_skip("session") else { return };
    for kind in Kind::ALL {
        if kind.available_or_skip() {
            let server = server(kind).start();
            board.run_with(&format!("board:abracadabra@{}", server.port())).ended_with(REJECTED);
        }
    }
}

#[test]
fn a_command_line_that_says_nothing_of_use() {
    let Some(board) = Board::or_skip("session") else { return };
    let long = format!("board:{}@1", "x".repeat(128));
    for argument in ["none", "board@1", "board:sesame@", "65536", &long] {
        board.run_with(argument).ended_with(NO_PORT);
    }
}
