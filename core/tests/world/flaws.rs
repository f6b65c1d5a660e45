//! Every known mistake is noticed, so that what is not noticed is not made.

use respire_core::flaw::Flaw;
#[cfg(feature = "client")]
use respire_core::testing::world::Fault;
use respire_core::testing::world::{Options, run, run_engine, shrink, transcript};

/// As many seeds as all of them need, and twice as many again.
const SEEDS: u64 = if cfg!(miri) { 0 } else { 1500 };

#[test]
fn every_flaw_is_noticed() {
    if SEEDS == 0 {
        return;
    }
    let made = |flaw: &Flaw| *flaw != Flaw::SessionLeaks || cfg!(feature = "client");
    let missed = |flaw: &Flaw| first_seed(*flaw).is_none();
    let missed: Vec<Flaw> = Flaw::ALL.into_iter().filter(made).filter(missed).collect();
    assert!(missed.is_empty(), "{missed:?} are not noticed");
}

#[test]
fn every_flaw_of_an_engine_is_noticed() {
    let missed: Vec<Flaw> = Flaw::ENGINE.into_iter().filter(|flaw| first_seed(*flaw).is_none()).collect();
    assert!(SEEDS == 0 || missed.is_empty(), "{missed:?} are not noticed");
}

/// The first seed in which the flaw is noticed.
fn first_seed(flaw: Flaw) -> Option<u64> {
    let noticed = |seed| Some((seed, flaw.during(|| wrong(flaw, seed))?));
    let (seed, what) = (0..SEEDS).find_map(noticed)?;
    assert_eq!(wrong(flaw, seed), None, "without {flaw:?}");
    println!("{flaw:?}: seed {seed}: {what}");
    Some(seed)
}

/// What goes wrong in one seed.
fn wrong(flaw: Flaw, seed: u64) -> Option<String> {
    match flaw {
        // It is the client's, not the connection's.
        #[cfg(feature = "client")]
        Flaw::SessionLeaks => super::rough::play(seed, &mut [0; Fault::ALL.len()]),
        _ if Flaw::ENGINE.contains(&flaw) => run_engine(&Options::new(seed)).wrong,
        _ => run(&Options::new(seed)).wrong,
    }
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
