//! What a client lends and does besides single requests, on real servers: connections of one's own, transactions,
//! pipelines, messages, batches, and its beginning and end.

mod conn;

mod pipelines;
mod support;
mod transactions;
