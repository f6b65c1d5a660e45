//! The command line tool as a component: what the tables do not hold.

use std::fmt::Write;

use respire_tests::{Component, Kind, Network, Server, respire_path, run_with_limit};

use crate::{Guest, LIMIT, errors, redis};

/// The tool with everything granted.
fn tool() -> Option<Guest> {
    Guest::or_skip(Component::Respire, Network::Granted)
}

#[test]
fn the_usual_on_every_server() {
    let Some(tool) = tool() else { return };
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).start();
        let port = server.port().to_string();
        let say = |args: &[&str], stdin: &[u8]| {
            let done = tool.run(&[&["-p", &port], args].concat(), stdin);
            assert_eq!((errors(&done).as_str(), done.code()), ("", Some(0)), "{kind}: {args:?}");
            done.stdout
        };
        assert_eq!(say(&["PING"], b""), b"PONG\n");
        assert_eq!(say(&["-h", "localhost", "PING"], b""), b"PONG\n");
        assert_eq!(say(&["SET", "grüße", "hello world"], b""), b"OK\n");
        assert_eq!(say(&["--json", "GET", "grüße"], b""), b"\"hello world\"\n");
        let all: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        assert_eq!(say(&["-x", "SET", "bytes"], &all), b"OK\n");
        assert_eq!(say(&["GET", "bytes"], b""), [&all[..], b"\n"].concat());
        assert_eq!(say(&["-x", "ECHO"], b"a\xff\0b"), b"a\xff\0b\n");
        // A key of all bytes, as text is quoted.
        let set = b"SET \"\\x00\\xff \\r\\n\" binary\nGET \"\\x00\\xff \\r\\n\"\nINCR n\n";
        assert_eq!(say(&[], set), b"OK\nbinary\n1\n");
        assert_eq!(say(&["LPUSH", "bytes", "x"], b"")[..9], *b"WRONGTYPE");
        assert!(say(&["-3", "HELLO"], b"").starts_with(b"server "));
    }
}

#[test]
fn bulk_loading() {
    let Some(tool) = tool() else { return };
    let Some(server) = redis() else { return };
    let port = server.port().to_string();
    for count in [10_000_usize, 100_000] {
        tool.run(&["-p", &port, "FLUSHALL"], b"");
        let mut input = String::new();
        for n in 0..count {
            // Inline and RESP, in turn.
            let _ = match n % 2 {
                0 => writeln!(input, "SET load:{n} {n}"),
                _ => write!(input, "*2\r\n$4\r\nINCR\r\n$5\r\ntotal\r\n"),
            };
        }
        let done = tool.run(&["-p", &port, "--pipe"], input.as_bytes());
        let text = done.text();
        assert!(text.ends_with(&format!("errors: 0, replies: {count}\n")), "{text}{}", errors(&done));
        assert_eq!(done.code(), Some(0));
        let counts =
            tool.run(&["-p", &port], format!("DBSIZE\nGET total\nGET load:{}", count - 2).as_bytes());
        assert_eq!(counts.text(), format!("{}\n{}\n{}\n", count / 2 + 1, count / 2, count - 2));
    }
    let done = tool.run(&["-p", &port, "--pipe"], b"SET a 1\nLPUSH a x\n");
    assert!(errors(&done).starts_with("line 2: WRONGTYPE "), "{}", errors(&done));
    assert_eq!(done.code(), Some(1));
}

/// Each line waits for its answer.
#[test]
fn lines_from_standard_input() {
    let Some(tool) = tool() else { return };
    let Some(server) = redis() else { return };
    let input: String = (0..3000).map(|n| format!("INCRBY total {n}\n")).collect();
    let done = tool.run(&["-p", &server.port().to_string()], input.as_bytes());
    let mut total = 0;
    let expected: String = (0..3000)
        .map(|n| {
            total += n;
            format!("{total}\n")
        })
        .collect();
    assert!(done.text() == expected, "{} lines, {}", done.text().lines().count(), errors(&done));
}

#[test]
fn the_demo_runs_inside_and_on_a_server() {
    const PARTS: [&str; 4] =
        ["\"hello, world\"", "ERR value is not an integer", "a pipeline of 10 000", "PUBLISH"];
    // Without any network: the server is in the component.
    let Some(inside) = Guest::or_skip(Component::Respire, Network::Denied) else { return };
    let done = inside.run(&["demo"], b"");
    assert_eq!((errors(&done).as_str(), done.code()), ("", Some(0)));
    assert!(PARTS.iter().all(|part| done.text().contains(part)), "{}", done.text());

    let (Some(tool), Some(server)) = (tool(), redis()) else { return };
    let done = tool.run(&["demo", "--url", &server.url()], b"");
    assert_eq!((errors(&done).as_str(), done.code()), ("", Some(0)));
    assert!(PARTS.iter().all(|part| done.text().contains(part)), "{}", done.text());
    let left = tool.run(&["-p", &server.port().to_string(), "DBSIZE"], b"");
    assert_eq!(left.text(), "0\n");
}

/// Checks how the tool complains with this network; status 1.
fn complains(network: Network, args: &[&str], words: &str) {
    let Some(tool) = Guest::or_skip(Component::Respire, network) else { return };
    let done = tool.run(args, b"");
    let expected = format!("Could not connect to Redis at {words}\n");
    assert_eq!((errors(&done), done.code()), (expected, Some(1)), "{args:?}: {}", done.text());
}

#[test]
fn a_denied_network_names_the_flags() {
    let Some(server) = redis() else { return };
    let port = &server.port().to_string();
    let flags = "the host denies the network: run the component with \
                 wasmtime run -S inherit-network,allow-ip-name-lookup";
    complains(Network::Denied, &["-p", port, "PING"], &format!("127.0.0.1:{port}: {flags}"));
    let flags = "the name was not looked up: the host grants it with \
                 wasmtime run -S inherit-network,allow-ip-name-lookup";
    for network in [Network::Denied, Network::Addresses] {
        let args = ["-h", "localhost", "-p", port, "PING"];
        complains(network, &args, &format!("localhost:{port}: {flags}"));
    }
}

#[test]
fn there_is_nobody() {
    complains(Network::Granted, &["-p", "1", "PING"], "127.0.0.1:1: Connection refused");
    complains(Network::Addresses, &["-p", "1", "--pipe"], "127.0.0.1:1: Connection refused");
    complains(Network::Granted, &["-s", "/tmp/x", "PING"], "/tmp/x: WASI has no Unix sockets");
    // What the name service says of it depends on where this runs.
    let args = ["-h", "nosuch.invalid", "-p", "7000", "PING"];
    let native = run_with_limit(std::process::Command::new(respire_path()).args(args), b"", LIMIT);
    let errors = errors(&native);
    let words = errors.strip_prefix("Could not connect to Redis at ").expect("native words").trim_end();
    complains(Network::Granted, &args, words);
}

#[test]
fn a_wrong_password() {
    let Some(tool) = tool() else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    let server = Server::builder(Kind::Redis70).args(["--requirepass", "sesame"]).start();
    let port = server.port().to_string();
    let done = tool.run(&["-p", &port, "-a", "wrong", "--no-auth-warning", "PING"], b"");
    assert!(errors(&done).starts_with("AUTH failed: WRONGPASS "), "{}", errors(&done));
    let done = tool.run(&["-p", &port, "-a", "sesame", "--no-auth-warning", "PING"], b"");
    assert_eq!(done.text(), "PONG\n");
    let Some(probe) = Guest::or_skip(Component::Probe, Network::Granted) else { return };
    let done = probe.run(&["ask", &format!("redis://:wrong@127.0.0.1:{port}")], b"PING");
    let text = done.text();
    assert!(text.starts_with("unconnected ") && text.contains("WRONGPASS"), "{text}");
    assert!(!text.contains("wrong@") && text.contains("give the right user and password"), "{text}");
}
