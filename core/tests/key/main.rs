//! Keys on their way: the policy and what it makes of requests, against a naive model.

mod answers;
mod map;
mod model;
mod refused;
mod requests;
