//! What `respire` says about itself, where being the same as `redis-cli` would be wrong.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::terminal::Terminal;
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

#[test]
fn the_prompt_runs_lines_and_leaves_the_terminal_sane() {
    let server = respire_tests::Server::redis();
    let port = server.port();
    let mut terminal = Terminal::open(&format!("-p {port}"), "stty -a | grep -oE '.icanon|.echo '");
    let prompt = format!("127.0.0.1:{port}");
    terminal.wait_for(&format!("{prompt}> "));
    for (line, answer) in [
        ("SET greeting \"hello world\"", "\nOK\n"),
        ("GET greeting", "\n\"hello world\"\n"),
        ("SELECT 3", "[3]> "),
        ("MULTI", "[3](TX)> "),
        ("PING", "\nQUEUED\n"),
        ("EXEC", "\n1) PONG\n"),
        // Ctrl-C at the prompt.
        ("\x03", " icanon\n"),
    ] {
        terminal.type_line(line);
        terminal.wait_for(answer);
        // A Ctrl-C that comes before the prompt is for the whole shell.
        if answer.ends_with('\n') && line != "\x03" {
            terminal.wait_for("> ");
        }
    }
    terminal.wait_for(" echo ");
}

#[test]
fn a_refused_connection_says_what_was_tried_and_what_to_do() {
    let mut terminal = Terminal::open("-p 1 PING", "true");
    for expected in [
        "Could not connect to Redis at 127.0.0.1:1: Connection refused\n",
        "tried 127.0.0.1:1",
        "start one",
        "respire demo",
    ] {
        terminal.wait_for(expected);
    }
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let server = respire_tests::Server::redis();
    let line = format!("{} -p {} -r 100000 PING | head -1", respire_path().display(), server.port());
    let done = run_with_limit(Command::new("sh").args(["-c", &line]), b"", Duration::from_secs(10));
    assert_eq!((done.text().as_str(), &done.stderr[..]), ("PONG\n", &b""[..]));
    let program = respire_path().display().to_string();
    for line in [
        format!("printf 'PING\\nPING\\n' | {program} -p {} --pipe | true", server.port()),
        format!("yes NOSUCH | head -20000 | {program} -p {} --pipe 2>&1 | head -1 >/dev/null", server.port()),
        format!("{program} demo | true"),
        format!("{program} -p 1 PING 2>&1 | true"),
    ] {
        let done = run_with_limit(Command::new("sh").args(["-c", &line]), b"", Duration::from_secs(20));
        assert_eq!((done.text().as_str(), &done.stderr[..]), ("", &b""[..]), "{line}");
    }
}

#[test]
fn an_answer_is_shown_before_the_next_is_waited_for() {
    let server = respire_tests::Server::redis();
    let port = server.port().to_string();
    let push = ["-p", &port, "RPUSH", "queue", "one"];
    assert_eq!(respire(&push).text(), "1\n");
    let mut command = Command::new(respire_path());
    // It waits for a second element until it is killed.
    command.args(["-p", &port, "-r", "2", "BLPOP", "queue", "0"]);
    let done = run_with_limit(&mut command, b"", Duration::from_millis(800));
    assert_eq!(done.text(), "queue\none\n");
}

#[test]
fn a_command_behind_unsubscribe_gets_its_own_answer() {
    let server = respire_tests::Server::redis();
    let port = server.port().to_string();
    let names: Vec<String> = (0..5000).map(|n| format!("channel:{n}")).collect();
    let input = format!("UNSUBSCRIBE {}\nECHO mine\nECHO too\n", names.join(" "));
    let mut command = Command::new(respire_path());
    let done = run_with_limit(command.args(["-p", &port]), input.as_bytes(), Duration::from_secs(10));
    assert!(done.text().ends_with("\nmine\ntoo\n"), "{}", done.text());
}

#[test]
fn errors_of_bulk_loading_name_their_lines() {
    let server = respire_tests::Server::redis();
    let port = server.port().to_string();
    let mut command = Command::new(respire_path());
    let input = b"SET a 1\n\nLPUSH a x\n*2\r\n$3\r\nGET\r\n$1\r\na\r\nNOSUCH\nSUBSCRIBE c\nPING\n";
    let done = run_with_limit(command.args(["-p", &port, "--pipe"]), input, Duration::from_secs(10));
    let errors = String::from_utf8_lossy(&done.stderr);
    let mut lines = errors.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("line 3: WRONGTYPE ")), "{errors}");
    assert!(lines.next().is_some_and(|line| line.starts_with("line 9: ERR unknown command ")), "{errors}");
    assert_eq!(lines.next(), None, "{errors}");
    assert!(done.text().ends_with("errors: 2, replies: 6\n"), "{}", done.text());
    assert_eq!(done.code(), Some(1));
}

#[test]
fn the_demo_needs_no_server() {
    let done = respire(&["demo"]);
    let text = done.text();
    for expected in ["\"hello, world\"", "ERR value is not an integer", "a pipeline of 10 000", "PUBLISH"] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert_eq!((done.code(), &done.stderr[..]), (Some(0), &b""[..]));
}

#[test]
fn the_demo_runs_on_a_real_server_and_cleans_up() {
    let server = respire_tests::Server::redis();
    let done = respire(&["demo", "--url", &server.url()]);
    assert_eq!((done.code(), &done.stderr[..]), (Some(0), &b""[..]), "{}", done.text());
    assert_eq!(respire(&["-p", &server.port().to_string(), "DBSIZE"]).text(), "0\n");
}

#[test]
fn a_password_leaves_the_title_of_the_process() {
    const CANARY: &str = "canary-77aa";
    let server =
        respire_tests::Server::builder(respire_tests::Kind::Redis70).args(["--requirepass", CANARY]).start();
    let port = server.port().to_string();
    let url = format!("redis://:{CANARY}@127.0.0.1:{port}");
    for arguments in
        [&["-p", &port, "-a", CANARY, "BLPOP", "no thing", "0"][..], &["-u", &url, "BLPOP", "k", "0"]]
    {
        let mut child = Command::new(respire_path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("respire starts");
        let title = format!("/proc/{}/cmdline", child.id());
        let start = Instant::now();
        let mut shown = String::new();
        // Once it is connected it has long been concealed; until then it may not have begun.
        while start.elapsed() < Duration::from_secs(10) {
            shown = std::fs::read_to_string(&title).expect("the process runs");
            if !shown.contains(CANARY) && !shown.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("it waits");
        child.wait().expect("it ends");
        assert!(!shown.contains(CANARY) && shown.contains("respire"), "{shown:?}");
    }
}

#[test]
fn a_password_is_never_shown() {
    const CANARY: &str = "canary-8c1e";
    let server = respire_tests::Server::redis();
    let port = server.port().to_string();
    let url = format!("redis://someone:{CANARY}@127.0.0.1:{port}");
    for arguments in [
        &["-p", &port, "-a", CANARY, "PING"][..],
        &["-u", &url, "PING"],
        &["-u", &url, "--verbose", "-3", "PING"],
        &["demo", "--url", &url],
        &["demo", "--url", "redis://:canary-8c1e@127.0.0.1:1"],
        &["demo", "--url", "redis://:canary-8c1e@127.0.0.1:port"],
    ] {
        let done = respire(arguments);
        for stream in [&done.stdout, &done.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(CANARY), "{arguments:?} shows {text}");
        }
    }
}
