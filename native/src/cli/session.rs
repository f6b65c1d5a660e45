//! A connection as redis-cli makes it, and one command on it.

use crate::cli::output::complain;
use std::io::IsTerminal;
use std::time::Duration;

use respire_core::client::{self, Cause, Fault, Patience};
use respire_core::command::{Command, Effect, words};
use respire_core::conn::{CloseReason, Event, Failure, Protocol, Settings, SubmitError, Token};
use respire_core::error::ProtocolError;
use respire_core::resp::Reply;

use super::options::Options;
use super::output::Output;
use crate::resp::ErrorReply;
use crate::{ConnectError, Dialer};

/// A connection that at most `IN_FLIGHT` commands wait on.
pub(super) type Link<const IN_FLIGHT: usize = 16> = Box<client::Link<Dialer, IN_FLIGHT>>;

/// What the tool keeps while it runs.
pub(super) struct Session {
    pub(super) options: Options,
    pub(super) output: Output,
    driver: Option<Link>,
    /// The database that SELECT chose, for the prompt.
    pub(super) db: i64,
    /// Between MULTI and what ends it, for the prompt.
    pub(super) in_multi: bool,
}

/// How a command went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The server answered.
    Answered,
    /// The server answered with an error.
    Error,
    /// The connection ended; it was said.
    Lost,
    /// There was no connection; it was said.
    Unconnected,
    /// The server went away because it was told to.
    ShutDown,
}

impl Session {
    pub(super) fn new(options: Options, output: Output) -> Self {
        let db = options.db;
        Self { options, output, driver: None, db, in_multi: false }
    }

    /// Connects if there is no connection. What goes wrong is said on standard error.
    pub(super) fn connect(&mut self) -> bool {
        if self.driver.as_ref().is_some_and(|driver| !driver.connection().is_closed()) {
            return true;
        }
        self.in_multi = false;
        match connect(&self.options) {
            Ok(connected) => {
                self.driver = Some(connected.driver);
                true
            }
            Err(error) => {
                self.output.flush();
                complain!("Could not connect to Redis at {}: {}", self.options.address(), error.cause);
                explain(&error);
                self.driver = None;
                false
            }
        }
    }

    #[cfg(not(target_os = "wasi"))]
    pub(super) const fn is_connected(&self) -> bool {
        self.driver.is_some()
    }

    pub(super) fn disconnect(&mut self) {
        self.driver = None;
    }

    /// Runs one command and prints its answer; commands that never end are printed for ever.
    pub(super) fn execute(&mut self, command: &[Vec<u8>]) -> Outcome {
        if !self.connect() {
            return Outcome::Unconnected;
        }
        let row = Command::lookup(word(command, 0), word(command, 1));
        match row.effect {
            Effect::Subscribe(_) => self.listen(command, true),
            Effect::Monitor => self.listen(command, false),
            effect => self.ask(command, effect),
        }
    }

    /// Runs a command and shows the answer to `read` instead of printing it.
    pub(super) fn request<T>(&mut self, command: &[Vec<u8>], read: impl Fn(Reply<'_>) -> T) -> Option<T> {
        let Self { output, driver, .. } = self;
        let mut value = None;
        let result = exchange(driver.as_mut()?, command, |answers, reply| {
            if answers {
                value = Some(read(reply));
            }
        });
        if let Err(end) = result {
            end.say(output);
            self.driver = None;
        }
        value
    }

    fn ask(&mut self, command: &[Vec<u8>], effect: Effect) -> Outcome {
        let Self { options, output, driver, .. } = self;
        let Some(driver) = driver.as_mut() else { return Outcome::Unconnected };
        let mut outcome = Outcome::Lost;
        let result = exchange(driver, command, |answers, reply| {
            if answers {
                outcome = print(options, command, reply, output.buffer());
            } else if options.show_pushes {
                print_push(options, reply, output.buffer());
            }
        });
        let Err(end) = result else {
            if outcome == Outcome::Answered {
                self.follow(command, effect);
            }
            return outcome;
        };
        let told_to = word(command, 0).eq_ignore_ascii_case(b"shutdown");
        if !matches!(end, End::Refused(_)) {
            self.driver = None;
            self.in_multi = false;
        }
        if told_to && matches!(end, End::Closed(_)) {
            return Outcome::ShutDown;
        }
        end.say(&mut self.output);
        Outcome::Lost
    }

    /// Remembers for the prompt what an answered command changed.
    fn follow(&mut self, command: &[Vec<u8>], effect: Effect) {
        match effect {
            Effect::Multi => self.in_multi = true,
            Effect::EndMulti => self.in_multi = false,
            Effect::Reset => {
                self.in_multi = false;
                self.db = 0;
            }
            Effect::Select => {
                self.db = String::from_utf8_lossy(word(command, 1)).parse().unwrap_or(0);
            }
            _ => {}
        }
    }

    /// SUBSCRIBE and MONITOR: prints what comes until the connection ends.
    fn listen(&mut self, command: &[Vec<u8>], subscribe: bool) -> Outcome {
        let Self { options, output, driver, .. } = self;
        let Some(driver) = driver.as_mut() else { return Outcome::Unconnected };
        if subscribe && options.printer.format != super::format::Format::Raw {
            output.line("Reading messages... (press Ctrl-C to quit)");
            output.flush();
        }
        if let Err(error) = driver.submit_until(None, Token(0), &words(command)) {
            End::Refused(error).say(output);
            return Outcome::Lost;
        }
        loop {
            let mut failed = None;
            driver.turn(None, |event| {
                let reply = match event {
                    Event::Push(push) => push,
                    // The last confirmation was printed as a push.
                    Event::Reply { reply, .. } if subscribe && reply.error().is_none() => return,
                    Event::Reply { reply, .. } => reply,
                    _ => return,
                };
                let outcome = print(options, command, reply, output.buffer());
                if reply.error().is_some() {
                    failed = Some(outcome);
                }
            });
            output.flush();
            if let Some(outcome) = failed {
                return outcome;
            }
            if driver.connection().is_closed() {
                End::Closed(end_of(driver)).say(output);
                self.driver = None;
                return Outcome::Lost;
            }
        }
    }
}

/// Why there is no answer.
enum End {
    Closed(String),
    Refused(SubmitError),
    Failed(Failure),
}

impl End {
    fn say(&self, output: &mut Output) {
        output.flush();
        match self {
            Self::Closed(text) => complain!("Error: {text}"),
            Self::Refused(error) => complain!("Error: {error}"),
            Self::Failed(failure) => complain!("Error: {failure}"),
        }
    }
}

/// Sends a command and waits for its answer as long as it takes. Shows the answer and, as `false`,
/// the pushes that come before it.
fn exchange(
    driver: &mut Link,
    command: &[Vec<u8>],
    mut show: impl FnMut(bool, Reply<'_>),
) -> Result<(), End> {
    driver.submit_until(None, Token(0), &words(command)).map_err(End::Refused)?;
    let effect = Command::lookup(word(command, 0), word(command, 1)).effect;
    let confirmed = matches!(effect, Effect::Unsubscribe(_));
    let (mut answered, mut shown, mut failed) = (false, false, None);
    while !answered {
        driver.turn(None, |event| match event {
            // Of several confirmations the first is shown, as redis-cli does; all are awaited.
            Event::Push(push) => {
                let first = confirmed && !core::mem::replace(&mut shown, true);
                if first || !confirmed {
                    show(first, push);
                }
            }
            Event::Reply { reply, .. } => {
                answered = true;
                if !shown {
                    show(true, reply);
                }
            }
            Event::Failed { failure: failure @ (Failure::TooLarge | Failure::TooDeep), .. } => {
                failed = Some(failure);
            }
            _ => {}
        });
        if let Some(failure) = failed {
            return Err(End::Failed(failure));
        }
        if !answered && driver.connection().is_closed() {
            return Err(End::Closed(end_of(driver)));
        }
    }
    Ok(())
}

/// Prints an answer in the chosen format, or as text where the server already made it for people.
fn print(options: &Options, command: &[Vec<u8>], reply: Reply<'_>, out: &mut Vec<u8>) -> Outcome {
    let error = reply.error();
    if let Some(error) = error
        && options.error_status
    {
        let mut text = error.text().to_vec();
        text.push(b'\n');
        // Bytes as they are; standard error cannot be told of its own failure.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), &text);
        return Outcome::Error;
    }
    let printed = if is_text(command) {
        options.printer.print_as_text(reply, out)
    } else {
        options.printer.print(reply, out)
    };
    if let Err(too_deep) = printed {
        complain!("Error: {too_deep}");
        return Outcome::Error;
    }
    if error.is_some() { Outcome::Error } else { Outcome::Answered }
}

/// A push outside of subscriptions. Invalidations have a line of their own.
fn print_push(options: &Options, push: Reply<'_>, out: &mut Vec<u8>) {
    if options.printer.format == super::format::Format::Tty
        && let Ok((b"invalidate", keys)) = push.get::<(&[u8], Vec<Vec<u8>>)>()
    {
        out.extend_from_slice(b"-> invalidate: ");
        for (at, key) in keys.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"'" } else { b", '" });
            out.extend_from_slice(key);
            out.push(b'\'');
        }
        out.push(b'\n');
        return;
    }
    if let Err(too_deep) = options.printer.print(push, out) {
        complain!("Error: {too_deep}");
    }
}

/// Commands whose answers are text for people, whatever the format.
fn is_text(command: &[Vec<u8>]) -> bool {
    let first = word(command, 0).to_ascii_uppercase();
    let second = word(command, 1).to_ascii_uppercase();
    matches!(
        (first.as_slice(), second.as_slice(), command.len()),
        (b"INFO" | b"LOLWUT", ..)
            | (b"DEBUG", b"HTSTATS" | b"HTSTATS-KEY", _)
            | (b"MEMORY", b"MALLOC-STATS" | b"DOCTOR", _)
            | (b"CLIENT", b"LIST" | b"INFO", _)
            | (b"CLUSTER", b"INFO" | b"NODES", 2)
            | (b"LATENCY", b"DOCTOR", 2)
            | (b"LATENCY", b"GRAPH", 3)
            | (b"PROXY", b"INFO", _)
    )
}

/// The word at `at`, empty if there is none.
pub(super) fn word(command: &[Vec<u8>], at: usize) -> &[u8] {
    command.get(at).map_or(&[], Vec::as_slice)
}

/// How the connection ended, in redis-cli's words where it has some.
pub(super) fn end_of<const N: usize>(driver: &Link<N>) -> String {
    match driver.connection().close_reason() {
        Some(CloseReason::Eof | CloseReason::Quit | CloseReason::Transport) => {
            "Server closed the connection".to_owned()
        }
        Some(CloseReason::Refused(error)) => error.to_string(),
        Some(CloseReason::Protocol(error)) => match error {
            ProtocolError::UnknownType(byte) => {
                format!("Protocol error, got \"{}\" as reply type byte", [byte].escape_ascii())
            }
            ProtocolError::BadInteger => "Bad integer value".to_owned(),
            ProtocolError::BadDouble => "Bad double value".to_owned(),
            ProtocolError::BadBoolean => "Bad bool value".to_owned(),
            ProtocolError::BadNull => "Bad nil value".to_owned(),
            error => error.to_string(),
        },
        _ => cause(driver),
    }
}

/// Connects as the options say. What goes wrong after that is said on standard error, and the
/// connection is used all the same.
pub(super) fn connect<const N: usize>(options: &Options) -> Result<Connected<N>, ConnectError> {
    let patience = Patience { connect: Duration::from_secs(30), reply: None };
    // No handshake of the connection's own: what the server says to each step is shown.
    let bare = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
    let mut driver: Link<N> = client::connect(&mut options.dialer(), &options.endpoint(), &bare, patience)?;
    let mut steps: Vec<(Vec<Vec<u8>>, String)> = Vec::new();
    let step = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
    if let Some(password) = &options.password {
        let words: Vec<&str> =
            ["AUTH"].into_iter().chain(options.user.as_deref()).chain([password.as_str()]).collect();
        steps.push((step(&words), "AUTH".to_owned()));
    }
    if options.db != 0 {
        let db = options.db.to_string();
        steps.push((step(&["SELECT", &db]), format!("SELECT {db}")));
    }
    if options.protocol == Some(Protocol::Resp3) {
        steps.push((step(&["HELLO", "3"]), "HELLO 3".to_owned()));
    }
    let mut complete = true;
    for (command, name) in steps {
        let mut answer: Option<Result<(), ErrorReply>> = None;
        let submitted = driver.submit_until(None, Token(0), &words(&command));
        while submitted.is_ok() && answer.is_none() && !driver.connection().is_closed() {
            driver.turn(None, |event| {
                if let Event::Reply { reply, .. } = event {
                    answer = Some(reply.error().map_or(Ok(()), |error| Err(error.into())));
                }
            });
        }
        if let Some(Err(error)) = answer {
            let mut line = format!("{name} failed: ").into_bytes();
            line.extend_from_slice(error.as_ref().text());
            line.push(b'\n');
            let _ = std::io::Write::write_all(&mut std::io::stderr(), &line);
            complete = false;
            break;
        }
        if answer.is_none() {
            complain!("Error: {}", end_of(&driver));
            complete = false;
            break;
        }
    }
    Ok(Connected { driver, complete })
}

/// A connection, and whether every step that the options ask for went well.
pub(super) struct Connected<const N: usize> {
    pub(super) driver: Link<N>,
    pub(super) complete: bool,
}

/// For people, not for scripts: what was tried and what to do.
pub(super) fn explain(error: &ConnectError) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    for (address, error) in &error.tried {
        complain!("  tried {address}: {}", plain(error));
    }
    if !matches!(error.cause, Cause::Server(_)) {
        complain!("  {}", error.hint());
        complain!("  to see respire work without a server: respire demo");
    }
}

/// How the connection ended, in the library's words.
pub(super) fn cause<const N: usize>(driver: &Link<N>) -> String {
    match (driver.connection().close_reason(), driver.error()) {
        (_, Some(error)) => format!("the connection broke: {}", plain(error)),
        (Some(reason), _) => reason.to_string(),
        (None, _) => "the connection stands".to_owned(),
    }
}

/// An error in the system's words alone.
pub(super) fn plain(error: &impl Fault) -> String {
    struct Words<'a, E>(&'a E);
    impl<E: Fault> std::fmt::Display for Words<'_, E> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.words(f)
        }
    }
    Words(error).to_string()
}
