//! `--pipe`: bulk loading. Commands of standard input, inline or RESP, go out as fast as the server
//! takes them, in memory of one command and the buffers; each error is reported with the line its command starts at.

mod source;

use crate::cli::output::complain;
use std::io::{IsTerminal, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use respire_core::command::Request;
use respire_core::conn::{Event, Failure, SubmitError, Token};
use respire_core::error::Full;

use super::options::Options;
use super::output::Output;
use super::session::{connect, explain};
use crate::driver::Driver;
use source::{Item, Source};

/// Commands that wait for answers.
const IN_FLIGHT: usize = 16_384;

/// Bytes that are encoded ahead of the socket.
const AHEAD: usize = 256 << 10;

/// Bytes read from standard input at once.
const CHUNK: usize = 64 << 10;

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
    let bar = progress_bar();
    let mut loader = Loader { driver: connected.driver, replies: 0, errors: 0, unanswered: 0, bar };
    let result = loader.load(Duration::from_secs(options.pipe_timeout));
    loader.bar.finish_and_clear();
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
    driver: Driver<IN_FLIGHT>,
    replies: u64,
    errors: u64,
    unanswered: u64,
    bar: ProgressBar,
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
        let chunks = read_aside();
        let mut source = Source::new();
        loop {
            let chunk = loop {
                match chunks.recv_timeout(LISTEN) {
                    Ok(chunk) => break chunk.map_err(|error| format!("standard input: {error}"))?,
                    // Standard input rests; the server may not.
                    Err(RecvTimeoutError::Timeout) => self.turn(Duration::ZERO)?,
                    Err(RecvTimeoutError::Disconnected) => break Vec::new(),
                }
            };
            source.room(chunk.len())[..chunk.len()].copy_from_slice(&chunk);
            source.filled(chunk.len());
            self.bar.inc(chunk.len() as u64);
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
            while self.driver.unsent() > 0 {
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
                Err(SubmitError::Closed) => return Err(self.driver.cause()),
                Err(refused) => {
                    self.errors += 1;
                    self.bar.suspend(|| complain!("line {line}: {refused}"));
                    break;
                }
            }
        }
        while self.driver.unsent() > AHEAD {
            self.turn(Duration::MAX)?;
        }
        Ok(())
    }

    fn turn(&mut self, patience: Duration) -> Result<(), String> {
        let Self { driver, replies, errors, unanswered, bar } = self;
        let patience = Some(patience).filter(|&patience| patience != Duration::MAX);
        driver.turn(patience, |event| match event {
            Event::Reply { token, reply } => {
                *replies += 1;
                if let Some(error) = reply.error() {
                    *errors += 1;
                    bar.suspend(|| complain!("line {}: {error}", token.0));
                }
            }
            Event::Failed { token, failure: Failure::TooLarge } => {
                *replies += 1;
                *errors += 1;
                bar.suspend(|| complain!("line {}: {}", token.0, Failure::TooLarge));
            }
            Event::Failed { .. } => *unanswered += 1,
            _ => {}
        });
        if driver.connection().is_closed() { Err(driver.cause()) } else { Ok(()) }
    }
}

/// Reads standard input on a thread of its own, a few chunks ahead; an empty one is the end.
fn read_aside() -> Receiver<std::io::Result<Vec<u8>>> {
    let (sender, chunks) = sync_channel(2);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        loop {
            let mut chunk = vec![0; CHUNK];
            let read = stdin.read(&mut chunk).map(|n| {
                chunk.truncate(n);
                chunk
            });
            let last = read.as_ref().map_or(true, Vec::is_empty);
            if sender.send(read).is_err() || last {
                return;
            }
        }
    });
    chunks
}

/// A bar on standard error if it is a terminal: of bytes, with an end if standard input is a file.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let total =
        std::fs::metadata("/dev/stdin").ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
    let template = match total {
        Some(_) => "{bar:32} {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left",
        None => "{spinner} {bytes}  {binary_bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    bar.with_style(style)
}
