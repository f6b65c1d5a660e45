//! The window against a naive list.

use proptest::prelude::*;
use respire_core::hook::Kind;
use respire_core::stats::Errors;
use respire_core::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes.
    Pass(u64),
    /// Something ends so long before now, as a clock may say that is not quite steady.
    End(Kind, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pass = prop_oneof![0..30_u64, 0..300_u64, 0..5_000_u64, Just(100), Just(u64::MAX / 4)];
    let kind = prop::sample::select(Kind::ALL.as_slice());
    prop::collection::vec(
        prop_oneof![
            pass.prop_map(Step::Pass),
            (kind, 0..20_u64).prop_map(|(kind, ago)| Step::End(kind, ago))
        ],
        0..100,
    )
}

fn follow<const BUCKETS: usize>(steps: &[Step], width: u64) {
    let mut errors = Errors::<BUCKETS>::new(Duration::from_micros(width));
    let mut list: Vec<(u64, Kind)> = Vec::new();
    let mut now = 0_u64;
    for &step in steps {
        match step {
            Step::Pass(micros) => now = now.saturating_add(micros),
            Step::End(kind, ago) => {
                errors.record(Instant::from_micros(now), kind);
                errors.record(Instant::from_micros(now.saturating_sub(ago)), kind);
                list.extend([(now, kind); 2]);
            }
        }
        let recent = errors.recent(Instant::from_micros(now));
        let span = recent.span.as_micros() as u64;
        let most = width * BUCKETS as u64;
        assert!((most - width..most).contains(&span) || now > u64::MAX - most, "{span} of {most}");
        let (mut naive, mut totals) = ([0_u64; Kind::COUNT], [0_u64; Kind::COUNT]);
        for &(at, kind) in &list {
            totals[kind as usize] += 1;
            naive[kind as usize] += u64::from(u128::from(at) + u128::from(span) >= u128::from(now));
        }
        assert_eq!(Kind::ALL.map(|kind| recent.count(kind)), naive, "at {now}, {span} of {most}");
        assert_eq!(Kind::ALL.map(|kind| errors.total(kind)), totals);
        let all = naive.iter().sum::<u64>();
        let wrong = all - naive[0];
        assert_eq!((recent.all(), recent.errors()), (all, wrong));
        assert_eq!(u64::from(recent.permille()), (wrong * 1000).checked_div(all).unwrap_or(0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// S0-MON-01: what came of late, by kind, after every step.
    #[test]
    fn the_window_is_that_of_the_list(steps in steps(), width in 1..400_u64) {
        follow::<1>(&steps, width);
        follow::<4>(&steps, width);
        follow::<10>(&steps, width);
    }
}

#[test]
fn a_window_slides_by_its_pieces() {
    let at = Instant::from_millis;
    let mut errors = Errors::<10>::new(Duration::from_secs(1));
    for millis in [0, 500, 1500, 9_999] {
        errors.record(at(millis), Kind::ReadTimeout);
    }
    let recent = |now| errors.recent(at(now)).count(Kind::ReadTimeout);
    assert_eq!([9_999, 10_000, 11_000, 12_000, 18_999, 19_000].map(recent), [4, 2, 1, 1, 1, 0]);
    assert_eq!(errors.recent(at(12_345)).span, Duration::from_millis(9_345));
    assert_eq!(errors.total(Kind::ReadTimeout), 4, "looking changes nothing");
}

#[test]
fn a_width_of_nothing_is_one_microsecond() {
    let mut errors = Errors::<2>::new(Duration::ZERO);
    errors.record(Instant::from_micros(7), Kind::Full);
    assert_eq!(errors.recent(Instant::from_micros(8)).count(Kind::Full), 1);
    assert_eq!(errors.recent(Instant::from_micros(9)).count(Kind::Full), 0);
}
