//! respire over WASI 0.2 sockets: not built yet.
//!
//! This package holds the place of the frontend and proves that the core builds for
//! `wasm32-wasip2`, without std. Until the frontend is here, a component can drive the core's
//! [`Connection`](respire_core::conn::Connection) over its own streams with
//! [`pump`](respire_core::io::pump).
#![no_std]
#![forbid(unsafe_code)]

pub use respire_core as core;
