//! Subscriptions and messages: by hand, and at random against naive models.

#[cfg(feature = "flaws")]
// A case that goes wrong panics, which must be caught.
#[cfg(panic = "unwind")]
mod flaws;
mod properties;
mod queue;
mod registry;
mod world;
