//! An emulated board: QEMU with one program of the firmware, and what came of it.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use respire_tests::elf::{Footprint, Functions};
use respire_tests::{Finished, qemu_arm_path, run_with_limit, skip};

use crate::image::{self, Profile};

/// The longest run waits five seconds for somebody who never comes. The others take less than a second
/// on a machine that has nothing else to do.
const RUN: Duration = Duration::from_secs(15);

/// What a whole program may take: flash, and RAM with the stack. The chip has 256 KiB and 64 KiB.
const FLASH: usize = 46 << 10;
const RAM: usize = 8 << 10;

/// A board with a program in its flash.
pub(crate) struct Board {
    emulator: PathBuf,
    path: PathBuf,
    image: Vec<u8>,
    network: &'static str,
    more: &'static [&'static str],
}

impl Board {
    /// A board with the program of this name; reports the calling test as skipped if there is no
    /// emulator or no compiler for it.
    pub(crate) fn or_skip(program: &str) -> Option<Self> {
        Self::with_or_skip(program, Profile::Release)
    }

    /// The same with a program that is optimised like this.
    pub(crate) fn with_or_skip(program: &str, profile: Profile) -> Option<Self> {
        let Some(emulator) = qemu_arm_path() else {
            skip("no qemu-system-arm here: install it, or run ./check");
            return None;
        };
        let Some(folder) = image::folder(profile) else {
            skip("no Rust for the board here: rustup target add thumbv7m-none-eabi");
            return None;
        };
        let path = folder.join(program);
        let image = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(Self { emulator, path, image, network: "", more: &[] })
    }

    /// With more options for QEMU's network, each after a comma.
    pub(crate) fn network(self, network: &'static str) -> Self {
        Self { network, ..self }
    }

    /// Where each instruction takes a nanosecond.
    pub(crate) fn counting(self) -> Self {
        Self { more: &["-icount", "shift=0"], ..self }
    }

    /// The functions of the program.
    pub(crate) fn functions(&self) -> Functions {
        Functions::of(&self.image).expect("the firmware is an ELF file with symbols")
    }

    /// The bytes of its statics.
    pub(crate) fn statics(&self) -> usize {
        Footprint::of(&self.image).expect("the firmware is an ELF file").statics
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
            .args(self.more)
            .arg("-kernel")
            .arg(&self.path);
        let start = Instant::now();
        let finished = run_with_limit(&mut command, b"", RUN);
        Run { finished, took: start.elapsed() }
    }
}

/// A run that has ended.
pub(crate) struct Run {
    finished: Finished,
    took: Duration,
}

impl Run {
    /// Expects this exit status.
    ///
    /// # Panics
    ///
    /// When it is another, with all that was printed.
    #[track_caller]
    pub(crate) fn ended_with(&self, status: i32) {
        assert_eq!(self.finished.code(), Some(status), "{self}");
    }

    /// The number that the program printed behind `label` and a colon.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[track_caller]
    pub(crate) fn figure(&self, label: &str) -> usize {
        let text = self.finished.text();
        text.lines()
            .filter_map(|line| line.strip_prefix(label)?.strip_prefix(": ")?.parse().ok())
            .next()
            .unwrap_or_else(|| panic!("no figure {label:?}: {self}"))
    }

    /// Expects that the board's program takes no more flash and RAM than it may.
    ///
    /// # Panics
    ///
    /// When it takes more.
    #[track_caller]
    pub(crate) fn is_within_limits(&self, board: &Board) {
        let footprint = Footprint::of(&board.image).expect("the firmware is an ELF file");
        let ram = footprint.statics + self.figure("deepest stack in bytes");
        println!("{footprint}, {ram} with it");
        assert!(footprint.flash <= FLASH, "{footprint}");
        assert!(ram <= RAM, "{footprint}, {ram} with it");
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finished { status, timed_out, stderr, .. } = &self.finished;
        let after = if *timed_out { ", out of time" } else { "" };
        let noise = String::from_utf8_lossy(stderr);
        let took = self.took.as_millis();
        write!(
            f,
            "the emulator ended with {status}{after} after {took} ms; it printed\n{}and said\n{noise}",
            self.finished.text()
        )
    }
}
