//! The prompt: lines from a terminal, with editing and history.

use crate::cli::output::complain;
use std::time::{Duration, Instant};

use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, Result};

use super::lines::{self, Next};
use super::quoting;
use super::session::{Session, word};

/// Answers that took longer are followed by how long.
const WORTH_SAYING: Duration = Duration::from_millis(500);

/// Reads and runs lines until the user has enough. The terminal is in its raw mode only while a
/// line is edited, so Ctrl-C leaves it sane at any time.
pub(super) fn run(session: &mut Session) -> u8 {
    session.options.error_status = false;
    session.connect();
    match edit(session) {
        Ok(()) => 0,
        Err(error) => {
            complain!("Error: {error}");
            1
        }
    }
}

fn edit(session: &mut Session) -> Result<()> {
    let mut editor = DefaultEditor::new()?;
    editor.set_max_history_size(1000)?;
    let mut history =
        std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".respire_history"));
    if let Some(history) = &history {
        // The first time there is none.
        let _ = editor.load_history(history);
    }
    loop {
        let line = match editor.readline(&prompt(session)) {
            Ok(line) => line,
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => break,
            Err(error) => return Err(error),
        };
        if !line.trim().is_empty() && !is_secret(&line) {
            editor.add_history_entry(&line)?;
            // At once: Ctrl-C may end the process while a subscription is printed.
            if let Some(path) = &history
                && let Err(error) = editor.append_history(path)
            {
                complain!("The history is not saved in {}: {error}", path.display());
                history = None;
            }
        }
        let start = Instant::now();
        if lines::execute(session, line.as_bytes()) == Next::Quit {
            break;
        }
        if start.elapsed() > WORTH_SAYING {
            let seconds = start.elapsed().as_secs_f64();
            session.output.line(&format!("({seconds:.2}s)"));
        }
        session.output.flush();
    }
    Ok(())
}

fn prompt(session: &Session) -> String {
    if !session.is_connected() {
        return "not connected> ".to_owned();
    }
    let db = if session.db == 0 { String::new() } else { format!("[{}]", session.db) };
    let transaction = if session.in_multi { "(TX)" } else { "" };
    format!("{}{db}{transaction}> ", session.options.address())
}

/// Lines that hold a password are not remembered.
fn is_secret(line: &str) -> bool {
    let words = quoting::split(line.as_bytes()).unwrap_or_default();
    let is = |at: usize, name: &[u8]| word(&words, at).eq_ignore_ascii_case(name);
    is(0, b"auth")
        || is(0, b"hello")
        || is(0, b"migrate")
        || (is(0, b"acl") && is(1, b"setuser"))
        || (is(0, b"config") && is(1, b"set"))
}
