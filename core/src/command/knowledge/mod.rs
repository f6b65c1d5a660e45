//! What is known of a request from its bytes: whether its answer waits for others, whether it may be
//! executed twice, whether it writes, and who may have written an error that answers it.
//!
//! All of it is asked of [`Args`], so that a request with a row, [`raw`](super::raw) and
//! [`words`](super::words) are judged alike, and by what was really sent: `SET` and `SET … NX` are not
//! the same command here. Case does not matter.
//!
//! ```
//! use respire_core::command::{Args, Blocks, Retry};
//! use respire_core::time::Duration;
//! let blpop = Args::new(b"*3\r\n$5\r\nBLPOP\r\n$1\r\nq\r\n$3\r\n1.5\r\n");
//! assert_eq!(Blocks::of(blpop), Blocks::For(Duration::from_millis(1500)));
//! assert_eq!(Retry::of(blpop), Retry::Accumulating);
//! ```
//! [`Blocks`] has a small table of its own, and a program that asks nothing else has only that. The
//! large one stands behind [`Retry::of`], [`Args::is_write`] and [`Args::author`]; a third, of where keys stand,
//! behind [`Roles`].

mod args;
mod blocks;
mod find;
mod keys;
mod keys_rows;
mod retry;
mod rows;
mod rules;

pub use args::Args;
pub use blocks::Blocks;
pub use keys::{ArgRole, Merge, Returned, Roles, Spread};
pub use retry::Retry;
