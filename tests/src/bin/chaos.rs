//! Clients under one fault after the other, and what came of it: the scoreboard.
//!
//! `chaos [--minutes N] [--seed S] [--row N]... [--loopback | --own-network] [--json]`
//!
//! Without minutes each row is played once. `--loopback` leaves out what needs a network of its own, and
//! `--own-network` all else. Exit status 1: something that was promised did not hold; 2: the command line
//! makes no sense, or there is no server; 3: all held, and a row could not be played here.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, Instant};

use respire_tests::Kind;
use respire_tests::chaos::{Line, ROWS, Row, apart, run, table};

const USAGE: &str = "chaos [--minutes N] [--seed S] [--row N]... [--loopback | --own-network] [--json]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = match Wanted::parse(&words) {
        Ok(wanted) => wanted,
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
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
    /// Which rows besides: those that need a network of their own, or those that do not.
    apart: Option<bool>,
}

/// What came of a row.
enum Came {
    Held,
    Broken,
    Skipped,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self { minutes: 0.0, seed: 1, rows: Vec::new(), json: false, apart: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--minutes" => wanted.minutes = number(word, words.next())?,
                "--seed" => wanted.seed = number(word, words.next())?,
                "--row" => wanted.rows.push(number(word, words.next())?),
                "--json" => wanted.json = true,
                "--loopback" => wanted.apart = Some(false),
                "--own-network" => wanted.apart = Some(true),
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
        let is_wanted = |row: &&Row| self.rows.is_empty() || self.rows.contains(&row.number);
        let is_here = |row: &&Row| self.apart.is_none_or(|apart| row.apart == apart);
        ROWS.iter().filter(is_wanted).filter(is_here).collect()
    }

    fn play(&self) -> ExitCode {
        let (rows, start) = (self.rows(), Instant::now());
        let span = Duration::from_secs_f64(self.minutes * 60.0 / rows.len() as f64);
        // Who was started for one row only prints its line.
        let is_part = apart::is_apart();
        if !self.json && !is_part {
            println!("{}", table());
        }
        let (mut broken, mut skipped) = (0, 0);
        for row in rows {
            match self.play_row(row, span) {
                Came::Held => {}
                Came::Broken => broken += 1,
                Came::Skipped => skipped += 1,
            }
        }
        if !self.json && !is_part {
            let took = start.elapsed().as_millis();
            println!("{took} ms, times above are in ms; {broken} rows broken, {skipped} skipped");
        }
        // Callers that never came back are still there.
        match (broken, skipped) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(3),
            _ => ExitCode::FAILURE,
        }
    }

    fn play_row(&self, row: &'static Row, span: Duration) -> Came {
        if row.apart && !apart::is_apart() {
            return self.play_apart(row, span);
        }
        let line = run(row, self.seed, span);
        if self.json {
            println!("{}", line.json());
        } else {
            println!("{line}");
        }
        if line.broken().is_empty() { Came::Held } else { Came::Broken }
    }

    /// In a process that has a network of its own.
    fn play_apart(&self, row: &Row, span: Duration) -> Came {
        if let Some(why) = apart::obstacle() {
            println!("{}", Line::skipped(row, &why, self.json));
            return Came::Skipped;
        }
        let minutes = (span.as_secs_f64() / 60.0).to_string();
        let (seed, number) = (self.seed.to_string(), row.number.to_string());
        let words = ["--own-network", "--minutes", &minutes, "--seed", &seed, "--row", &number];
        let json = self.json.then_some("--json");
        match apart::run(&words.into_iter().chain(json).collect::<Vec<_>>()) {
            Ok(status) if status.success() => Came::Held,
            Ok(_) => Came::Broken,
            Err(error) => {
                println!("{}", Line::skipped(row, &error.to_string(), self.json));
                Came::Skipped
            }
        }
    }
}

/// What stands behind a word.
fn number<T: FromStr>(word: &str, text: Option<&String>) -> Result<T, String> {
    let text = text.ok_or(format!("{word} wants a number"))?;
    text.parse().map_err(|_| format!("{word} wants a number, not {text}"))
}
