//! The pool: what it promises, table by table, and random callers and drivers against a naive model.

mod cost;
mod dialling;
#[cfg(feature = "flaws")]
mod flaws;
mod lending;
mod life;
mod line;
mod model;
mod random;
mod rig;
