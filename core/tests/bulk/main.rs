//! Batches: by hand, and at random against a naive model.

mod batches;
#[cfg(feature = "flaws")]
mod flaws;
mod kinds;
mod model;
mod properties;
mod retries;
mod support;
