//! Whole clients: engines with all their connections.

use respire_core::testing::world::{Options, engine_transcript, run_engine};

#[test]
fn nothing_false_is_told_by_a_whole_client() {
    for seed in 0..2000 {
        let report = run_engine(&Options::new(seed));
        assert!(report.wrong.is_none(), "{report}\n{}", engine_transcript(&report.options, 60));
    }
}
