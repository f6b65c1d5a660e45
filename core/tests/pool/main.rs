//! The pool: what it promises, table by table, and random callers and drivers against a naive model.

mod cost;
mod dialling;
#[cfg(feature = "flaws")]
// A case that goes wrong panics, which must be caught.
#[cfg(panic = "unwind")]
mod flaws;
mod lending;
mod life;
mod line;
mod model;
mod random;
mod rig;
