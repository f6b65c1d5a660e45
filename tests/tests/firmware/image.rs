//! The firmware's images: built once for all tests, by the same cargo and Rust as the tests.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use respire_tests::run_with_limit;

/// Downloading and building everything, on a slow and busy machine.
const BUILD: Duration = Duration::from_secs(600);

const TARGET: &str = "thumbv7m-none-eabi";

/// Where the workspace of the firmware is.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/firmware");

/// The folder with one image for each program: `RESPIRE_FIRMWARE`, or what is built here and now.
/// `None`: Rust for the target is not installed.
///
/// # Panics
///
/// When the firmware does not build; the message holds what cargo said.
pub(crate) fn folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            env::var_os("RESPIRE_FIRMWARE").map(PathBuf::from).or_else(|| has_target().then(build))
        })
        .as_deref()
}

fn has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

fn build() -> PathBuf {
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked", "--color", "never"]).current_dir(WORKSPACE);
    // What is set for the tests, flags for coverage perhaps, would replace the firmware's own settings.
    for (name, _) in env::vars_os().filter(|(name, _)| changes_the_build(name)) {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_DIR", &output);
    let done = run_with_limit(&mut command, b"", BUILD);
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.code(), Some(0), "the firmware does not build:\n{said}");
    output.join(TARGET).join("release")
}

fn changes_the_build(variable: &OsStr) -> bool {
    const PREFIXES: [&str; 4] = ["RUSTFLAGS", "CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_"];
    let name = variable.to_string_lossy();
    name == "CARGO_ENCODED_RUSTFLAGS" || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
