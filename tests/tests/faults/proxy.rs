//! The proxy does what its script says, and its log says what it did.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use respire_tests::Peer;
use respire_tests::proxy::{Act, At, Proxy, Script, Step, Way, What};

use crate::witness::{ms, until};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// A server that answers each request of [`PING`]'s length with a number, from 1 on.
fn counting() -> Peer {
    Peer::new(|_, mut stream| {
        let mut request = [0; PING.len()];
        let mut n = 0;
        while stream.read_exact(&mut request).is_ok() {
            n += 1;
            if stream.write_all(format!(":{n}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends three requests, says that there are no more, and reads to the end.
fn talk(proxy: &Proxy) -> (Vec<u8>, Option<ErrorKind>) {
    let mut stream = connect(proxy);
    let mut answers = Vec::new();
    // A proxy that has ended the connection takes nothing.
    let _ = stream.write_all(&PING.repeat(3));
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let end = stream.read_to_end(&mut answers).err().map(|error| error.kind());
    (answers, end)
}

/// What comes of three requests under one step.
fn under(way: Way, at: At, act: Act) -> (String, Option<ErrorKind>) {
    let peer = counting();
    let proxy = Proxy::new(peer.address(), Script::new().step(way, at, act));
    let (answers, end) = talk(&proxy);
    (answers.escape_ascii().to_string(), end)
}

#[test]
fn without_a_script_everything_is_passed_on() {
    let peer = counting();
    let proxy = Proxy::new(peer.address(), Script::new());
    for number in 0..3 {
        assert_eq!(talk(&proxy), (b":1\r\n:2\r\n:3\r\n".to_vec(), None));
        until("the end", || proxy.open() == 0);
        let log = proxy.log();
        assert_eq!(log.passed(number, Way::Requests), PING.repeat(3));
        assert_eq!(log.passed(number, Way::Replies), b":1\r\n:2\r\n:3\r\n");
    }
    assert_eq!((proxy.accepted(), proxy.log().script()), (3, Script::new()));
}

#[test]
fn a_cut_is_an_end_and_comes_where_it_should() {
    let cut = |way, at| under(way, at, Act::Cut);
    for (at, answers) in [
        (At::Start, ""),
        (At::Before(1), r":1\r\n"),
        (At::Within(1, 2), r":1\r\n:2"),
        (At::After(1), r":1\r\n:2\r\n"),
    ] {
        assert_eq!(cut(Way::Replies, at), (answers.to_owned(), None), "{at}");
    }
}

/// What reaches the server is counted byte by byte.
#[test]
fn half_a_request_is_exactly_half() {
    for n in 0..PING.len() {
        let (send, receive) = channel();
        let peer = Peer::new(move |_, mut stream| {
            let mut bytes = Vec::new();
            let end = stream.read_to_end(&mut bytes).map_err(|error| error.kind());
            send.send((bytes, end)).unwrap();
        });
        let script = Script::new().requests(At::Within(1, n), Act::Cut);
        let proxy = Proxy::new(peer.address(), script.clone());
        talk(&proxy);
        let expected = [PING, &PING[..n]].concat();
        assert_eq!(receive.recv().unwrap(), (expected.clone(), Ok(expected.len())));
        assert_eq!(proxy.log().passed(0, Way::Requests), expected);
        assert_eq!(proxy.log().script(), on_first(&script));
    }
}

/// The same, said of the first connection only.
fn on_first(script: &Script) -> Script {
    script.steps().iter().map(|step| Step { connection: Some(0), ..step.clone() }).collect()
}

#[test]
fn a_reset_is_seen_by_both_sides() {
    let (send, receive) = channel();
    let peer = Peer::new(move |_, mut stream| {
        stream.read_exact(&mut [0; PING.len()]).unwrap();
        stream.write_all(b":1\r\n").unwrap();
        send.send(stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind())).unwrap();
    });
    let proxy = Proxy::new(peer.address(), Script::new().replies(At::After(0), Act::Reset));
    let mut stream = connect(&proxy);
    stream.write_all(PING).unwrap();
    let end = stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert_eq!(receive.recv().unwrap(), Err(ErrorKind::ConnectionReset));
    until("the end", || proxy.open() == 0);
}

#[test]
fn waits_are_kept_and_stalls_do_not_end() {
    let peer = counting();
    let proxy = Proxy::new(peer.address(), Script::new().replies(At::Before(1), Act::Wait(ms(150))));
    let start = Instant::now();
    assert_eq!(talk(&proxy).0, b":1\r\n:2\r\n:3\r\n");
    assert!(start.elapsed() >= ms(150), "{:?}", start.elapsed());

    let proxy = Proxy::new(peer.address(), Script::new().replies(At::Within(1, 1), Act::Stall));
    let mut stream = connect(&proxy);
    stream.set_read_timeout(Some(ms(200))).unwrap();
    stream.write_all(&PING.repeat(3)).unwrap();
    let mut answers = Vec::new();
    let stalled = stream.read_to_end(&mut answers).unwrap_err();
    assert!(matches!(stalled.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{stalled}");
    assert_eq!(answers, b":1\r\n:");
    // Dropping it ends what is stalled.
    drop(proxy);
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert!(matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)));
}

#[test]
fn injected_dropped_repeated_and_flipped() {
    let replies = |at, act| under(Way::Replies, at, act).0;
    let push = Act::Inject(b">1\r\n+x\r\n".to_vec());
    assert_eq!(replies(At::After(0), push), r":1\r\n>1\r\n+x\r\n:2\r\n:3\r\n");
    assert_eq!(replies(At::Before(1), Act::Drop), r":1\r\n:3\r\n");
    assert_eq!(replies(At::Before(1), Act::Repeat), r":1\r\n:2\r\n:2\r\n:3\r\n");
    assert_eq!(replies(At::Within(1, 1), Act::Flip(0)), r":1\r\n:3\r\n:3\r\n");
    // The server counts what reaches it.
    let requests = |act| under(Way::Requests, At::Before(1), act).0;
    assert_eq!(requests(Act::Drop), r":1\r\n:2\r\n");
    assert_eq!(requests(Act::Repeat), r":1\r\n:2\r\n:3\r\n:4\r\n");
}

#[test]
fn a_pace_cuts_writes() {
    let peer = counting();
    let script = Script::new().requests(At::Start, Act::Pace(5, ms(1)));
    let proxy = Proxy::new(peer.address(), script);
    assert_eq!(talk(&proxy).0, b":1\r\n:2\r\n:3\r\n");
    let log = proxy.log();
    let lens: Vec<usize> = log.writes(0, Way::Requests).iter().map(|write| write.len()).collect();
    assert_eq!(lens, [5, 5, 5, 5, 5, 5, 5, 5, 2]);
}

/// A second script that is made from the log of the first makes the same bytes on both sides.
#[test]
fn a_log_makes_the_same_again() {
    let mut done = 0;
    for seed in 0..40 {
        let peer = counting();
        // Stalls would be waited for here. An end behind a whole frame races with its answer.
        let is_calm = |step: &&Step| match step.act {
            Act::Stall => false,
            Act::Cut | Act::Reset => matches!(step.at, At::Before(_) | At::Within(_, 0..4)),
            _ => true,
        };
        let script: Script = Script::random(seed).steps().iter().filter(is_calm).cloned().collect();
        let (first, again) = (Proxy::new(peer.address(), script), counting());
        // One after the other, so that nothing depends on what is quicker.
        let run = |proxy: &Proxy| {
            let mut stream = BufReader::new(connect(proxy));
            let mut answers = Vec::new();
            for n in 1..=50 {
                let end = format!(":{n}\r\n");
                let sent = stream.get_mut().write_all(PING);
                while sent.is_ok() && !answers.ends_with(end.as_bytes()) {
                    if !matches!(stream.read_until(b'\n', &mut answers), Ok(1..)) {
                        break;
                    }
                }
            }
            // Half an answer before a reset may reach us or not.
            answers.truncate(answers.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1));
            answers
        };
        let one = run(&first);
        let log = first.log();
        let text = log.script().to_string();
        let second = Proxy::new(again.address(), text.parse().expect("a script"));
        let two = run(&second);
        assert_eq!(one.escape_ascii().to_string(), two.escape_ascii().to_string(), "{log}");
        until("the same steps", || second.log().script() == log.script());
        done += log.script().steps().len();
    }
    assert!(done > 60, "{done} steps are too few to say anything");
}

#[test]
fn a_server_that_is_gone_is_an_end() {
    let address = counting().address();
    // The peer is gone with its port, as soon as its thread is.
    until("the port to close", || TcpStream::connect(address).is_err());
    let proxy = Proxy::new(address, Script::new());
    assert!(talk(&proxy).0.is_empty());
    assert!(proxy.log().entries().iter().any(|entry| entry.what == What::Opened(false)));
}

#[test]
fn a_log_can_be_read() {
    let peer = counting();
    let proxy = Proxy::new(peer.address(), Script::new().replies(At::Before(1), Act::Cut));
    talk(&proxy);
    let text = proxy.log().to_string();
    for line in
        ["0 opened", r"0 > *1\r\n$4\r\nPING\r\n*1", r"0 < :1\r\n", "0 ! replies before 1 cut", "0 over: cut"]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.ends_with("the same again:\n0 replies before 1 cut\n"), "{text}");
}
