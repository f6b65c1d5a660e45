//! Clients under one fault after the other, and what came of it: the scoreboard.
//!
//! `chaos [--minutes N] [--seed S] [--row N]... [--json]`
//!
//! Without minutes each row is played once. Exit status 1: something that was promised did not hold; 2: the command
//! line makes no sense, or there is no server.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use respire_tests::Kind;
use respire_tests::chaos::{ROWS, Row, run, table};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = match Wanted::parse(&words) {
        Ok(wanted) => wanted,
        Err(wrong) => {
            eprintln!("{wrong}\nchaos [--minutes N] [--seed S] [--row N]... [--json]");
            return ExitCode::from(2);
        }
    };
    if Kind::Redis70.binary().is_none() {
        eprintln!("there is no {}", Kind::Redis70);
        return ExitCode::from(2);
    }
    wanted.play()
}

/// What the command line wants.
struct Wanted {
    minutes: f64,
    seed: u64,
    rows: Vec<u8>,
    json: bool,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self { minutes: 0.0, seed: 1, rows: Vec::new(), json: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--minutes" => wanted.minutes = number(word, words.next())?,
                "--seed" => wanted.seed = number(word, words.next())?,
                "--row" => wanted.rows.push(number(word, words.next())?),
                "--json" => wanted.json = true,
                _ => return Err(format!("what is {word}?")),
            }
        }
        let is_known = |number: &u8| ROWS.iter().any(|row| row.number == *number);
        match wanted.rows.iter().find(|number| !is_known(number)) {
            Some(number) => Err(format!("there is no row {number}")),
            None => Ok(wanted),
        }
    }

    fn rows(&self) -> Vec<&'static Row> {
        ROWS.iter().filter(|row| self.rows.is_empty() || self.rows.contains(&row.number)).collect()
    }

    fn play(&self) -> ExitCode {
        let (rows, start) = (self.rows(), Instant::now());
        let span = Duration::from_secs_f64(self.minutes * 60.0 / rows.len() as f64);
        if !self.json {
            println!("{}", table());
        }
        let mut broken = 0;
        for row in rows {
            let line = run(row, self.seed, span);
            if self.json {
                println!("{}", line.json());
            } else {
                println!("{line}");
            }
            broken += line.broken().len();
        }
        if !self.json {
            println!("{} ms, times above are in ms; {broken} promises broken", start.elapsed().as_millis());
        }
        // Callers that never came back are still there.
        if broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// What stands behind a word.
fn number<T: FromStr>(word: &str, text: Option<&String>) -> Result<T, String> {
    let text = text.ok_or(format!("{word} wants a number"))?;
    text.parse().map_err(|_| format!("{word} wants a number, not {text}"))
}
