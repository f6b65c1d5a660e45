//! An emulated board: QEMU with one program of the firmware, and what came of it.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use respire_tests::{Finished, qemu_arm_path, run_with_limit, skip};

use crate::image;

/// The longest run of all waits for a peer that says nothing, which is given up after two seconds.
const RUN: Duration = Duration::from_secs(30);

/// A board with a program in its flash.
pub(crate) struct Board {
    emulator: PathBuf,
    path: PathBuf,
    image: Vec<u8>,
    network: &'static str,
}

impl Board {
    /// A board with the program of this name; reports the calling test as skipped if there is no
    /// emulator or no compiler for it.
    pub(crate) fn or_skip(program: &str) -> Option<Self> {
        let Some(emulator) = qemu_arm_path() else {
            skip("no qemu-system-arm here: install it, or run ./check");
            return None;
        };
        let Some(folder) = image::folder() else {
            skip("no Rust for the board here: rustup target add thumbv7m-none-eabi");
            return None;
        };
        let path = folder.join(program);
        let image = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(Self { emulator, path, image, network: "" })
    }

    /// With more options for QEMU's network, each after a comma.
    pub(crate) fn network(self, network: &'static str) -> Self {
        Self { network, ..self }
    }

    /// The program, as an ELF file.
    pub(crate) fn image(&self) -> &[u8] {
        &self.image
    }

    /// Boots the program and lets it connect to this port of 127.0.0.1.
    pub(crate) fn run(&self, port: u16) -> Run {
        self.run_with(&port.to_string())
    }

    /// Boots the program with this argument.
    pub(crate) fn run_with(&self, argument: &str) -> Run {
        let mut command = Command::new(&self.emulator);
        command
            .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none", "-serial", "null"])
            .args(["-nic", &format!("user,model=stellaris{}", self.network)])
            // What the program prints goes to stdout; what QEMU itself says goes to stderr.
            .args(["-chardev", "stdio,id=host", "-semihosting-config"])
            .arg(format!("enable=on,target=native,chardev=host,arg=firmware,arg={argument}"))
            .arg("-kernel")
            .arg(&self.path);
        Run(run_with_limit(&mut command, b"", RUN))
    }
}

/// A run that has ended.
pub(crate) struct Run(Finished);

impl Run {
    /// Expects this exit status.
    ///
    /// # Panics
    ///
    /// When it is another, with all that was printed.
    #[track_caller]
    pub(crate) fn ended_with(&self, status: i32) {
        assert_eq!(self.0.code(), Some(status), "{self}");
    }

    /// The number that the program printed behind `label` and a colon.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub(crate) fn figure(&self, label: &str) -> usize {
        let text = self.0.text();
        text.lines()
            .filter_map(|line| line.strip_prefix(label)?.strip_prefix(": ")?.parse().ok())
            .next()
            .unwrap_or_else(|| panic!("no figure {label:?}: {self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finished { status, timed_out, stderr, .. } = &self.0;
        let after = if *timed_out { ", out of time" } else { "" };
        let noise = String::from_utf8_lossy(stderr);
        write!(f, "the emulator ended with {status}{after}; it printed\n{}and said\n{noise}", self.0.text())
    }
}
