//! Numbers against naive ones: every time in a sorted list, every outcome in a list.

mod errors;
mod histogram;
mod numbers;
