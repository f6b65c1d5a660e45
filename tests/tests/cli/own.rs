//! What `respire` says about itself, where being the same as `redis-cli` would be wrong.

use std::process::Command;
use std::time::Duration;

use respire_tests::{Finished, respire_path, run_with_limit};

fn respire(args: &[&str]) -> Finished {
    let mut command = Command::new(respire_path());
    run_with_limit(command.args(args), b"", Duration::from_secs(10))
}

#[test]
fn version_has_the_shape_of_the_reference() {
    for flag in ["--version", "-v"] {
        let done = respire(&[flag]);
        let text = done.text();
        let version = text.strip_prefix("respire ").and_then(|rest| rest.strip_suffix('\n'));
        let numbers = version.unwrap_or_else(|| panic!("{flag}: {text:?}")).split('.');
        assert_eq!(numbers.filter(|number| number.parse::<u32>().is_ok()).count(), 3, "{text:?}");
        assert_eq!((done.code(), &done.stderr[..]), (Some(0), &b""[..]), "{flag}");
    }
}

#[test]
fn help_goes_to_stdout_and_names_the_options() {
    let done = respire(&["--help"]);
    let text = done.text();
    assert!(text.contains("Usage: respire"), "{text}");
    for option in [
        "-h",
        "-p",
        "-s",
        "-a",
        "--user",
        "--pass",
        "-u",
        "-r",
        "-i",
        "-n",
        "-2",
        "-3",
        "-x",
        "-X",
        "-d",
        "-D",
        "-e",
        "--raw",
        "--no-raw",
        "--quoted-input",
        "--csv",
        "--json",
        "--quoted-json",
        "--show-pushes",
        "--pipe",
        "--no-auth-warning",
        "--version",
    ] {
        assert!(text.contains(&format!("{option} ")), "{option} is not in the help");
    }
    assert_eq!((done.code(), &done.stderr[..]), (Some(0), &b""[..]));
}
