//! What goes over defmt. Without a decoder, texts of the program are numbers; the bytes of a
//! password, an argument or a reply would stand there as they are.
#![cfg(feature = "defmt")]

use defmt::Format;
use defmt::export::fetch_bytes;
use respire_core::command::set;
use respire_core::conn::{CloseReason, Config, Connection, Protocol, Settings, SubmitError, Token};
use respire_core::error::{Full, ServerError};
use respire_core::time::Instant;

/// The bytes of one value.
fn encoded(value: impl Format) -> Vec<u8> {
    let _ = fetch_bytes();
    defmt::export::fmt(&value);
    fetch_bytes()
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn settings_hide_the_password() {
    let settings = Settings {
        user: Some("ann"),
        password: Some("hunter2"),
        name: Some("thermometer"),
        ..Settings::default()
    };
    let bytes = encoded(settings);
    assert!(holds(&bytes, b"ann") && holds(&bytes, b"thermometer"));
    assert!(!holds(&bytes, b"hunter2"));
}

type Small = Connection<[u8; 128], 4>;

/// Tells the events after these bytes to defmt. How many there were.
fn told(connection: &mut Small, bytes: &[u8]) -> usize {
    connection.handle_transmitted(1000);
    if let Some(space) = connection.recv_space() {
        space[..bytes.len()].copy_from_slice(bytes);
    }
    connection.handle_received(bytes.len());
    let mut events = 0;
    while let Some(event) = connection.poll_event() {
        defmt::export::fmt(&event);
        events += 1;
    }
    events
}

#[test]
fn events_keep_to_themselves_what_replies_say() {
    let settings =
        Settings { protocol: Some(Protocol::Resp2), password: Some("hunter2"), ..Settings::default() };
    let mut connection = Small::new([0; 128], [0; 128], Config::default());
    let _ = fetch_bytes();
    connection.start(Instant::ZERO, &settings).unwrap();
    assert_eq!(told(&mut connection, b"+OK\r\n"), 1);
    connection.submit(Instant::ZERO, Token(1), &set("key", "argument")).unwrap();
    assert_eq!(told(&mut connection, b"$4\r\nbulk\r\n"), 1);
    connection.close();
    assert_eq!(told(&mut connection, b""), 1);
    // The trace events are in there, too.
    let bytes = fetch_bytes();
    assert!(bytes.len() > 4);
    for text in [&b"hunter2"[..], b"key", b"argument", b"bulk"] {
        assert!(!holds(&bytes, text), "{}", text.escape_ascii());
    }
}

#[test]
fn errors_say_what_the_server_said() {
    let error = ServerError::new(b"WRONGTYPE no");
    assert!(holds(&encoded(error), b"WRONGTYPE no"));
    assert!(holds(&encoded(CloseReason::Refused(error)), b"WRONGTYPE no"));
    assert!(encoded(ServerError::new(&[b'x'; 1000])).len() < 300);
    assert_ne!(encoded(SubmitError::Full(Full::InFlight)), encoded(SubmitError::Full(Full::Transmit)));
}
