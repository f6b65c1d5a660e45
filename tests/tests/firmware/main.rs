//! The firmware on an emulated board, against a real server and against peers that are none.
//!
//! Each test builds the firmware if need be, boots it in QEMU and looks at its exit status, which the
//! programs in `tests/firmware/src/bin` define, and at the figures it prints at its end.

mod board;
mod codec;
mod image;
mod session;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use board::Board;
use respire_tests::{Kind, Server};

const CANNOT_CONNECT: i32 = 20;
const LOST: i32 = 21;
const WRONG_ANSWER: i32 = 22;

#[test]
fn a_value_is_stored_and_read_back() {
    let Some(board) = Board::or_skip("ping") else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::redis();
    let run = board.run(server.port());
    run.ended_with(0);
    assert!(run.figure("frames sent") > 0, "{run}");

    let mut stream = TcpStream::connect(server.addr()).expect("the server is still there");
    stream.write_all(b"GET respire:ping\r\nQUIT\r\n").expect("asking the server");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("reading the answer");
    assert_eq!(answer, "$14\r\nfrom the board\r\n+OK\r\n");
    run.is_within_limits(&board);
}

#[test]
fn what_compiled_code_calls_by_itself() {
    let Some(board) = Board::or_skip("runtime") else { return };
    board.run_with("").ended_with(0);
}

#[test]
fn nobody_listens() {
    let Some(board) = Board::or_skip("ping") else { return };
    // A port that only the system may open, and on which nothing runs since there are web sites.
    board.run(1).ended_with(CANNOT_CONNECT);
}

#[test]
fn a_network_that_leads_nowhere() {
    let Some(board) = Board::or_skip("ping") else { return };
    let listener = listen();
    let board = board.network(",restrict=on");
    board.run(port(&listener)).ended_with(CANNOT_CONNECT);
}

#[test]
fn no_port_is_named() {
    let Some(board) = Board::or_skip("ping") else { return };
    board.run_with("none").ended_with(2);
}

#[test]
fn a_peer_that_hangs_up() {
    with_peer(drop, LOST);
}

#[test]
fn a_peer_that_says_nothing() {
    let wait_for_the_end = |mut stream: TcpStream| {
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink);
        assert!(
            sink.starts_with(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"),
            "{:?}",
            sink.escape_ascii().to_string()
        );
    };
    with_peer(wait_for_the_end, LOST);
}

#[test]
fn a_peer_that_speaks_something_else() {
    let web = |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    };
    with_peer(web, LOST);
}

#[test]
fn a_peer_that_answers_wrongly() {
    let confused = |stream: TcpStream| {
        let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        let mut stream = stream;
        while let Some(Ok(line)) = lines.next() {
            let answer: &[u8] = match line.as_str() {
                "HELLO" => b"%0\r\n",
                "PING" => b"+PANG\r\n",
                _ => continue,
            };
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    };
    with_peer(confused, WRONG_ANSWER);
}

/// Boots the firmware against a peer of our own, and expects this exit status.
fn with_peer(peer: impl FnOnce(TcpStream) + Send, status: i32) {
    let Some(board) = Board::or_skip("ping") else { return };
    let listener = listen();
    let port = port(&listener);
    thread::scope(|scope| {
        scope.spawn(move || peer(listener.accept().expect("the firmware connects").0));
        board.run(port).ended_with(status);
    });
}

fn listen() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("a free port")
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("a bound port").port()
}
