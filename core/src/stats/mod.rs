//! Times and errors, counted in fixed memory.
//!
//! | type | what it counts |
//! |---|---|
//! | [`Histogram`] | times, so that their median and their slowest hundredth can be told |
//! | [`Errors`] | outcomes by [kind](crate::hook::Kind), since the start and over a window that slides |
//! | [`Numbers`] | both of these, by groups of commands: a [hook](crate::hook::Hook), and so turned on by being there |
//!
//! Counting takes no division and no floating point. None of it shares memory: whoever has several of them, one
//! for each thread or connection, adds them up when somebody asks.
//!
//! ```
//! use respire_core::stats::Histogram;
//! use respire_core::time::Duration;
//! let mut times = Histogram::new();
//! for millis in 1..=100 {
//!     times.record(Duration::from_millis(millis));
//! }
//! let p90 = times.p90().unwrap().as_millis();
//! assert!((85..=95).contains(&p90));
//! assert_eq!(times.max(), Some(Duration::from_millis(100)));
//! ```

mod errors;
mod group;
mod histogram;
mod numbers;

pub use errors::{Errors, Recent};
pub use group::{BY_ACCESS, Group, Members};
pub use histogram::{Bucket, Histogram};
pub use numbers::{Counts, Numbers};
