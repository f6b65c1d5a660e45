//! The responder seen from its clients.

use super::{ClientId, Responder};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// Some time after the epoch.
const START: Duration = Duration::from_secs(1_700_000_000);

/// Takes what is to be sent to `client`.
fn take(server: &mut Responder, client: ClientId) -> String {
    let text = String::from_utf8_lossy(server.output(client)).into_owned();
    server.sent(client, text.len());
    text
}

/// Sends `line` at `now` and takes the answer.
fn ask_at(server: &mut Responder, now: Duration, client: ClientId, line: &str) -> String {
    server.receive(now, client, format!("{line}\r\n").as_bytes());
    take(server, client)
}

fn ask(server: &mut Responder, client: ClientId, line: &str) -> String {
    ask_at(server, START, client, line)
}

#[test]
fn every_split_gives_the_same_answers() {
    let requests: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\n\r\n\
        PING\r\n\r\n*0\r\nset \"a \\x41\" 'b c'\nGET \"a A\"\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n\
        *1\r\n$4\r\nPING\r\n";
    let expected: &[u8] = b"+OK\r\n+PONG\r\n+OK\r\n$3\r\nb c\r\n$5\r\na\r\nb\n\r\n+PONG\r\n";
    for at in (0..=requests.len()).step_by(if cfg!(miri) { 20 } else { 1 }) {
        let mut server = Responder::new();
        let client = server.connect(START);
        let (first, second) = requests.split_at(at);
        server.receive(START, client, first);
        server.receive(START, client, second);
        assert_eq!(server.output(client), expected, "split at {at}");
    }
    let mut server = Responder::new();
    let client = server.connect(START);
    for byte in requests {
        server.receive(START, client, &[*byte]);
    }
    assert_eq!(server.output(client), expected);
}

#[test]
fn keys_expire_as_time_passes() {
    let mut server = Responder::new();
    let client = server.connect(START);
    let after = |millis| START + Duration::from_millis(millis);
    ask(&mut server, client, "SET k v PX 1500");
    assert_eq!(ask(&mut server, client, "TTL k"), ":2\r\n");
    assert_eq!(ask_at(&mut server, after(1500), client, "PTTL k"), ":0\r\n");
    assert_eq!(ask_at(&mut server, after(1500), client, "GET k"), "$1\r\nv\r\n");
    assert_eq!(ask_at(&mut server, after(1501), client, "DBSIZE"), ":0\r\n");
    assert_eq!(ask_at(&mut server, after(1501), client, "GET k"), "$-1\r\n");
    assert_eq!(ask_at(&mut server, after(1501), client, "TTL k"), ":-2\r\n");
}

#[test]
fn a_watched_key_that_changes_voids_the_transaction() {
    let mut server = Responder::new();
    let (a, b) = (server.connect(START), server.connect(START));
    let void = "+OK\r\n+QUEUED\r\n*-1\r\n";
    let fine = "+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n";
    let transaction = "MULTI\r\nPING\r\nEXEC";
    ask(&mut server, a, "WATCH k");
    ask(&mut server, b, "SET k 1");
    assert_eq!(ask(&mut server, a, transaction), void);
    ask(&mut server, a, "WATCH k");
    ask(&mut server, b, "SET other 1");
    assert_eq!(ask(&mut server, a, transaction), fine);
    ask(&mut server, a, "WATCH k");
    ask(&mut server, b, "SET k 2");
    ask(&mut server, a, "UNWATCH");
    assert_eq!(ask(&mut server, a, transaction), fine);
    // The same key of another database is another key.
    ask(&mut server, a, "WATCH k");
    ask(&mut server, b, "SELECT 1\r\nSET k 3\r\nSELECT 0");
    assert_eq!(ask(&mut server, a, transaction), fine);
    ask(&mut server, a, "WATCH k missing");
    ask(&mut server, b, "FLUSHALL");
    assert_eq!(ask(&mut server, a, transaction), void);
    ask(&mut server, a, "WATCH missing");
    ask(&mut server, b, "FLUSHALL");
    assert_eq!(ask(&mut server, a, transaction), fine);
}

#[test]
fn a_watched_key_that_expires_voids_the_transaction() {
    let mut server = Responder::new();
    let client = server.connect(START);
    ask(&mut server, client, "SET k v PX 10\r\nWATCH k");
    let later = START + Duration::from_millis(11);
    let answers = ask_at(&mut server, later, client, "MULTI\r\nPING\r\nEXEC");
    assert_eq!(answers, "+OK\r\n+QUEUED\r\n*-1\r\n");
    // One that was gone already stays as it was.
    ask(&mut server, client, "SET k v PX 10");
    let answers = ask_at(&mut server, later, client, "WATCH k\r\nMULTI\r\nPING\r\nEXEC");
    assert_eq!(answers, "+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+PONG\r\n");
}

#[test]
fn messages_reach_their_subscribers() {
    let mut server = Responder::new();
    let (two, three, other) = (server.connect(START), server.connect(START), server.connect(START));
    ask(&mut server, three, "HELLO 3");
    assert_eq!(ask(&mut server, two, "SUBSCRIBE news"), "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    assert_eq!(ask(&mut server, three, "PSUBSCRIBE n*"), ">3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:1\r\n");
    assert_eq!(ask(&mut server, other, "PUBLISH news hi"), ":2\r\n");
    let ready: Vec<ClientId> = server.clients_with_output().collect();
    assert_eq!(ready, [two, three]);
    assert_eq!(take(&mut server, two), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    assert_eq!(take(&mut server, three), ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    assert_eq!(server.clients_with_output().count(), 0);
    server.disconnect(two);
    assert_eq!(ask(&mut server, other, "PUBLISH news hi"), ":1\r\n");
}

#[test]
fn quit_and_broken_requests_close() {
    let mut server = Responder::new();
    let client = server.connect(START);
    server.receive(START, client, b"QUIT\r\nPING\r\n");
    assert!(server.wants_close(client));
    assert_eq!(take(&mut server, client), "+OK\r\n");
    let client = server.connect(START);
    assert!(!server.wants_close(client));
    server.receive(START, client, b"*1\r\n:4\r\n");
    assert!(server.wants_close(client));
    assert_eq!(take(&mut server, client), "-ERR Protocol error: expected '$', got ':'\r\n");
    server.receive(START, client, b"PING\r\n");
    assert_eq!(server.output(client), b"");
    server.disconnect(client);
    assert!(!server.wants_close(client));
}

#[test]
fn a_killed_client_gets_nothing_more() {
    let mut server = Responder::new();
    let (a, b) = (server.connect(START), server.connect(START));
    server.receive(START, a, b"PING\r\n");
    let line = format!("CLIENT KILL ID {}", a.number());
    assert_eq!(ask(&mut server, b, &line), ":1\r\n");
    assert!(server.wants_close(a) && !server.wants_close(b));
    assert_eq!(server.output(a), b"");
    server.kill(b);
    assert!(server.wants_close(b));
}

#[test]
fn a_password_is_asked_for() {
    let mut server = Responder::new().with_password(b"secret");
    let client = server.connect(START);
    assert_eq!(ask(&mut server, client, "GET k"), "-NOAUTH Authentication required.\r\n");
    assert!(ask(&mut server, client, "HELLO 3").starts_with("-NOAUTH HELLO must"));
    assert!(ask(&mut server, client, "AUTH wrong").starts_with("-WRONGPASS"));
    assert!(ask(&mut server, client, "HELLO 3 AUTH default secret").starts_with("%7\r\n"));
    assert_eq!(ask(&mut server, client, "GET k"), "_\r\n");
}

#[test]
fn an_old_server_has_no_hello() {
    let mut server = Responder::new().without_hello();
    let client = server.connect(START);
    assert_eq!(
        ask(&mut server, client, "HELLO 3"),
        "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"
    );
    assert_eq!(ask(&mut server, client, "PING"), "+PONG\r\n");
}

#[test]
fn the_seed_decides_what_is_picked() {
    let picks = |seed| {
        let mut server = Responder::new().with_seed(seed);
        let client = server.connect(START);
        ask(&mut server, client, "SADD s a b c d e f g h i j");
        ask(&mut server, client, "SRANDMEMBER s 5\r\nSPOP s 3\r\nSRANDMEMBER s")
    };
    assert_eq!(picks(1), picks(1));
    assert_ne!(picks(1), picks(2));
}

#[test]
fn a_scan_meets_all_keys() {
    let mut server = Responder::new();
    let client = server.connect(START);
    for n in 0..100 {
        ask(&mut server, client, &format!("SET key:{n} v"));
    }
    let mut cursor = String::from("0");
    let mut found = 0;
    loop {
        let answer = ask(&mut server, client, &format!("SCAN {cursor} COUNT 7"));
        found += answer.matches("key:").count();
        cursor = answer.lines().nth(2).unwrap_or("0").into();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found, 100);
}

#[test]
fn injected_bytes_are_sent_as_they_are() {
    let mut server = Responder::new();
    let client = server.connect(START);
    server.inject(client, b">1\r\n+invalidate\r\n");
    assert_eq!(server.clients_with_output().count(), 1);
    assert_eq!(take(&mut server, client), ">1\r\n+invalidate\r\n");
}

#[test]
fn output_can_be_taken_in_pieces() {
    let mut server = Responder::new();
    let client = server.connect(START);
    for n in 0..1_000 {
        server.receive(START, client, format!("ECHO {n:04}\r\n").as_bytes());
    }
    let mut taken = Vec::new();
    while !server.output(client).is_empty() {
        let piece = server.output(client).len().min(7);
        taken.extend_from_slice(&server.output(client)[..piece]);
        server.sent(client, piece);
    }
    let expected: String = (0..1_000).map(|n| format!("$4\r\n{n:04}\r\n")).collect();
    assert_eq!(taken, expected.as_bytes());
}
