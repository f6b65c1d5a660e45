//! Child processes with a time limit, and where the programs under test are.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a child process printed and how it ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error.
    pub stderr: Vec<u8>,
    /// The exit status; a process that was killed has no exit code.
    pub status: ExitStatus,
    /// Whether the process was killed because its time was up.
    pub timed_out: bool,
}

impl Finished {
    /// The exit code, or `None` when the process was killed.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Runs `command` with `stdin` as its input and kills it after `limit`.
///
/// An empty `stdin` is an input that ends at once. What a killed process had printed until then
/// is part of the result: commands such as `SUBSCRIBE` never end by themselves.
///
/// # Panics
///
/// When the program cannot be started, naming it.
pub fn run_with_limit(command: &mut Command, stdin: &[u8], limit: Duration) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", command.get_program().display()));
    let input = child.stdin.take().expect("stdin is piped");
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");

    thread::scope(|scope| {
        // A child may end without reading its input: a broken pipe is no failure of the test.
        scope.spawn(move || drop({ input }.write_all(stdin)));
        let stdout = scope.spawn(move || read_all(stdout));
        let stderr = scope.spawn(move || read_all(stderr));
        let (status, timed_out) = wait(&mut child, limit);
        Finished {
            stdout: stdout.join().expect("reading stdout"),
            stderr: stderr.join().expect("reading stderr"),
            status,
            timed_out,
        }
    })
}

/// The reference command line tool: `RESPIRE_REDIS_CLI`, or `redis-cli` in `PATH`.
#[must_use]
pub fn redis_cli_path() -> Option<PathBuf> {
    program("RESPIRE_REDIS_CLI", "redis-cli")
}

/// The emulator of the firmware's board: `RESPIRE_QEMU_ARM`, or `qemu-system-arm` in `PATH`.
#[must_use]
pub fn qemu_arm_path() -> Option<PathBuf> {
    program("RESPIRE_QEMU_ARM", "qemu-system-arm")
}

/// The `respire` command line tool under test: `RESPIRE_BIN`, or the newest of the release and
/// debug builds in the target directory.
///
/// # Panics
///
/// When there is none: a test of the tool cannot pass without it.
#[must_use]
pub fn respire_path() -> PathBuf {
    if let Some(path) = env::var_os("RESPIRE_BIN") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "RESPIRE_BIN={} is not a file", path.display());
        return path;
    }
    let name = format!("respire{}", env::consts::EXE_SUFFIX);
    target_dirs()
        .iter()
        .flat_map(|dir| ["release", "debug"].map(|profile| dir.join(profile).join(&name)))
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok())
        .expect("no respire binary: run `cargo build -p respire` first, or set RESPIRE_BIN")
}

/// The directories that cargo may have built into, nearest first.
pub(crate) fn target_dirs() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    dirs.extend(env::var_os("CARGO_TARGET_DIR").map(PathBuf::from));
    // target/debug/deps/cli-0123456789abcdef
    dirs.extend(env::current_exe().ok().and_then(|exe| exe.ancestors().nth(3).map(Path::to_owned)));
    dirs.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"));
    dirs
}

/// The program named by the environment variable, else the one of this name in `PATH`.
///
/// # Panics
///
/// When the variable names something that is not a file.
pub(crate) fn program(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "{variable}={} is not a file", path.display());
        return Some(path);
    }
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|dir| dir.join(OsStr::new(name))).find(|path| path.is_file())
}

/// Waits for the end of the child, which comes after `limit` at the latest.
fn wait(child: &mut Child, limit: Duration) -> (ExitStatus, bool) {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().expect("waiting for a child") {
            return (status, false);
        }
        if Instant::now() >= deadline {
            child.kill().expect("killing a child whose time is up");
            return (child.wait().expect("waiting for a killed child"), true);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match from.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => bytes,
        Err(error) => panic!("reading from a child: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo bad >&2; exit 3"]);
        let done = run_with_limit(&mut command, b"in\0put", Duration::from_secs(10));
        assert_eq!(done.stdout, b"in\0put");
        assert_eq!(done.stderr, b"bad\n");
        assert_eq!(done.code(), Some(3));
        assert!(!done.timed_out);
    }

    #[test]
    fn the_limit_kills_and_keeps_what_was_printed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo first; exec sleep 60"]);
        let started = Instant::now();
        let done = run_with_limit(&mut command, b"", Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_eq!(done.stdout, b"first\n");
        assert!(done.timed_out);
        assert_eq!(done.code(), None);
    }
}
