//! Commands as lines: from standard input, and from the prompt.

use std::io::BufRead;

use super::quoting;
use super::session::{Outcome, Session, word};

/// What a line asks of the loop that reads lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// The next line.
    Line,
    /// The end.
    Quit,
}

/// Runs the commands of standard input. Errors are printed and do not stop it.
pub(super) fn run(session: &mut Session) -> u8 {
    // Each line is on its own: no status tells of one.
    session.options.error_status = false;
    session.connect();
    let mut stdin = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        match stdin.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return 0,
            Ok(_) => {}
        }
        if execute(session, &line) == Next::Quit {
            return 0;
        }
        session.output.flush();
    }
}

/// Runs one line: a command, perhaps with a number in front of it that says how often.
pub(super) fn execute(session: &mut Session, line: &[u8]) -> Next {
    let Some(mut words) = quoting::split(line) else {
        session.output.line("Invalid argument(s)");
        return Next::Line;
    };
    if words.is_empty() {
        return Next::Line;
    }
    let mut times: i64 = 1;
    let count = std::str::from_utf8(word(&words, 0)).ok().and_then(|first| first.parse::<i64>().ok());
    if let (Some(count), true) = (count, words.len() > 1) {
        if count <= 0 {
            session.output.line("Invalid redis-cli repeat command option value.");
            return Next::Line;
        }
        times = count;
        words.remove(0);
    }
    if let Some(next) = local(session, &words) {
        return next;
    }
    for _ in 0..times {
        let outcome = session.execute(&words);
        session.output.flush();
        if !matches!(outcome, Outcome::Answered | Outcome::Error) {
            break;
        }
    }
    Next::Line
}

/// Words that are not for the server.
fn local(session: &mut Session, words: &[Vec<u8>]) -> Option<Next> {
    let first = word(words, 0).to_ascii_lowercase();
    match (first.as_slice(), words) {
        (b"quit" | b"exit", [_]) => return Some(Next::Quit),
        (b"clear", [_]) => session.output.buffer().extend_from_slice(b"\x1b[H\x1b[2J"),
        (b"help" | b"?", _) => help(session),
        (b"restart", [_]) => session.output.line("Use 'restart' only in Lua debugging mode."),
        (b"connect", [_, host, port]) => {
            session.options.host = String::from_utf8_lossy(host).into_owned();
            session.options.port = String::from_utf8_lossy(port).parse().unwrap_or(0);
            session.options.socket = None;
            session.disconnect();
            session.connect();
        }
        (b":set", [_, what]) if matches!(what.as_slice(), b"hints" | b"nohints") => {}
        ([b':', ..], _) => {
            let text =
                format!("unknown redis-cli internal command '{}'", String::from_utf8_lossy(word(words, 0)));
            session.output.line(&text);
        }
        _ => return None,
    }
    Some(Next::Line)
}

/// What can be typed that is not a command of the server.
pub(super) fn help(session: &mut Session) {
    session.output.line(concat!(
        "respire ",
        env!("CARGO_PKG_VERSION"),
        "\n",
        "A line is a command: SET greeting \"hello world\". Words with blanks stand in quotes.\n",
        "  <n> <command>         runs it n times\n",
        "  connect <host> <port> goes to another server\n",
        "  clear                 clears the screen\n",
        "  quit                  ends this\n",
        "Options: respire --help. Commands: COMMAND DOCS <name> asks the server (Redis 7.0)."
    ));
}
