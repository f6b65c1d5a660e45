//! Instructions, counted by running this program once more, under valgrind.
//!
//! Hardware counters are often not to be had; callgrind counts every instruction of the program itself,
//! the same number each time. It collects only inside one function of ours, which each case passes
//! through once, and writes a file whenever that function returns.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use crate::case::{Case, Subject};

/// What is counted: `case`, as a name for each, and instructions for one unit.
pub(crate) struct Counted(Vec<(String, f64)>);

/// Whether there is a valgrind.
pub(crate) fn is_installed() -> bool {
    let told = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    told.is_ok_and(|status| status.success())
}

/// Counts in a process of its own, which runs this program with `args`.
///
/// # Errors
/// What went wrong, in words.
pub(crate) fn count(args: &[&str]) -> Result<Counted, String> {
    let folder = Folder::new().map_err(|error| format!("no folder for valgrind: {error}"))?;
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let out = folder.0.join("out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=respire_peers_measured"])
        .arg("--dump-after=respire_peers_measured")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind cannot be started: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("valgrind: {}: {words}", output.status));
    }
    let told = String::from_utf8_lossy(&output.stdout);
    let counted = told.lines().enumerate().map(|(at, line)| {
        let part = fs::read_to_string(part(&out, at + 1)).map_err(|error| error.to_string())?;
        let (units, name) = line.split_once(' ').ok_or("no name")?;
        let units: f64 = units.parse().map_err(|_| "no number of units")?;
        Ok((name.to_owned(), total(&part).ok_or("no total")? / units))
    });
    counted.collect::<Result<_, String>>().map(Counted)
}

impl Counted {
    /// The instructions of a case, for one unit.
    pub(crate) fn get(&self, case: &Case) -> Option<f64> {
        let name = name(case);
        self.0.iter().find(|(known, _)| *known == name).map(|(_, count)| *count)
    }
}

/// The other side: runs each case once through the function that valgrind watches, and says which.
pub(crate) fn run_counted(cases: impl Iterator<Item = Case>) {
    for mut case in cases {
        let name = name(&case);
        let Some(subject) = &mut case.subject else { continue };
        // Buffers find their size, and the linker its functions.
        subject.prepare();
        subject.run();
        subject.prepare();
        respire_peers_measured(subject.as_mut());
        println!("{} {name}", case.units);
    }
}

/// Valgrind finds it by this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn respire_peers_measured(subject: &mut dyn Subject) {
    subject.run();
}

fn name(case: &Case) -> String {
    format!("{} {} {}", case.workload, case.kind, case.by)
}

/// Callgrind numbers its files from 1.
fn part(out: &Path, at: usize) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(format!(".{at}"));
    name.into()
}

/// The line `totals: 123` of a file of callgrind.
pub(crate) fn total(file: &str) -> Option<f64> {
    file.lines().rev().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
}

/// A folder of our own, which goes when it is dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> std::io::Result<Self> {
        let path = env::temp_dir().join(format!("respire-peers-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read() {
        assert_eq!(total("part: 1\nsummary: 5\n\nfn=(1)\n1 5\n\ntotals: 5\n"), Some(5.0));
        assert_eq!(total("part: 1\n"), None);
    }
}
