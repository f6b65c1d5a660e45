//! The engine over real sockets and real servers: what was promised of connections, requests and time.
//!
//! The server is the witness where it can be: its lists of clients, its counters and its data, asked over another
//! connection.

mod access;
mod bulk;
mod calls;
mod configured;
mod databases;
mod event_loop;
mod hooks;
mod log;
mod losses;
mod news;
mod outages;
mod pipelines;
mod pool;
mod protocol;
mod seeds;
mod shared;
mod storms;
mod support;
mod time;
mod upkeep;
