//! Runs the cases of a table with both programs.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use respire_tests::{Finished, Kind, Server, redis_cli_path, respire_path, run_with_limit, skip};

use crate::compare::{difference, shown};
use crate::setup::Setup;
use crate::table::{Case, Target, parse};
use crate::{scripted, words};

/// No case without a limit of its own takes longer.
const LIMIT: Duration = Duration::from_secs(15);

/// A port where nobody listens: only root could, and no usual service does.
const CLOSED: u16 = 1;

/// How many differences a failure lists.
const LISTED: usize = 25;

/// The commands that give the server of [`Target::Auth`] its users.
const AUTH_SETUP: &str = "ACL SETUSER ann on \">pw d\" ~* &* +@all";

/// Runs every case of a table and fails with the list of differences.
pub(crate) fn check(name: &str, text: &str) {
    let Some(reference) = reference() else { return };
    let cases = parse(name, text);
    let mut place = Place::new();
    let ours = respire_path();
    // `./check --fast` says that it leaves outputs out; every third is of each protocol in turn.
    let step = if env::var_os("RESPIRE_FAST").is_some() { 3 } else { 1 };
    let mut compared = 0_usize;
    let mut different = Vec::new();
    for case in &cases {
        for (variant, flags) in case.variants().step_by(step) {
            let theirs = place.run(&reference, case, &flags);
            if case.limit_ms.is_none() && theirs.0.timed_out {
                panic!("{}: the reference does not end", case.place);
            }
            let ours = place.run(&ours, case, &flags);
            compared += 1;
            let mut text = difference(case, &theirs.0, &ours.0).unwrap_or_default();
            if theirs.1 != ours.1 {
                let _ = writeln!(text, "  state expected: {}", shown(&theirs.1));
                let _ = writeln!(text, "  state got:      {}", shown(&ours.1));
            }
            if !text.is_empty() {
                let words = case.words.join(&b' ').escape_ascii().to_string();
                different.push(format!("{} ({variant}): {words}\n{text}", case.place));
            }
        }
    }
    println!("{name}: {compared} comparisons of {} cases", cases.len());
    assert!(
        different.is_empty(),
        "{} of {compared} comparisons differ:\n{}",
        different.len(),
        different[..different.len().min(LISTED)].join("\n"),
    );
}

/// The real tool, if the reference version of it and its server are there.
pub(crate) fn reference() -> Option<PathBuf> {
    if !Kind::Redis70.available_or_skip() {
        return None;
    }
    let Some(path) = redis_cli_path() else {
        skip("no redis-cli here: install redis-tools, or run ./check");
        return None;
    };
    let version = run_with_limit(Command::new(&path).arg("--version"), b"", LIMIT).text();
    // Later versions print some things differently on purpose.
    if !version.starts_with("redis-cli 7.0.") {
        skip(&format!("the reference is redis-cli 7.0, this one is {}", version.trim_end()));
        return None;
    }
    Some(path)
}

/// Where the cases of one table run.
struct Place {
    servers: HashMap<bool, (Server, Setup)>,
    scripted: Option<SocketAddr>,
}

impl Place {
    fn new() -> Self {
        Self { servers: HashMap::new(), scripted: None }
    }

    /// Runs one program on a case; also gives what the server then says to the `after` commands.
    fn run(&mut self, program: &Path, case: &Case, flags: &[&str]) -> (Finished, Vec<u8>) {
        let auth = case.target == Target::Auth;
        let scripted = *self.scripted.get_or_insert_with(scripted::start);
        let (server, setup) = self.servers.entry(auth).or_insert_with(|| start(auth));
        if case.target != Target::Scripted {
            setup.fresh(&case.setup);
        }

        let port = match case.target {
            Target::Scripted => Some(scripted.port()),
            Target::Plain | Target::Auth => Some(server.port()),
            Target::Named => None,
        };
        let socket = server.unix_path().expect("asked for a socket").display().to_string();
        let fill = |text: &[u8]| -> OsString {
            let mut text = text.to_vec();
            for (name, value) in [
                ("{port}", server.port().to_string()),
                ("{socket}", socket.clone()),
                ("{dir}", server.dir().display().to_string()),
                ("{closed}", CLOSED.to_string()),
            ] {
                text = replace(&text, name.as_bytes(), value.as_bytes());
            }
            OsString::from_vec(text)
        };

        let mut command = Command::new(program);
        command.env_remove("REDISCLI_AUTH").env_remove("REDISCLI_HISTFILE");
        command.env("TERM", "dumb").current_dir(server.dir());
        for (name, value) in &case.env {
            command.env(name, fill(value.as_bytes()));
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        command.args(flags).args(case.words.iter().map(|word| fill(word)));
        let limit = case.limit_ms.map_or(LIMIT, Duration::from_millis);
        let addr = server.addr();
        let finished = thread::scope(|scope| {
            if !case.during.is_empty() {
                scope.spawn(move || {
                    thread::sleep(limit / 2);
                    Setup::connect(addr, auth).send(&case.during);
                });
            }
            run_with_limit(&mut command, &case.stdin, limit)
        });

        let mut after = Vec::new();
        for words in &case.after {
            let mut command = Command::new(redis_cli_path().expect("found before"));
            command.args(["-p", &server.port().to_string(), "--no-raw", "--no-auth-warning"]);
            if auth {
                command.args(["-a", "sesame"]);
            }
            command.args(words.iter().map(|word| OsString::from_vec(word.clone())));
            after.extend(run_with_limit(&mut command, b"", LIMIT).stdout);
        }
        (finished, after)
    }
}

/// The server of a table, with a file for `--eval`.
fn start(auth: bool) -> (Server, Setup) {
    let builder = Server::builder(Kind::Redis70).unix_socket();
    let builder = if auth { builder.args(["--requirepass", "sesame"]) } else { builder };
    let server = builder.start();
    let script = "return {KEYS, ARGV, #KEYS, #ARGV}\n";
    std::fs::write(server.dir().join("script.lua"), script).expect("writing a script");
    let mut setup = Setup::connect(server.addr(), auth);
    if auth {
        setup.fresh(&[words::split(AUTH_SETUP)]);
    }
    (server, setup)
}

/// `text` with each `from` replaced by `to`.
fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&first) = rest.first() {
        if let Some(tail) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = tail;
        } else {
            out.push(first);
            rest = &rest[1..];
        }
    }
    out
}
