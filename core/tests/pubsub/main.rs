//! Subscriptions and messages: by hand, and at random against naive models.

#[cfg(feature = "flaws")]
mod flaws;
mod properties;
mod queue;
mod registry;
mod world;
