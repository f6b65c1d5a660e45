//! A password is in the bytes that are sent, for as long as they wait, and nowhere else.

use respire_core::command::{Command, Request};
use respire_core::conn::{Config, Connection, Event, Protocol, Settings, Token};
use respire_core::resp::ArgSink;
use respire_core::testing::Transcript;
use respire_core::time::Instant;

use super::{fixed, growing};

const CANARY: &str = "c4n4ry-pass";

fn settings(protocol: Option<Protocol>) -> Settings<'static> {
    Settings { protocol, password: Some(CANARY), ..Settings::default() }
}

fn holds(memory: &[u8]) -> bool {
    memory.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// S0-SEC-03: nothing that can be printed shows it.
#[test]
fn no_debug_shows_the_password() {
    for protocol in [None, Some(Protocol::Resp2), Some(Protocol::Resp3)] {
        let settings = settings(protocol);
        assert!(!format!("{settings:?} {settings:#?}").contains(CANARY));
        let mut connection = growing();
        connection.start(Instant::ZERO, &settings).unwrap();
        assert!(holds(connection.poll_transmit()));
        assert!(!format!("{connection:?} {connection:#?}").contains(CANARY));
        assert!(!format!("{:?}", connection.poll_event()).contains(CANARY));
    }
    assert!(format!("{:?}", settings(None)).contains("***"), "but that there is one");
}

#[test]
fn a_server_that_repeats_the_password_is_not_quoted() {
    // Servers before 6.0 answer an unknown command with its arguments.
    for start in ["start resp3", "start"] {
        let text = format!("{start} password {CANARY}\nsent\n");
        let mut connection = fixed::<512, 512>();
        Transcript::parse(&text).unwrap().run(&mut connection).unwrap();
        let answer = format!(
            "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `{CANARY}`, \r\n"
        );
        for byte in answer.bytes() {
            connection.recv_space().unwrap()[0] = byte;
            connection.handle_received(1);
        }
        while let Some(event) = connection.poll_event() {
            if let Event::Closed(reason) = event {
                assert!(reason.to_string().contains("unknown command `HELLO`"), "{reason}");
                assert!(!reason.to_string().contains(CANARY), "{reason}");
            }
            assert!(!format!("{event:?}").contains(CANARY), "{event:?}");
        }
        assert!(!format!("{connection:?} {:?}", connection.close_reason()).contains(CANARY));
    }
}

/// S0-SEC-03: it is wiped from memory.
#[test]
fn the_password_is_wiped_once_it_was_used() {
    let ends: [(&[&[u8]], Option<Protocol>); 5] = [
        (&[b"%0\r\n"], Some(Protocol::Resp3)),
        (&[b"+OK\r\n"], Some(Protocol::Resp2)),
        (&[b"%0\r\n"], None),
        (&[b"-ERR unknown command\r\n", b"+OK\r\n"], None),
        (&[b"-WRONGPASS no\r\n"], Some(Protocol::Resp3)),
    ];
    for (answers, protocol) in ends {
        let (mut receive, mut transmit) = ([0; 256], [0; 256]);
        let mut connection = Connection::<&mut [u8], 4>::new(&mut receive, &mut transmit, Config::default());
        connection.start(Instant::ZERO, &settings(protocol)).unwrap();
        for answer in answers {
            // In two writes, so that bytes are left behind at other places.
            connection.handle_transmitted(20);
            connection.handle_transmitted(usize::MAX);
            connection.recv_space().unwrap()[..answer.len()].copy_from_slice(answer);
            connection.handle_received(answer.len());
            while connection.poll_event().is_some() {}
        }
        assert!(connection.is_ready() || connection.is_closed(), "{answers:?}");
        assert!(!holds(&transmit), "{answers:?}");
    }
}

#[test]
fn the_password_is_wiped_when_the_connection_ends() {
    let (mut receive, mut transmit) = ([0; 256], [0; 256]);
    let mut connection = Connection::<&mut [u8], 4>::new(&mut receive, &mut transmit, Config::default());
    connection.start(Instant::ZERO, &settings(None)).unwrap();
    connection.handle_transmitted(30);
    connection.close();
    assert!(!holds(&transmit));
}

/// A login with a name that is too long.
struct Login;

impl Request for Login {
    type Reply<'r> = ();

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        ["HELLO", "3", "AUTH", "u"].into_iter().for_each(|word| sink.word(word));
        sink.secret(CANARY.as_bytes());
        sink.word("SETNAME");
        sink.arg(&[b'n'; 100]);
    }
}

#[test]
fn the_password_of_a_refused_request_is_wiped() {
    let (mut receive, mut transmit) = ([0; 64], [0; 100]);
    let mut connection = Connection::<&mut [u8], 4>::new(&mut receive, &mut transmit, Config::default());
    let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
    connection.start(Instant::ZERO, &settings).unwrap();
    assert!(connection.poll_event().is_some());
    assert!(connection.submit(Instant::ZERO, Token(1), &Login).is_err());
    assert!(!holds(&transmit));
}
