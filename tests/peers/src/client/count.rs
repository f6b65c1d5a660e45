//! System calls and instructions of one operation: what a long turn takes more than a short one.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::Outcome;
use super::meter::Pace;
use super::turn::{Cpus, Turn};
use super::workload::{Command, Workload};
use crate::valgrind::{self, Folder};

/// What is counted, in this order: all calls of the kernel, those that write to a socket, and instructions in
/// user space.
pub(crate) const COUNTS: [&str; 3] = ["syscalls_per_op", "writes_per_op", "instr_per_op"];

/// One count for each; none where the tool is missing.
pub(crate) type Counts = [Option<f64>; COUNTS.len()];

const WRITES: [&str; 4] = ["write", "writev", "sendto", "sendmsg"];

/// Counts for one client at one workload.
pub(crate) fn count(turn: &Turn, cpus: &Cpus) -> Outcome<Counts> {
    let folder = Folder::new()?;
    let out = folder.0.join("out");
    let [short, long] = lengths(turn.workload);
    let per_op = |counts: &dyn Fn(&Turn) -> Outcome<[f64; 2]>| -> Outcome<[f64; 2]> {
        let [few, many] = [counts(&at(turn, short))?, counts(&at(turn, long))?];
        Ok([0, 1].map(|which| (many[which] - few[which]) / f64::from(long - short)))
    };
    let calls = per_op(&|turn| {
        turn.told(&through(&["strace", "-f", "-c", "-o"], &out), cpus)?;
        calls(&fs::read_to_string(&out)?).ok_or("strace has counted nothing".into())
    });
    let instructions = per_op(&|turn| {
        let option = OsString::from(format!("--callgrind-out-file={}", out.display()));
        turn.told(&["valgrind".into(), "--tool=callgrind".into(), option], cpus)?;
        Ok([valgrind::total(&fs::read_to_string(&out)?).ok_or("valgrind has counted nothing")?; 2])
    });
    let told = |counts: Outcome<[f64; 2]>| counts.inspect_err(|error| eprintln!("not counted: {error}")).ok();
    let (calls, instructions) = (told(calls), told(instructions));
    Ok([calls.map(|calls| calls[0]), calls.map(|calls| calls[1]), instructions.map(|counts| counts[0])])
}

fn at(turn: &Turn, ops: u32) -> Turn {
    Turn { pace: Pace::Ops(ops), ..turn.clone() }
}

fn through(words: &[&str], out: &Path) -> Vec<OsString> {
    words.iter().map(OsString::from).chain([out.into()]).collect()
}

/// Operations of a short turn and of a long one.
fn lengths(workload: &Workload) -> [u32; 2] {
    let short = match workload.command {
        _ if workload.size > 1 << 16 => 16,
        Command::MGet => 256,
        _ => 2048,
    };
    [short, 3 * short]
}

/// All calls, and those that write, of a summary by strace: `% time, seconds, usecs/call, calls[, errors], syscall`.
fn calls(summary: &str) -> Option<[f64; 2]> {
    let mut counts = [0.0; 2];
    for line in summary.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let (Some(calls), Some(name)) =
            (words.get(3).and_then(|word| word.parse::<f64>().ok()), words.last())
        else {
            continue;
        };
        if *name != "total" {
            counts[0] += calls;
            counts[1] += if WRITES.contains(name) { calls } else { 0.0 };
        }
    }
    (counts[0] > 0.0).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
                       ------ ----------- ----------- --------- --------- ----------------\n \
                       60.00    0.000006           0        12         2 recvfrom\n \
                       40.00    0.000004           0        30           sendto\n\
                       ------ ----------- ----------- --------- --------- ----------------\n\
                       100.00    0.000010           0        42         2 total\n";
        assert_eq!(calls(summary), Some([42.0, 30.0]));
        assert_eq!(calls("nothing"), None);
    }
}
