//! Faults, and what the client says of each request: the server is the witness.
//!
//! A proxy makes the faults of the network, the server itself those of servers. What was executed is read
//! from the server's append-only file and its counters, by code that shares nothing with the client; then
//! every outcome must fit: answered means executed once, not sent means not executed, and what nobody
//! knows was executed at most once.

mod bits;
mod checker;
mod crash;
mod frames;
mod pressure;
mod proxy;
mod refusals;
mod seeds;
mod shared;
mod verdict;
mod witness;
