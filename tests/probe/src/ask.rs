//! Commands from standard input, one a line, on one client.
//!
//! For each line, and first for the connection, it prints `KIND MILLISECONDS TEXT`: what became of
//! the request, how long that took, and the answer or the error. Two lines are no commands:
//!
//! | line | meaning |
//! |---|---|
//! | `sleep MILLISECONDS` | rests before the next line, and prints nothing |
//! | `times COUNT COMMAND` | sends a command so often in a pipeline; the text is how many ended how |

use std::io::{BufRead, Write, stdin, stdout};
use std::thread::sleep;
use std::time::{Duration, Instant};

use respire::conn::Failure;
use respire::prelude::*;
use respire::resp::Value;
use respire::{Error, Single};

use crate::Failed;

pub(crate) fn run(url: &str) -> Result<(), Failed> {
    let start = Instant::now();
    let client = match Single::open(url) {
        Ok(client) => client,
        Err(error) => return say(kind(&error), start, &error.to_string()),
    };
    say("open", start, "")?;
    for line in stdin().lock().lines() {
        let line = line?;
        let line: Vec<&str> = line.split(' ').collect();
        let start = Instant::now();
        match &line[..] {
            ["sleep", millis] => sleep(Duration::from_millis(millis.parse()?)),
            ["times", count, command @ ..] => {
                say("pipeline", start, &many(&client, count.parse()?, command)?)?;
            }
            command => match client.send(words(command)).wait() {
                Ok(value) => say("answer", start, &text(&value))?,
                Err(error) => say(kind(&error), start, &error.to_string())?,
            },
        }
    }
    Ok(())
}

/// What became of a pipeline: `answer 3, unknown 2`, in the order of the requests.
fn many(client: &Single, count: usize, command: &[&str]) -> Result<String, Failed> {
    let results = client.pipeline(vec![words(command); count]).wait()?;
    let kinds: Vec<_> =
        results.iter().map(|result| result.as_ref().map_or_else(kind, |_| "answer")).collect();
    let runs = kinds.chunk_by(|a, b| a == b).map(|run| format!("{} {}", run[0], run.len()));
    Ok(runs.collect::<Vec<_>>().join(", "))
}

fn say(kind: &str, start: Instant, text: &str) -> Result<(), Failed> {
    let mut stdout = stdout().lock();
    writeln!(stdout, "{kind} {} {text}", start.elapsed().as_millis())?;
    Ok(stdout.flush()?)
}

const fn kind(error: &Error) -> &'static str {
    match error {
        Error::Connect(_) => "unconnected",
        Error::Server(_) => "error",
        Error::Lost { failure: Failure::NotSent, .. } => "not-sent",
        Error::Lost { .. } => "unknown",
        Error::SessionLost => "session-lost",
        _ => "other",
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Simple(bytes) | Value::Bulk(bytes) => bytes.escape_ascii().to_string(),
        other => format!("{other:?}"),
    }
}
