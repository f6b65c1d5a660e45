//! Which mistakes on purpose a test with chance in it would not notice.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use respire_core::flaw::Flaw;

/// Several times as many cases as any of them needs.
const CASES: usize = 3000;

/// Those of these mistakes that `play` passes with in every case; the others make it panic in one, which passes
/// without the mistake.
pub(crate) fn missed<C: Clone>(
    flaws: &[Flaw],
    cases: impl Strategy<Value = C>,
    play: impl Fn(C),
) -> Vec<Flaw> {
    let fails = |case: C| catch_unwind(AssertUnwindSafe(|| play(case))).is_err();
    let is_missed = |flaw: &Flaw| {
        let chance = TestRng::deterministic_rng(RngAlgorithm::XorShift);
        let mut runner = TestRunner::new_with_rng(Config::default(), chance);
        let mut drawn = (0..CASES).map(|n| {
            let case = cases.new_tree(&mut runner).expect("nothing is refused").current();
            (n, case)
        });
        let Some((n, case)) = drawn.find(|(_, case)| flaw.during(|| fails(case.clone()))) else {
            return true;
        };
        println!("{flaw:?}: case {n}");
        assert!(!fails(case), "without {flaw:?}");
        false
    };
    flaws.iter().copied().filter(is_missed).collect()
}
