//! How much goes again, over any sequence of requests.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::Retry;
use respire_core::random::Random;
use respire_core::retry::{Attempt, Backoff, Bucket, Budget, BudgetConfig, Decision, Fate, Policy, Why};
use respire_core::time::{Duration, Instant};

/// A step of time, and what happens then.
fn steps() -> impl Strategy<Value = Vec<(u64, bool)>> {
    let micros = prop_oneof![5 => Just(0), 3 => 0..3_000_000_u64, 1 => 0..100_000_000_u64];
    vec((micros, any::<bool>()), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// S1-ERR-05, S1-KI-05: retries are no more than so many percent of the first attempts, the burst and the
    /// floor, after every step; and none is refused that a balance with fractions would pay for.
    #[test]
    fn retries_are_a_part_of_the_load(steps in steps(), percent in 0..=100_u8, burst in 0..12_u16, floor in 0..4_u16) {
        let mut budget = Budget::new(BudgetConfig { percent, burst, floor });
        let (mut now, mut firsts, mut retries) = (0, 0_u64, 0_u64);
        // The balance in hundredths, and the floor in millionths of a token.
        let (mut balance, mut spare) = (u64::from(burst) * 100, u64::from(floor) * 1_000_000);
        for (passed, first) in steps {
            now += passed;
            spare = (spare + passed * u64::from(floor)).min(u64::from(floor) * 1_000_000);
            if first {
                budget.deposit();
                firsts += 1;
                balance = (balance + u64::from(percent)).min(u64::from(burst) * 100);
            } else {
                let may = budget.withdraw(Instant::from_micros(now));
                prop_assert_eq!(may, balance >= 100 || spare >= 1_000_000);
                if balance >= 100 {
                    balance -= 100;
                } else if may {
                    spare -= 1_000_000;
                }
                retries += u64::from(may);
            }
            let paid = firsts * u64::from(percent) / 100 + u64::from(burst);
            let free = u64::from(floor) + now * u64::from(floor) / 1_000_000;
            prop_assert!(retries <= paid + free, "{} > {} + {}", retries, paid, free);
            prop_assert_eq!(u64::from(budget.stats().first), firsts);
            prop_assert_eq!(u64::from(budget.stats().retried), retries);
        }
    }

    /// What a level with fractions would give; and whoever is told when to come back gets one then, and not a
    /// microsecond before.
    #[test]
    fn a_bucket_keeps_its_rate(steps in steps(), rate in 0..50_u16, burst in 0..12_u16) {
        let mut bucket = Bucket::new(rate, burst);
        let full = u128::from(burst) * 1_000_000;
        let (mut now, mut level) = (0, full);
        for (passed, _) in steps {
            now += passed;
            level = (level + u128::from(passed) * u128::from(rate)).min(full);
            prop_assert_eq!(u128::from(bucket.available(Instant::from_micros(now))), level / 1_000_000);
            match bucket.take(Instant::from_micros(now)) {
                Ok(()) => {
                    prop_assert!(level >= 1_000_000);
                    level -= 1_000_000;
                }
                Err(at) if rate == 0 || burst == 0 => prop_assert_eq!(at, Instant::MAX),
                Err(at) => {
                    prop_assert!(level < 1_000_000 && at.as_micros() > now);
                    let before = Instant::from_micros(at.as_micros() - 1);
                    prop_assert_eq!(bucket.clone().take(before), Err(at));
                    prop_assert_eq!(bucket.clone().take(at), Ok(()));
                }
            }
        }
    }

    /// Whatever fails however often: no more attempts than allowed, none at or after the deadline, none before its time.
    #[test]
    fn a_request_ends(
        seed in any::<u64>(), retries in 0..6_u32, base in 0..3000_u64, more in 0..9000_u64, patience in 0..20_000_u64,
        fates in vec(0..4_usize, 12),
    ) {
        let backoff = Backoff::new(Duration::from_millis(base), Duration::from_millis(base + more)).unwrap();
        let policy = Policy { retries, backoff, ceiling: Retry::ReadOnly };
        let (mut budget, mut random) = (Budget::default(), Random::new(seed));
        let start = Instant::from_millis(77);
        let deadline = start.saturating_add(Duration::from_millis(patience));
        let mut now = start;
        budget.deposit();
        for (made, fate) in (0..).zip(fates) {
            let fate = [Fate::NotSent, Fate::NotExecuted, Fate::Unknown, Fate::Answered][fate];
            let attempt = Attempt { class: Retry::ReadOnly, fate, made, deadline };
            match policy.decide(now, attempt, &mut budget, &mut random) {
                Decision::Again(at) => {
                    prop_assert!(made < retries && now <= at && at < deadline && fate != Fate::Answered);
                    prop_assert!(at.saturating_since(now) <= Duration::from_millis((base << made).min(base + more)));
                    now = at;
                }
                Decision::Stop(why) => {
                    prop_assert_eq!(why == Why::Answered, fate == Fate::Answered);
                    if let Why::Exhausted { attempts } = why {
                        prop_assert_eq!((attempts, made), (retries + 1, retries));
                    }
                    prop_assert_ne!(why, Why::Unknown);
                    return Ok(());
                }
            }
        }
        prop_assert!(false, "it went on for ever");
    }
}

/// S1-ERR-05: a hundred clients whose server is down for ten seconds: what is sent besides first attempts
/// stays within the budget.
#[test]
fn storm() {
    let (policy, mut budget, mut random) = (Policy::default(), Budget::default(), Random::new(1));
    let mut firsts = 0;
    for millis in (0..10_000).step_by(10) {
        let now = Instant::from_millis(millis);
        for _client in 0..100 {
            budget.deposit();
            firsts += 1;
            let attempt =
                Attempt { class: Retry::Always, fate: Fate::Unknown, made: 0, deadline: Instant::MAX };
            let _ = policy.decide(now, attempt, &mut budget, &mut random);
        }
    }
    let stats = budget.stats();
    assert!(stats.retried <= firsts / 5 + 10 + 11 && stats.retried >= firsts / 5, "{stats:?} of {firsts}");
}
