//! The firmware's images: built once for all tests.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use respire_tests::build::Build;

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
            env::var_os("RESPIRE_FIRMWARE").map(PathBuf::from).or_else(|| {
                let build = Build {
                    workspace: "tests/firmware",
                    target: "thumbv7m-none-eabi",
                    profile: "release",
                    args: &[],
                    output: Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware"),
                };
                build.run()
            })
        })
        .as_deref()
}
