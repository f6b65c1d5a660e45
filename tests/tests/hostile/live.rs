//! Every attack against the blocking client, over a socket.

use std::time::Duration;

use respire::conn::Failure;
use respire::prelude::*;
use respire::resp::Value;
use respire::{Cause, Error, Single};
use respire_tests::Peer;
use respire_tests::hostile::{Ask, Attack, Cut, Found, Manner, Outcome, Room, Spoken, attacks};

use crate::case::Case;
use crate::memory::peak;
use crate::within::{each, sockets};

/// Buffers at rest, slots, and a few words.
const BESIDES: usize = 512 << 10;

/// The most that the client keeps of what it has received.
const RECEIVED: u64 = 513 << 20;

/// The client has no narrower limits than those for servers, and waits for every answer.
fn all() -> impl Iterator<Item = &'static Attack> {
    attacks().filter(|attack| attack.room == Room::Server && attack.manner != Manner::Abandoned)
}

#[test]
fn the_first_answer_of_a_connection_is_the_attack() {
    let _sockets = sockets();
    each(all(), |attack| cases(attack).for_each(Case::first));
}

#[test]
fn the_third_answer_of_five_is_the_attack() {
    let _sockets = sockets();
    let behind = |attack: &&Attack| attack.manner != Manner::Greeting;
    each(all().filter(behind), |attack| cases(attack).for_each(Case::amid_others));
}

/// What is long, or waits for a deadline, comes in few ways.
fn cases(attack: &'static Attack) -> impl Iterator<Item = Case> {
    let len = attack.says.len();
    let once = attack.outcome == Outcome::Stalls || len > 10_000;
    // Behind the answer a surplus may come at any later time.
    let whole = once || matches!(attack.outcome, Outcome::Surplus(..));
    let cuts = if whole { &Cut::ALL[..1] } else { &Cut::ALL[..4] };
    let cases =
        attack.protocols().flat_map(move |spoken| cuts.iter().map(move |&cut| Case { attack, spoken, cut }));
    cases.filter(move |case| !(once && len > 1_000_000 && case.spoken == Spoken::Resp2))
}

impl Case {
    /// Attacks that end by the deadline have a short one, all others more than they need.
    fn url(self, peer: &Peer) -> String {
        let timeout = if self.attack.outcome == Outcome::Stalls { "1s" } else { "60s" };
        format!("redis://{}?connect_timeout=20s&timeout={timeout}", peer.address())
    }

    /// The most that the client may need: what it is to read, twice while it grows, what is made of
    /// that, and a rest.
    fn bound(self) -> usize {
        let Attack { outcome, says, ask, .. } = *self.attack;
        let read = matches!(outcome, Outcome::Reads(_) | Outcome::Decode(_) | Outcome::Stalls);
        // Nothing that has come is thrown away while it may become an answer.
        let kept = if read { says.len().min(RECEIVED) as usize } else { 0 };
        let made = if matches!(ask, Ask::Tree | Ask::Map) { 32 } else { 0 };
        (3 + made) * kept + BESIDES
    }

    fn first(self) {
        let peer = self.peer();
        let url = self.url(&peer);
        if self.attack.manner == Manner::Greeting {
            self.greeted(&url);
            return;
        }
        let (wanted, end) = self.attack.expected(true);
        let client = Single::open(&url).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let ask = self.attack.ask;
        let (memory, result) = peak(|| client.send(raw("ATTACK")).wait_with(|reply| Ok(ask.read(reply))));
        let (found, closed) = match result {
            Ok(Ok(text)) => (Found::Read(text), None),
            Ok(Err(error)) => (Found::Undecodable(error), None),
            Err(error) => failed(error),
        };
        assert_eq!(found, wanted, "{self:?}: {closed:?}");
        if found == Found::Failed(Failure::Unknown) {
            self.ended(closed.as_deref(), end.as_deref());
        }
        assert!(memory <= self.bound(), "{self:?}: {memory} bytes");
        self.in_step(&client);
        assert_eq!(peer.accepted(), 1 + usize::from(end.is_some()), "{self:?}: connections");
    }

    fn amid_others(self) {
        let peer = self.peer();
        let client = Single::open(&self.url(&peer)).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        let surplus = matches!(self.attack.outcome, Outcome::Surplus(..));
        let texts: Vec<String> = (0..5).map(|n| format!("own-{n}")).collect();
        let asked: Vec<[&str; 2]> = texts.iter().map(|text| ["ECHO", text.as_str()]).collect();
        let mut requests: Vec<_> = asked.iter().map(|asked| words(&asked[..])).collect();
        requests[2] = words(&["ATTACK"]);
        requests.truncate(if surplus { 3 } else { 5 });
        let (memory, results) = peak(|| client.pipeline(requests).wait().expect("a connection"));
        let (wanted, end) = self.attack.expected(true);
        for (n, result) in results.into_iter().enumerate() {
            let own = Value::Bulk(texts[n].clone().into_bytes());
            match result {
                Ok(value) if n == 2 => {
                    let read = matches!(wanted, Found::Read(_) | Found::Undecodable(_));
                    assert!(read, "{self:?}: {value:?}");
                }
                Err(Error::Server(_)) if n == 2 && matches!(wanted, Found::Read(_)) => {}
                Ok(value) => {
                    assert_eq!(value, own, "{self:?}: the answer of another");
                    assert!(n < 2 || end.is_none(), "{self:?}: an answer behind the end");
                }
                Err(error) => {
                    let (found, closed) = failed(error);
                    let wanted = if n == 2 { &wanted } else { &Found::Failed(Failure::Unknown) };
                    assert_eq!(&found, wanted, "{self:?}, request {n}: {closed:?}");
                    assert!(n == 2 || n > 2 && end.is_some(), "{self:?}: request {n} failed: {closed:?}");
                    if found == Found::Failed(Failure::Unknown) {
                        self.ended(closed.as_deref(), end.as_deref());
                    }
                }
            }
        }
        // A pipeline makes trees of all that it is answered.
        let bound = self.bound() + 32 * self.attack.says.len().min(16 << 20) as usize;
        assert!(memory <= bound, "{self:?}: {memory} bytes");
        self.in_step(&client);
        assert_eq!(peer.accepted(), 1 + usize::from(end.is_some()), "{self:?}: connections");
    }

    /// There is no connection, and the reason is told.
    fn greeted(self, url: &str) {
        let (_, end) = self.attack.expected(true);
        match Single::open(url) {
            Err(Error::Connect(error)) => {
                let words = error.to_string();
                assert!(words.contains(&end.unwrap_or_default()), "{self:?}: {words}");
                assert!(!error.hint().is_empty());
            }
            other => panic!("{self:?}: {other:?}"),
        }
    }

    fn ended(self, closed: Option<&str>, wanted: Option<&str>) {
        let same = closed.unwrap_or_default().contains(wanted.unwrap_or_default());
        assert!(same && closed.is_some() && wanted.is_some(), "{self:?}: {closed:?}, not {wanted:?}");
    }

    /// Whoever asks next gets his own answer, on this connection or on another.
    fn in_step(self, client: &Single) {
        for token in ["one", "two"] {
            let echo = client.echo::<String>(token).timeout(Duration::from_secs(60)).wait();
            assert_eq!(echo.ok().as_deref(), Some(token), "{self:?}: out of step");
        }
    }
}

/// What became of a request, and how its connection ended.
fn failed(error: Error) -> (Found, Option<String>) {
    match error {
        Error::TooLarge => (Found::Failed(Failure::TooLarge), None),
        Error::TooDeep => (Found::Failed(Failure::TooDeep), None),
        Error::Decode(error) => (Found::Undecodable(error), None),
        Error::Lost { failure, cause: Cause::Closed(reason) } => {
            (Found::Failed(failure), Some(reason.to_string()))
        }
        Error::Lost { failure, cause } => (Found::Failed(failure), Some(cause.to_string())),
        other => panic!("{other:?}"),
    }
}
