//! Requests in flight over a real socket, and exactly one outcome for each.
//!
//! It is the core's own driver on the native client's socket, with a memory: what was asked and what
//! became of it, over as many connections as there were. What the connection must never do, an answer to
//! nobody or a second one, is kept too.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use respire::{Dialer, Endpoint, Socket};
use respire_core::buffer::Growing;
use respire_core::client::Dial;
use respire_core::command::AnyRequest;
use respire_core::conn::{CloseReason, Config, Connection, Event, Failure, Settings, SubmitError, Token};
use respire_core::error::Full;
use respire_core::io::{Driver, StartError};
use respire_core::resp::{Reply, Value};
use respire_core::time::Instant as Deadline;

/// How many requests may wait for answers.
pub const IN_FLIGHT: usize = 64;

/// How long dialling may take.
const DIAL_LIMIT: Duration = Duration::from_secs(5);

/// What became of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// It was answered.
    Ok(Value),
    /// It was answered by an error, whose text this is.
    Rejected(String),
    /// It was not executed.
    NotSent,
    /// Nobody knows whether it was executed.
    Unknown,
}

/// A request that was made, under the token that is its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// What became of it, once that is known.
    pub outcome: Option<Outcome>,
    /// Nobody waits for it any more.
    pub abandoned: bool,
    /// When it was made.
    pub began: Instant,
    /// When its outcome was known.
    pub ended: Option<Instant>,
}

/// One caller with many requests, on one connection at a time.
pub struct Flight {
    address: SocketAddr,
    config: Config,
    driver: Option<Driver<Socket, Growing, IN_FLIGHT>>,
    notebook: Notebook,
}

/// What the events said.
#[derive(Default)]
struct Notebook {
    records: Vec<Record>,
    pushes: usize,
    wrong: Vec<String>,
    /// How the last connection ended.
    end: Option<String>,
}

impl Flight {
    /// A caller of this server that is not connected yet.
    #[must_use]
    pub fn new(address: SocketAddr, config: Config) -> Self {
        Self { address, config, driver: None, notebook: Notebook::default() }
    }

    /// A caller that is connected.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub fn open(address: SocketAddr, config: Config) -> Result<Self, String> {
        let mut flight = Self::new(address, config);
        flight.connect().map(|()| flight)
    }

    /// Another connection, with RESP3. The one before should be over: what it has in flight is resolved
    /// by its end.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub fn connect(&mut self) -> Result<(), String> {
        self.close();
        let endpoint = Endpoint::Tcp { host: self.address.ip().to_string(), port: self.address.port() };
        let socket = Dialer::default().dial(&endpoint, DIAL_LIMIT);
        let socket = socket.map_err(|failed| failed.error.to_string())?;
        let memory = || Growing::new(16 << 10, 64 << 20);
        let connection = Connection::new(memory(), memory(), self.config);
        let mut driver = Driver::new(connection, socket);
        match driver.start(&Settings::default()) {
            Ok(()) => {
                self.driver = Some(driver);
                Ok(())
            }
            Err(StartError::Full(full)) => Err(full.to_string()),
            Err(StartError::Closed) => Err(end_of(&driver)),
        }
    }

    /// Whether there is a connection that takes requests.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.driver.as_ref().is_some_and(|driver| driver.connection().is_ready())
    }

    /// How the last connection ended, in words.
    #[must_use]
    pub fn end(&self) -> Option<&str> {
        self.notebook.end.as_deref()
    }

    /// The deadline of a request that may wait so long for its answer, `None` for ever.
    #[must_use]
    pub fn deadline(&self, patience: Option<Duration>) -> Option<Deadline> {
        let now = self.driver.as_ref().map(Driver::now);
        patience.zip(now).map(|(patience, now)| now.saturating_add(patience))
    }

    /// Makes a request that may wait so long for its answer, `None` for ever. If there is no room for it,
    /// it turns until there is. If it is not taken, that is its outcome.
    pub fn submit(&mut self, request: &dyn AnyRequest, patience: Option<Duration>) -> Token {
        let deadline = self.deadline(patience);
        self.submit_until(request, deadline)
    }

    /// The same with a [deadline](Self::deadline), for requests that belong together.
    pub fn submit_until(&mut self, request: &dyn AnyRequest, deadline: Option<Deadline>) -> Token {
        let (began, token) = (Instant::now(), Token(self.notebook.records.len() as u64));
        let record = Record { outcome: None, abandoned: false, began, ended: None };
        self.notebook.records.push(record);
        while let Some(driver) = &mut self.driver {
            match driver.submit_until(deadline, token, request) {
                Ok(()) => return token,
                Err(SubmitError::Full(Full::Transmit | Full::InFlight))
                    if deadline.is_none_or(|deadline| driver.now() < deadline) =>
                {
                    self.turn(Duration::from_millis(20));
                }
                Err(_) => break,
            }
        }
        self.notebook.resolve(token, Outcome::NotSent);
        token
    }

    /// Turns away from a request: what is known of it by now is its outcome, and no event may tell of it.
    pub fn abandon(&mut self, token: Token) {
        let Some(driver) = &mut self.driver else { return };
        let now = driver.now();
        if let Some(failure) = driver.connection_mut().abandon(now, token) {
            self.notebook.resolve(token, failure.into());
            if let Some(record) = self.notebook.record(token) {
                record.abandoned = true;
            }
        }
    }

    /// Moves bytes, hears events, and waits at most so long if there is nothing to do.
    pub fn turn(&mut self, patience: Duration) {
        let Some(driver) = &mut self.driver else { return };
        let notebook = &mut self.notebook;
        driver.turn(Some(patience), |event| notebook.hear(event));
        if driver.connection().is_closed() {
            // The last events were told, so nothing is in flight any more.
            self.notebook.end = Some(end_of(driver));
            self.driver = None;
        }
    }

    /// Turns until every request has its outcome. One that has none after `limit` is wrong.
    pub fn settle(&mut self, limit: Duration) {
        let until = Instant::now() + limit;
        while self.is_busy() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.driver.is_none() {
                let open = self.notebook.records.iter().filter(|record| record.outcome.is_none()).count();
                self.notebook.wrong.push(format!("{open} requests have no outcome after {limit:?}"));
                return;
            }
            self.turn(left);
        }
    }

    /// Whether there are requests without an outcome.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.notebook.records.iter().any(|record| record.outcome.is_none())
    }

    /// Makes a request, and waits for what becomes of it.
    pub fn call(&mut self, request: &dyn AnyRequest, patience: Duration) -> Outcome {
        let token = self.submit(request, Some(patience));
        self.settle(patience + Duration::from_secs(5));
        self.outcome(token)
    }

    /// What became of a request.
    ///
    /// # Panics
    ///
    /// When that is not known yet, or there is no such request.
    #[must_use]
    pub fn outcome(&self, token: Token) -> Outcome {
        self.record(token).outcome.clone().unwrap_or_else(|| panic!("{token:?} has no outcome"))
    }

    /// All that is known of a request.
    ///
    /// # Panics
    ///
    /// When there is no such request.
    #[must_use]
    pub fn record(&self, token: Token) -> &Record {
        let at = usize::try_from(token.0).expect("a place");
        &self.notebook.records[at]
    }

    /// Pushes that came.
    #[must_use]
    pub fn pushes(&self) -> usize {
        self.notebook.pushes
    }

    /// What the connection must never do, and did.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.notebook.wrong
    }

    /// Ends the connection from this side.
    pub fn close(&mut self) {
        if let Some(driver) = &mut self.driver {
            driver.connection_mut().close();
            self.turn(Duration::ZERO);
        }
    }
}

impl Notebook {
    fn record(&mut self, token: Token) -> Option<&mut Record> {
        self.records.get_mut(usize::try_from(token.0).ok()?)
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Reply { token, reply } => self.resolve(token, answered(reply)),
            Event::Failed { token, failure } => self.resolve(token, failure.into()),
            Event::Push(_) | Event::PushTooLarge => self.pushes += 1,
            Event::Ready { .. } | Event::Closed(_) => {}
            other => self.wrong.push(format!("nobody asked for this: {other:?}")),
        }
    }

    fn resolve(&mut self, token: Token, outcome: Outcome) {
        let Some(record) = self.record(token) else {
            return self.wrong.push(format!("{token:?} was never submitted: {outcome:?}"));
        };
        match &record.outcome {
            None => (record.outcome, record.ended) = (Some(outcome), Some(Instant::now())),
            Some(first) => {
                let text = format!("{token:?} was resolved twice: {first:?}, then {outcome:?}");
                self.wrong.push(text);
            }
        }
    }
}

fn answered(reply: Reply<'_>) -> Outcome {
    match reply.error() {
        Some(error) => Outcome::Rejected(String::from_utf8_lossy(error.text()).into_owned()),
        None => match reply.get() {
            Ok(value) => Outcome::Ok(value),
            Err(_) => Outcome::Unknown,
        },
    }
}

/// What a failure says about the execution of a request. Only what is known not to have been sent was
/// not executed.
impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent | Failure::Expired => Self::NotSent,
            _ => Self::Unknown,
        }
    }
}

/// Why this connection is over.
fn end_of(driver: &Driver<Socket, Growing, IN_FLIGHT>) -> String {
    match (driver.error(), driver.connection().close_reason()) {
        (Some(error), _) => error.to_string(),
        (None, Some(CloseReason::Refused(error) | CloseReason::Rejected(error))) => error.to_string(),
        (None, Some(reason)) => reason.to_string(),
        (None, None) => "it is not over".to_owned(),
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight")
            .field("address", &self.address)
            .field("requests", &self.notebook.records.len())
            .field("connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_outcome_and_one_for_nobody_are_wrong() {
        let mut notebook = Notebook::default();
        let record = Record { outcome: None, abandoned: false, began: Instant::now(), ended: None };
        notebook.records.push(record);
        notebook.resolve(Token(0), Outcome::Unknown);
        assert!(notebook.wrong.is_empty() && notebook.records[0].ended.is_some());
        notebook.hear(Event::Failed { token: Token(0), failure: Failure::NotSent });
        notebook.hear(Event::Failed { token: Token(1), failure: Failure::NotSent });
        assert_eq!(notebook.records[0].outcome, Some(Outcome::Unknown), "the first counts");
        let [twice, nobody] = notebook.wrong.as_slice() else { panic!("{:?}", notebook.wrong) };
        assert!(twice.contains("resolved twice") && nobody.contains("never submitted"));
    }

    #[test]
    fn only_what_is_known_not_to_be_sent_is_not_sent() {
        assert_eq!(Outcome::from(Failure::NotSent), Outcome::NotSent);
        assert_eq!(Outcome::from(Failure::Expired), Outcome::NotSent);
        for failure in [Failure::Unknown, Failure::TimedOut, Failure::TooLarge, Failure::TooDeep] {
            assert_eq!(Outcome::from(failure), Outcome::Unknown);
        }
    }

    #[test]
    fn without_a_connection_nothing_is_sent() {
        let mut flight = Flight::new(([127, 0, 0, 1], 1).into(), Config::default());
        assert!(flight.connect().is_err() && !flight.is_connected());
        let token = flight.submit(&respire::command::incr("n"), None);
        flight.settle(Duration::from_secs(1));
        assert_eq!((flight.outcome(token), flight.wrong()), (Outcome::NotSent, &[][..]));
    }
}
