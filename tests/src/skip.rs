//! Tests that cannot run here say so; none is skipped silently.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;

/// Reports that a test cannot run here, for the test to return afterwards.
///
/// Prints `skipped: …` and appends the line to the file named by `RESPIRE_SKIPS`, which `./check`
/// counts.
///
/// # Panics
///
/// Under `CI=true`: there everything must run, so what is missing is a failure.
pub fn skip(reason: &str) {
    assert!(!on_ci(), "cannot run: {reason}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("skipped: {test}: {reason}\n");
    eprint!("{line}");
    if let Some(path) = env::var_os("RESPIRE_SKIPS") {
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            panic!("cannot count a skipped test in {}: {error}", path.display());
        }
    }
}

/// Whether this is a run where nothing may be missing.
fn on_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}
