//! The driver's inner loop over a socket that does as it is told.

use std::collections::VecDeque;

use respire_core::command::get;
use respire_core::conn::{Config, Connection, Protocol, Settings, Token};
use respire_core::io::{Socket, Turn, pump};
use respire_core::time::Instant;

/// Takes so many bytes of each write, and reads what was laid out: `None` blocks, nothing ends.
#[derive(Default)]
struct Script {
    takes: VecDeque<Option<usize>>,
    reads: VecDeque<Result<Option<&'static [u8]>, &'static str>>,
    written: Vec<u8>,
    write_error: Option<&'static str>,
    calls: Vec<&'static str>,
}

impl Socket for Script {
    type Error = &'static str;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        self.calls.push("read");
        assert!(!buffer.is_empty());
        let Some(bytes) = self.reads.pop_front().unwrap_or(Ok(None))? else { return Ok(None) };
        let (now, later) = bytes.split_at(bytes.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        if !later.is_empty() {
            self.reads.push_front(Ok(Some(later)));
        }
        Ok(Some(now.len()))
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Self::Error> {
        self.calls.push("write");
        assert!(!bytes.is_empty());
        if let Some(error) = self.write_error {
            return Err(error);
        }
        let taken = self.takes.pop_front().unwrap_or(Some(usize::MAX)).map(|n| n.min(bytes.len()));
        self.written.extend_from_slice(&bytes[..taken.unwrap_or(0)]);
        Ok(taken)
    }
}

type Small = Connection<[u8; 64], 4>;

fn started(settings: &Settings<'_>) -> Small {
    let mut connection = Connection::new([0; 64], [0; 64], Config::default());
    connection.start(Instant::ZERO, settings).unwrap();
    connection
}

const RESP2: Settings<'_> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

fn turn(connection: &mut Small, socket: &mut Script) -> (Result<Turn, &'static str>, Vec<String>) {
    let mut events = Vec::new();
    socket.calls.clear();
    let turn = pump(connection, socket, |event| events.push(format!("{event:?}")));
    (turn, events)
}

const IDLE: Turn = Turn { wants_write: false, may_read: false };

/// Bytes were read: only another read can tell that there are no more.
const READ: Turn = Turn { wants_write: false, may_read: true };

#[test]
fn a_turn_writes_reads_and_tells() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    assert_eq!(turn(&mut connection, &mut socket).1, ["Ready { protocol: Resp2 }"]);
    assert_eq!(socket.calls, ["read"], "nothing to write");
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    socket.reads.push_back(Ok(Some(b"$1\r\nv\r\n")));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Ok(READ));
    assert_eq!(events, [r#"Reply { token: Token(1), reply: "v" }"#]);
    assert_eq!(socket.calls, ["write", "read"]);
    assert_eq!(socket.written, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
}

#[test]
fn it_reads_although_a_write_is_stuck() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    connection.submit(Instant::ZERO, Token(1), &get("a")).unwrap();
    connection.submit(Instant::ZERO, Token(2), &get("b")).unwrap();
    socket.takes.extend([Some(20), None, None, Some(7)]);
    socket.reads.push_back(Ok(Some(b":1\r\n")));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Ok(Turn { wants_write: true, ..READ }));
    assert_eq!(events.len(), 1);
    assert_eq!(turn(&mut connection, &mut socket).0, Ok(Turn { wants_write: true, ..IDLE }));
    assert_eq!(turn(&mut connection, &mut socket).0, Ok(Turn { wants_write: true, ..IDLE }));
    assert_eq!(socket.calls, ["write", "read"]);
    assert_eq!(turn(&mut connection, &mut socket).0, Ok(Turn { wants_write: true, ..IDLE }));
    assert_eq!(turn(&mut connection, &mut socket).0, Ok(IDLE));
    assert_eq!(socket.written, b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
}

#[test]
fn what_an_answer_releases_is_written_in_the_same_turn() {
    // Nobody would wake the driver for it: the server waits, and the socket stays writable.
    let settings = Settings { name: Some("n"), ..Settings::default() };
    let mut connection = Connection::<_, 4>::new([0; 128], [0; 128], Config::default());
    connection.start(Instant::ZERO, &settings).unwrap();
    let mut socket = Script::default();
    socket.reads.push_back(Ok(Some(b"-ERR unknown command `HELLO`\r\n")));
    assert_eq!(pump(&mut connection, &mut socket, |_| {}), Ok(READ));
    assert!(socket.written.ends_with(b"*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$1\r\nn\r\n"));
    socket.reads.push_back(Ok(Some(b"+OK\r\n")));
    assert_eq!(pump(&mut connection, &mut socket, |_| {}), Ok(READ));
    assert!(connection.is_ready());
}

#[test]
fn a_read_says_there_may_be_more() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    (1..=2).for_each(|token| connection.submit(Instant::ZERO, Token(token), &get("k")).unwrap());
    let mut replies = b"$54\r\n".to_vec();
    replies.extend([b'x'; 54]);
    replies.extend(b"\r\n$2\r\nhi\r\n");
    socket.reads.push_back(Ok(Some(replies.leak())));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!((result, events.len()), (Ok(Turn { wants_write: false, may_read: true }), 1));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!((result, events.len()), (Ok(READ), 1), "a short read, too: an end may stand behind it");
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!((result, events.len()), (Ok(IDLE), 0));
}

#[test]
fn all_answers_are_read_although_the_write_broke() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    (1..=2).for_each(|token| connection.submit(Instant::ZERO, Token(token), &get("k")).unwrap());
    socket.takes.push_back(Some(1000));
    turn(&mut connection, &mut socket).0.unwrap();
    connection.submit(Instant::ZERO, Token(3), &get("k")).unwrap();
    socket.write_error = Some("broken pipe");
    socket.reads.extend([Ok(Some(&b":1\r\n"[..])), Ok(Some(&b":2\r\n"[..])), Ok(Some(&b""[..]))]);
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Err("broken pipe"));
    let answers = ["Reply { token: Token(1), reply: 1 }", "Reply { token: Token(2), reply: 2 }"];
    assert_eq!(events[..2], answers);
    assert_eq!(events[2], "Failed { token: Token(3), failure: NotSent }");
}

#[test]
fn the_end_is_told_after_what_came_before() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    (1..=2).for_each(|token| connection.submit(Instant::ZERO, Token(token), &get("k")).unwrap());
    socket.reads.extend([Ok(Some(&b":1\r\n"[..])), Ok(Some(&b""[..]))]);
    assert_eq!(turn(&mut connection, &mut socket).1, ["Reply { token: Token(1), reply: 1 }"]);
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Ok(IDLE));
    assert_eq!(events, ["Failed { token: Token(2), failure: Unknown }", "Closed(Eof)"]);
    assert_eq!(turn(&mut connection, &mut socket), (Ok(IDLE), vec![]));
    assert!(socket.calls.is_empty(), "the socket is left alone");
}

#[test]
fn a_broken_socket_fails_what_is_in_flight() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    socket.reads.push_back(Err("reset"));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Err("reset"));
    assert_eq!(events, ["Failed { token: Token(1), failure: Unknown }", "Closed(Transport)"]);
}

#[test]
fn the_last_words_are_read_although_the_write_broke() {
    let mut connection = started(&RESP2);
    let mut socket = Script::default();
    turn(&mut connection, &mut socket).0.unwrap();
    connection.submit(Instant::ZERO, Token(1), &get("k")).unwrap();
    socket.write_error = Some("broken pipe");
    socket.reads.push_back(Ok(Some(b"-ERR max number of clients reached\r\n")));
    let (result, events) = turn(&mut connection, &mut socket);
    assert_eq!(result, Err("broken pipe"));
    let refused = "Closed(Refused(ServerError(ERR max number of clients reached)))";
    assert_eq!(events, ["Failed { token: Token(1), failure: NotSent }", refused]);
}
