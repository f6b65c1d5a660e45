//! Many stories, and those that once went wrong.

use respire_core::testing::world::{Fault, Faults, Mode, Options, Outcome, run, shrink, transcript};

/// Interpreted, each seed takes a second.
const SEEDS: u64 = if cfg!(miri) { 3 } else { 2000 };

#[test]
fn nothing_false_is_told() {
    let mut faults = [0; Fault::ALL.len()];
    let mut outcomes = [0; Outcome::ALL.len()];
    for seed in 0..SEEDS {
        let report = run(&Options::new(seed));
        assert!(report.wrong.is_none(), "{}", transcript(&shrink(&report.options), 60));
        faults.iter_mut().zip(report.faults).for_each(|(sum, n)| *sum += n);
        outcomes.iter_mut().zip(report.outcomes).for_each(|(sum, n)| *sum += n);
    }
    if cfg!(miri) {
        return;
    }
    for (fault, n) in Fault::ALL.iter().zip(faults) {
        assert!(n > 0, "{} never happened", fault.name());
    }
    for (outcome, n) in Outcome::ALL.iter().zip(outcomes) {
        assert!(n > 0, "nothing was ever {}", outcome.name());
    }
}

/// Seeds that once went wrong, as they were shrunk.
#[test]
fn what_once_went_wrong_is_right() {
    let safety = |seed, faults: u64, steps| Options {
        seed,
        mode: Mode::Safety,
        faults: Faults::from_bits(faults),
        steps,
    };
    // One answer too many from a server without HELLO, and the second attempt took the first one's number.
    for options in [safety(276, 0x200_0000, 74), safety(276, 0x7_ffff_ffff, 400)] {
        let report = run(&options);
        assert!(report.faults[Fault::Shift as usize] > 0, "the story is another: {report}");
        assert!(report.wrong.is_none(), "{report}");
    }
    // A deadline passed while a value was lent: it was written without the head of its frame.
    for options in [safety(126, 0x800_0001, 46), safety(126, 0x7_ffff_ffff, 400)] {
        let report = run(&options);
        assert!(report.faults[Fault::ClockBackward as usize] > 0, "the story is another: {report}");
        assert!(report.wrong.is_none(), "{report}");
    }
}

#[test]
fn a_seed_is_a_whole_story() {
    let mut hashes = Vec::new();
    for seed in 0..SEEDS / 20 + 2 {
        let options = Options::new(seed);
        let report = run(&options);
        assert_eq!(report, run(&options), "{options}");
        hashes.push(report.hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len() as u64, SEEDS / 20 + 2);
}

#[test]
fn keeping_a_transcript_changes_nothing() {
    let options = Options { steps: 60, ..Options::new(5) };
    let text = transcript(&options, 1000);
    assert!(text.contains("accepted") && text.contains("nothing wrong"), "{text}");
    assert!(text.ends_with(&format!("{}\n", run(&options))));
    assert_eq!(transcript(&options, 3).lines().count(), 4);
}

#[test]
fn without_faults_every_request_is_answered() {
    for seed in 0..SEEDS / 10 + 1 {
        let options =
            Options { faults: Faults::NONE, mode: Mode::Liveness, steps: 300, ..Options::new(seed) };
        let report = run(&options);
        assert!(report.wrong.is_none(), "{report}");
        assert_eq!(report.faults, [0; Fault::ALL.len()]);
    }
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let options = Options { steps: 50, ..Options::new(1) };
    assert_eq!(shrink(&options), options);
}
