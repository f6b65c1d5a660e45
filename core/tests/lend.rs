//! The blocking driver lends long arguments: what is written, in how many calls, and what is told when
//! it ends half way.
#![cfg(feature = "alloc")]

use std::cell::Cell;
use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::buffer::{Growing, Storage};
use respire_core::command::{
    self, ExpiryOptions, Key, Later, Request, Secret, chunked, get, mset, ping, raw, set, set_get, words,
};
use respire_core::conn::{
    CloseReason, Config, Connection, Failure, Part, Protocol, Settings, SubmitError, Token,
};
use respire_core::error::{Full, Misuse};
use respire_core::io::{CallError, Driver, Socket, Transport};
use respire_core::resp::{ArgSink, Encoder};
use respire_core::time::{Duration, Instant};

/// A peer that takes so many bytes of each write (`None`: would block; then all it is given), and says
/// its piece once it has so many bytes.
struct Wire {
    vectored: bool,
    from: usize,
    takes: VecDeque<Option<usize>>,
    /// Takes nothing more beyond this.
    room: usize,
    answers: VecDeque<(usize, &'static [u8])>,
    /// What ends it once it has so many bytes: an end of its side, or of everything.
    ends: Option<(usize, Result<(), Broken>)>,
    written: Vec<u8>,
    /// What each write was given and what it took.
    writes: Vec<(usize, usize)>,
    waits: Vec<bool>,
    now: Instant,
    /// How long it takes until there is room again.
    slow: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken;

impl Wire {
    fn new(from: usize) -> Self {
        Self {
            vectored: true,
            from,
            takes: VecDeque::new(),
            room: usize::MAX,
            answers: VecDeque::new(),
            ends: None,
            written: Vec::new(),
            writes: Vec::new(),
            waits: Vec::new(),
            now: Instant::ZERO,
            slow: Duration::ZERO,
        }
    }

    /// Says this once it has so many bytes.
    fn answers(mut self, at: usize, answer: &'static [u8]) -> Self {
        self.answers.push_back((at, answer));
        self
    }

    fn over(&self) -> Option<Result<(), Broken>> {
        self.ends.filter(|(at, _)| self.written.len() >= *at).map(|(_, end)| end)
    }

    fn take(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        assert!(!bytes.is_empty());
        if let Some(Err(broken)) = self.over() {
            return Err(broken);
        }
        let room = self.room - self.written.len();
        let taken = self.takes.pop_front().unwrap_or(Some(usize::MAX)).map(|n| n.min(bytes.len()).min(room));
        let taken = taken.filter(|&n| n > 0);
        self.written.extend_from_slice(&bytes[..taken.unwrap_or(0)]);
        self.writes.push((bytes.len(), taken.unwrap_or(0)));
        Ok(taken)
    }
}

impl Socket for Wire {
    type Error = Broken;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        if let Some((at, answer)) = self.answers.front_mut()
            && self.written.len() >= *at
        {
            let n = answer.len().min(buffer.len());
            buffer[..n].copy_from_slice(&answer[..n]);
            *answer = &answer[n..];
            if answer.is_empty() {
                self.answers.pop_front();
            }
            return Ok(Some(n));
        }
        self.over().transpose().map(|end| end.map(|()| 0))
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
        self.take(bytes)
    }

    fn try_write_vectored(&mut self, parts: [&[u8]; 3]) -> Result<Option<usize>, Broken> {
        match parts.into_iter().find(|part| !part.is_empty()) {
            Some(first) if !self.vectored => self.take(first),
            _ => self.take(&parts.concat()),
        }
    }

    fn lends_from(&self) -> usize {
        self.from
    }
}

impl Transport for Wire {
    fn now(&self) -> Instant {
        self.now
    }

    /// There is room again, at once if it is not slow, unless there never will be.
    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Broken> {
        self.waits.push(writable);
        let full = !writable || self.written.len() >= self.room;
        if self.takes.is_empty() && full {
            self.now = until.expect("somebody would wait for ever");
        } else {
            let again = self.now.saturating_add(self.slow);
            self.now = until.map_or(again, |until| until.min(again));
        }
        Ok(())
    }
}

const FROM: usize = 100;

const RESP2: Settings<'_> = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };

fn driver<S: Storage>(wire: Wire, receive: S, transmit: S) -> Driver<Wire, S, 4> {
    let mut driver = Driver::new(Connection::new(receive, transmit, Config::default()), wire);
    driver.start(&RESP2).unwrap();
    driver
}

fn small(wire: Wire) -> Driver<Wire, [u8; 128], 4> {
    driver(wire, [0; 128], [0; 128])
}

fn value(len: usize) -> Vec<u8> {
    (0..=250).cycle().take(len).collect()
}

/// The frame in one piece.
fn whole(request: &impl Request) -> Vec<u8> {
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let mut bytes = vec![0; measure.finish().len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    assert!(encoder.finish().is_written());
    bytes
}

fn call<S: Storage>(driver: &mut Driver<Wire, S, 4>, request: &impl Request) -> Result<Vec<u8>, CallError> {
    let answer = driver.call(
        request,
        |reply| reply.error().map_or(reply.as_bytes(), |error| Some(error.text())).unwrap().to_vec(),
        |_| {},
    );
    assert_eq!(driver.connection().owed(), 0, "whatever comes of it");
    answer
}

#[test]
fn a_long_value_is_one_write_and_no_copy() {
    let value = value(1 << 20);
    let request = set("key", &value).ex(60);
    let frame = whole(&request);
    // Its frame would not fit in.
    let mut driver = small(Wire::new(4096).answers(frame.len(), b"+OK\r\n"));
    assert_eq!(call(&mut driver, &request), Ok(b"OK".to_vec()));
    let wire = driver.transport();
    assert!(wire.written == frame);
    assert_eq!(wire.writes, [(frame.len(), frame.len())]);
    assert_eq!(wire.waits, [], "the answer was there");
}

#[test]
fn memory_that_could_grow_does_not() {
    let value = value(1 << 20);
    let request = set("key", &value);
    for (from, grows) in [(4096, false), (usize::MAX, true)] {
        let wire = Wire::new(from).answers(whole(&request).len(), b"+OK\r\n");
        let mut driver = driver(wire, Growing::new(64, 2 << 20), Growing::new(64, 2 << 20));
        let size = |driver: &Driver<Wire, Growing, 4>| format!("{driver:?}").matches("size: 64").count();
        assert_eq!(size(&driver), 2, "{driver:?}");
        assert_eq!(call(&mut driver, &request), Ok(b"OK".to_vec()));
        assert_eq!(size(&driver), if grows { 1 } else { 2 }, "{driver:?}");
        assert!(driver.transport().written == whole(&request));
    }
}

#[test]
fn only_what_is_long_is_lent() {
    for (len, is_lent) in [(FROM - 1, false), (FROM, true), (FROM + 1, true)] {
        let value = value(len);
        let request = set("key", &value);
        let wire = Wire::new(FROM).answers(whole(&request).len(), b"+OK\r\n");
        let mut driver = driver(wire, [0; 64], [0; 64]);
        let result = call(&mut driver, &request);
        assert_eq!(result.is_ok(), is_lent, "{len}: {result:?}");
        assert!(is_lent || result == Err(CallError::Refused(Full::TooLarge.into())));
    }
}

#[test]
fn a_socket_that_says_nothing_about_it_is_given_copies() {
    struct Plain(Wire);
    impl Socket for Plain {
        type Error = Broken;
        fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
            self.0.try_read(buffer)
        }
        fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Broken> {
            self.0.try_write(bytes)
        }
    }
    let mut socket = Plain(Wire::new(0));
    assert_eq!(socket.lends_from(), usize::MAX);
    // Its vectored writes are writes of one part each.
    assert_eq!(socket.try_write_vectored([b"", b"ab", b"cd"]), Ok(Some(2)));
    assert_eq!(socket.try_write_vectored([b"ef", b"gh", b""]), Ok(Some(2)));
    assert_eq!(socket.try_write_vectored([b"", b"", b""]), Ok(Some(0)));
    assert_eq!(socket.0.written, b"abef");
    // Behind a reference it is the same socket.
    fn through(mut socket: impl Socket<Error = Broken>) -> (usize, Result<Option<usize>, Broken>) {
        (socket.lends_from(), socket.try_write_vectored([b"a", b"b", b"c"]))
    }
    assert_eq!(through(&mut Wire::new(7)), (7, Ok(Some(3))));
}

#[test]
fn any_argument_may_be_long_and_the_first_is_lent() {
    let (long, longer) = (value(FROM), value(60));
    let words_of_it: [&[u8]; 3] = [b"GET", &long, b"x"];
    let name_of_it: [&[u8]; 2] = [&long, b"x"];
    let pairs: [(&[u8], &[u8]); 2] = [(&long, b"1"), (b"b", &longer)];
    check(&words(&words_of_it));
    check(&words(&name_of_it));
    check(&get(&long));
    check(&mset(&pairs));
    check(&raw("AUTH").with(Secret(&long)));
    check(&raw("EVAL").arg(&long).arg(1).key("k").arg(&longer));
    check(&chunked(set_get("k", &long)));
    let many: Vec<&[u8]> = [&b"DEL"[..], &long].into_iter().chain([&b"k"[..]; 7]).collect();
    check(&words(&many));
    let many: Vec<&[u8]> = [&b"DEL"[..], &long].into_iter().chain([&b"k"[..]; 10]).collect();
    check(&words(&many));
    // The second one needs room.
    let pairs: [(&[u8], &[u8]); 2] = [(&long, b"1"), (b"b", &long)];
    let refused = call(&mut small(Wire::new(FROM)), &mset(&pairs));
    assert_eq!(refused, Err(CallError::Refused(Full::TooLarge.into())));

    fn check(request: &impl Request) {
        for vectored in [true, false] {
            let frame = whole(request);
            let wire = Wire { vectored, ..Wire::new(FROM).answers(frame.len(), b"+OK\r\n") };
            let mut driver = small(wire);
            let fetched = driver.fetch(request, |part: Part<'_>| panic!("{part:?}"), |_| ());
            assert!(matches!(fetched, Ok(Some(_))), "{fetched:?}");
            assert_eq!(driver.transport().written, frame);
            assert_eq!(driver.transport().writes.len(), if vectored { 1 } else { 3 });
        }
    }
}

#[test]
fn what_nobody_would_supply_is_still_refused() {
    let long = value(FROM);
    let mut driver = driver(Wire::new(FROM), [0; 256], [0; 256]);
    let streamed = Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed)));
    assert_eq!(call(&mut driver, &set("k", Later(5))), streamed);
    assert_eq!(call(&mut driver, &raw("SET").arg(&long).arg(Later(5))), streamed);
    assert_eq!(call(&mut driver, &raw("SET").arg("k").arg(Later(5)).arg(&long)), streamed);
    assert_eq!(call(&mut driver, &chunked(set("k", &long))), streamed);
    let reply_off = raw("CLIENT REPLY").arg(&long);
    assert_eq!(call(&mut driver, &reply_off), Err(CallError::Refused(Misuse::ReplyOff.into())));
    assert_eq!((&driver.transport().written[..], driver.connection().in_flight()), (&b""[..], 0));
    // Submitting lends nothing: it has nobody to write for it.
    driver.submit(Token(1), &get(&long)).unwrap();
    assert_eq!(driver.connection().owed(), 0);
    assert_eq!(driver.connection().poll_transmit(), whole(&get(&long)));
}

#[test]
fn an_error_half_way_is_the_answer_and_the_end() {
    let value = value(1000);
    let error = b"-ERR Protocol error: invalid bulk length\r\n";
    for at in [1, 28, 29, 500, 1028] {
        let mut wire = Wire::new(FROM).answers(at, error);
        wire.takes.push_back(Some(at));
        wire.takes.extend([None; 10]);
        let mut driver = small(wire);
        assert_eq!(call(&mut driver, &set("key", &value)), Ok(error[1..error.len() - 2].to_vec()), "{at}");
        assert!(matches!(driver.connection().close_reason(), Some(CloseReason::Refused(_))), "{at}");
        assert_eq!(driver.transport().written.len(), at);
        assert_eq!(call(&mut driver, &ping()), Err(CallError::Refused(SubmitError::Closed)));
    }
}

#[test]
fn an_end_half_way_is_unknown_and_one_before_it_is_not_sent() {
    let value = value(1000);
    let len = whole(&set("key", &value)).len();
    for at in [0, 1, 28, 29, 500, len - 2, len - 1] {
        for end in [Ok(()), Err(Broken)] {
            for vectored in [true, false] {
                let mut driver = small(Wire { vectored, room: at, ..Wire::new(FROM) });
                let wire = driver.transport_mut();
                wire.ends = Some((at, end));
                // It is waited for a while before it ends.
                wire.takes.extend([None, None, Some(at)]);
                let failure = if at > 0 { Failure::Unknown } else { Failure::NotSent };
                assert_eq!(call(&mut driver, &set("key", &value)), Err(CallError::Failed(failure)), "{at}");
                let reason = if end.is_ok() { CloseReason::Eof } else { CloseReason::Transport };
                assert_eq!(driver.connection().close_reason(), Some(reason));
                assert_eq!(driver.error().is_some(), end.is_err());
                // The next life owes nothing of it.
                *driver.transport_mut() = Wire::new(FROM).answers(14, b"+PONG\r\n");
                driver.start(&RESP2).unwrap();
                assert_eq!(call(&mut driver, &ping()), Ok(b"PONG".to_vec()));
                assert_eq!(driver.transport().written, whole(&ping()));
            }
        }
    }
}

#[test]
fn its_deadline_holds_while_there_is_no_room() {
    let value = value(1000);
    for room in [0, 500] {
        let wire = Wire { room, ..Wire::new(FROM) };
        let mut driver = small(wire);
        let deadline = Instant::from_millis(1234);
        let result = driver.call_until(Some(deadline), &set("key", &value), |_| (), |_| {});
        // Half a frame is of no use to anybody.
        let (failure, end) = if room > 0 {
            (Failure::Unknown, Some(CloseReason::ReplyTimeout))
        } else {
            (Failure::Expired, None)
        };
        assert_eq!(result, Err(CallError::Failed(failure)));
        assert_eq!((driver.connection().close_reason(), driver.connection().owed()), (end, 0));
        assert_eq!((driver.now(), &driver.transport().waits[..]), (deadline, &[true][..]));
    }
}

#[test]
fn messages_are_read_while_it_is_written() {
    const MESSAGES: usize = 50;
    let value = value(10_000);
    let mut wire = Wire::new(FROM);
    for n in 0..MESSAGES {
        wire = wire.answers(n * 100 + 1, b">2\r\n+message\r\n$5\r\nhello\r\n");
        wire.takes.extend([Some(100), None]);
    }
    let len = whole(&set("key", &value)).len();
    let mut driver = small(wire.answers(len, b"+OK\r\n"));
    let mut seen = Vec::new();
    let stored = driver.call(&set("key", &value), |reply| reply.error().is_none(), |_| seen.push(()));
    assert_eq!((stored, seen.len()), (Ok(true), MESSAGES));
    // Each was read before there was room for more.
    assert!(driver.transport().waits.iter().all(|&writable| writable));
}

/// Makes an argument longer with each visit.
struct Fickle(Cell<usize>);

impl Request for Fickle {
    type Reply<'r> = ();

    fn command(&self) -> &'static command::Command {
        &command::Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let len = self.0.replace(self.0.get() + 1);
        sink.word("SET");
        sink.key(Key(b"k").0);
        sink.arg(&value(len));
    }
}

/// Shows nothing the second time.
struct Forgetful(Cell<bool>);

impl Request for Forgetful {
    type Reply<'r> = ();

    fn command(&self) -> &'static command::Command {
        &command::Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("ECHO");
        sink.arg(if self.0.replace(true) { b"" } else { &[1; FROM] });
    }
}

#[test]
fn a_request_that_changes_its_mind_is_not_sent() {
    let mut driver = small(Wire::new(FROM));
    let not_sent = Err(CallError::Failed(Failure::NotSent));
    assert_eq!(call(&mut driver, &Fickle(Cell::new(200))), not_sent);
    assert_eq!(driver.connection().close_reason(), Some(CloseReason::Local));
    driver.start(&RESP2).unwrap();
    assert_eq!(call(&mut driver, &Forgetful(Cell::new(false))), not_sent);
    assert_eq!(driver.transport().written, b"");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the socket takes, in whatever parts: the wire carries the plain frames.
    #[test]
    fn the_wire_carries_the_frames(
        lens in vec((0..3 * FROM, 0..3 * FROM, 0..40usize), 1..4),
        takes in vec(prop_oneof![1 => Just(None), 3 => (1..40usize).prop_map(Some), 1 => (1..500usize).prop_map(Some)], 0..60),
        vectored in any::<bool>(),
        room in 64..600usize,
        grows in any::<bool>(),
    ) {
        let wire = Wire { vectored, takes: takes.into(), ..Wire::new(FROM) };
        if grows {
            exchange(driver(wire, Growing::new(64, 64), Growing::new(64, room)), &lens, room);
        } else {
            let (mut receive, mut transmit) = ([0; 64], vec![0; room]);
            exchange(driver(wire, &mut receive[..], &mut transmit[..]), &lens, room);
        }
    }
}

fn exchange<S: Storage>(mut driver: Driver<Wire, S, 4>, lens: &[(usize, usize, usize)], room: usize) {
    let mut wanted = Vec::new();
    for &(key, long, tail) in lens {
        let (key, long, tail) = (value(key), value(long), "t".repeat(tail));
        let request = raw("SET").key(&key).arg(&long).arg(&tail);
        let frame = whole(&request);
        let lent = [key.len(), long.len()].into_iter().find(|&len| len >= FROM).unwrap_or(0);
        let at = wanted.len() + frame.len();
        driver.transport_mut().answers.push_back((at, b"+OK\r\n"));
        let result = call(&mut driver, &request);
        if frame.len() - lent > room {
            assert_eq!(result, Err(CallError::Refused(Full::TooLarge.into())));
            driver.transport_mut().answers.pop_back();
        } else {
            assert_eq!(result, Ok(b"OK".to_vec()));
            wanted.extend(frame);
        }
        assert!(driver.transport().written == wanted);
    }
}

#[test]
fn a_server_that_takes_nothing_of_a_lent_value_is_given_up() {
    let config =
        Config { reply_timeout: None, write_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    for room in [0, 10, 60, 500] {
        let wire = Wire { room, ..Wire::new(FROM) };
        let mut driver = Driver::new(Connection::<_, 4>::new([0; 128], [0; 128], config), wire);
        driver.start(&RESP2).unwrap();
        let result = driver.call(&set("key", &value(600)), |_| (), |_| {});
        assert!(matches!(result, Err(CallError::Failed(_))), "{room}");
        assert_eq!(driver.connection().close_reason(), Some(CloseReason::WriteTimeout), "{room}");
        assert!(driver.now() <= Instant::from_millis(2000), "{room}");
    }
}

#[test]
fn a_server_that_takes_a_little_of_a_lent_value_now_and_then_is_waited_for() {
    let config =
        Config { reply_timeout: None, write_timeout: Some(Duration::from_secs(1)), ..Config::default() };
    let takes = [Some(200), None].into_iter().chain([Some(10), None].into_iter().cycle().take(20)).collect();
    let wire = Wire { takes, slow: Duration::from_millis(600), ..Wire::new(FROM) }.answers(600, b"+OK\r\n");
    let mut driver = Driver::new(Connection::<_, 4>::new([0; 128], [0; 128], config), wire);
    driver.start(&RESP2).unwrap();
    driver.call(&set("key", &value(600)), |_| (), |_| {}).unwrap();
    assert!(driver.now() > Instant::from_millis(3000));
}
