//! The options of the command line tool, as `redis-cli` names them.

use std::process::Command;

use respire_tests::{Finished, redis_cli_path, respire_path, run_with_limit, skip};

use crate::support::{Authority, LIMIT, Secure, secure, visitor};

fn run(tool: &std::path::Path, server: &Secure, args: &[&str], stdin: &[u8]) -> Finished {
    let mut command = Command::new(tool);
    command.current_dir(server.folder.path()).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    run_with_limit(command.args(args), stdin, LIMIT)
}

/// S0-SEC-01, S3-CONF-03: the same answers as those of `redis-cli`, in every mode.
#[test]
fn the_options_of_the_reference() {
    let Some(server) = secure(&["--tls-auth-clients", "yes"]) else { return };
    let Some(reference) = redis_cli_path() else { return skip("no redis-cli here") };
    let ours = server.authority.issue(&visitor("app"));
    server.folder.put("app.pem", &ours.cert);
    server.folder.put("app.key", &ours.key);
    let port = server.port.to_string();
    let base = [
        "-h",
        "localhost",
        "-p",
        &port,
        "--tls",
        "--cert",
        "app.pem",
        "--key",
        "app.key",
        "--cacert",
        "ca.pem",
    ];
    let cases: [(&[&str], &[u8]); 6] = [
        (&["--sni", "localhost", "SET", "greeting", "hello"], b""),
        (&["GET", "greeting"], b""),
        (&[], b"GET greeting\nECHO there\n"),
        (&["-x", "ECHO"], b"from outside"),
        (&["--scan"], b""),
        (&["--pipe"], b"SET greeting hello\nGET greeting\n"),
    ];
    for (args, stdin) in cases {
        let args = [&base[..], args].concat();
        let (theirs, ours) =
            (run(&reference, &server, &args, stdin), run(&respire_path(), &server, &args, stdin));
        assert_eq!((ours.text(), ours.code()), (theirs.text(), theirs.code()), "{args:?}");
        assert_eq!((ours.code(), ours.stderr.len()), (Some(0), 0), "{args:?}");
    }
}

/// S0-SEC-01, S3-CONF-03: who is verified and who is not.
#[test]
fn the_server_is_verified() {
    let Some(server) = secure(&["--requirepass", "sesame"]) else { return };
    server.folder.put("other.pem", &Authority::new("another").pem);
    std::fs::create_dir(server.folder.path().join("authorities")).unwrap();
    server.folder.put("authorities/a.pem", &server.authority.pem);
    let port = server.port.to_string();
    let (named, url) = (["-h", "localhost", "-p", &port], format!("rediss://:sesame@localhost:{port}/2"));
    let run = |args: &[&str]| {
        let mut command = Command::new(respire_path());
        command.current_dir(server.folder.path()).env("REDISCLI_AUTH", "sesame");
        run_with_limit(command.args(args), b"", LIMIT)
    };
    for args in [
        &["--tls", "--cacert", "ca.pem", "PING"][..],
        &["--tls", "--cacertdir", "authorities", "PING"],
        &["--tls", "--cacert", "other.pem", "--insecure", "PING"],
    ] {
        let done = run(&[&named[..], args].concat());
        assert_eq!((done.text().as_str(), done.code()), ("PONG\n", Some(0)), "{args:?}");
        let warned = String::from_utf8_lossy(&done.stderr).starts_with("Warning: with '--insecure'");
        assert_eq!(warned, args.contains(&"--insecure"), "{args:?}");
    }
    let done = run(&["-u", &url, "--cacert", "ca.pem", "--no-auth-warning", "SET", "a", "1"]);
    assert_eq!((done.text().as_str(), done.code(), done.stderr.len()), ("OK\n", Some(0), 0));
    for (args, words) in [
        (&["--tls", "PING"][..], "UnknownIssuer"),
        (&["--tls", "--cacert", "other.pem", "PING"], "UnknownIssuer"),
        (&["--tls", "--cacert", "ca.pem", "--sni", "redis.internal", "PING"], "not valid for name"),
        (&["--tls", "--cacert", "missing.pem", "PING"], "missing.pem"),
        (&["--tls", "--cert", "ca.pem", "PING"], "--cert and --key need each other"),
        (&["--tls", "-s", "/nowhere", "PING"], "no TLS over Unix sockets"),
    ] {
        let done = run(&[&named[..], args].concat());
        let shown = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!((done.text().as_str(), done.code()), ("", Some(1)), "{args:?}: {shown}");
        assert!(shown.contains(words), "{args:?}: {shown}");
    }
}
