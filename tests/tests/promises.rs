//! The tests that `docs/RELIABILITY.md` names are there, and what the core promises of itself is checked.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_test_that_is_named_exists() {
    let root = root();
    let text = read(&root.join("docs/RELIABILITY.md"));
    let mut named = 0;
    for line in text.lines() {
        // Names stand behind the file that they are in.
        let mut source = None;
        for quoted in line.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                let path = root.join(quoted);
                source = Some((quoted, read(&path)));
            } else if let Some((path, source)) = &source {
                let is_there = ["(", "<"].iter().any(|end| source.contains(&format!("fn {quoted}{end}")));
                assert!(is_there, "{path} has no {quoted}");
                named += 1;
            }
        }
    }
    assert!(named > 50, "{named} are named only");
}

/// S0-SVC-03: in all of the core what may panic is an error of the lints, and nothing is excused from them.
#[test]
fn the_core_has_no_way_to_panic() {
    const LINTS: [&str; 4] = ["unwrap_used", "expect_used", "panic", "indexing_slicing"];
    let lib = read(&root().join("core/src/lib.rs"));
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    let warned = lib.split("warn(").nth(1).and_then(|rest| rest.split(')').next()).expect("the lints");
    assert!(LINTS.iter().all(|lint| warned.contains(&format!("clippy::{lint}"))), "{warned}");
    let check = read(&root().join("check"));
    for run in ["--all-targets --all-features -- -D warnings", "--features \"$feature\" -- -D warnings"] {
        assert!(check.contains(run), "{run}");
    }
    let mut folders = vec![root().join("core/src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the core") {
            let path = entry.expect("a file of the core").path();
            if path.is_dir() {
                // What the fuzzers run has to panic when something is wrong.
                if !path.ends_with("fuzzing") {
                    folders.push(path);
                }
                continue;
            }
            let text = read(&path);
            files += 1;
            if !path.ends_with("src/lib.rs") {
                assert!(
                    LINTS.iter().all(|lint| !text.contains(&format!("clippy::{lint}"))),
                    "{}",
                    path.display()
                );
            }
            // What no lint forbids, but in tests.
            let code = text.split("#[test]").next().unwrap_or_default();
            for word in ["unreachable!(", "todo!(", "unimplemented!("] {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
    assert!(files > 100, "{files}");
}
