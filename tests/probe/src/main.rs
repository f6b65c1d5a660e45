//! A client to be looked at from outside: the tests build it for WASI and for this machine, run it
//! and read what it prints.
//!
//! | arguments | what it does |
//! |---|---|
//! | `ask URL` | sends each line of standard input as a command and prints what came of it |
//! | `pipeline URL COUNT` | pipelines of so many requests, each answer checked |
//! | `values URL` | values of all sizes, stored and read back; prints how long it took |
//! | `gets URL COUNT DEPTH` | so many GET, always `DEPTH` in one go: for measuring |
//!
//! The exit status is 0 if all went well, else 1, with the error on standard error.

mod ask;
mod gets;
mod pipeline;
mod values;

use std::env;
use std::process::ExitCode;

/// Whatever went wrong, in words.
type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failed> {
    match *words {
        ["ask", url] => ask::run(url),
        ["pipeline", url, count] => pipeline::run(url, count.parse()?),
        ["values", url] => values::run(url),
        ["gets", url, count, depth] => gets::run(url, count.parse()?, depth.parse()?),
        _ => Err("ask, pipeline, values or gets, and their arguments".into()),
    }
}
