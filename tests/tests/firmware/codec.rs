//! The codec alone: that it works where code is made small, cannot panic, takes little, and is quick.

use respire_tests::elf::Part;

use crate::board::Board;
use crate::image::Profile;

#[test]
fn requests_are_written_and_replies_read() {
    for profile in [Profile::Release, Profile::Small] {
        let Some(board) = Board::with_or_skip("codec", profile) else { return };
        board.run_with("").ended_with(0);
    }
}

/// S0-SVC-03: the codec is linked without a panic.
#[test]
fn nothing_in_it_can_panic() {
    for profile in [Profile::Release, Profile::Small] {
        let Some(board) = Board::with_or_skip("codec", profile) else { return };
        let functions = board.functions();
        assert_eq!(functions.panics().collect::<Vec<_>>(), [""; 0], "{profile:?}");
    }
}

#[test]
fn a_panic_would_be_found() {
    let Some(board) = Board::or_skip("careless") else { return };
    let functions = board.functions();
    for name in ["panic_fmt", "panic_bounds_check", "slice_index_fail", "unwrap_failed", "begin_unwind"] {
        assert!(functions.panics().any(|function| function.contains(name)), "{name}");
    }
    board.run_with("").ended_with(101);
}

/// Of the codec's own functions, for all kinds of replies and with what is compiled for thirteen types.
#[test]
fn it_takes_little_code_and_no_memory() {
    /// (how it is optimised, encoder, decoder, all with requests and types)
    const LIMITS: [(Profile, usize, usize, usize); 2] =
        [(Profile::Small, 750, 6150, 15_600), (Profile::Release, 750, 4900, 13_600)];
    for (profile, encode, decode, all) in LIMITS {
        let Some(board) = Board::with_or_skip("codec", profile) else { return };
        let functions = board.functions();
        println!("{profile:?}: {functions}");
        assert!(functions.size(Part::Encode) <= encode, "{profile:?}: {functions}");
        assert!(functions.size(Part::Decode) <= decode, "{profile:?}: {functions}");
        assert!(functions.codec() <= all, "{profile:?}: {functions}");
        // The board counts milliseconds in 8.
        assert_eq!(board.statics(), 8);
    }
}

/// Instructions, the same in every run. The limits are a tenth above what was counted.
#[test]
fn small_requests_and_replies_take_few_instructions() {
    const LIMITS: [(&str, usize, usize); 6] = [
        ("encode GET", 440, 330),
        ("encode SET with EX", 1110, 860),
        ("decode +OK", 725, 595),
        ("decode :12345", 960, 760),
        ("decode $21", 930, 770),
        ("decode $200", 960, 800),
    ];
    let Some(release) = Board::or_skip("count") else { return };
    let Some(small) = Board::with_or_skip("count", Profile::Small) else { return };
    let runs = [release, small].map(|board| {
        let run = board.counting().run_with("");
        run.ended_with(0);
        run
    });
    for (label, release, small) in LIMITS {
        let counts = [runs[0].figure(label), runs[1].figure(label)];
        println!("{label}: {counts:?}");
        assert!(counts[0] > 0 && counts[0] <= release, "{label}: {counts:?}");
        assert!(counts[1] > 0 && counts[1] <= small, "{label}: {counts:?}");
    }
}
