//! Random values in chunks, between others and through random windows: the chunks are the value.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::{chunked, words};
use respire_core::conn::{Config, Connection, Event, Failure, Part, Protocol, Settings, Token};
use respire_core::time::Instant;

use super::Fixed;
use super::chunks::feed;

/// An answer as bytes, and what must be told of it: a string, or any reply.
#[derive(Clone, Debug)]
enum Answer {
    Bulk(Vec<u8>),
    Verbatim(Vec<u8>),
    Streamed(Vec<Vec<u8>>),
    Number(i64),
    Array(Vec<u8>),
}

impl Answer {
    fn encode(&self) -> Vec<u8> {
        let sized = |tag: char, bytes: &[u8]| {
            [format!("{tag}{}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
        };
        match self {
            Self::Bulk(bytes) => sized('$', bytes),
            Self::Verbatim(bytes) => sized('=', &[b"txt:", &bytes[..]].concat()),
            Self::Streamed(chunks) => {
                let chunks = chunks.iter().filter(|chunk| !chunk.is_empty()).map(|chunk| sized(';', chunk));
                [b"$?\r\n", &chunks.collect::<Vec<_>>().concat()[..], b";0\r\n"].concat()
            }
            Self::Number(n) => format!(":{n}\r\n").into_bytes(),
            Self::Array(bytes) => [b"*1\r\n", &sized('$', bytes)[..]].concat(),
        }
    }

    fn string(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bulk(bytes) | Self::Verbatim(bytes) => Some(bytes.clone()),
            Self::Streamed(chunks) => Some(chunks.concat()),
            _ => None,
        }
    }
}

fn answer() -> impl Strategy<Value = Answer> {
    let bytes = || vec(any::<u8>(), 0..150);
    prop_oneof![
        3 => bytes().prop_map(Answer::Bulk),
        2 => bytes().prop_map(Answer::Verbatim),
        2 => vec(vec(any::<u8>(), 0..60), 0..6).prop_map(Answer::Streamed),
        1 => any::<i64>().prop_map(Answer::Number),
        1 => vec(any::<u8>(), 0..20).prop_map(Answer::Array),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chunks join to the value, `left` is right, and the neighbours get their own answers.
    #[test]
    fn chunks_are_the_value(
        requests in vec((answer(), 0..4u8, any::<bool>()), 1..8),
        sizes in vec(1..80usize, 1..10),
        window in 32..120usize,
    ) {
        let mut connection = Connection::<_, 8>::new(Fixed(vec![0; window]), Fixed(vec![0; 512]), Config::default());
        let settings = Settings { protocol: Some(Protocol::Resp3), ..Settings::default() };
        connection.start(Instant::ZERO, &settings).unwrap();
        connection.handle_transmitted(usize::MAX);
        feed(&mut connection, b"%0\r\n", |_| {});
        let mut wire = Vec::new();
        for (token, (answer, kind, push)) in requests.iter().enumerate() {
            let request = words(&["GET", "k"]);
            if *kind > 0 {
                connection.submit(Instant::ZERO, Token(token as u64), &chunked(request)).unwrap();
            } else {
                connection.submit(Instant::ZERO, Token(token as u64), &request).unwrap();
            }
            if *push {
                wire.extend_from_slice(b">1\r\n+p\r\n");
            }
            if *kind == 3 {
                wire.extend_from_slice(b"|1\r\n+a\r\n$3\r\nxyz\r\n");
            }
            wire.extend_from_slice(&answer.encode());
        }
        connection.handle_transmitted(usize::MAX);
        let mut pushes = requests.iter().filter(|(_, _, push)| *push).count();
        let mut next = 0;
        let (mut joined, mut total) = (Vec::new(), None);
        let mut told = |event: Event<'_>| {
            let at = |token: Token| &requests[usize::try_from(token.0).unwrap()];
            match event {
                Event::Push(_) => {
                    assert!(joined.is_empty(), "in the middle of a value");
                    pushes -= 1;
                }
                Event::Part { token, part: Part::Chunk { bytes, left, .. }, last } => {
                    assert_eq!(last, left == Some(0) && !matches!(at(token).0, Answer::Array(_)));
                    let (answer, kind, _) = at(token);
                    assert!(token == Token(next) && *kind > 0);
                    assert!(!bytes.is_empty() || left == Some(0));
                    joined.extend_from_slice(bytes);
                    let now = left.map(|left| left + joined.len() as u64);
                    if matches!(answer, Answer::Streamed(_)) {
                        assert!(matches!(left, None | Some(0)));
                    } else {
                        assert_eq!(now, *total.get_or_insert(now));
                    }
                    if left == Some(0) {
                        let wanted = if let Answer::Array(bytes) = answer { Some(bytes.clone()) } else { answer.string() };
                        assert_eq!(Some(std::mem::take(&mut joined)), wanted);
                        total = None;
                        next += u64::from(last);
                    }
                }
                Event::Part { token, part, last } => {
                    let (answer, kind, _) = at(token);
                    assert!(token == Token(next) && *kind > 0 && matches!(answer, Answer::Array(_)));
                    assert_eq!(last, part == Part::End);
                    next += u64::from(last);
                }
                Event::Reply { token, reply } => {
                    let (answer, kind, _) = at(token);
                    assert_eq!(token, Token(next));
                    assert!(*kind == 0 || answer.string().is_none(), "{reply:?}");
                    let text: Option<Vec<u8>> = reply.chunks().map(|chunks| chunks.flatten().copied().collect());
                    assert!(answer.string().is_none() || text == answer.string());
                    next += 1;
                }
                Event::Failed { token, failure: Failure::TooLarge } => {
                    let (answer, kind, _) = at(token);
                    assert_eq!(token, Token(next));
                    assert!(answer.encode().len() + 20 > window && (*kind == 0 || answer.string().is_none()));
                    next += 1;
                }
                event => panic!("{event:?}"),
            }
        };
        let (mut rest, mut size) = (&wire[..], sizes.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*size.next().unwrap()));
            feed(&mut connection, now, &mut told);
            rest = later;
        }
        prop_assert_eq!((next, pushes), (requests.len() as u64, 0));
        prop_assert_eq!(connection.in_flight(), 0);
    }
}
