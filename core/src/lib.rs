//! Redis and Valkey without I/O: the protocol logic of respire as a state machine.
//!
//! This crate reads and writes RESP2 and RESP3, knows commands and runs one connection: handshake,
//! requests and their answers, subscriptions, deadlines. It opens no socket, reads no clock and
//! starts no thread. A driver moves the bytes and says what time it is; the driver may be an event
//! loop, firmware or a test.
//!
//! It is `no_std`, forbids `unsafe` and has no dependencies. Without features it does not allocate.
//!
//! # A connection by hand
//!
//! ```
//! use respire_core::command::get;
//! use respire_core::conn::{Config, Connection, Event, Protocol, Settings, Token};
//! use respire_core::time::Instant;
//!
//! // Two buffers of 128 bytes each, and room for four requests at a time.
//! let mut connection = Connection::<[u8; 128], 4>::new([0; 128], [0; 128], Config::default());
//!
//! // RESP2 without a password and in database 0 needs no handshake.
//! let now = Instant::ZERO;
//! connection.start(now, &Settings { protocol: Some(Protocol::Resp2), ..Settings::default() })?;
//! assert_eq!(connection.poll_event(), Some(Event::Ready { protocol: Protocol::Resp2 }));
//!
//! // The application takes a token of its choice; the driver writes the bytes to its socket.
//! connection.submit(now, Token(7), &get("greeting"))?;
//! assert_eq!(connection.poll_transmit(), b"*2\r\n$3\r\nGET\r\n$8\r\ngreeting\r\n");
//! connection.handle_transmitted(connection.poll_transmit().len());
//!
//! // The driver reads straight into the receive buffer; the event borrows from it.
//! let answer = b"$5\r\nhello\r\n";
//! connection.recv_space().unwrap()[..answer.len()].copy_from_slice(answer);
//! connection.handle_received(answer.len());
//! let Some(Event::Reply { token, reply }) = connection.poll_event() else { panic!() };
//! assert_eq!((token, reply.get::<&str>()), (Token(7), Ok("hello")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! [`io::pump`] is this loop for any socket.
//!
//! # Modules, from the bottom up
//!
//! | module | what it is |
//! |---|---|
//! | [`time`] | a point in time, as an argument |
//! | [`random`] | numbers that look like chance, for jitter |
//! | [`error`] | errors, sorted by whose fault they are |
//! | [`buffer`] | memory of the caller, and the two windows over it |
//! | [`resp`] | where a reply ends, what it says, how a request is written |
//! | [`command`] | commands as a table, with their arguments, effects and reply types |
//! | [`key`] | where a key is and what it is called there: prefix, hash, databases, slot |
//! | [`conn`] | the connection |
//! | [`pool`] | which connection is lent, opened, checked and closed |
//! | [`retry`] | whether a request goes again, and when: backoff, budget, breaker |
//! | [`config`] | every option of a client, and the table that says what may stand in each |
//! | [`hook`] | what is told of dials, commands and batches to whoever wants to know |
//! | [`stats`] | times and errors, counted in fixed memory |
//! | [`bulk`] | many requests in batches, each with a result of its own |
//! | [`pubsub`] | what is subscribed to, wanted against confirmed; messages that wait |
//! | [`engine`] | all of it together: requests over connections that come and go |
//! | [`io`] | a socket as two methods, the driver's inner loop, and a blocking driver |
//! | `client` | the blocking client over any transport (feature `client`) |
//! | `testing` | an in-memory server and a test dialect (feature `testing`) |
//! | `fuzzing` | entry points of the fuzz targets (feature `fuzzing`) |
//!
//! # Memory
//!
//! A [`Connection`](conn::Connection) holds both of its buffers and its slots, and nothing else that
//! grows, but for half a KiB once with feature `alloc`, if a reply has more than sixteen levels. With fixed memory its size is
//! known when it is compiled:
//!
//! ```
//! # use respire_core::conn::Connection;
//! // Two buffers, 32 bytes for each request in flight, and a fixed part of about 600 bytes.
//! const { assert!(size_of::<Connection<[u8; 512], 8>>() < 2 * 512 + 8 * 32 + 640) }
//! ```
//! - The **receive buffer** holds one whole reply. Size it for the largest value that you read and 64
//!   bytes more. A larger reply is skipped and fails its own request only. A value larger than the
//!   receive buffer: [`chunked`](command::chunked), which needs no more than 32 bytes.
//! - The **transmit buffer** holds the requests that were taken and not sent yet, and at the start the
//!   whole handshake. Size it for the largest request that you send; 512 bytes hold any handshake
//!   whose user, password and names have at most 16 bytes each. What does not fit is refused, and
//!   nothing has changed then. A value larger than the transmit buffer: [`Later`](command::Later).
//! - **`IN_FLIGHT`** is how many requests may wait for answers.
//!
//! The memory is `[u8; N]`, `&mut [u8]` if the two buffers differ in size, or with feature `alloc`
//! `buffer::Growing`, which grows up to a limit of your choice.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `alloc`: owned replies, growing buffers, `String` and `Vec` as arguments, pipelines.
//! - `std`: `HashMap` and `HashSet` from replies; implies `alloc`.
//! - `client`: URLs, and the blocking client that native and WASI share; implies `alloc`.
//! - `embedded-io`: `io::Ready` and `io::Blocking`, over the blocking traits of embedded-io.
//! - `embedded-io-async`: `io::embedded_async`, over the traits of embedded-io-async, as embassy has
//!   them.
//! - `heapless`: replies as heapless' containers; too much for one is an error.
//! - `serde`: `resp::Serde`, whatever implements `Deserialize` from replies; works without `alloc`.
//! - `smoltcp`: [`io::Socket`] for TCP sockets of smoltcp. Needs Rust 1.91, as smoltcp does.
//! - `log`: trace events through the `log` facade. They never show arguments or replies.
//! - `defmt`: `defmt::Format` for errors, events (a reply is only its kind) and settings (without the
//!   password); trace events go to defmt, unless `log` is on, too.
//! - `testing`: the in-memory server and the test dialect; implies `alloc`.
//! - `flaws`: mistakes to be made on purpose, for the tests of this project; implies `std`.
//! - `fuzzing`: the entry points of the fuzz targets; implies `testing`. Not a stable interface.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod buffer;
pub mod bulk;
#[cfg(feature = "client")]
pub mod client;
pub mod command;
pub mod config;
pub mod conn;
pub mod engine;
pub mod error;
#[cfg(feature = "flaws")]
pub mod flaw;
#[cfg(not(feature = "flaws"))]
mod flaw;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod hook;
pub mod io;
pub mod key;
mod list;
mod log;
pub mod pool;
pub mod pubsub;
pub mod random;
pub mod resp;
pub mod retry;
pub mod stats;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
