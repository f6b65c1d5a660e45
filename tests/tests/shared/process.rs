//! What a client has of its process, counted in one of its own.

use std::process::Command;

use respire_tests::chaos::seed;
use respire_tests::run_with_limit;

use crate::support::{Admin, LIMIT, redis};

/// The lines that a use of the client has printed.
fn usage(how: &str, more: &[&str]) -> Option<Vec<String>> {
    let server = redis()?;
    seed(&mut Admin::connect(server.addr()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_usage"));
    // Large memory that is given back leaves the process.
    program.env("MALLOC_MMAP_THRESHOLD_", "65536");
    let done = run_with_limit(program.arg(how).arg(server.url()).args(more), b"", 2 * LIMIT);
    assert_eq!(done.code(), Some(0), "{}{}", done.text(), String::from_utf8_lossy(&done.stderr));
    print!("{}", done.text());
    Some(done.text().lines().map(str::to_owned).collect())
}

/// S3-CONF-04: a thread that blocks drives by itself. There is one other thread at most, the keeper, which looks after
/// idle connections.
#[test]
fn a_lone_caller_has_no_more_than_a_keeper() {
    let Some(lines) = usage("lone", &[]) else { return };
    // A poller with its two handles, a waker and one connection.
    let more = ["more: 5 descriptors, 0 threads", "more: 5 descriptors, 1 threads"];
    assert!(more.contains(&lines[0].as_str()), "{lines:?}");
    assert_eq!(lines[1], "left: 0 descriptors, 0 threads");
}

/// S3-CONN-03: once the last handle is gone there is neither a descriptor nor a thread left.
#[test]
fn nothing_is_left_behind() {
    let Some(lines) = usage("life", &[]) else { return };
    assert_eq!(lines, ["left: 0 descriptors, 0 threads"]);
}

/// What is lent and given back leaves nothing behind, also if nothing else happens meanwhile.
#[test]
fn loans_take_no_memory() {
    let Some(lines) = usage("loans", &["300000"]) else { return };
    let more: u64 = lines[0].split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    assert!(more < 400, "{lines:?}");
}

/// Memory of long answers is kept for the next ones, and given back when there are none.
#[test]
fn a_peak_is_over() {
    let Some(lines) = usage("peak", &[]) else { return };
    let more: u64 = lines[0].split(' ').next().and_then(|count| count.parse().ok()).expect("a count");
    // Of 16 MiB.
    assert!(more < 4 << 10, "{lines:?}");
}

/// S3-CONF-04, S1-KI-04: who has nothing to do sleeps, and the keeper does not wake to find that out.
#[test]
fn a_client_that_is_not_used_costs_nothing() {
    let Some(lines) = usage("idle", &["2"]) else { return };
    let words: Vec<&str> = lines[0].split(' ').collect();
    let (time, sleeps): (u64, u64) = (words[0].parse().expect("a time"), words[5].parse().expect("a count"));
    // Two seconds. The thread that measures sleeps once.
    assert!(time <= 20 && sleeps <= 5, "{lines:?}");
}
