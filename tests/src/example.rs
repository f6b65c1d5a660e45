//! The examples of the client, built once and run.

use std::env::consts::EXE_SUFFIX;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::build::Build;
use crate::process::{run_with_limit, target_dirs};

/// How long one may take, on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs an example, and looks for these lines in what it prints, in this order; others may stand between them.
///
/// # Panics
///
/// When it does not build, does not end well or in time, or a line is missing.
pub fn prints(name: &str, args: &[&str], lines: &[&str]) {
    let done = run_with_limit(Command::new(path(name)).args(args), b"", LIMIT);
    let (said, wrong) = (done.text(), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.code(), Some(0), "{name}, timed out: {}\n{said}{wrong}", done.timed_out);
    let mut said_lines = said.lines();
    for line in lines {
        assert!(said_lines.any(|said| said == *line), "{name} lacks `{line}`:\n{said}{wrong}");
    }
}

/// With all features, as all tests are built: where they were built, nothing is built again.
fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let output = target_dirs().iter().find_map(|path| path.canonicalize().ok());
        let args = ["--workspace", "--exclude", "respire-peers", "--all-features", "--examples"];
        let output = output.expect("this was built somewhere");
        let build = Build { workspace: ".", target: None, profile: "dev", args: &args, output };
        build.run().expect("this machine is a target").join("examples")
    });
    folder.join(format!("{name}{EXE_SUFFIX}"))
}
