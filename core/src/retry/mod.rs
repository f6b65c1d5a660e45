//! Whether a request goes again, when, and what keeps recovery from being the next outage.
//!
//! Four small machines without a clock, and the policy that asks them:
//! - [`Backoff`]: how long to wait, longer each time, by chance;
//! - [`Budget`]: retries are a part of the load, never a multiple of it;
//! - [`Breaker`]: an endpoint that fails is left alone for a while (off unless configured);
//! - [`Bucket`]: so many dials a second to one endpoint, and no more;
//! - [`Policy::decide`]: what is known of an attempt, what becomes of the request when it is executed twice, and the deadline,
//!   to [`Decision::Again`] or [`Decision::Stop`].
//!
//! ```
//! use respire_core::command::Retry;
//! use respire_core::random::Random;
//! use respire_core::retry::{Attempt, Budget, Decision, Fate, Policy, Why};
//! use respire_core::time::Instant;
//!
//! let (policy, mut budget, mut random) = (Policy::default(), Budget::default(), Random::new(7));
//! let (now, deadline) = (Instant::ZERO, Instant::from_millis(60_000));
//! let mut decide = |class, fate| {
//!     policy.decide(now, Attempt { class, fate, made: 0, deadline }, &mut budget, &mut random)
//! };
//!
//! // A GET may be repeated when nobody knows what became of it; an INCR only if it was surely not executed.
//! assert!(matches!(decide(Retry::ReadOnly, Fate::Unknown), Decision::Again(_)));
//! assert_eq!(decide(Retry::Accumulating, Fate::Unknown), Decision::Stop(Why::Unknown));
//! assert!(matches!(decide(Retry::Accumulating, Fate::NotExecuted), Decision::Again(_)));
//! ```

mod backoff;
mod breaker;
mod bucket;
mod budget;
mod fate;
mod policy;

pub(crate) use backoff::longest_wait;
pub use backoff::{Backoff, BackoffError};
pub use breaker::{Breaker, BreakerConfig, BreakerState, BreakerStats, CircuitOpen, Pass, Verdict};
pub use bucket::Bucket;
pub use budget::{Budget, BudgetConfig, BudgetStats};
pub use fate::Fate;
pub use policy::{Attempt, Decision, Policy, Why};
