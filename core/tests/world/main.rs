//! The world in virtual time: nothing false is told in it, and whatever would be is noticed.
#![cfg(feature = "testing")]

mod engine;
#[cfg(feature = "flaws")]
mod flaws;
#[cfg(feature = "client")]
mod rough;
mod seeds;
mod sweep;
