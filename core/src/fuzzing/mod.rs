//! Entry points of the fuzz targets. Each takes any bytes and panics if the core is wrong.
//!
//! They live here, not beside the targets, so that a plain test can replay the corpora.

mod frames;
mod oracle;
mod round_trip;
mod session;
mod world;

use crate::resp;

pub use frames::frames;
pub use round_trip::round_trip;
pub use session::session;
