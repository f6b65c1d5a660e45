//! The fuzz targets' inputs, replayed: the seeds, and every input that once failed. And the same
//! entry points on random inputs.
//!
//! The seeds can be written anew, as after a new vector:
//!
//! ```sh
//! RESPIRE_SEEDS=write cargo test -p respire-core --features fuzzing,std --test corpus
//! ```
#![cfg(feature = "fuzzing")]

#[path = "corpus/seeds.rs"]
mod seeds;
#[path = "vectors/table.rs"]
#[allow(dead_code, reason = "how vectors read is another test")]
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::fuzzing;
use seeds::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Every file of a directory.
fn inputs(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_none()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn replay(target: &str, entry: impl Fn(&[u8])) {
    assert!(TARGETS.contains(&target));
    let corpus = inputs(&fuzz().join("corpus").join(target));
    assert!(!corpus.is_empty(), "no corpus for {target}");
    for (path, data) in corpus.into_iter().chain(inputs(&fuzz().join("regressions").join(target))) {
        // An interpreter takes its time.
        if !cfg!(miri) || data.len() < 300 {
            println!("{}", path.display());
            entry(&data);
        }
    }
}

macro_rules! replays {
    ($($target:ident => $entry:expr;)+) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target), $entry);
        }
    )+ };
}

replays! {
    frames => fuzzing::frames;
    chunks => fuzzing::chunks;
    differential => |data| fuzzing::differential(data, |_| None);
    typed => fuzzing::typed;
    roundtrip => fuzzing::roundtrip;
    encode => fuzzing::encode;
    stream_out => fuzzing::stream_out;
    session => fuzzing::session;
}

#[test]
fn every_target_has_its_seeds() {
    let write = std::env::var("RESPIRE_SEEDS").is_ok_and(|what| what == "write");
    for target in TARGETS {
        let directory = fuzz().join("corpus").join(target);
        let mut names = BTreeSet::new();
        for (name, bytes) in seeds::seeds(target) {
            let path = directory.join(&name);
            if write {
                fs::create_dir_all(&directory).unwrap();
                fs::write(&path, &bytes).unwrap();
            }
            assert_eq!(fs::read(&path).ok(), Some(bytes), "{}: see RESPIRE_SEEDS", path.display());
            assert!(names.insert(name), "two seeds have one name: {}", path.display());
        }
    }
}

#[test]
fn every_vector_is_a_seed_of_every_reader() {
    for target in ["frames", "chunks", "differential", "typed"] {
        let corpus = inputs(&fuzz().join("corpus").join(target));
        let known: BTreeSet<&[u8]> = corpus.iter().map(|(_, bytes)| &bytes[..]).collect();
        for vector in table::VECTORS {
            assert!(known.contains(vector.bytes), "{target}: {}", vector.name);
        }
    }
}

/// S0-SVC-03: whatever bytes come, nothing panics.
#[test]
fn every_target_is_replayed() {
    let files = fs::read_dir(fuzz().join("fuzz_targets")).unwrap();
    let targets: BTreeSet<_> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(targets, TARGETS.map(String::from).into());
    for folder in ["corpus", "regressions"] {
        for entry in fs::read_dir(fuzz().join(folder)).unwrap() {
            let name = entry.unwrap().file_name();
            assert!(TARGETS.iter().any(|target| name == *target), "nobody replays {folder}/{name:?}");
        }
    }
}

fn config(cases: u32) -> ProptestConfig {
    let cases = if cfg!(miri) { 3 } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn random_bytes(data in vec(any::<u8>(), 0..100)) {
        fuzzing::frames(&data);
        fuzzing::chunks(&data);
        fuzzing::differential(&data, |_| None);
        fuzzing::typed(&data);
    }

    #[test]
    fn every_token_comes_back_once_with_its_own_answer(data in vec(any::<u8>(), 0..400)) {
        fuzzing::session(&data);
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn random_values(data in vec(any::<u8>(), 0..60)) {
        fuzzing::roundtrip(&data);
    }

    #[test]
    fn random_requests(data in vec(any::<u8>(), 0..300)) {
        fuzzing::encode(&data);
        fuzzing::stream_out(&data);
    }
}
