//! What the tests share: one caller of an engine, and one who knows the server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use respire::Single;
use respire::prelude::*;
use respire_core::command::AnyRequest;
use respire_core::conn::{Event, Settings, Token};
use respire_core::engine::{Config, Engine, Failed, Heap, Lease, Options, Refused, Ticket};
use respire_core::hook::Hook;
use respire_core::pool;
use respire_core::resp::Value;
use respire_core::retry::{self, Backoff, BudgetConfig};
use respire_tests::engine::{Drive, Record, Told};
use respire_tests::{Kind, Server};

/// Longer than anything takes on a machine that has other things to do.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A request as any other.
pub(crate) const PLAIN: Options = Options::DEFAULT;

/// A request with a connection for itself.
pub(crate) const OWN: Options = Options { own: true, ..PLAIN };

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One shared connection, nothing that happens by itself, and short pauses.
pub(crate) fn config() -> Config {
    let pool = pool::Config {
        size: 8,
        min_idle: 0,
        idle_time: Duration::ZERO,
        health_interval: Duration::ZERO,
        backoff_base: ms(10),
        backoff_cap: ms(100),
        ..pool::Config::DEFAULT
    };
    let backoff = Backoff::new(ms(10), ms(100)).expect("a cap above its base");
    Config {
        pool,
        retry: retry::Policy { backoff, ..retry::Policy::DEFAULT },
        budget: BudgetConfig { burst: 1000, ..BudgetConfig::DEFAULT },
        dials: (1000, 1000),
        seed: 7,
        ..Config::DEFAULT
    }
}

/// The same with a connection for each request, at most so many.
pub(crate) fn each_its_own(size: u16) -> Config {
    let config = config();
    Config { lanes: 0, pool: pool::Config { size, ..config.pool }, ..config }
}

/// Redis 7.0, unless it is missing.
pub(crate) fn redis() -> Option<Server> {
    Kind::Redis70.available_or_skip().then(Server::redis)
}

/// One caller of an engine; its tokens are numbers from 0 on.
pub(crate) struct App<H = ()> {
    drive: Drive<H>,
    asked: u64,
    heard: HashMap<u64, Record>,
}

impl App {
    pub(crate) fn new(server: SocketAddr, config: &Config) -> Self {
        Self::with(server, config, Settings::NONE)
    }

    pub(crate) fn with(server: SocketAddr, config: &Config, settings: Settings<'static>) -> Self {
        Self::hooked(server, config, settings, ())
    }
}

impl<H: Hook> App<H> {
    pub(crate) fn hooked(server: SocketAddr, config: &Config, settings: Settings<'static>, hook: H) -> Self {
        let memory = Heap {
            // More than may be: what bounds them is the rule, not the memory.
            connections: usize::from(config.pool.size) + 4,
            calls: 2048,
            bytes: 1 << 20,
            subscriptions: 64,
            names: 4 << 10,
            buffer: (4 << 10, 64 << 20),
        };
        let engine = Engine::with_hook(memory, config, hook, respire_core::time::Instant::ZERO);
        Self { drive: Drive::new(engine, server, settings), asked: 0, heard: HashMap::new() }
    }

    /// The token of what is asked next.
    pub(crate) fn next(&self) -> u64 {
        self.asked
    }

    /// Asks without waiting.
    pub(crate) fn try_ask(
        &mut self,
        request: &dyn AnyRequest,
        options: &Options,
    ) -> Result<(u64, Ticket), Refused> {
        let (now, token) = (self.drive.now(), self.asked);
        let ticket = self.drive.engine.submit(now, Token(token), request, options)?;
        self.asked += 1;
        Ok((token, ticket))
    }

    /// Asks without waiting; it must be taken.
    pub(crate) fn ask_with(&mut self, request: &dyn AnyRequest, options: &Options) -> u64 {
        self.try_ask(request, options).expect("a request that is taken").0
    }

    /// Asks for all of these in one pipeline, without waiting. The token of the first; the others count on.
    pub(crate) fn pipe(&mut self, requests: &[&dyn AnyRequest], options: &Options) -> u64 {
        let (now, first) = (self.drive.now(), self.asked);
        let pipeline = self.drive.engine.pipeline(now, requests.len(), options);
        let mut pipeline = pipeline.expect("a pipeline that is taken");
        for request in requests {
            pipeline.push(Token(self.asked), *request).expect("a request that is taken");
            self.asked += 1;
        }
        first
    }

    pub(crate) fn ask(&mut self, request: &dyn AnyRequest) -> u64 {
        self.ask_with(request, &PLAIN)
    }

    /// Who was told what up to now, each once.
    pub(crate) fn listen(&mut self) -> &HashMap<u64, Record> {
        for record in self.drive.take_told() {
            let token = record.token.0;
            assert!(token < self.asked, "nobody asked: {record:?}");
            if let Some(before) = self.heard.insert(token, record) {
                panic!("told twice: {before:?} and {:?}", self.heard[&token]);
            }
        }
        &self.heard
    }

    /// Turns until something is so, and fails if that takes too long.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < LIMIT, "waiting for {what}: {self:?}");
            self.drive.turn(ms(5));
        }
    }

    /// Waits until this one was told something.
    pub(crate) fn record(&mut self, token: u64) -> Record {
        self.until("an answer", |app| app.listen().contains_key(&token));
        self.heard[&token].clone()
    }

    pub(crate) fn hear(&mut self, token: u64) -> Told {
        self.record(token).told
    }

    /// Waits until so many were told something, from the first one on.
    pub(crate) fn hear_all(&mut self) -> Vec<Told> {
        let asked = self.asked;
        self.until("all answers", |app| app.listen().len() as u64 == asked);
        (0..asked).map(|token| self.heard[&token].told.clone()).collect()
    }

    /// Asks and waits.
    pub(crate) fn call_with(&mut self, request: &dyn AnyRequest, options: &Options) -> Told {
        let token = self.ask_with(request, options);
        self.hear(token)
    }

    pub(crate) fn call(&mut self, request: &dyn AnyRequest) -> Told {
        self.call_with(request, &PLAIN)
    }

    /// The answer to a request that must have one.
    pub(crate) fn value(&mut self, request: &dyn AnyRequest) -> Value {
        reply(self.call(request))
    }

    /// Which of the server's clients answers a request with a connection for itself.
    pub(crate) fn client_id(&mut self) -> i64 {
        match self.call_with(&raw("CLIENT ID"), &OWN) {
            Told::Reply(Value::Integer(id)) => id,
            other => panic!("no id: {other:?}"),
        }
    }

    /// A wish for a connection.
    pub(crate) fn wish(&mut self) -> Result<u64, Refused> {
        let (now, token) = (self.drive.now(), self.asked);
        self.drive.engine.lease(now, Token(token))?;
        self.asked += 1;
        Ok(token)
    }

    /// A connection of one's own.
    pub(crate) fn lease(&mut self) -> Lease {
        let token = self.wish().expect("a wish that is taken");
        match self.hear(token) {
            Told::Leased(lease) => lease,
            other => panic!("no lease: {other:?}"),
        }
    }

    /// Asks on a connection of one's own, all at once, and waits for all answers.
    pub(crate) fn talk(&mut self, lease: Lease, requests: &[&dyn AnyRequest]) -> Vec<Value> {
        let now = self.drive.now();
        for (request, token) in requests.iter().zip(0..) {
            let connection = self.drive.engine.leased(lease).expect("a lease");
            connection.submit(now, Token(token), *request).expect("room for it");
        }
        let mut values = Vec::new();
        self.until("answers on a lease", |app| {
            while let Some(event) = app.drive.engine.leased(lease).expect("a lease").poll_event() {
                match event {
                    Event::Reply { reply, .. } => values.push(reply.get().expect("any reply is a value")),
                    other => panic!("no answer: {other:?}"),
                }
            }
            values.len() == requests.len()
        });
        values
    }

    pub(crate) fn release(&mut self, lease: Lease) {
        let now = self.drive.now();
        self.drive.engine.release(now, lease);
    }
}

impl<H> Deref for App<H> {
    type Target = Drive<H>;

    fn deref(&self) -> &Drive<H> {
        &self.drive
    }
}

impl<H> DerefMut for App<H> {
    fn deref_mut(&mut self) -> &mut Drive<H> {
        &mut self.drive
    }
}

impl<H: Hook> std::fmt::Debug for App<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("drive", &self.drive).field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// Waits until something is so that no engine has to do with.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "waiting for {what}");
    }
}

pub(crate) fn reply(told: Told) -> Value {
    match told {
        Told::Reply(value) => value,
        other => panic!("no answer: {other:?}"),
    }
}

pub(crate) fn failed(told: Told) -> Failed {
    match told {
        Told::Failed(failed) => failed,
        other => panic!("not failed: {other:?}"),
    }
}

/// The text of an error.
pub(crate) fn error(told: Told) -> String {
    match told {
        Told::Rejected(text) => text,
        other => panic!("no error: {other:?}"),
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

pub(crate) fn status(text: &str) -> Value {
    Value::Simple(text.as_bytes().to_vec())
}

/// Somebody else who asks the server.
pub(crate) struct Admin {
    client: Single,
    id: String,
}

impl Admin {
    pub(crate) fn of(server: &Server) -> Self {
        Self::try_of(server).expect("a server that answers")
    }

    pub(crate) fn try_of(server: &Server) -> Option<Self> {
        let client = Single::open(&server.url()).ok()?;
        let id: i64 = client.client_id().wait().ok()?;
        Some(Self { client, id: id.to_string() })
    }

    /// A command, its words separated by blanks.
    pub(crate) fn ask(&self, command: &str) -> Value {
        let words: Vec<&str> = command.split(' ').collect();
        let answer = self.client.send(respire::command::words(&words)).wait();
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    fn text(&self, command: &str) -> String {
        match self.ask(command) {
            Value::Bulk(text) | Value::Verbatim { text, .. } => String::from_utf8(text).expect("text"),
            other => panic!("{command} is text: {other:?}"),
        }
    }

    /// All other clients of the server, name by name.
    pub(crate) fn clients(&self) -> Vec<HashMap<String, String>> {
        let list = self.text("CLIENT LIST");
        let all = list.lines().map(|line| pairs(line.split(' '), '='));
        all.filter(|client| client["id"] != self.id).collect()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.clients().len()
    }

    /// Ends the connections of all other clients.
    pub(crate) fn kill_all(&self) -> usize {
        match self.ask("CLIENT KILL TYPE normal SKIPME yes") {
            Value::Integer(killed) => usize::try_from(killed).expect("a count"),
            other => panic!("{other:?}"),
        }
    }

    /// What INFO says in one section.
    pub(crate) fn info(&self, section: &str) -> HashMap<String, String> {
        pairs(self.text(&format!("INFO {section}")).lines(), ':')
    }

    /// A number of it.
    pub(crate) fn figure(&self, section: &str, name: &str) -> u64 {
        self.info(section)[name].parse().expect("a number")
    }

    /// How often the server has executed a command, named in lower case.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let stats = self.info("commandstats");
        let Some(stats) = stats.get(&format!("cmdstat_{command}")) else { return 0 };
        pairs(stats.split(','), '=')["calls"].parse().expect("a number")
    }

    /// The server ends without a word, and begins again so much later.
    pub(crate) fn restart(self, later: Duration) {
        let later = later.as_millis().to_string();
        let gone = self.client.send(words(&["DEBUG", "RESTART", &later])).wait();
        assert!(gone.is_err(), "it should be gone: {gone:?}");
    }
}

fn pairs<'a>(all: impl Iterator<Item = &'a str>, between: char) -> HashMap<String, String> {
    let pairs = all.filter_map(|pair| pair.trim_end().split_once(between));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
