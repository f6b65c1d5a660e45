//! Entry points of the fuzz targets. Each takes any bytes and panics if the core is wrong.
//!
//! | target | its input | what must hold |
//! |---|---|---|
//! | [`frames`] | bytes of a server | accessors agree with each other; what is skipped ends where it would have |
//! | [`chunks`] | bytes of a server | the same frames and the same events, however the bytes are cut |
//! | [`differential`] | bytes of a server | other parsers find the same ends and read the same |
//! | [`typed`] | bytes of a server | conversions fail or succeed, nothing else; RESP2 and RESP3 give the same |
//! | [`roundtrip`] | a program that writes values | they are read as they were written, at any depth and length |
//! | [`encode`] | a program that makes requests | measured as written, written as a naive writer does |
//! | [`stream_out`] | requests and the steps of a socket | a value supplied in pieces is the value |
//! | [`session`] | calls of application, driver and server | each request resolved once, by its own answer |
//!
//! They live here, not beside the targets, so that a plain test can replay the corpora.

mod chunks;
mod differential;
mod encode;
mod frames;
mod grammar;
mod oracle;
mod pieces;
mod request;
mod roundtrip;
mod seeds;
mod session;
mod spelling;
mod stream_out;
mod typed;
mod world;

use crate::resp;

pub use chunks::chunks;
pub use differential::differential;
pub use encode::encode;
pub use frames::frames;
pub use roundtrip::roundtrip;
pub use session::session;
pub use stream_out::stream_out;
pub use typed::typed;
