//! The histogram against a sorted list.

use proptest::prelude::*;
use respire_core::stats::Histogram;
use respire_core::time::Duration;

/// Microseconds of all orders, up to the longest that has a bucket of its own.
fn micros() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..40_u64,
        0..5_000_u64,
        (0..27_u32, any::<u64>()).prop_map(|(bits, any)| any >> (63 - bits) & ((1 << 27) - 1))
    ]
}

fn counted(all: &[u64]) -> Histogram {
    let mut times = Histogram::new();
    all.iter().for_each(|&micros| times.record_micros(micros));
    times
}

/// What stands at this place of the sorted list.
fn naive(sorted: &[u64], permille: usize) -> u64 {
    let rank = (sorted.len() * permille).div_ceil(1000).max(1);
    sorted[rank - 1]
}

fn near(found: Option<Duration>, exact: u64) -> bool {
    let found = found.unwrap().as_micros() as u64;
    found.abs_diff(exact) * 16 <= exact
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// S0-MON-02: each quantile is that of the sorted list, to a sixteenth; the longest is exact.
    #[test]
    fn quantiles_are_those_of_the_list(mut all in prop::collection::vec(micros(), 1..200), permille in 0..=1000_usize) {
        let times = counted(&all);
        all.sort_unstable();
        for permille in [permille, 500, 900, 990] {
            let exact = naive(&all, permille);
            let found = times.quantile(permille as u16);
            prop_assert!(near(found, exact), "{permille}: {found:?} for {exact}");
        }
        prop_assert_eq!(times.p50(), times.quantile(500));
        prop_assert_eq!(times.p90(), times.quantile(900));
        prop_assert_eq!(times.p99(), times.quantile(990));
        prop_assert_eq!(times.max(), all.last().map(|&max| Duration::from_micros(max)));
        prop_assert_eq!(times.count(), all.len() as u64);
        prop_assert_eq!(times.sum_micros(), all.iter().sum::<u64>());
    }

    /// Two halves are the whole, in any order.
    #[test]
    fn merging_is_counting_together(all in prop::collection::vec(micros(), 0..100), at in 0..100_usize) {
        let (left, right) = all.split_at(at.min(all.len()));
        let (mut one, mut two) = (counted(left), counted(right));
        one.merge(&two);
        two.merge(&counted(left));
        prop_assert_eq!(one, counted(&all));
        prop_assert_eq!(two, one);
    }

    /// The buckets hold exactly what was counted.
    #[test]
    fn buckets_hold_what_was_counted(all in prop::collection::vec(any::<u64>().prop_map(|any| any >> (any % 64)), 0..50)) {
        let mut seen = 0;
        let mut before = None;
        for bucket in counted(&all).buckets() {
            prop_assert!(before < Some(bucket.first));
            let inside = all.iter().filter(|&&micros| (bucket.first..=bucket.last).contains(&micros)).count();
            prop_assert_eq!(bucket.count as usize, inside);
            seen += inside;
            before = Some(bucket.last);
        }
        prop_assert_eq!(seen, all.len());
    }
}

#[test]
fn nothing_has_no_quantile() {
    let times = Histogram::default();
    assert_eq!((times.count(), times.p50(), times.max(), times.buckets().count()), (0, None, None, 0));
}

/// Longer than two minutes: all that is known is the longest.
#[test]
fn what_is_too_long_is_the_longest() {
    let mut times = Histogram::new();
    times.record(Duration::from_secs(200));
    times.record(Duration::from_secs(300));
    times.record(Duration::MAX);
    assert_eq!(times.quantile(1), Some(Duration::from_micros(u64::MAX)));
    assert_eq!(times.buckets().count(), 1);
    let mut times = Histogram::new();
    times.record(Duration::from_nanos(1999));
    assert_eq!(times.max(), Some(Duration::from_micros(1)));
}

/// A counter that is full stays full, and so does the sum.
#[test]
fn counters_never_wrap() {
    let mut times = counted(&[7]);
    for _ in 0..40 {
        times.merge(&times.clone());
    }
    assert_eq!((times.count(), times.sum_micros()), (u32::MAX.into(), 7 << 40));
    times.record_micros(7);
    assert_eq!(times.count(), u32::MAX.into());
    times.record_micros(u64::MAX);
    assert_eq!(times.sum_micros(), u64::MAX);
}
