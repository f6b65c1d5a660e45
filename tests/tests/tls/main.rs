//! TLS against a real server, whose certificates are made here, and against whoever is none.

mod cli;
mod client;
mod cut;
mod dialers;
mod event_loop;
mod example;
mod files;
mod refused;
mod support;
mod works;
