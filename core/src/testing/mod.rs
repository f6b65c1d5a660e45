//! The test kit: a server made of plain values, for tests, demos and mocks.
//!
//! Nothing here opens a socket or reads a clock. Bytes and the time go in,
//! bytes come out, and the same calls always give the same answers. In the [`world`], what goes wrong is
//! drawn from a seed.

#[cfg(feature = "client")]
mod local;
mod parts;
pub mod responder;
pub mod transcript;
pub mod world;

#[cfg(feature = "client")]
pub use local::{Alone, Local, LocalSocket};
pub(crate) use parts::Parts;
pub use responder::{ClientId, Responder};
pub use transcript::{Cut, Mismatch, Transcript};
