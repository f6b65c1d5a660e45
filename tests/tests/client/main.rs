//! The blocking client against real servers, and against peers that are none.
//!
//! Everything is bounded in time: clients by their own timeouts, and what could wait for ever if it
//! was wrong runs under [`support::within`].

mod connect;
mod errors;
mod hostile;
mod lent;
mod lost;
mod options;
mod pipeline;
mod rows;
mod secrets;
mod shared;
mod subscriber;
mod support;
mod transactions;
mod values;
