//! The blocking driver, before the in-memory server: time passes only when it waits.
#![cfg(all(feature = "client", feature = "testing"))]

use core::time::Duration;

use respire_core::client::{Cause, Client, Dial, DialError, Endpoint, Error, Subscriber, Url};
use respire_core::command::*;
use respire_core::conn::{
    CloseReason, Config, Connection, Event, Failure, Part, Protocol, Settings, SubmitError, Token,
};
use respire_core::error::{Full, Misuse};
use respire_core::io::{CallError, Driver, Socket, StartError, Transport};
use respire_core::resp::Kind;
#[cfg(panic = "unwind")]
use respire_core::resp::{DecodeError, FromReply, Reply};
use respire_core::testing::{Alone, Local, LocalSocket, Responder};
use respire_core::time::Instant;

const PATIENCE: Duration = Duration::from_secs(5);

type Small<T> = Driver<T, [u8; 256], 4>;

fn dial(server: &Local) -> LocalSocket {
    server.clone().dial(&Endpoint::default(), PATIENCE).unwrap()
}

fn driver<T: Transport>(transport: T) -> Small<T> {
    Driver::new(Connection::new([0; 256], [0; 256], Config::default()), transport)
}

/// A transport that says nothing and takes everything; its clock runs while it is waited for.
struct Silent {
    now: Instant,
    written: usize,
}

impl Socket for Silent {
    type Error = Alone;

    fn try_read(&mut self, _: &mut [u8]) -> Result<Option<usize>, Alone> {
        Ok(None)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Alone> {
        self.written += bytes.len();
        Ok(Some(bytes.len()))
    }
}

impl Transport for Silent {
    fn now(&self) -> Instant {
        self.now
    }

    fn wait(&mut self, _: bool, until: Option<Instant>) -> Result<(), Alone> {
        self.now = until.expect("there is a deadline");
        Ok(())
    }
}

#[test]
fn a_call_is_one_request_and_its_answer() {
    let server = Local::default();
    let mut driver = driver(dial(&server));
    driver.start(&Settings::default()).unwrap();
    assert!(driver.call(&set("k", "value"), |reply| reply.error().is_none(), |_| {}).unwrap());
    assert_eq!(driver.call(&get("k"), |reply| reply.as_bytes().map(<[u8]>::len), |_| {}), Ok(Some(5)));
    let error = driver.call(&incr("k"), |reply| reply.error().map(|error| error.code().to_vec()), |_| {});
    assert_eq!(error, Ok(Some(b"ERR".to_vec())));
}

#[test]
fn a_string_of_any_length_is_fetched_in_pieces() {
    let server = Local::default();
    let value: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    let mut other = Client::connect(server.clone(), Url::new(Endpoint::default())).unwrap();
    other.set("long", &value).wait().unwrap();

    let mut driver = driver(dial(&server));
    driver.start(&Settings::default()).unwrap();
    let mut fetched = Vec::new();
    let keep = |part: Part<'_>| match part {
        Part::Chunk { bytes, .. } => fetched.extend_from_slice(bytes),
        part => panic!("{part:?}"),
    };
    assert_eq!(driver.fetch(&chunked(get("long")), keep, |_| ()), Ok(None));
    assert!(fetched == value);

    // And back, with a value that is never whole in memory.
    driver.submit(Token(1), &set("copy", Later(value.len() as u64)).ex(60)).unwrap();
    let mut rest = &value[..];
    let mut stored = false;
    while !stored {
        let n = driver.connection_mut().supply(&rest[..rest.len().min(100)]);
        rest = &rest[n..];
        driver.turn(None, |event| stored |= matches!(event, Event::Reply { .. }));
    }
    assert!(rest.is_empty());
    let copy: Option<Vec<u8>> = other.get("copy").wait().unwrap();
    assert!(copy == Some(value.clone()));
    other = Client::connect(server, Url::new(Endpoint::default())).unwrap();
    assert_eq!(other.strlen("copy").wait().unwrap(), value.len() as i64);

    // What is no string is told whole, and calls take no chunks.
    let nothing =
        driver.fetch(&chunked(get("missing")), |_| panic!("no piece"), |reply| reply.kind() == Kind::Null);
    assert_eq!(nothing, Ok(Some(true)));
    let refused = driver.call(&chunked(get("long")), |_| (), |_| {});
    assert_eq!(refused, Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed))));
}

/// Counts how often a transport is waited for.
struct Counting<T> {
    inner: T,
    waits: usize,
}

impl<T: Socket> Socket for Counting<T> {
    type Error = T::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, T::Error> {
        self.inner.try_read(buffer)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, T::Error> {
        self.inner.try_write(bytes)
    }
}

impl<T: Transport> Transport for Counting<T> {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), T::Error> {
        self.waits += 1;
        self.inner.wait(writable, until)
    }
}

#[test]
fn a_turn_ends_when_there_is_room_again() {
    // It takes every byte and answers nothing: whoever waits for it waits until the deadline.
    let silent = Counting { inner: Silent { now: Instant::ZERO, written: 0 }, waits: 0 };
    let mut driver: Driver<_, [u8; 64], 32> =
        Driver::new(Connection::new([0; 64], [0; 64], Config::default()), silent);
    driver.start(&Settings { protocol: Some(Protocol::Resp2), ..Settings::default() }).unwrap();
    let mut submitted = 0;
    while submitted < 32 {
        match driver.submit(Token(submitted), &ping()) {
            Ok(()) => submitted += 1,
            Err(_) => driver.turn(None, |event| panic!("{event:?}")),
        }
    }
    assert_eq!(driver.submit(Token(32), &ping()), Err(SubmitError::Full(Full::InFlight)));
    assert_eq!((driver.transport().inner.written, driver.transport().waits), (28 * 14, 0));

    // With nothing to do but wait it waits.
    driver.turn(None, |_| {});
    assert_eq!(driver.transport().waits, 1);
}

#[test]
fn a_long_value_flows_without_waiting_for_its_answer() {
    let silent = Counting { inner: Silent { now: Instant::ZERO, written: 0 }, waits: 0 };
    let mut driver: Driver<_, [u8; 64], 4> =
        Driver::new(Connection::new([0; 64], [0; 64], Config::default()), silent);
    driver.start(&Settings { protocol: Some(Protocol::Resp2), ..Settings::default() }).unwrap();
    driver.submit(Token(1), &set("k", Later(10_000))).unwrap();
    while driver.connection().owed() > 0 {
        driver.turn(None, |event| panic!("{event:?}"));
        let _ = driver.connection_mut().supply(&[7; 100]);
    }
    driver.turn(Some(Duration::ZERO), |_| {});
    assert_eq!((driver.transport().inner.written, driver.transport().waits), (10_000 + 30, 0));
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let mut driver = driver(Silent { now: Instant::ZERO, written: 0 });
    assert_eq!(driver.start(&Settings::default()), Err(StartError::Closed));
    assert_eq!(driver.connection().close_reason(), Some(CloseReason::HandshakeTimeout));
    assert!(driver.now() >= Instant::from_millis(5000) && driver.transport().written > 0);
}

#[test]
fn a_lost_connection_starts_again_in_the_same_memory() {
    let server = Local::default();
    let mut driver = driver(dial(&server));
    driver.start(&Settings::default()).unwrap();
    server.with(|server| server.clients().collect::<Vec<_>>().into_iter().for_each(|id| server.kill(id)));
    let lost = driver.call(&ping(), |_| (), |_| {});
    assert_eq!(lost, Err(CallError::Failed(Failure::Unknown)));
    assert_eq!(driver.connection().close_reason(), Some(CloseReason::Eof));

    *driver.transport_mut() = dial(&server);
    driver.start(&Settings::default()).unwrap();
    assert_eq!(driver.call(&ping(), |reply| reply.error().is_none(), |_| {}), Ok(true));
}

#[test]
fn pushes_between_are_shown() {
    let server = Local::default();
    let mut driver = driver(dial(&server));
    driver.start(&Settings::default()).unwrap();
    driver.call(&subscribe("news"), |_| (), |_| {}).unwrap();
    let client = Client::connect(server, Url::new(Endpoint::default())).unwrap();
    client.publish("news", "hello").wait().unwrap();
    let mut pushes = 0;
    driver.call(&ping(), |_| (), |_| pushes += 1).unwrap();
    assert_eq!(pushes, 1);
}

#[test]
fn a_client_over_any_dialer_reconnects_and_tells_what_was_lost() {
    let server = Local::new(Responder::new().with_password(b"sesame"));
    let url = |text: &str| text.parse::<Url>().unwrap();
    let refused = Client::connect(server.clone(), url("redis://here")).unwrap_err();
    let Error::Connect(refused) = refused else { panic!("{refused:?}") };
    assert!(matches!(&refused.cause, Cause::Server(error) if error.code() == "NOAUTH"), "{refused}");

    let client = Client::connect(server.clone(), url("redis://:sesame@here")).unwrap();
    let (length, missing) = client.pipeline((strlen("k"), get("k"))).wait().unwrap();
    assert_eq!((length.unwrap(), missing.unwrap()), (0, None));

    let kill_all = || {
        server.with(|server| server.clients().collect::<Vec<_>>().into_iter().for_each(|id| server.kill(id)));
        // Long enough for the client to look at the connection before it is used.
        server.pass(Duration::from_secs(2));
    };
    kill_all();
    client.set("k", 1).wait().unwrap();
    client.send(raw("SELECT").arg(3)).wait_with(|_| Ok(())).unwrap();
    kill_all();
    let other: Option<i64> = client.get("k").wait().unwrap();
    assert_eq!(other, None);
    client.send(raw("SELECT").arg(0)).wait_with(|_| Ok(())).unwrap();
    client.watch("k").wait().unwrap();
    kill_all();
    assert!(matches!(client.set("k", 2).wait(), Err(Error::SessionLost)));
    let kept: Option<i64> = client.get("k").wait().unwrap();
    assert_eq!(kept, Some(1));
}

#[test]
fn a_value_that_nobody_would_supply_is_refused() {
    let server = Local::default();
    let client = Client::connect(server.clone(), Url::new(Endpoint::default())).unwrap();
    let refused = client.set("k", Later(5)).wait();
    assert!(matches!(refused, Err(Error::Refused(SubmitError::Misuse(Misuse::Streamed)))), "{refused:?}");
    client.send(raw("SELECT").arg(1)).wait_with(|_| Ok(())).unwrap();
    let (first, refused, second) =
        client.pipeline((incr("n"), set("k", Later(5)), incr("n"))).wait().unwrap();
    assert!(matches!(refused, Err(Error::Refused(SubmitError::Misuse(Misuse::Streamed)))), "{refused:?}");
    assert_eq!((first.unwrap(), second.unwrap()), (1, 2), "its neighbours and the connection go on");
    client.set("k", "here").wait().unwrap();
    assert_eq!(client.strlen("k").wait().unwrap(), 4);

    let mut driver = driver(dial(&server));
    driver.start(&Settings::default()).unwrap();
    let refused = driver.call(&set("k", Later(5)), |_| (), |_| {});
    assert_eq!(refused, Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed))));
    let refused = driver.fetch(&chunked(set("k", Later(5))), |_| {}, |_| ());
    assert_eq!(refused, Err(CallError::Refused(SubmitError::Misuse(Misuse::Streamed))));
    assert_eq!(driver.call(&ping(), |reply| reply.error().is_none(), |_| {}), Ok(true));
}

/// Panics when it is made.
#[cfg(panic = "unwind")]
#[derive(Debug)]
struct Explosive;

#[cfg(panic = "unwind")]
impl<'a> FromReply<'a> for Explosive {
    fn from_reply(_: Reply<'a>) -> Result<Self, DecodeError> {
        panic!("a conversion of the user's")
    }
}

#[test]
#[cfg(panic = "unwind")]
fn answers_that_a_panic_left_behind_are_nobody_elses() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let client = Client::connect(Local::default(), Url::new(Endpoint::default())).unwrap();
    client.set("k", "value").wait().unwrap();
    let many: Vec<_> = (0..10).map(|_| raw("GET k").typed::<Explosive>()).collect();
    catch_unwind(AssertUnwindSafe(|| client.pipeline(many.as_slice()).wait().map(drop))).unwrap_err();
    assert_eq!(client.strlen("k").wait().unwrap(), 5);
}

#[test]
fn a_closure_that_asks_again_is_told_to_wait() {
    let client = Client::connect(Local::default(), Url::new(Endpoint::default())).unwrap();
    let inner = client.send(ping()).wait_with(|_| Ok(client.strlen("k").wait()));
    assert!(matches!(inner, Ok(Err(Error::Busy))));
}

#[test]
fn a_subscriber_waits_in_virtual_time() {
    let server = Local::default();
    let url = Url::new(Endpoint::default());
    let client = Client::connect(server.clone(), url.clone()).unwrap();
    let mut subscriber = Subscriber::connect(server, &url).unwrap();
    subscriber.subscribe("news").unwrap();
    assert_eq!(subscriber.next(Some(Duration::from_secs(3600))).unwrap(), None);
    client.publish("news", "hello").wait().unwrap();
    let message = subscriber.next(Some(Duration::from_secs(1))).unwrap().unwrap();
    assert_eq!((message.channel.as_str(), &message.payload[..]), ("news", &b"hello"[..]));
    assert!(matches!(subscriber.next(None), Err(Error::Lost { cause: Cause::Transport(Alone), .. })));
}

#[test]
fn what_is_late_is_not_sent_by_the_first_turn() {
    let mut driver = driver(Silent { now: Instant::ZERO, written: 0 });
    driver.start(&Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE }).unwrap();
    driver.submit(Token(1), &incr("n")).unwrap();
    driver.transport_mut().now = Instant::from_millis(6000);
    let mut failures = Vec::new();
    driver.turn(Some(Duration::ZERO), |event| {
        if let Event::Failed { token, failure } = event {
            failures.push((token, failure));
        }
    });
    assert_eq!(failures, [(Token(1), Failure::Expired)]);
    assert_eq!(driver.transport().written, 0);
}

#[test]
fn a_reset_ends_the_choice_of_a_database() {
    let server = Local::default();
    let client = Client::connect(server.clone(), Url::new(Endpoint::default())).unwrap();
    client.set("k", "zero").wait().unwrap();
    client.select(7).wait().unwrap();
    client.set("k", "seven").wait().unwrap();
    client.reset().wait().unwrap();
    let value: Option<String> = client.get("k").wait().unwrap();
    assert_eq!(value.as_deref(), Some("zero"));
}

/// A dialer whose connections end, unanswered, with EXEC.
struct EndsWithExec(Local);

struct Doomed {
    inner: LocalSocket,
    over: bool,
}

impl Dial for EndsWithExec {
    type Error = Alone;
    type Transport = Doomed;

    fn dial(&mut self, endpoint: &Endpoint, timeout: Duration) -> Result<Doomed, DialError<Alone>> {
        self.0.dial(endpoint, timeout).map(|inner| Doomed { inner, over: false })
    }
}

impl Socket for Doomed {
    type Error = Alone;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Alone> {
        if self.over { Ok(Some(0)) } else { self.inner.try_read(buffer) }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Alone> {
        self.over |= bytes.windows(4).any(|word| word == b"EXEC");
        self.inner.try_write(bytes)
    }
}

impl Transport for Doomed {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn wait(&mut self, writable: bool, until: Option<Instant>) -> Result<(), Alone> {
        self.inner.wait(writable, until)
    }
}

#[test]
fn a_database_chosen_by_a_transaction_that_got_lost_is_not_known() {
    let server = Local::default();
    let client = Client::connect(EndsWithExec(server.clone()), Url::new(Endpoint::default())).unwrap();
    client.multi().wait().unwrap();
    client.send(raw("SELECT").arg(7)).wait_with(|_| Ok(())).unwrap();
    let lost = client.send(raw("EXEC")).wait_with(|_| Ok(()));
    assert!(matches!(lost, Err(Error::Lost { failure: Failure::Unknown, .. })), "{lost:?}");
    // Was it executed, the caller means another database than the new connection's.
    assert!(matches!(client.set("k", 1).wait(), Err(Error::SessionLost)));
}
