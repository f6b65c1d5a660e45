//! Values larger than the receive buffer: told in chunks, at every cut and through every window.

use std::iter::repeat_n;

use respire_core::buffer::Storage;
use respire_core::command::{chunked, get, ping};
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Part, Protocol, Settings, Token};
use respire_core::time::Instant;

use super::{Fixed, check, everyway, growing, samples};

const READY: &str = "start resp2\nready resp2\n";
const READY3: &str = "start resp3\nsent\n< %0\nready resp3\n";
const WINDOWS: [usize; 4] = [32, 33, 64, 96];

pub(super) fn sized(receive: usize) -> impl FnMut() -> Connection<Fixed, 8> {
    move || Connection::new(Fixed(vec![0; receive]), Fixed(vec![0; 256]), Config::default())
}

/// In every window, and in memory that grows.
#[track_caller]
pub(super) fn windows(text: &str) {
    WINDOWS.into_iter().for_each(|size| everyway(text, sized(size)));
    everyway(text, growing);
}

/// So many bytes of which no two in a row are the same, as a transcript spells them.
pub(super) fn value(len: usize) -> String {
    ('a'..='z').cycle().take(len).collect()
}

pub(super) fn bulk(len: usize) -> String {
    format!(r"${len}\r\n{}", value(len))
}

/// `text` in chunks of the given sizes, over and over.
fn stream(text: &str, sizes: &[usize]) -> String {
    let (mut all, mut rest) = (String::from(r"$?\r\n"), text);
    for size in sizes.iter().cycle() {
        let (chunk, later) = rest.split_at(rest.len().min(*size));
        all += &match chunk.len() {
            0 => return all + ";0",
            len => format!(r";{len}\r\n{chunk}\r\n"),
        };
        rest = later;
    }
    all
}

/// A request in chunks between two that are answered as usual, and a push on each side.
pub(super) fn between(answer: &str, told: &str) -> String {
    format!(
        r#"
        {READY3}
        submit 1 GET a
        chunked 2 GET b
        submit 3 GET c
        sent
        < $1\r\na\r\n>1\r\n+p\r\n{answer}\r\n>1\r\n+q\r\n$1\r\nc
        reply 1 "a"
        push push(1) "p"
        {told}
        push push(1) "q"
        reply 3 "c"
        in-flight 0
        "#
    )
}

#[test]
fn a_string_of_any_length_goes_through_any_window() {
    for len in [0, 1, 2, 30, 31, 32, 33, 94, 95, 96, 97, 300] {
        let told = format!("parts 2 \"{}\"", value(len));
        windows(&between(&bulk(len), &told));
        windows(&between(&format!(r"={}\r\ntxt:{}", len + 4, value(len)), &told));
        for sizes in [&[1][..], &[2, 40, 3], &[1000]] {
            windows(&between(&stream(&value(len), sizes), &told));
        }
    }
}

#[test]
fn a_long_string_goes_through_any_window() {
    for len in [4096, 100_000] {
        let told = format!("parts 2 \"{}\"", value(len));
        for size in WINDOWS {
            samples(&between(&bulk(len), &told), sized(size));
            samples(&between(&format!(r"={}\r\nmkd:{}", len + 4, value(len)), &told), sized(size));
            samples(&between(&stream(&value(len), &[1, 999, 32]), &told), sized(size));
        }
        samples(&between(&bulk(len), &told), growing);
    }
}

#[test]
fn resp2_is_no_different() {
    windows(&format!(
        "{READY}chunked 1 GET a\nchunked 2 GET b\nsubmit 3 GET c\nsent\n< {}\\r\\n{}\\r\\n:3\nparts 1 \"{}\"\nparts 2 \"\"\nreply 3 3",
        bulk(100),
        bulk(0),
        value(100),
    ));
}

#[test]
fn what_is_no_string_is_a_reply() {
    for (answer, told) in [
        ("$-1", "nil"),
        ("_", "nil"),
        (":5", "5"),
        ("+OK", "\"OK\""),
        ("-ERR no", "ServerError(ERR no)"),
        (r"!6\r\nERR no", "ServerError(ERR no)"),
        ("#t", "true"),
    ] {
        windows(&between(answer, &format!("reply 2 {told}")));
    }
}

#[test]
fn a_line_that_is_too_large_fails_alone() {
    let line = "e".repeat(200);
    for answer in [&format!("-ERR {line}"), &format!(r"!200\r\n{line}"), &format!("+{line}")] {
        WINDOWS.into_iter().for_each(|size| everyway(&between(answer, "failed 2 TooLarge"), sized(size)));
    }
}

#[test]
fn attributes_in_front_are_skipped_also_large_ones() {
    for attributes in [r"|1\r\n+ttl\r\n:5".into(), format!(r"|1\r\n{}\r\n%1\r\n+a\r\n$1\r\nx", bulk(150))] {
        for len in [0, 1, 100] {
            let told = format!("parts 2 \"{}\"", value(len));
            windows(&between(&format!(r"{attributes}\r\n{}", bulk(len)), &told));
            windows(&between(&format!(r"{attributes}\r\n={}\r\ntxt:{}", len + 4, value(len)), &told));
            windows(&between(&format!(r"{attributes}\r\n{}", stream(&value(len), &[9])), &told));
        }
    }
}

#[test]
fn a_large_push_is_no_part_of_the_value() {
    let push = format!(r">2\r\n+x\r\n{}", bulk(150));
    for size in WINDOWS {
        let text = format!(
            "{READY3}chunked 1 GET a\nsent\n< {push}\\r\\n{}\npush too large\nparts 1 \"{}\"",
            bulk(100),
            value(100)
        );
        everyway(&text, sized(size));
    }
}

#[test]
fn a_subscriber_of_resp2_hears_messages_between_values() {
    check(
        r#"
        start resp2
        ready resp2
        submit 1 SUBSCRIBE c
        sent
        < *3\r\n+subscribe\r\n+c\r\n:1
        push array(3) "subscribe" "c" 1
        reply 1 array(3) "subscribe" "c" 1
        chunked 2 GET a
        sent
        < *3\r\n+message\r\n+c\r\n$2\r\nhi\r\n$5\r\nvalue\r\n*3\r\n+message\r\n+c\r\n$2\r\nhi
        push array(3) "message" "c" "hi"
        parts 2 "value"
        push array(3) "message" "c" "hi"
        "#,
    );
    // Confirmations answer it, whatever it asked for.
    check(
        r#"
        start resp2
        ready resp2
        chunked 1 SUBSCRIBE c
        sent
        < *3\r\n+subscribe\r\n+c\r\n:1
        push array(3) "subscribe" "c" 1
        reply 1 array(3) "subscribe" "c" 1
        "#,
    );
    windows(
        "start resp2\nready resp2\nchunked 1 SUBSCRIBE c\nsent\n< $1\\r\\nx\nfailed 1 Unknown\nclosed Unsolicited",
    );
}

#[test]
fn a_request_to_quit_is_one_in_chunks_too() {
    check("start resp2\nready resp2\nchunked 1 QUIT\nsent\n< $2\\r\\nOK\nparts 1 \"OK\"\neof\nclosed Quit");
}

#[test]
fn nobody_is_told_of_an_abandoned_one() {
    for answer in [bulk(100), stream(&value(100), &[7]), format!(r"=104\r\ntxt:{}", value(100))] {
        windows(&format!(
            "{READY}chunked 1 GET a\nchunked 2 GET b\nsent 5\nabandon 1 Unknown\nsent\n< {answer}\nin-flight 1\n< $2\\r\\nhi\nparts 2 \"hi\""
        ));
        // At every byte of the answer.
        for at in 0..answer.replace(r"\r\n", "..").len() {
            let mut connection = sized(33)();
            submit(&mut connection, 1, true);
            submit(&mut connection, 2, false);
            let bytes = [answer.replace(r"\r\n", "\r\n").as_bytes(), b"\r\n:2\r\n"].concat();
            feed(&mut connection, &bytes[..at], |event| {
                assert!(matches!(event, Event::Part { token: Token(1), .. }), "{event:?}");
            });
            assert_eq!(connection.abandon(Instant::ZERO, Token(1)), Some(Failure::Unknown));
            let mut answers = 0;
            feed(&mut connection, &bytes[at..], |event| {
                assert!(matches!(event, Event::Reply { token: Token(2), .. }), "{event:?}");
                answers += 1;
            });
            assert_eq!(answers, 1);
        }
    }
}

#[test]
fn an_answer_that_breaks_off_is_unknown_once() {
    for answer in [&b"$100\r\n"[..], b"=104\r\ntxt:", b"$?\r\n;100\r\n"] {
        let bytes: Vec<u8> = answer.iter().copied().chain(repeat_n(b'x', 100)).chain(*b"\r\n").collect();
        let streamed = answer.ends_with(b";100\r\n");
        for at in 0..bytes.len() + usize::from(streamed) {
            for reason in [CloseReason::Eof, CloseReason::Transport, CloseReason::Local] {
                let mut connection = sized(64)();
                submit(&mut connection, 1, true);
                submit(&mut connection, 2, false);
                feed(&mut connection, &bytes[..at], |event| {
                    assert!(matches!(event, Event::Part { last: false, .. }), "{event:?}");
                });
                match reason {
                    CloseReason::Eof => connection.handle_eof(),
                    CloseReason::Transport => connection.handle_transport_error(),
                    _ => connection.close(),
                }
                for token in [1, 2] {
                    let failed = Event::Failed { token: Token(token), failure: Failure::Unknown };
                    assert_eq!(connection.poll_event(), Some(failed), "{at}");
                }
                assert_eq!(connection.poll_event(), Some(Event::Closed(reason)));
                assert_eq!(connection.poll_event(), None);
                // A new life knows nothing of the old.
                submit(&mut connection, 3, true);
                let mut seen = Vec::new();
                feed(&mut connection, b"$2\r\nhi\r\n", |event| seen.push(format!("{event:?}")));
                assert_eq!(seen.len(), 1, "{seen:?}");
            }
        }
    }
}

#[test]
fn a_broken_answer_ends_the_connection() {
    for (answer, error) in [
        (format!("{}XX", bulk(100)), "BadTerminator"),
        (format!("{}X", bulk(0)), "BadTerminator"),
        (r"$5\r\nabc\r\n+OK".into(), "BadTerminator"),
        (r"$?\r\n;3\r\nabcX".into(), "BadTerminator"),
        (r"$?\r\n;3\r\nabc\r\n+OK".into(), "BadStream"),
        (r"$?\r\n;-1".into(), "BadLength"),
        (r"=3\r\ntxt".into(), "BadVerbatim"),
        (r"=8\r\ntxt-abcd".into(), "BadVerbatim"),
        ("$2147483649".into(), "TooLarge"),
        (r"$?\r\n;2147483649".into(), "TooLarge"),
    ] {
        windows(&format!(
            "{READY}chunked 1 GET a\nsent\n< {answer}\nfailed 1 Unknown\nclosed Protocol({error})"
        ));
    }
}

#[test]
fn an_answer_that_began_before_its_request_was_sent_is_nobody_s() {
    let text = "submit 1 GET a\nsent\n< :1\\r\\n$5\\r\\nhe\\\nreply 1 1\nchunked 2 GET b\nsent\n< llo";
    windows(&format!("{READY}{text}\nfailed 2 Unknown\nclosed Unsolicited"));
    windows(&format!("{READY}chunked 1 GET a\n< {}\nfailed 1 NotSent\nclosed Unsolicited", bulk(100)));
    // An aggregate is told in parts, too.
    for (first, rest) in [
        ("*2\\r\\n:1\\r\\n", ":2"),
        ("%1\\r\\n:1", "\\r\\n:2"),
        ("~1\\r\\n", "_"),
        ("|1\\r\\n", ":1\\r\\n:1\\r\\n*0"),
    ] {
        let text = format!("< {first}\\\nchunked 1 GET b\nsent\n< {rest}");
        windows(&format!("{READY}{text}\nfailed 1 Unknown\nclosed Unsolicited"));
    }
    // Too large besides.
    let large = value(200);
    let text = format!("< $201\\r\\nh\\\nchunked 1 GET b\nsent\n< {large}");
    windows(&format!("{READY}{text}\nfailed 1 Unknown\nclosed Unsolicited"));
}

#[test]
fn a_window_that_holds_no_header_says_so() {
    everyway(
        &format!(
            "{READY}chunked 1 GET a\nsent\n< $?\\r\\n;10000000\nfailed 1 Unknown\nclosed WindowTooSmall"
        ),
        sized(8),
    );
}

#[test]
fn all_that_is_here_is_one_chunk() {
    let mut connection = sized(96)();
    submit(&mut connection, 1, true);
    let mut sizes = Vec::new();
    let bytes: Vec<u8> = b"$1000\r\n".iter().copied().chain([b'x'; 1000]).chain(*b"\r\n").collect();
    feed(&mut connection, &bytes, |event| {
        let Event::Part { part: Part::Chunk { bytes, left, .. }, .. } = event else { panic!("{event:?}") };
        sizes.push((bytes.len(), left));
    });
    let total: usize = sizes.iter().map(|(len, _)| len).sum();
    assert_eq!((total, sizes[0], sizes.last().unwrap().1), (1000, (89, Some(911)), Some(0)));
    assert!(sizes.len() <= 12, "{sizes:?}");
}

#[test]
fn the_largest_string_that_servers_store_goes_through() {
    let mut connection = sized(64 << 10)();
    submit(&mut connection, 1, true);
    let len = 512 << 20;
    let mut left = len;
    let mut told = |event: Event<'_>| {
        let Event::Part { part: Part::Chunk { bytes, left: Some(now), .. }, .. } = event else {
            panic!("{event:?}")
        };
        left -= bytes.len() as u64;
        assert_eq!(now, left);
    };
    let piece = vec![b'x'; 1 << 20];
    feed(&mut connection, format!("${len}\r\n").as_bytes(), &mut told);
    (0..512).for_each(|_| feed(&mut connection, &piece, &mut told));
    feed(&mut connection, b"\r\n", &mut told);
    assert_eq!((left, connection.in_flight()), (0, 0));
}

#[test]
fn memory_that_grows_does_not() {
    use respire_core::buffer::Growing;

    let memory = |limit| Growing::new(64, limit);
    let mut connection = Connection::<_, 1>::new(memory(1 << 20), memory(1024), Config::default());
    submit(&mut connection, 1, true);
    let bytes: Vec<u8> = b"$100000\r\n".iter().copied().chain(repeat_n(b'x', 100_000)).collect();
    let mut largest = 0;
    feed(&mut connection, &bytes, |event| {
        let Event::Part { part: Part::Chunk { bytes, .. }, .. } = event else { panic!("{event:?}") };
        largest = largest.max(bytes.len());
    });
    assert!(largest <= 64, "{largest}");
}

/// Starts it if it is not ready, submits, and sends.
fn submit<S: Storage, const N: usize>(connection: &mut Connection<S, N>, token: u64, in_chunks: bool) {
    if !connection.is_ready() {
        let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
        connection.start(Instant::ZERO, &settings).unwrap();
        assert!(matches!(connection.poll_event(), Some(Event::Ready { .. })));
    }
    let token = Token(token);
    if in_chunks {
        connection.submit(Instant::ZERO, token, &chunked(get("k"))).unwrap();
    } else {
        connection.submit(Instant::ZERO, token, &ping()).unwrap();
    }
    connection.handle_transmitted(usize::MAX);
}

/// Feeds bytes as large as the window lets them be.
pub(super) fn feed<S: Storage, const N: usize>(
    connection: &mut Connection<S, N>,
    mut bytes: &[u8],
    mut told: impl FnMut(Event<'_>),
) {
    while !bytes.is_empty() {
        let Some(space) = connection.recv_space() else { panic!("no room for {}", bytes.len()) };
        let n = space.len().min(bytes.len());
        space[..n].copy_from_slice(&bytes[..n]);
        bytes = &bytes[n..];
        connection.handle_received(n);
        while let Some(event) = connection.poll_event() {
            told(event);
        }
    }
}
