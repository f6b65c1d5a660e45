//! The `respire` command line tool: takes what redis-cli takes and prints what it prints.
//!
//! | room | what it does |
//! |---|---|
//! | `options`, `conceal` | the command line; passwords out of the process' title |
//! | `session` | a connection as redis-cli makes it, and one command on it |
//! | `once`, `lines`, `prompt` | commands from arguments, from standard input, from a terminal |
//! | `pipe` | bulk loading |
//! | `scan` | `--scan` |
//! | `format`, `quoting` | replies to text, text to words |
//! | `demo` | the main job against a server in this process |

#[cfg(unix)]
mod conceal;
mod demo;
mod format;
mod lines;
mod once;
mod options;
mod output;
mod pipe;
#[cfg(not(target_os = "wasi"))]
mod prompt;
mod quoting;
mod scan;
mod session;

use crate::cli::output::complain;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use options::{Options, Stop};
use output::Output;
use session::Session;

/// Runs the tool with the arguments of this process.
pub fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(stop) => return say(&stop),
    };
    if options.command.first().is_some_and(|word| word == b"demo") {
        return match demo::run(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(stop) => say(&stop),
        };
    }
    if options.password_shown && options.auth_warning {
        complain!(
            "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe."
        );
    }
    if options.trusts_anyone() {
        complain!("Warning: with '--insecure' no certificate is verified: anyone may be the server.");
    }
    let output = Output::stdout();
    let status = run(options, output);
    ExitCode::from(status)
}

#[cfg(unix)]
fn options() -> Result<Options, Stop> {
    let arguments = conceal::Arguments::of_process();
    let options = Options::parse(arguments.list.clone())?;
    if options.password_shown || demo::shows_password(&options) {
        arguments.conceal();
    }
    Ok(options)
}

/// Elsewhere the arguments of a process are not for everyone to see, or cannot be hidden.
#[cfg(not(unix))]
fn options() -> Result<Options, Stop> {
    Options::parse(std::env::args_os())
}

fn run(options: Options, output: Output) -> u8 {
    if options.pipe {
        return pipe::run(&options);
    }
    let mut session = Session::new(options, output);
    if session.options.scan {
        scan::run(&mut session)
    } else if !session.options.command.is_empty() || session.options.eval.is_some() {
        once::run(&mut session)
    } else if std::io::stdin().is_terminal() && session.options.stdin_tag.is_none() {
        interact(&mut session)
    } else {
        lines::run(&mut session)
    }
}

#[cfg(not(target_os = "wasi"))]
fn interact(session: &mut Session) -> u8 {
    prompt::run(session)
}

/// Without a line editor a terminal is a file like any other.
#[cfg(target_os = "wasi")]
fn interact(session: &mut Session) -> u8 {
    lines::run(session)
}

fn say(stop: &Stop) -> ExitCode {
    let newline = if stop.text.ends_with('\n') { "" } else { "\n" };
    if stop.to_stdout {
        // Nobody may be listening; there is nobody to tell.
        let _ = write!(std::io::stdout(), "{}{newline}", stop.text);
    } else {
        let _ = write!(std::io::stderr(), "{}{newline}", stop.text);
    }
    ExitCode::from(stop.status)
}
