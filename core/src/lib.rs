//! The protocol logic of respire: Redis and Valkey without I/O.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod buffer;
pub mod command;
pub mod conn;
pub mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod io;
mod log;

pub mod resp;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
