//! What a client lends and does besides single requests, on real servers: connections of one's own, transactions,
//! pipelines, messages, batches, and its beginning and end.

mod bulk;
mod conn;
mod health;
mod hooks;
mod hooks_and_harm;
mod life;
mod monitor;
mod news;
mod pipelines;
mod support;
mod transactions;
mod witness;
