//! The connection by transcripts: every stream also cut at every byte, over memory that grows and
//! over fixed memory.
#![cfg(feature = "testing")]

mod abandon;
mod blocking;
mod chunk_values;
mod chunks;
mod expected;
mod handshake;
mod large;
mod lent;
mod machine;
mod misuse;
mod parts;
mod rejected;
mod requests;
mod secrets;
mod state;
mod subscriber;
mod supply;
mod taken;
mod time;
mod unsupplied;
mod verify;

use respire_core::buffer::{Growing, Place, Storage};
use respire_core::conn::{Config, Connection};
use respire_core::testing::{Cut, Transcript};

/// A connection whose memory grows.
fn growing() -> Connection<Growing, 64> {
    let memory = || Growing::new(64, 1 << 20);
    Connection::new(memory(), memory(), Config::default())
}

/// A connection over two arrays.
fn fixed<const RECEIVE: usize, const TRANSMIT: usize>() -> Connection<Fixed, 8> {
    let memory = |size| Fixed(vec![0; size]);
    Connection::new(memory(RECEIVE), memory(TRANSMIT), Config::default())
}

/// Memory that does not grow, whose size a test chooses.
struct Fixed(Vec<u8>);

impl Storage for Fixed {
    type Places<T: Place, const N: usize> = [T; N];

    fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Runs a transcript in every way.
#[track_caller]
fn check(text: &str) {
    everyway(text, growing);
    everyway(text, fixed::<512, 512>);
}

#[track_caller]
fn everyway<S: Storage, const N: usize>(text: &str, connect: impl FnMut() -> Connection<S, N>) {
    let transcript = Transcript::parse(text).unwrap_or_else(|error| panic!("{error}"));
    transcript.run_everyway(connect).unwrap_or_else(|error| panic!("{error}"));
}

/// Runs a transcript of a long stream: whole, in small pieces, and cut at a few places.
#[track_caller]
fn samples<S: Storage, const N: usize>(text: &str, mut connect: impl FnMut() -> Connection<S, N>) {
    let transcript = Transcript::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let all = transcript.received();
    let cuts = [Cut::Lines, Cut::Every(1), Cut::Every(7), Cut::Every(64), Cut::Every(4096)];
    let places = (1..40).chain(all.saturating_sub(40)..all).map(Cut::At);
    for cut in cuts.into_iter().chain(places) {
        transcript.run_cut(&mut connect(), cut).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_transcript_that_does_not_come_true_says_where() {
    let wrong = |text: &str| Transcript::parse(text).unwrap().run(&mut growing()).unwrap_err().to_string();
    let ready = "start resp2\nready resp2\n";
    assert_eq!(wrong("start resp2\nready resp3"), "line 2: wanted ready resp3, found ready resp2");
    assert_eq!(wrong("start resp2"), "line 1: wanted no event, found ready resp2");
    assert_eq!(wrong("start resp2\n\nquiet"), "line 3: wanted no event, found ready resp2");
    assert_eq!(wrong(&format!("{ready}reply 1 1")), "line 3: wanted reply 1 1, found no event");
    assert_eq!(
        wrong(&format!("{ready}submit 1 PING\n> *1\\r\\n$4\\r\\nPONG")),
        r"line 4: wanted *1\r\n$4\r\nPONG\r\n, found *1\r\n$4\r\nPING\r\n"
    );
    assert_eq!(wrong("submit 1 PING"), "line 1: wanted a request taken, found NotReady");
    assert_eq!(wrong(&format!("{ready}abandon 7")), "line 3: wanted a request in flight, found none");
    assert_eq!(wrong(&format!("{ready}sent 1")), "line 3: wanted 1 bytes to write, found 0 bytes to write");
    assert_eq!(wrong("subscribed"), "line 1: wanted subscribed, found unsubscribed");
    assert_eq!(wrong("< +OK\nstart\n in-flight 3"), "line 3: wanted in-flight 3, found in-flight 0");
    assert_eq!(
        wrong(&format!("{ready}chunked 1 GET k\nsent\n< $1\\r\\nv\nparts 1 \"w\"")),
        "line 6: wanted parts 1 \"w\", found parts 1 \"v\""
    );
    assert_eq!(
        wrong("start\ndeadline none"),
        "line 2: wanted deadline None, found deadline Some(Instant(5000000))"
    );
}

#[test]
fn a_line_that_means_nothing_is_refused() {
    for bad in ["hello", "@10", "submit x GET", "> GET \"k", "< a\\q", "start resp4", "start db", "close now"]
    {
        let mismatch = Transcript::parse(&format!("\n# text\n{bad}")).unwrap_err();
        assert_eq!((mismatch.line, mismatch.wanted.as_str()), (3, bad));
    }
    let words = Transcript::parse(r#"> SET "a b" \x00\xff\r\n\t\\\" """#).unwrap();
    assert!(format!("{words:?}").contains("Transmit"));
}
