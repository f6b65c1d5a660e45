//! The chaos program, once through all of its faults.

use std::process::Command;
use std::time::Duration;

use respire_tests::{Kind, run_with_limit};

/// S3-CONF-04, S3-CONF-06, S3-CONN-04, S1-CLI-07: under each fault every answer belongs to its caller, nothing is
/// executed twice, nothing is said that is not so, nobody waits beyond his deadline, and nothing is left behind.
#[test]
fn no_fault_makes_the_client_lie() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let done = run_with_limit(&mut program, b"", Duration::from_secs(240));
    let errors = String::from_utf8_lossy(&done.stderr);
    println!("{}{errors}", done.text());
    assert_eq!(done.code(), Some(0), "{}{errors}", done.text());
}
