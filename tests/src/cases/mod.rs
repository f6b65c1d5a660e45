//! Cases for the command line tool as tables of text, run with two programs that must do the same.
//!
//! [`table`] describes the form of a table. Each case runs both programs against the same fresh state;
//! output, error output and exit status are compared, and what the server says afterwards.

pub mod compare;
mod scripted;
mod setup;
pub mod table;
mod words;

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use compare::{difference, shown};
use setup::Setup;
use table::{Case, Target, parse};

use crate::{Finished, Kind, Server, redis_cli_path, run_with_limit, skip};

/// No case without a limit of its own takes longer.
const LIMIT: Duration = Duration::from_secs(15);

/// A port where nobody listens: only root could, and no usual service does.
const CLOSED: u16 = 1;

/// How many differences a failure lists.
const LISTED: usize = 25;

/// The commands that give the server of [`Target::Auth`] its users.
const AUTH_SETUP: &str = "ACL SETUSER ann on \">pw d\" ~* &* +@all";

/// A command line tool: the program, and what comes before the options of a case.
#[derive(Debug, Clone)]
pub struct Tool(Vec<OsString>);

impl Tool {
    /// A program and its first arguments, in which `{dir}` and the like are replaced as in a table.
    pub fn new<I: IntoIterator<Item: Into<OsString>>>(words: I) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }
}

/// Runs every case of a table in every form and protocol; in a fast run in every third of these,
/// which is of each protocol in turn.
///
/// # Panics
///
/// With the list of differences.
pub fn check(name: &str, text: &str, reference: &Tool, ours: &Tool) {
    let cases = parse(name, text);
    let variants = |case: &'_ Case| case.variants().step_by(step()).collect::<Vec<_>>();
    let every = cases.iter().flat_map(|case| variants(case).into_iter().map(move |variant| (case, variant)));
    compare_all(name, every, reference, ours);
}

/// Runs the cases of a table that `keep` wants, each in one form and protocol: another for each case
/// in turn. In a fast run every third case.
///
/// # Panics
///
/// With the list of differences.
pub fn check_each(name: &str, text: &str, keep: impl Fn(&Case) -> bool, reference: &Tool, ours: &Tool) {
    let cases = parse(name, text);
    let one = |(number, case): (usize, &'_ Case)| case.variants().nth(number % case.variants().count());
    let kept = cases.iter().filter(|case| keep(case)).step_by(step());
    let each = kept.enumerate().filter_map(|pair| Some((pair.1, one(pair)?)));
    compare_all(name, each, reference, ours);
}

/// `./check --fast` says that it leaves outputs out.
fn step() -> usize {
    if env::var_os("RESPIRE_FAST").is_some() { 3 } else { 1 }
}

/// A case in one form and protocol: their names, and the flags for them.
type Variant<'a> = (&'a Case, (String, Vec<&'static str>));

fn compare_all<'a>(name: &str, variants: impl Iterator<Item = Variant<'a>>, reference: &Tool, ours: &Tool) {
    let mut place = Place::new();
    let mut compared = 0_usize;
    let mut different = Vec::new();
    for (case, (variant, flags)) in variants {
        let theirs = place.run(reference, case, &flags);
        if case.limit_ms.is_none() && theirs.0.timed_out {
            panic!("{}: the reference does not end", case.place);
        }
        let ours = place.run(ours, case, &flags);
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
    println!("{name}: {compared} comparisons");
    assert!(
        different.is_empty(),
        "{} of {compared} comparisons differ:\n{}",
        different.len(),
        different[..different.len().min(LISTED)].join("\n"),
    );
}

/// The real tool, if the reference version of it and its server are there.
#[must_use]
pub fn reference() -> Option<PathBuf> {
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
    fn run(&mut self, tool: &Tool, case: &Case, flags: &[&str]) -> (Finished, Vec<u8>) {
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

        let mut words = tool.0.iter().map(|word| fill(word.as_encoded_bytes()));
        let mut command = Command::new(words.next().expect("a tool has a program"));
        command.args(words);
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
