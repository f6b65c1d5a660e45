//! `--pipe`: bulk loading. Commands of standard input, inline or RESP, go out as fast as the server
//! takes them, in memory of one command and the buffers; each error is reported with the line its command starts at.

mod input;
mod progress;
mod source;

use crate::cli::output::complain;
use std::time::{Duration, Instant};

use respire_core::command::Request;
use respire_core::conn::{Event, Failure, SubmitError, Token};
use respire_core::error::Full;

use super::options::Options;
use super::output::Output;
use super::session::{Link, cause, connect, explain};
use input::Input;
use progress::Progress;
use source::{Item, Source};

/// Commands that wait for answers.
const IN_FLIGHT: usize = 4096;

/// Bytes that are encoded ahead of the socket.
const AHEAD: usize = 256 << 10;

/// How often the server is listened to while standard input rests.
const LISTEN: Duration = Duration::from_millis(50);

/// Loads standard input. The status says whether everything went well.
pub(super) fn run(options: &Options) -> u8 {
    let connected = match connect(options) {
        Ok(connected) => connected,
        Err(error) => {
            complain!("Could not connect to Redis at {}: {}", options.address(), error.cause);
            explain(&error);
            return 1;
        }
    };
    if !connected.complete {
        return 1;
    }
    let progress = Progress::start();
    let mut loader = Loader { driver: connected.driver, replies: 0, errors: 0, unanswered: 0, progress };
    let result = loader.load(Duration::from_secs(options.pipe_timeout));
    loader.progress.end();
    match result {
        Ok(()) => {
            let mut output = Output::stdout();
            output.line("All data transferred. Waiting for the last reply...");
            output.line("Last reply received from server.");
            output.line(&format!("errors: {}, replies: {}", loader.errors, loader.replies));
            u8::from(loader.errors > 0)
        }
        Err(text) => {
            complain!("Error: {text}");
            complain!(
                "errors: {}, replies: {}, without reply: {}",
                loader.errors,
                loader.replies,
                loader.unanswered
            );
            1
        }
    }
}

/// What is under way, and the counts.
struct Loader {
    driver: Link<IN_FLIGHT>,
    replies: u64,
    errors: u64,
    unanswered: u64,
    progress: Progress,
}

impl Loader {
    fn load(&mut self, patience: Duration) -> Result<(), String> {
        let read = self.read();
        // What was sent before something went wrong is answered all the same.
        let answered =
            if self.driver.connection().is_closed() { Ok(()) } else { self.await_replies(patience) };
        read.and(answered)
    }

    fn read(&mut self) -> Result<(), String> {
        let mut input = Input::open();
        let mut source = Source::new();
        loop {
            let chunk = loop {
                match input.next(LISTEN).map_err(|error| format!("standard input: {error}"))? {
                    Some(chunk) => break chunk,
                    // Standard input rests; the server may not.
                    None => self.turn(Duration::ZERO)?,
                }
            };
            source.room(chunk.len())[..chunk.len()].copy_from_slice(&chunk);
            source.filled(chunk.len());
            self.progress.read(chunk.len());
            let ended = chunk.is_empty();
            while let Some(line) = source.next(ended)? {
                match source.item() {
                    Item::Line(words) => self.submit(line, words)?,
                    Item::Frame(words) => self.submit(line, &words)?,
                }
            }
            if ended {
                return Ok(());
            }
            self.turn(Duration::ZERO)?;
            // The reader may wait for long: what was read so far must not wait with it.
            while !self.driver.connection().poll_transmit().is_empty() {
                self.turn(Duration::MAX)?;
            }
        }
    }

    fn await_replies(&mut self, patience: Duration) -> Result<(), String> {
        let mut progress = Instant::now();
        while self.driver.connection().in_flight() > 0 {
            let before = self.replies;
            self.turn(if patience.is_zero() { Duration::MAX } else { patience })?;
            if self.replies > before {
                progress = Instant::now();
            } else if !patience.is_zero() && progress.elapsed() >= patience {
                return Err(format!("no replies for {} seconds", patience.as_secs()));
            }
        }
        Ok(())
    }

    /// Takes one command; waits for room if there is none. Its line is its token.
    fn submit(&mut self, line: u64, command: &impl Request) -> Result<(), String> {
        loop {
            match self.driver.submit_until(None, Token(line), command) {
                Ok(()) => break,
                Err(SubmitError::Full(Full::InFlight | Full::Transmit)) => self.turn(Duration::MAX)?,
                Err(SubmitError::Closed) => return Err(cause(&self.driver)),
                Err(refused) => {
                    self.errors += 1;
                    self.progress.aside(|| complain!("line {line}: {refused}"));
                    break;
                }
            }
        }
        while self.driver.connection().poll_transmit().len() > AHEAD {
            self.turn(Duration::MAX)?;
        }
        Ok(())
    }

    fn turn(&mut self, patience: Duration) -> Result<(), String> {
        let Self { driver, replies, errors, unanswered, progress } = self;
        let patience = Some(patience).filter(|&patience| patience != Duration::MAX);
        driver.turn(patience, |event| match event {
            Event::Reply { token, reply } => {
                *replies += 1;
                if let Some(error) = reply.error() {
                    *errors += 1;
                    progress.aside(|| complain!("line {}: {error}", token.0));
                }
            }
            Event::Failed { token, failure: failure @ (Failure::TooLarge | Failure::TooDeep) } => {
                *replies += 1;
                *errors += 1;
                progress.aside(|| complain!("line {}: {failure}", token.0));
            }
            Event::Failed { .. } => *unanswered += 1,
            _ => {}
        });
        if driver.connection().is_closed() { Err(cause(driver)) } else { Ok(()) }
    }
}
