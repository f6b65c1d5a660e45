//! Hooks: in which order they are told, what a refusal does, and what stays out of it.

mod kinds;
mod order;
mod report;
