//! The command line, as redis-cli has it: the last of several options wins, and options end at the
//! first word that does not start with a dash.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use respire_core::conn::Protocol;

use super::format::{Format, Printer};
use super::quoting;
use crate::url::{Endpoint, Url};

/// What the command line says.
pub(super) struct Options {
    pub(super) endpoint: Endpoint,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// The password stood on the command line, where other users may see it.
    pub(super) password_shown: bool,
    pub(super) auth_warning: bool,
    pub(super) db: i64,
    pub(super) protocol: Option<Protocol>,
    pub(super) printer: Printer,
    pub(super) repeat: i64,
    pub(super) interval: f64,
    pub(super) stdin_last: bool,
    pub(super) stdin_tag: Option<Vec<u8>>,
    pub(super) error_status: bool,
    pub(super) show_pushes: bool,
    pub(super) pipe: bool,
    pub(super) pipe_timeout: u64,
    pub(super) eval: Option<OsString>,
    pub(super) scan: bool,
    pub(super) pattern: Option<Vec<u8>>,
    pub(super) command: Vec<Vec<u8>>,
}

/// Why there is nothing to run: text, where it goes, and the exit status.
pub(super) struct Stop {
    pub(super) text: String,
    pub(super) to_stdout: bool,
    pub(super) status: u8,
}

impl Stop {
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self { text: text.into(), to_stdout: false, status: 1 }
    }

    const fn said(text: String) -> Self {
        Self { text, to_stdout: true, status: 0 }
    }
}

/// The options, for their names and help texts.
fn definition() -> Command {
    let value = |id: &'static str, name: &'static str| {
        Arg::new(id)
            .value_name(name)
            .num_args(1)
            .action(ArgAction::Append)
            .allow_hyphen_values(true)
            .value_parser(value_parser!(OsString))
    };
    let flag = |id: &'static str| Arg::new(id).action(ArgAction::Count).long(id);
    Command::new("respire")
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage("respire [OPTIONS] [COMMAND [ARGUMENT ...]]\n       respire demo [--url URL]")
        .about("Talks to Redis and Valkey servers; takes the options of redis-cli")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args([
            value("host", "HOST").short('h').help("Server host name [default: 127.0.0.1]"),
            value("port", "PORT").short('p').help("Server port [default: 6379]"),
            value("socket", "PATH").short('s').help("Unix socket, instead of host and port"),
            value("password", "PASSWORD").short('a').help("Password; REDISCLI_AUTH is the safer way"),
            value("user", "USER").long("user").help("User, for a password that is not the default user's"),
            value("pass", "PASSWORD").long("pass").help("The same as -a"),
            value("url", "URL").short('u').help("Server URL: redis://user:password@host:port/db"),
            value("repeat", "N").short('r').help("Run the command N times; -1 for ever"),
            value("interval", "SECONDS").short('i').help("Wait between repetitions [default: 0]"),
            value("db", "N").short('n').help("Database number"),
            flag("resp2").short('2').help("Speak RESP2 (the default)"),
            flag("resp3").short('3').help("Speak RESP3"),
            flag("stdin-last").short('x').help("Read the last argument from standard input"),
            value("stdin-tag", "TAG").short('X').help("Read the argument that is TAG from standard input"),
            value("delimiter", "TEXT").short('d').help("Between elements of raw output [default: newline]"),
            value("end", "TEXT").short('D').help("After replies of raw output [default: newline]"),
            flag("error-status").short('e').help("Exit with status 1 if the server answers with an error"),
            flag("raw").help("Print replies raw (the default if output is not a terminal)"),
            flag("no-raw").help("Print replies with their types (the default on a terminal)"),
            flag("quoted-input").help("Read arguments as quoted strings"),
            flag("csv").help("Print replies as CSV"),
            flag("json").help("Print replies as JSON, and speak RESP3"),
            flag("quoted-json").help("The same with bytes that are not ASCII escaped"),
            value("show-pushes", "yes|no").long("show-pushes").help("Print pushes [default: on a terminal]"),
            flag("pipe").help("Load commands from standard input, inline or RESP, as fast as the server takes"),
            value("pipe-timeout", "SECONDS").long("pipe-timeout").help("Patience for the last reply [default: 30]"),
            flag("no-auth-warning").help("Do not warn of passwords on the command line"),
            value("eval", "FILE").long("eval").help("Run a script: FILE KEY ... , ARGUMENT ..."),
            flag("scan").help("List all keys"),
            value("pattern", "GLOB").long("pattern").help("With --scan: only keys that match"),
            value("quoted-pattern", "GLOB").long("quoted-pattern").help("The same as a quoted string"),
            flag("verbose").help("Accepted and ignored"),
            flag("cluster").short('c').help("Accepted and ignored: redirections are printed"),
            Arg::new("help").long("help").action(ArgAction::Help).help("Print this help "),
            Arg::new("version").short('v').long("version").action(ArgAction::Version).help("Print the version "),
            Arg::new("command")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(false)
                .value_parser(value_parser!(OsString))
                .help("A command; without one they are read from standard input"),
        ])
        .mut_arg("raw", |arg| arg.long("raw"))
}

impl Options {
    /// Reads the command line and the environment.
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let args: Vec<OsString> = args.into_iter().collect();
        if args.len() > 1 && args.last().is_some_and(|last| last == "-h") && args.len() == 2 {
            return Err(Stop::said(definition().render_help().to_string()));
        }
        // Options end at the first word; clap would go on looking for them.
        let (options, words) = split_command(args);
        let matches = definition().try_get_matches_from(options).map_err(|error| stop(&error))?;
        let mut this = Self::default();
        this.password = std::env::var_os("REDISCLI_AUTH").map(lossy);
        this.apply(&matches)?;
        this.command = words.into_iter().map(OsString::into_vec).collect();
        if matches.get_count("quoted-input") > 0 {
            this.unquote_command()?;
        }
        if this.stdin_last && this.stdin_tag.is_some() {
            return Err(Stop::error("Options -x and -X are mutually exclusive."));
        }
        Ok(this)
    }

    /// Applies the options in the order in which they stand.
    fn apply(&mut self, matches: &ArgMatches) -> Result<(), Stop> {
        let mut found: Vec<(usize, &str, Option<OsString>)> = Vec::new();
        for id in matches.ids().map(clap::Id::as_str).filter(|&id| id != "command") {
            let indices = matches.indices_of(id).into_iter().flatten();
            match matches.try_get_many::<OsString>(id) {
                Ok(Some(values)) => {
                    found.extend(indices.zip(values).map(|(index, value)| (index, id, Some(value.clone()))));
                }
                _ if matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine) => {
                    found.extend(indices.map(|index| (index, id, None)));
                }
                _ => {}
            }
        }
        found.sort_by_key(|(index, ..)| *index);
        for (_, id, value) in found {
            self.set(id, value.unwrap_or_default())?;
        }
        if matches.get_count("resp2") > 0 && matches.get_count("resp3") > 0 {
            return Err(Stop::error("Options -2 and -3 are mutually exclusive."));
        }
        let json = matches.get_count("json") + matches.get_count("quoted-json") > 0;
        if json && self.protocol.is_none() {
            self.protocol = Some(Protocol::Resp3);
        }
        Ok(())
    }

    fn set(&mut self, id: &str, value: OsString) -> Result<(), Stop> {
        match id {
            "host" => self.tcp().0.clone_from(&lossy(value)),
            "port" => *self.tcp().1 = number(&value) as u16,
            "socket" => self.endpoint = Endpoint::Unix(value.into()),
            "password" | "pass" => {
                self.password = Some(lossy(value));
                self.password_shown = true;
            }
            "user" => self.user = Some(lossy(value)),
            "url" => self.url(&lossy(value))?,
            "repeat" => self.repeat = number(&value),
            "interval" => self.interval = lossy(value).parse().ok().filter(|s: &f64| *s > 0.0).unwrap_or(0.0),
            "db" => self.db = number(&value),
            "resp2" => self.protocol = Some(Protocol::Resp2),
            "resp3" => self.protocol = Some(Protocol::Resp3),
            "stdin-last" => self.stdin_last = true,
            "stdin-tag" => self.stdin_tag = Some(value.into_vec()),
            "delimiter" => self.printer.element_delimiter = value.into_vec(),
            "end" => self.printer.reply_delimiter = value.into_vec(),
            "error-status" => self.error_status = true,
            "raw" => self.printer.format = Format::Raw,
            "no-raw" => self.printer.format = Format::Tty,
            "csv" => self.printer.format = Format::Csv,
            "json" => self.printer.format = Format::Json,
            "quoted-json" => self.printer.format = Format::QuotedJson,
            "show-pushes" => match value.as_bytes().first().map(u8::to_ascii_lowercase) {
                Some(b'y') => self.show_pushes = true,
                Some(b'n') => self.show_pushes = false,
                _ => eprintln!(
                    "Unknown --show-pushes value '{}' (valid: '[y]es', '[n]o')",
                    value.to_string_lossy()
                ),
            },
            "pipe" => self.pipe = true,
            "pipe-timeout" => self.pipe_timeout = u64::try_from(number(&value)).unwrap_or(0),
            "no-auth-warning" => self.auth_warning = false,
            "eval" => self.eval = Some(value),
            "scan" => self.scan = true,
            "pattern" => self.pattern = Some(value.into_vec()),
            "quoted-pattern" => {
                let pattern = quoting::unquote(value.as_bytes());
                self.pattern = Some(pattern.ok_or_else(invalid_quoting)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn tcp(&mut self) -> (&mut String, &mut u16) {
        if matches!(self.endpoint, Endpoint::Unix(_)) {
            // A socket wins over host and port, wherever they stand: what is set here is not used.
            return (&mut self.spare.0, &mut self.spare.1);
        }
        match &mut self.endpoint {
            Endpoint::Tcp { host, port } => (host, port),
            Endpoint::Unix(_) => unreachable!("handled above"),
        }
    }
}
