//! Batches: by hand, and at random against a naive model.

mod batches;
mod model;
mod properties;
mod retries;
mod support;
