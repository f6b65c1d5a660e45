//! Backoff, budget, bucket and breaker against naive models that remember everything.

mod breaker;
mod budget;
