//! Subscriptions and messages: by hand, and at random against naive models.

mod properties;
mod queue;
mod registry;
