//! One command, from the arguments.

use crate::cli::output::complain;
use std::io::Read;
use std::time::Duration;

use super::session::{Outcome, Session, plain};

/// Runs the command of the arguments, as often as asked.
pub(super) fn run(session: &mut Session) -> u8 {
    let command = match command(session) {
        Ok(command) => command,
        Err(text) => {
            complain!("{text}");
            return 1;
        }
    };
    if let Some(word) = command.first()
        && (word.eq_ignore_ascii_case(b"help") || word == b"?")
    {
        super::lines::help(session);
        return 0;
    }
    if !session.connect() {
        return 1;
    }
    let pause = Duration::try_from_secs_f64(session.options.interval).unwrap_or_default();
    let mut left = session.options.repeat;
    while left != 0 {
        left -= i64::from(left > 0);
        match session.execute(&command) {
            Outcome::Answered | Outcome::ShutDown => {}
            Outcome::Error if session.options.error_status => return 1,
            Outcome::Error => {}
            Outcome::Lost | Outcome::Unconnected => return 1,
        }
        // At once: the next answer may be long in coming, and Ctrl-C may come first.
        session.output.flush();
        if left != 0 && !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    0
}

/// The words to send: with what standard input or a script file adds.
fn command(session: &Session) -> Result<Vec<Vec<u8>>, String> {
    let options = &session.options;
    let mut command = options.command.clone();
    if let Some(path) = &options.eval {
        return script(path, command);
    }
    if options.stdin_last {
        command.push(stdin()?);
    }
    if let Some(tag) = &options.stdin_tag {
        let Some(word) = command.iter_mut().find(|word| *word == tag) else {
            return Err("Using -X option but stdin tag not match.".to_owned());
        };
        *word = stdin()?;
    }
    Ok(command)
}

/// `EVAL script numkeys key … arg …` from `key … , arg …`.
fn script(path: &std::ffi::OsStr, words: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    let text = std::fs::read(path)
        .map_err(|error| format!("Can't open file '{}': {}", path.to_string_lossy(), plain(&error)))?;
    let comma = words.iter().position(|word| word == b",");
    let keys = comma.unwrap_or(words.len());
    let mut command = vec![b"EVAL".to_vec(), text, keys.to_string().into_bytes()];
    command.extend(words.into_iter().enumerate().filter(|(at, _)| Some(*at) != comma).map(|(_, word)| word));
    Ok(command)
}

fn stdin() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
    Ok(bytes)
}
