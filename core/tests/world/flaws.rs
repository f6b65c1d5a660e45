//! Every known mistake is noticed, so that what is not noticed is not made.

use respire_core::flaw::Flaw;
use respire_core::testing::world::{Options, run, shrink, transcript};

/// As many seeds as all of them need, and twice as many again.
const SEEDS: u64 = if cfg!(miri) { 0 } else { 1500 };

#[test]
fn every_flaw_is_noticed() {
    if SEEDS == 0 {
        return;
    }
    let missed: Vec<Flaw> = Flaw::ALL.into_iter().filter(|&flaw| first_seed(flaw).is_none()).collect();
    assert!(missed.is_empty(), "{missed:?} are not noticed");
}

/// The first seed in which the flaw is noticed.
fn first_seed(flaw: Flaw) -> Option<u64> {
    let noticed = |seed: &u64| flaw.during(|| run(&Options::new(*seed)).wrong.is_some());
    let seed = (0..SEEDS).find(noticed)?;
    let report = flaw.during(|| run(&Options::new(seed)));
    let clean = run(&Options::new(seed));
    assert!(clean.wrong.is_none(), "without {flaw:?}: {clean}");
    println!("{flaw:?}: seed {seed}: {}", report.wrong.unwrap_or_default());
    Some(seed)
}

#[test]
fn a_failing_seed_is_made_small_and_told() {
    if SEEDS == 0 {
        return;
    }
    let Some(seed) = first_seed(Flaw::OffByOne) else { panic!("it is not noticed") };
    Flaw::OffByOne.during(|| {
        let options = Options::new(seed);
        let small = shrink(&options);
        assert!(small.steps < options.steps && small.faults.iter().count() <= 3, "{small}");
        let (report, text) = (run(&small), transcript(&small, 20));
        let wrong = report.wrong.expect("what was shrunk still fails");
        assert!(text.contains(&wrong) && text.contains(&format!("seed: {seed}")), "{text}");
    });
}
