//! The decision.

use core::fmt;

use super::{Backoff, Budget, Fate};
use crate::command::Retry;
use crate::random::Random;
use crate::time::Instant;

/// What may be tried again, and how often.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Policy {
    /// How many retries after the first attempt; 0 for none.
    pub retries: u32,
    /// How long to wait before each.
    pub backoff: Backoff,
    /// What may be repeated although it may have been executed: up to this, but never [`Retry::Never`].
    pub ceiling: Retry,
}

impl Policy {
    /// Three retries, from one second to five, and nothing that writes.
    pub const DEFAULT: Self = Self { retries: 3, backoff: Backoff::DEFAULT, ceiling: Retry::ReadOnly };
}

impl Default for Policy {
    /// [`Policy::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An attempt that did not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Attempt {
    /// What becomes of the request when it is executed twice: [`Retry::of`], or what its caller knows better.
    pub class: Retry,
    /// What is known of this attempt.
    pub fate: Fate,
    /// How many retries went before it: 0 for the first attempt.
    pub made: u32,
    /// When its caller gives it up.
    pub deadline: Instant,
}

/// What to do with a request that did not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Decision {
    /// Attempt it again at this time, not before.
    Again(Instant),
    /// Tell its caller.
    Stop(Why),
}

/// Why a request is not attempted again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Why {
    /// It has its answer.
    Answered,
    /// It may have been executed, and executing it twice is not allowed.
    Unknown,
    /// It was attempted so often, the first time counted.
    Exhausted {
        /// How often.
        attempts: u32,
    },
    /// It would have to wait beyond its deadline.
    Deadline,
    /// Too much is retried already.
    Budget,
}

impl Policy {
    /// Whether a request goes again after this attempt.
    ///
    /// - What was not sent, or surely not executed, may always go again; what may have been, if its class is no more
    ///   than the ceiling.
    /// - What was not sent at the first attempt goes again at once: the connection was closed while it was idle, and others
    ///   may be well. All else waits.
    /// - What was not sent costs no budget, for no server had work with it.
    /// - Nothing goes again at its deadline or later.
    pub fn decide(
        &self,
        now: Instant,
        attempt: Attempt,
        budget: &mut Budget,
        random: &mut Random,
    ) -> Decision {
        let Attempt { class, fate, made, deadline } = attempt;
        let may = match fate {
            Fate::Answered => return Decision::Stop(Why::Answered),
            Fate::NotSent | Fate::NotExecuted => true,
            Fate::Unknown => class <= self.ceiling && class != Retry::Never,
        };
        if !may {
            return Decision::Stop(Why::Unknown);
        }
        if made >= self.retries {
            return Decision::Stop(Why::Exhausted { attempts: made.saturating_add(1) });
        }
        let at = match fate {
            Fate::NotSent if made == 0 => now,
            _ => self.backoff.until(made, now, random),
        };
        if at >= deadline {
            return Decision::Stop(Why::Deadline);
        }
        if fate != Fate::NotSent && !budget.withdraw(now) {
            return Decision::Stop(Why::Budget);
        }
        Decision::Again(at)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("it was answered"),
            Self::Unknown => f.write_str("it may have been executed, and must not be twice"),
            Self::Exhausted { attempts } => write!(f, "it was attempted {attempts} times"),
            Self::Deadline => f.write_str("its deadline comes before the next attempt"),
            Self::Budget => f.write_str("too much is retried already"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::BudgetConfig;
    use crate::time::Duration;
    use std::string::ToString;

    const NEVER: Instant = Instant::MAX;
    const CLASSES: [Retry; 7] = [
        Retry::Always,
        Retry::ReadOnly,
        Retry::CheckedWrite,
        Retry::LastWriteWins,
        Retry::Accumulating,
        Retry::ServerAdmin,
        Retry::Never,
    ];

    fn decide(policy: Policy, class: Retry, fate: Fate, made: u32, deadline: Instant) -> Decision {
        let now = Instant::from_millis(1000);
        policy.decide(
            now,
            Attempt { class, fate, made, deadline },
            &mut Budget::default(),
            &mut Random::new(5),
        )
    }

    /// S1-ERR-05, X-12: what may have been executed goes again up to the ceiling, what surely was not always.
    #[test]
    fn the_ceiling_is_for_what_may_have_been_executed() {
        for ceiling in CLASSES {
            let policy = Policy { ceiling, ..Policy::default() };
            for class in CLASSES {
                for fate in [Fate::NotSent, Fate::NotExecuted] {
                    assert!(matches!(decide(policy, class, fate, 0, NEVER), Decision::Again(_)), "{class:?}");
                }
                let unknown = decide(policy, class, Fate::Unknown, 0, NEVER);
                match class <= ceiling && class != Retry::Never {
                    true => assert!(matches!(unknown, Decision::Again(_)), "{class:?} {ceiling:?}"),
                    false => assert_eq!(unknown, Decision::Stop(Why::Unknown), "{class:?} {ceiling:?}"),
                }
                assert_eq!(decide(policy, class, Fate::Answered, 0, NEVER), Decision::Stop(Why::Answered));
            }
        }
        let default = decide(Policy::default(), Retry::LastWriteWins, Fate::Unknown, 0, NEVER);
        assert_eq!(default, Decision::Stop(Why::Unknown), "writes are not repeated unasked");
    }

    /// S0-OPT-09, X-12: three retries are four attempts; none is one.
    #[test]
    fn retry_count() {
        let policy = Policy::default();
        for fate in [Fate::NotSent, Fate::NotExecuted, Fate::Unknown] {
            for made in 0..3 {
                assert!(matches!(decide(policy, Retry::ReadOnly, fate, made, NEVER), Decision::Again(_)));
            }
            let end = decide(policy, Retry::ReadOnly, fate, 3, NEVER);
            assert_eq!(end, Decision::Stop(Why::Exhausted { attempts: 4 }));
            assert_eq!(Why::Exhausted { attempts: 4 }.to_string(), "it was attempted 4 times");
            let off = Policy { retries: 0, ..policy };
            let once = decide(off, Retry::ReadOnly, fate, 0, NEVER);
            assert_eq!(once, Decision::Stop(Why::Exhausted { attempts: 1 }));
        }
    }

    #[test]
    fn nothing_goes_again_at_its_deadline() {
        let now = Instant::from_millis(1000);
        let wait = Backoff::new(Duration::from_millis(500), Duration::from_millis(500)).unwrap();
        let policy = Policy { backoff: wait, ..Policy::default() };
        let (mut budget, mut stopped) =
            (Budget::new(BudgetConfig { burst: 1000, ..BudgetConfig::default() }), 0);
        let mut random = Random::new(1);
        for _ in 0..200 {
            let deadline = Instant::from_millis(1250);
            let attempt = Attempt { class: Retry::Always, fate: Fate::NotExecuted, made: 0, deadline };
            match policy.decide(now, attempt, &mut budget, &mut random) {
                Decision::Again(at) => assert!(now <= at && at < deadline),
                Decision::Stop(why) => {
                    assert_eq!(why, Why::Deadline);
                    stopped += 1;
                }
            }
        }
        assert!((60..140).contains(&stopped), "{stopped}");
        assert_eq!(budget.stats().retried, 200 - stopped, "who gives up pays nothing");
        assert_eq!(decide(policy, Retry::Always, Fate::NotSent, 0, now), Decision::Stop(Why::Deadline));
    }

    #[test]
    fn what_was_not_sent_goes_again_at_once_and_costs_nothing() {
        let mut budget = Budget::new(BudgetConfig { percent: 0, burst: 0, floor: 0 });
        let (policy, mut random, now) = (Policy::default(), Random::new(2), Instant::from_millis(9));
        let mut decide = |fate, made| {
            let attempt = Attempt { class: Retry::Always, fate, made, deadline: NEVER };
            policy.decide(now, attempt, &mut budget, &mut random)
        };
        assert_eq!(decide(Fate::NotSent, 0), Decision::Again(now));
        assert!(matches!(decide(Fate::NotSent, 1), Decision::Again(at) if at > now));
        assert_eq!(decide(Fate::NotExecuted, 0), Decision::Stop(Why::Budget));
        assert_eq!(decide(Fate::Unknown, 0), Decision::Stop(Why::Budget));
    }
}
