//! A world in virtual time, in which everything goes wrong that can.
//!
//! [`run`] plays one seed: a few [`Connection`](crate::conn::Connection)s, a server, and between them
//! lines that split, delay, lose and break. Applications submit requests of every kind, turn away from some,
//! and reconnect. Each request carries a token; the server counts how often it executed it, and tags each
//! byte that it sends with whose answer it is, where the client cannot see it. So every answer, every
//! failure and every silence can be judged: whether it is this request's, and whether what its caller was
//! told is true.
//!
//! Nothing reads a clock or the system's chance, so a seed is a whole story: the same seed gives the same
//! [`Report::hash`], on every machine.
//!
//! ```
//! use respire_core::testing::world::{Options, run};
//!
//! for seed in 0..20 {
//!     let report = run(&Options::new(seed));
//!     assert!(report.wrong.is_none(), "{report}");
//! }
//! ```
//! [`sweep`] tells one story again and again, and each time another call of the driver fails.
//!
//! For programs as they are there is `Rough` (feature `client`): a dialer that puts the same faults in front of any
//! other, such as [`Local`](crate::testing::Local).
//!
//! A seed that fails is made small by [`shrink`], and told by [`transcript`]. `simulate`, a program of the
//! package `respire-tests`, plays as many as there is time for, on all processors.

mod checker;
mod client;
mod digest;
mod fault;
mod line;
mod machine;
mod net;
mod pipe;
mod play;
mod publish;
mod report;
#[cfg(feature = "client")]
mod rough;
mod server;
mod shrink;
mod sweep;
mod trace;
mod whole;
mod work;

pub use crate::random::Random;
pub use fault::{Fault, Faults};
pub use machine::Outcome;
pub use play::run;
pub use report::{Mode, Options, Report};
#[cfg(feature = "client")]
pub use rough::{Rough, RoughError, RoughSocket};
pub use shrink::{shrink, transcript};
pub use sweep::{Call, Swept, sweep};
pub use whole::{engine_faults, engine_transcript, run_engine};
