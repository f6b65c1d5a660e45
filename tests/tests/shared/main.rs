//! The shared client over real sockets and real servers: callers of every kind at once, and all that goes wrong
//! meanwhile.
//!
//! Where something must not have happened twice, or at all, the server's ledger is the witness, read by a connection that
//! shares nothing with the client.

mod chaos;
mod closures;
mod drops;
mod ear;
mod halves;
mod long;
mod news;
mod process;
mod room;
mod storms;
mod stuck;
mod support;
mod whole;
