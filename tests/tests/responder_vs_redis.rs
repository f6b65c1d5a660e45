//! The responder answers as redis-server does: the scripts in the directory of the same name go to
//! both, and the replies are the same bytes.
//!
//! Each script runs three times: in RESP2, in RESP3, and in RESP2 as inline commands. What cannot
//! be the same is compared by the mark in front of the command:
//!
//! - `~`: an array or set in no particular order, also that of a scan
//! - `%`: a map in no particular order, also where RESP2 shows it flat
//! - `@`: integers that depend on the time may be a little off
//! - `#`: integers are not compared, such as ids
//! - `=`: text for people: only that the sections or fields of the responder are there
//! - `?`: a random choice: only what kind of reply it is

#[path = "responder_vs_redis/frame.rs"]
mod frame;
#[path = "responder_vs_redis/pair.rs"]
mod pair;
#[path = "responder_vs_redis/random.rs"]
mod random;

use pair::{Form, Pair};
use respire_tests::{Kind, Server};

/// Runs a script in every form.
fn compare(script: &str) {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::redis();
    for form in [Form::Resp2, Form::Resp3, Form::Inline] {
        Pair::new(&server, form).run(script);
    }
}

#[test]
fn connection() {
    compare(include_str!("responder_vs_redis/connection.txt"));
}

#[test]
fn strings() {
    compare(include_str!("responder_vs_redis/strings.txt"));
}

#[test]
fn keys() {
    compare(include_str!("responder_vs_redis/keys.txt"));
}

#[test]
fn collections() {
    compare(include_str!("responder_vs_redis/collections.txt"));
}

#[test]
fn sorted() {
    compare(include_str!("responder_vs_redis/sorted.txt"));
}

#[test]
fn transactions() {
    compare(include_str!("responder_vs_redis/transactions.txt"));
}

#[test]
fn pubsub() {
    compare(include_str!("responder_vs_redis/pubsub.txt"));
}

#[test]
fn push() {
    compare(include_str!("responder_vs_redis/push.txt"));
}

/// Commands at random, the same ones on every run.
#[test]
fn random_commands() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::redis();
    for seed in 1..=8 {
        let form = if seed % 2 == 0 { Form::Resp3 } else { Form::Resp2 };
        Pair::new(&server, form).run_random(seed, 1_000);
    }
}

/// Broken requests: the error and then the end of the connection.
#[test]
fn protocol_errors() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::redis();
    let long = [&b"GET "[..], &[b'x'; 70_000]].concat();
    let endless = [&b"*"[..], &[b'1'; 70_000]].concat();
    let endless_bulk = [&b"*1\r\n$"[..], &[b'1'; 70_000]].concat();
    let cases: [&[u8]; 24] = [
        b"*x\r\n",
        b"*1x\r\n",
        b"*\r\n",
        b"*2147483648\r\n",
        b"*1\r\n:4\r\n",
        b"*1\r\n\r\n",
        b"*1\r\nPING\r\n",
        b"*1\r\n$\r\n",
        b"*1\r\n$x\r\n",
        b"*1\r\n$-1\r\n",
        b"*1\r\n$01\r\n",
        b"*1\r\n$536870913\r\n",
        b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\nQUIT\r\n",
        b"*0\r\n*-1\r\n*-5\r\nPING\r\nQUIT\r\n",
        b"GET \"a\r\n",
        b"GET 'a\r\n",
        b"GET \"a\"b\r\n",
        b"PING\n  \n\r\nECHO 'it\\'s'\r\nECHO \"\\x41\\n\\q\"\nECHO a\"b\"\r\nquit\r\n",
        b"ECHO a\tb\r\nECHO \x0bq\r\nQUIT\r\n",
        b"PING\r\n*1\r\n$4\r\nPING\r\nQUIT extra words\r\nPING\r\n",
        b"$4\r\nQUIT\r\n",
        &long,
        &endless,
        &endless_bulk,
    ];
    for case in cases {
        Pair::new(&server, Form::Resp2).until_closed(case);
    }
}

/// What a client may do before it gave the password.
#[test]
fn password() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).arg("--requirepass").arg("secret").start();
    Pair::with_password(&server, b"secret").run(include_str!("responder_vs_redis/password.txt"));
    let cases: [&[u8]; 4] = [
        b"*11\r\n",
        b"*1\r\n$16385\r\n",
        b"*10\r\n$4\r\nQUIT\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n$1\r\na\r\n\
            $1\r\na\r\n$1\r\na\r\n",
        b"PING\r\nQUIT\r\n",
    ];
    for case in cases {
        Pair::with_password(&server, b"secret").until_closed(case);
    }
}
