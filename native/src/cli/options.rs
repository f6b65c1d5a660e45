//! The command line, as redis-cli has it: the last of several options wins, and options end at the
//! first word that does not start with a dash.

use crate::cli::output::complain;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use percent_encoding::percent_decode_str;
use respire_core::conn::Protocol;

use super::format::{Format, Printer};
use super::quoting;
use crate::{Dialer, Endpoint, Url};

/// What the command line says.
pub(super) struct Options {
    pub(super) host: String,
    pub(super) port: i64,
    pub(super) socket: Option<String>,
    pub(super) tls: Tls,
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

/// Whether there is TLS, and how.
#[derive(Default)]
pub(super) struct Tls {
    status: bool,
    sni: Option<String>,
    cacert: Option<OsString>,
    cacertdir: Option<OsString>,
    cert: Option<OsString>,
    key: Option<OsString>,
    insecure: bool,
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
    let flag = |id: &'static str| Arg::new(id).action(ArgAction::SetTrue).long(id);
    let short = |id: &'static str, letter| Arg::new(id).action(ArgAction::SetTrue).short(letter);
    Command::new("respire")
        .version(env!("CARGO_PKG_VERSION"))
        .override_usage("respire [OPTIONS] [COMMAND [ARGUMENT ...]]\n       respire demo [--url URL]")
        .about("Talks to Redis and Valkey servers; takes the options of redis-cli")
        .args_override_self(true)
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
            flag("tls").help("Use TLS, and verify the server"),
            value("sni", "NAME").long("sni").help("Who the server must prove to be [default: the host]"),
            value("cacert", "FILE").long("cacert").help("Authorities to trust [default: the system's]"),
            value("cacertdir", "FOLDER").long("cacertdir").help("The same, each file of a folder"),
            flag("insecure").help("Trust any server: whoever is between may read and change everything"),
            value("cert", "FILE").long("cert").help("Certificate of our own, for servers that ask for it"),
            value("key", "FILE").long("key").help("Its key"),
            value("repeat", "N").short('r').help("Run the command N times; -1 for ever"),
            value("interval", "SECONDS").short('i').help("Wait between repetitions [default: 0]"),
            value("db", "N").short('n').help("Database number"),
            short("resp2", '2').help("Speak RESP2 (the default)"),
            short("resp3", '3').help("Speak RESP3"),
            short("stdin-last", 'x').help("Read the last argument from standard input"),
            value("stdin-tag", "TAG").short('X').help("Read the argument that is TAG from standard input"),
            value("delimiter", "TEXT").short('d').help("Between elements of raw output [default: newline]"),
            value("end", "TEXT").short('D').help("After replies of raw output [default: newline]"),
            short("error-status", 'e').help("Exit with status 1 if the server answers with an error"),
            flag("raw").help("Print replies raw (the default if output is not a terminal)"),
            flag("no-raw").help("Print replies with their types (the default on a terminal)"),
            flag("quoted-input").help("Read arguments as quoted strings"),
            flag("csv").help("Print replies as CSV"),
            flag("json").help("Print replies as JSON, and speak RESP3"),
            flag("quoted-json").help("The same with bytes that are not ASCII escaped"),
            value("show-pushes", "yes|no").long("show-pushes").help("Print pushes [default: on a terminal]"),
            flag("pipe")
                .help("Load commands from standard input, inline or RESP, as fast as the server takes"),
            value("pipe-timeout", "SECONDS")
                .long("pipe-timeout")
                .help("Patience for the last reply [default: 30]"),
            flag("no-auth-warning").help("Do not warn of passwords on the command line"),
            value("eval", "FILE").long("eval").help("Run a script: FILE KEY ... , ARGUMENT ..."),
            flag("scan").help("List all keys"),
            value("pattern", "GLOB").long("pattern").help("With --scan: only keys that match"),
            value("quoted-pattern", "GLOB").long("quoted-pattern").help("The same as a quoted string"),
            flag("verbose").help("Accepted and ignored"),
            short("cluster", 'c').help("Accepted and ignored: redirections are printed"),
            Arg::new("help").long("help").action(ArgAction::Help).help("Print this help "),
            Arg::new("version")
                .short('v')
                .long("version")
                .action(ArgAction::Version)
                .help("Print the version "),
        ])
}

impl Options {
    /// Reads the command line and the environment.
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let args: Vec<OsString> = args.into_iter().collect();
        // Options end at the first word; clap would go on looking for them.
        let (options, words) = split_command(args)?;
        // A host cannot be missing: `-h` at the end asks for help.
        if words.is_empty() && options.len() > 1 && options.last().is_some_and(|last| last == "-h") {
            return Err(Stop::said(definition().render_help().to_string()));
        }
        let matches = definition().try_get_matches_from(options).map_err(|error| stop(&error))?;
        let mut this = Self { password: std::env::var_os("REDISCLI_AUTH").map(lossy), ..Self::default() };
        this.apply(&matches)?;
        this.command = words.into_iter().map(OsString::into_encoded_bytes).collect();
        if matches.get_flag("quoted-input") {
            this.unquote_command()?;
        }
        if this.stdin_last && this.stdin_tag.is_some() {
            return Err(Stop::error("Options -x and -X are mutually exclusive."));
        }
        if this.tls.cert.is_some() != this.tls.key.is_some() {
            return Err(Stop::error("Options --cert and --key need each other."));
        }
        // Nothing goes out in the clear that was to be secret.
        if this.tls.status && this.socket.is_some() {
            return Err(Stop::error("There is no TLS over Unix sockets."));
        }
        Ok(this)
    }

    /// Applies the options in the order in which they stand.
    fn apply(&mut self, matches: &ArgMatches) -> Result<(), Stop> {
        let mut found: Vec<(usize, &str, Option<OsString>)> = Vec::new();
        for id in matches.ids().map(clap::Id::as_str) {
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
        if matches.get_flag("resp2") && matches.get_flag("resp3") {
            return Err(Stop::error("Options -2 and -3 are mutually exclusive."));
        }
        let json = matches.get_flag("json") || matches.get_flag("quoted-json");
        if json && self.protocol.is_none() {
            self.protocol = Some(Protocol::Resp3);
        }
        Ok(())
    }

    fn set(&mut self, id: &str, value: OsString) -> Result<(), Stop> {
        match id {
            "host" => self.host = lossy(value),
            "port" => self.port = number(&value),
            "socket" => {
                let path = value.into_string().map_err(|_| Stop::error("The socket's path is not UTF-8."))?;
                self.socket = Some(path);
            }
            "password" | "pass" => {
                self.password = Some(lossy(value));
                self.password_shown = true;
            }
            "user" => self.user = Some(lossy(value)),
            "url" => self.url(&lossy(value))?,
            "tls" => self.tls.status = true,
            "sni" => self.tls.sni = Some(lossy(value)),
            "cacert" => self.tls.cacert = Some(value),
            "cacertdir" => self.tls.cacertdir = Some(value),
            "cert" => self.tls.cert = Some(value),
            "key" => self.tls.key = Some(value),
            "insecure" => self.tls.insecure = true,
            "repeat" => self.repeat = number(&value),
            "interval" => self.interval = lossy(value).parse().ok().filter(|s: &f64| *s > 0.0).unwrap_or(0.0),
            "db" => self.db = number(&value),
            "resp2" => self.protocol = Some(Protocol::Resp2),
            "resp3" => self.protocol = Some(Protocol::Resp3),
            "stdin-last" => self.stdin_last = true,
            "stdin-tag" => self.stdin_tag = Some(value.into_encoded_bytes()),
            "delimiter" => self.printer.element_delimiter = value.into_encoded_bytes(),
            "end" => self.printer.reply_delimiter = value.into_encoded_bytes(),
            "error-status" => self.error_status = true,
            "raw" => self.printer.format = Format::Raw,
            "no-raw" => self.printer.format = Format::Tty,
            "csv" => self.printer.format = Format::Csv,
            "json" => self.printer.format = Format::Json,
            "quoted-json" => self.printer.format = Format::QuotedJson,
            "show-pushes" => match value.as_encoded_bytes().first().map(u8::to_ascii_lowercase) {
                Some(b'y') => self.show_pushes = true,
                Some(b'n') => self.show_pushes = false,
                _ => complain!(
                    "Unknown --show-pushes value '{}' (valid: '[y]es', '[n]o')",
                    value.to_string_lossy()
                ),
            },
            "pipe" => self.pipe = true,
            "pipe-timeout" => self.pipe_timeout = u64::try_from(number(&value)).unwrap_or(0),
            "no-auth-warning" => self.auth_warning = false,
            "eval" => self.eval = Some(value),
            "scan" => self.scan = true,
            "pattern" => self.pattern = Some(value.into_encoded_bytes()),
            "quoted-pattern" => {
                let pattern = quoting::unquote(value.as_encoded_bytes());
                self.pattern = Some(pattern.ok_or_else(invalid_quoting)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// A URL, read as leniently as redis-cli does.
    fn url(&mut self, url: &str) -> Result<(), Stop> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => {}
            "unix" => return self.strict_url(url),
            "rediss" | "valkeys" => self.tls.status = true,
            _ => return Err(Stop::error("Invalid URI scheme")),
        }
        let rest = rest.split('?').next().unwrap_or(rest);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').map_or((None, authority), |(l, p)| (Some(l), p));
        if let Some(login) = login {
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            match login.split_once(':') {
                Some((user, password)) => {
                    // No user is the default user; redis-cli 7.0 takes it for one without a name.
                    self.user = Some(decode(user)).filter(|user| !user.is_empty());
                    self.password = Some(decode(password));
                }
                None => self.password = Some(decode(login)),
            }
            self.password_shown = true;
        }
        if place.starts_with('[') {
            return self.strict_url(&format!("redis://{place}/{path}"));
        }
        match place.split_once(':') {
            Some((host, port)) => {
                self.host = host.to_owned();
                self.port = number(OsStr::new(port));
            }
            None if place.is_empty() => {}
            None => self.host = place.to_owned(),
        }
        if !path.is_empty() {
            self.db = number(OsStr::new(path));
        }
        Ok(())
    }

    /// What redis-cli does not know is read by the library's own rules.
    fn strict_url(&mut self, url: &str) -> Result<(), Stop> {
        let url: Url = url.parse().map_err(|error: crate::UrlError| Stop::error(error.to_string()))?;
        match url.endpoint {
            Endpoint::Unix(path) => self.socket = Some(path),
            Endpoint::Tcp { host, port } | Endpoint::Tls { host, port } => {
                self.host = host;
                self.port = port.into();
            }
        }
        self.db = url.db.into();
        self.user = url.user.or(self.user.take());
        if url.password.is_some() {
            self.password = url.password;
            self.password_shown = true;
        }
        Ok(())
    }

    fn unquote_command(&mut self) -> Result<(), Stop> {
        for word in &mut self.command {
            *word = quoting::unquote(word).ok_or_else(invalid_quoting)?;
        }
        Ok(())
    }

    /// Where to connect to.
    pub(super) fn endpoint(&self) -> Endpoint {
        match &self.socket {
            Some(path) => Endpoint::Unix(path.clone()),
            None => {
                // A port out of range is refused by the system as port 0 is.
                let (host, port) = (self.host.clone(), u16::try_from(self.port).unwrap_or(0));
                if self.tls.status { Endpoint::Tls { host, port } } else { Endpoint::Tcp { host, port } }
            }
        }
    }

    /// Who connects.
    #[cfg(all(feature = "tls", not(target_os = "wasi")))]
    pub(super) fn dialer(&self) -> Dialer {
        let options = &self.tls;
        let mut tls = crate::Tls::new();
        if let Some(file) = &options.cacert {
            tls = tls.ca_file(file);
        }
        if let Some(folder) = &options.cacertdir {
            tls = tls.ca_dir(folder);
        }
        if let (Some(cert), Some(key)) = (&options.cert, &options.key) {
            tls = tls.client_cert(cert, key);
        }
        if let Some(name) = &options.sni {
            tls = tls.server_name(name);
        }
        if options.insecure {
            tls = tls.dangerous_accept_any_certificate();
        }
        Dialer { tls: options.status.then_some(tls), ..Dialer::default() }
    }

    /// Who connects; TLS is refused by it.
    #[cfg(not(all(feature = "tls", not(target_os = "wasi"))))]
    #[expect(clippy::unused_self, reason = "with TLS the options say how")]
    pub(super) fn dialer(&self) -> Dialer {
        Dialer::default()
    }

    /// Whoever may be the server.
    pub(super) const fn trusts_anyone(&self) -> bool {
        self.tls.status && self.tls.insecure
    }

    /// The server's address as messages and the prompt show it.
    pub(super) fn address(&self) -> String {
        match &self.socket {
            Some(path) => path.clone(),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self {
            host: "127.0.0.1".to_owned(),
            port: Endpoint::DEFAULT_PORT.into(),
            socket: None,
            tls: Tls::default(),
            user: None,
            password: None,
            password_shown: false,
            auth_warning: true,
            db: 0,
            protocol: None,
            printer: Printer::new(if terminal { Format::Tty } else { Format::Raw }),
            repeat: 1,
            interval: 0.0,
            stdin_last: false,
            stdin_tag: None,
            error_status: false,
            show_pushes: terminal,
            pipe: false,
            pipe_timeout: 30,
            eval: None,
            scan: false,
            pattern: None,
            command: Vec::new(),
        }
    }
}

/// Cuts the arguments where the command begins: at the first word that is neither an option nor
/// the value of one. Options stand alone: `-n 3`, not `-n3`.
fn split_command(args: Vec<OsString>) -> Result<(Vec<OsString>, Vec<OsString>), Stop> {
    let definition = definition();
    let mut at = 1;
    while let Some(word) = args.get(at).filter(|word| word.as_encoded_bytes().starts_with(b"-")) {
        let text = word.to_string_lossy();
        let option = definition.get_arguments().find(|arg| {
            let long = arg.get_long().is_some_and(|long| text.strip_prefix("--") == Some(long));
            let short = arg.get_short().map(|short| format!("-{short}"));
            long || short.as_deref() == Some(&*text)
        });
        at += match option {
            Some(option) if option.get_action().takes_values() => 2,
            Some(_) => 1,
            None => return Err(unrecognized(&text)),
        };
    }
    let mut options = args;
    let words = options.split_off(at.min(options.len()));
    Ok((options, words))
}

fn unrecognized(option: &str) -> Stop {
    Stop::error(format!("Unrecognized option or bad number of args for: '{option}'"))
}

fn stop(error: &clap::Error) -> Stop {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::said(error.render().to_string()),
        _ => {
            let option = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
            unrecognized(option.split(' ').next().unwrap_or_default())
        }
    }
}

fn invalid_quoting() -> Stop {
    Stop { text: "Invalid quoted string\n".to_owned(), to_stdout: true, status: 1 }
}

fn lossy(text: OsString) -> String {
    text.to_string_lossy().into_owned()
}

/// A number as C's `atoi` reads it: leading digits, else 0.
fn number(text: &OsStr) -> i64 {
    let text = text.to_string_lossy();
    let text = text.trim_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let magnitude: i64 = digits[..end].parse().unwrap_or(0);
    if text.starts_with('-') { -magnitude } else { magnitude }
}
