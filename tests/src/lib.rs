//! What the tests of respire share: servers of their own, a proxy that makes faults, and child processes with
//! a time limit.
//!
//! The tests live in `tests/` beside this library. Each starts the servers it needs through
//! [`Server`] and never touches one it did not start.

pub mod admin;
pub mod build;
pub mod cases;
pub mod chaos;
pub mod driver;
pub mod elf;
pub mod engine;
pub mod example;
pub mod hostile;
pub mod peer;
pub mod process;
pub mod proxy;
pub mod server;
pub mod skip;
pub mod wait;
pub mod wasmtime;

pub use build::Component;
pub use driver::{Flight, Outcome};
pub use engine::Drive;
pub use peer::{Peer, Requests};
pub use process::{Finished, qemu_arm_path, redis_cli_path, respire_path, run_with_limit};
pub use server::{Builder, Kind, Server};
pub use skip::skip;
pub use wasmtime::Network;
