//! Batches: by hand, and at random against a naive model.

mod batches;
#[cfg(feature = "flaws")]
// A case that goes wrong panics, which must be caught.
#[cfg(panic = "unwind")]
mod flaws;
mod kinds;
mod model;
mod properties;
mod retries;
mod support;
