//! The chaos program, once through all of its faults.

use std::process::Command;
use std::time::Duration;

use respire_tests::{Finished, Kind, run_with_limit, skip};

fn play(word: &str) -> Option<Finished> {
    if !Kind::Redis70.available_or_skip() {
        return None;
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let done = run_with_limit(program.arg(word), b"", Duration::from_secs(240));
    println!("{}{}", done.text(), String::from_utf8_lossy(&done.stderr));
    Some(done)
}

/// S3-CONF-04, S3-CONF-06, S3-CONN-04, S1-CLI-07: under each fault every answer belongs to its caller,
/// nothing is executed twice, nothing is said that is not so, nobody waits beyond his deadline, no message is
/// missed in silence, and nothing is left behind.
#[test]
fn no_fault_makes_the_client_lie() {
    let Some(done) = play("--loopback") else { return };
    assert_eq!(done.code(), Some(0), "{}", done.text());
}

/// The same while packets get lost, where a process can have a network of its own.
#[test]
fn nor_do_packets_that_get_lost() {
    let Some(done) = play("--own-network") else { return };
    if done.code() == Some(3) {
        let text = done.text();
        return skip(text.lines().find(|line| line.contains("skipped: ")).expect("why it cannot be played"));
    }
    assert_eq!(done.code(), Some(0), "{}", done.text());
}
