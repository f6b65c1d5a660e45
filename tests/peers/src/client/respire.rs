//! respire's own client: still to come.
//!
//! A client is added by implementing [`Blocking`](super::blocking::Blocking) (then it is
//! [`OneThread`](super::blocking::OneThread) and, if clones share it,
//! [`ManyThreads`](super::blocking::ManyThreads)), [`Asynchronous`](super::tokio::Asynchronous) (then it is
//! [`OnTokio`](super::tokio::OnTokio)), or [`Client`] itself, and by naming it here.

use super::Client;

/// How respire can be used: each is measured.
pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    Vec::new()
}
