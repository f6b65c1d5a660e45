//! Plays seeds of the world in virtual time, on all processors, and says what came of them.
//!
//! `simulate [--engine] [--seeds N] [--seed FIRST] [--mode safety|liveness] [--steps N] [--quiet]`
//!
//! With `--engine` the clients are whole ones, with a pool, retries and leases; else single connections.
//!
//! Exit status 1: something went wrong; the seed is shrunk, and its transcript printed.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use respire_core::testing::world::{
    Fault, Mode, Options, Outcome, Report, engine_transcript, run, run_engine, shrink, transcript,
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = match Wanted::parse(&words) {
        Ok(wanted) => wanted,
        Err(wrong) => {
            eprintln!("{wrong}");
            eprintln!(
                "simulate [--engine] [--seeds N] [--seed FIRST] [--mode safety|liveness] [--steps N] [--quiet]"
            );
            return ExitCode::from(2);
        }
    };
    let began = Instant::now();
    let sum = wanted.play();
    if !wanted.quiet || sum.wrong > 0 {
        sum.print(began.elapsed().as_secs_f64());
    }
    match sum.first {
        Some(report) => {
            if wanted.engine {
                println!("\n{report}\n\nits last lines:\n{}", engine_transcript(&report.options, 60));
                return ExitCode::FAILURE;
            }
            let small = shrink(&report.options);
            println!("\n{report}\n\nshrunk, its last lines:\n{}", transcript(&small, 60));
            println!("its faults: {}", small.faults);
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

/// What the command line wants.
struct Wanted {
    engine: bool,
    seeds: u64,
    first: u64,
    mode: Option<Mode>,
    steps: Option<u32>,
    quiet: bool,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted =
            Self { engine: false, seeds: 10_000, first: 0, mode: None, steps: None, quiet: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u64, String> {
                let text = words.next().ok_or(format!("{word} wants a number"))?;
                text.parse().map_err(|_| format!("{word} wants a number, not {text}"))
            };
            match word.as_str() {
                "--seeds" => wanted.seeds = number()?,
                "--seed" => wanted.first = number()?,
                "--steps" => wanted.steps = Some(number()?.try_into().map_err(|_| "too many steps")?),
                "--engine" => wanted.engine = true,
                "--quiet" => wanted.quiet = true,
                "--mode" => {
                    wanted.mode = Some(match words.next().map(String::as_str) {
                        Some("safety") => Mode::Safety,
                        Some("liveness") => Mode::Liveness,
                        _ => return Err("--mode wants safety or liveness".into()),
                    });
                }
                _ => return Err(format!("what is {word}?")),
            }
        }
        Ok(wanted)
    }

    fn options(&self, seed: u64) -> Options {
        let usual = Options::new(seed);
        Options { mode: self.mode.unwrap_or(usual.mode), steps: self.steps.unwrap_or(usual.steps), ..usual }
    }

    fn play(&self) -> Sum {
        let end = self.first.saturating_add(self.seeds);
        let (next, stop) = (AtomicU64::new(self.first), AtomicBool::new(false));
        let total = Mutex::new(Sum::default());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut sum = Sum::default();
                    while !stop.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= end {
                            break;
                        }
                        let options = self.options(seed);
                        let report = if self.engine { run_engine(&options) } else { run(&options) };
                        stop.fetch_or(report.wrong.is_some(), Ordering::Relaxed);
                        sum.add(report);
                    }
                    total.lock().unwrap().merge(sum);
                });
            }
        });
        total.into_inner().unwrap()
    }
}

/// What came of many seeds.
struct Sum {
    seeds: u64,
    requests: u64,
    connections: u64,
    faults: [u64; Fault::ALL.len()],
    outcomes: [u64; Outcome::ALL.len()],
    wrong: u64,
    first: Option<Report>,
}

impl Default for Sum {
    fn default() -> Self {
        let (faults, outcomes) = ([0; Fault::ALL.len()], [0; Outcome::ALL.len()]);
        Self { seeds: 0, requests: 0, connections: 0, faults, outcomes, wrong: 0, first: None }
    }
}

impl Sum {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.requests += report.requests;
        self.connections += report.connections;
        self.faults.iter_mut().zip(report.faults).for_each(|(sum, n)| *sum += u64::from(n));
        self.outcomes.iter_mut().zip(report.outcomes).for_each(|(sum, n)| *sum += n);
        if report.wrong.is_some() {
            self.wrong += 1;
            self.first.get_or_insert(report);
        }
    }

    fn merge(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.requests += other.requests;
        self.connections += other.connections;
        self.faults.iter_mut().zip(other.faults).for_each(|(sum, n)| *sum += n);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, n)| *sum += n);
        self.wrong += other.wrong;
        self.first = self.first.take().or(other.first);
    }

    fn print(&self, seconds: f64) {
        let rate = self.seeds as f64 / seconds;
        println!("{} seeds in {seconds:.1} s, {rate:.0} a second", self.seeds);
        println!("{} requests on {} connections", self.requests, self.connections);
        for (outcome, n) in Outcome::ALL.iter().zip(self.outcomes) {
            println!("  {n:>10} {}", outcome.name());
        }
        println!("{} faults", self.faults.iter().sum::<u64>());
        for (fault, n) in Fault::ALL.iter().zip(self.faults) {
            println!("  {n:>10} {}", fault.name());
        }
        println!("{} violations", self.wrong);
    }
}
