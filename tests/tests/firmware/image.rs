//! The firmware's images: built once for all tests.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use respire_tests::build::Build;

/// How the images are optimised.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// `opt-level = "z"`.
    Release,
    /// `opt-level = "s"`.
    Small,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Small => "small",
        }
    }
}

/// The folder with one image for each program: `RESPIRE_FIRMWARE`, or what is built here and now.
/// `None`: Rust for the target is not installed.
///
/// # Panics
///
/// When the firmware does not build; the message holds what cargo said.
pub(crate) fn folder(profile: Profile) -> Option<&'static Path> {
    static FOLDERS: [OnceLock<Option<PathBuf>>; 2] = [const { OnceLock::new() }; 2];
    FOLDERS[profile as usize]
        .get_or_init(|| {
            let given = env::var_os("RESPIRE_FIRMWARE").map(PathBuf::from);
            given.map(|folder| folder.with_file_name(profile.name())).or_else(|| {
                let build = Build {
                    workspace: "tests/firmware",
                    target: Some("thumbv7m-none-eabi"),
                    profile: profile.name(),
                    args: &[],
                    output: Path::new(env!("CARGO_TARGET_TMPDIR")).join("firmware"),
                };
                build.run()
            })
        })
        .as_deref()
}
