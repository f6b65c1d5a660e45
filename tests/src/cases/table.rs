//! The tables of cases, a line of text for each.
//!
//! ```text
//! # a comment
//! [lists]                          a group; what follows up to the next one belongs to it
//! setup RPUSH l a b c              run before each case, after everything was deleted
//! forms raw tty csv json qjson     each case once per form (default: raw tty)
//! proto 2 3                        and once per protocol, 3 by the flag -3 (default: 2 3)
//! > LRANGE l 0 -1                  a case: the words after the connection options
//! < "text"                         the input of the case above (default: empty)
//! ```
//!
//! More settings of a group:
//!
//! | line | meaning |
//! |---|---|
//! | `server plain` (default), `auth`, `scripted`, `none` | what to connect to; for `none` the words name it themselves |
//! | `env NAME=VALUE` | an environment variable |
//! | `limit 400` | kill both programs after so many milliseconds; normal cases must end |
//! | `mask digits` | each run of digits in stdout is compared as `N` |
//! | `mask sorted` | the lines of stdout are compared sorted |
//! | `mask first` | only the first line of stdout is compared |
//! | `stderr same` (default), `stderr presence`, `stderr any` | how stderr is compared |
//! | `stdout same` (default), `stdout any` | how stdout is compared |
//! | `during PUBLISH a b` | another client says this after half the limit |
//! | `after LRANGE l 0 -1` | also compare what `redis-cli` says to this afterwards |
//!
//! In words and values `{port}`, `{socket}`, `{dir}` and `{closed}` (a port where nobody listens)
//! are replaced.

use super::words::split;

/// What a case connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A server without a password.
    Plain,
    /// A server with the password `sesame` and the user `ann` with the password `pw d`.
    Auth,
    /// The scripted peer of `scripted`.
    Scripted,
    /// The plain server is there, but the words of the case say where.
    Named,
}

/// An output format and the flag for it.
pub type Form = (&'static str, Option<&'static str>);

const FORMS: [Form; 6] = [
    ("raw", None),
    ("tty", Some("--no-raw")),
    ("csv", Some("--csv")),
    ("json", Some("--json")),
    ("qjson", Some("--quoted-json")),
    ("RAW", Some("--raw")),
];

/// How two outputs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// Byte for byte.
    Exact,
    /// Each run of digits as `N`.
    Digits,
    /// As a set of lines.
    Sorted,
    /// The first line only.
    First,
    /// Whether there is any.
    Presence,
    /// Not at all.
    Any,
}

/// One case of a table, with the settings of its group.
#[derive(Debug, Clone)]
pub struct Case {
    /// File, line and group, for messages.
    pub place: String,
    /// What it connects to.
    pub target: Target,
    /// Commands before it.
    pub setup: Vec<Vec<Vec<u8>>>,
    /// What another client says meanwhile.
    pub during: Vec<Vec<Vec<u8>>>,
    /// Commands whose answers afterwards are compared, too.
    pub after: Vec<Vec<Vec<u8>>>,
    /// The output formats it is run in.
    pub forms: Vec<Form>,
    /// The protocol versions it is run with.
    pub protocols: Vec<u8>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// When both programs are killed.
    pub limit_ms: Option<u64>,
    /// How standard output is compared.
    pub stdout: Mask,
    /// How standard error is compared.
    pub stderr: Mask,
    /// The words after the connection options.
    pub words: Vec<Vec<u8>>,
    /// Standard input.
    pub stdin: Vec<u8>,
}

impl Case {
    /// Every combination of form and protocol, as the names and the flags for it.
    pub fn variants(&self) -> impl Iterator<Item = (String, Vec<&'static str>)> {
        self.forms.iter().flat_map(|&(form, flag)| {
            self.protocols.iter().map(move |&protocol| {
                let json = form == "json" || form == "qjson";
                let protocol_flag = match protocol {
                    3 => Some("-3"),
                    // JSON means RESP3 unless the user says otherwise.
                    _ if json => Some("-2"),
                    _ => None,
                };
                (format!("{form} RESP{protocol}"), protocol_flag.into_iter().chain(flag).collect())
            })
        })
    }
}

/// Reads a table.
///
/// # Panics
///
/// When it is malformed, naming the line.
pub fn parse(name: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut group = new_group();
    let mut title = String::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{name}.txt:{}", number + 1);
        let line = line.trim_end();
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        match key {
            "" => {}
            _ if key.starts_with('#') => {}
            _ if key.starts_with('[') => {
                line.trim_matches(['[', ']']).clone_into(&mut title);
                group = new_group();
            }
            ">" => {
                let place = format!("{place} [{title}]");
                cases.push(Case { place, words: split(rest), ..group.clone() });
            }
            "<" => {
                let case = cases.last_mut().unwrap_or_else(|| panic!("{place}: input of what?"));
                case.stdin = split(rest).concat();
            }
            _ => setting(&mut group, key, rest).unwrap_or_else(|| panic!("{place}: {line}")),
        }
    }
    cases
}

/// Applies a setting to the group; `None` if it is unknown.
fn setting(group: &mut Case, key: &str, rest: &str) -> Option<()> {
    match key {
        "setup" => group.setup.push(split(rest)),
        "during" => group.during.push(split(rest)),
        "after" => group.after.push(split(rest)),
        "forms" => {
            let form = |name| FORMS.into_iter().find(|form| form.0 == name);
            group.forms = rest.split(' ').map(form).collect::<Option<_>>()?;
        }
        "proto" => {
            group.protocols = rest.split(' ').map(|word| word.parse().ok()).collect::<Option<_>>()?;
        }
        "env" => {
            let (name, value) = rest.split_once('=')?;
            group.env.push((name.to_owned(), value.to_owned()));
        }
        "limit" => group.limit_ms = Some(rest.parse().ok()?),
        "server" => {
            group.target = match rest {
                "plain" => Target::Plain,
                "auth" => Target::Auth,
                "scripted" => Target::Scripted,
                "none" => Target::Named,
                _ => return None,
            };
        }
        "mask" => {
            group.stdout = match rest {
                "digits" => Mask::Digits,
                "sorted" => Mask::Sorted,
                "first" => Mask::First,
                _ => return None,
            };
        }
        "stdout" => group.stdout = comparison(rest)?,
        "stderr" => group.stderr = comparison(rest)?,
        _ => return None,
    }
    Some(())
}

fn comparison(word: &str) -> Option<Mask> {
    match word {
        "same" => Some(Mask::Exact),
        "presence" => Some(Mask::Presence),
        "any" => Some(Mask::Any),
        _ => None,
    }
}

fn new_group() -> Case {
    Case {
        place: String::new(),
        target: Target::Plain,
        setup: Vec::new(),
        during: Vec::new(),
        after: Vec::new(),
        forms: FORMS[..2].to_vec(),
        protocols: vec![2, 3],
        env: Vec::new(),
        limit_ms: None,
        stdout: Mask::Exact,
        stderr: Mask::Exact,
        words: Vec::new(),
        stdin: Vec::new(),
    }
}
