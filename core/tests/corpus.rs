//! The fuzz targets' inputs, replayed: the seeds, and every input that once failed. And the same
//! entry points on random inputs.
#![cfg(feature = "fuzzing")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::fuzzing;

/// Every file of a directory.
fn inputs(directory: PathBuf) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(&directory) else { return Vec::new() };
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_none()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn replay(target: &str, entry: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let corpus = inputs(fuzz.join("corpus").join(target));
    assert!(!corpus.is_empty(), "no corpus for {target}");
    for (path, data) in corpus.into_iter().chain(inputs(fuzz.join("regressions").join(target))) {
        println!("{}", path.display());
        entry(&data);
    }
}

#[test]
fn frames() {
    replay("frames", fuzzing::frames);
}

#[test]
fn round_trip() {
    replay("round_trip", fuzzing::round_trip);
}

#[test]
fn session() {
    replay("session", fuzzing::session);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_frames(data in vec(any::<u8>(), 0..100)) {
        fuzzing::frames(&data);
    }

    #[test]
    fn random_values(data in vec(any::<u8>(), 0..300)) {
        fuzzing::round_trip(&data);
    }

    #[test]
    fn every_token_comes_back_once_with_its_own_answer(data in vec(any::<u8>(), 0..400)) {
        fuzzing::session(&data);
    }
}
