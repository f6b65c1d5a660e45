//! A hook that writes down what it is told.

use std::sync::{Arc, Mutex, MutexGuard};

use respire::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, End, Hook, Kind, Refusal, Tally, Transaction, TransactionEnd,
};
use respire::time::Instant;
use respire::{Builder, Client};

use crate::support::open;

/// What hooks have written down, each line with who wrote it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }

    /// All that was written up to now.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines())
    }
}

/// Writes down all that it is told, and refuses what it is to.
pub(crate) struct Witness {
    pub(crate) name: char,
    pub(crate) log: Log,
    pub(crate) refuses: Option<&'static str>,
}

impl Witness {
    pub(crate) fn new(name: char, log: &Log) -> Self {
        Self { name, log: log.clone(), refuses: None }
    }

    fn before(&self, what: String) -> Result<(), Refusal> {
        let refuses = self.refuses.is_some_and(|refused| what.starts_with(refused));
        self.log.lines().push(format!("{} before {what}", self.name));
        if refuses { Err(Refusal(7)) } else { Ok(()) }
    }

    fn after(&self, what: String) {
        self.log.lines().push(format!("{} after {what}", self.name));
    }
}

fn named(label: Option<&str>) -> String {
    label.map_or(String::new(), |label| format!(" for {label}"))
}

fn counted(tally: Tally) -> String {
    format!("{}+{}+{}", tally.answered, tally.errors, tally.failed)
}

impl Hook for Witness {
    fn before_dial(&mut self, _: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        self.before(format!("dial {}", dial.attempt))
    }

    fn after_dial(&mut self, now: Instant, _: &Dial<'_>, end: &DialEnd<'_>) {
        assert!(end.started <= now);
        self.after(format!("dial {}", Kind::from(end.outcome).name()));
    }

    fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        self.before(format!("{}{}", attempt.command.words.join(" "), named(attempt.label)))
    }

    fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        let (label, kind) = (named(attempt.label), Kind::from(end.outcome).name());
        self.after(format!("{}{label} {kind}", attempt.command.words.join(" ")));
    }

    fn before_pipeline(&mut self, _: Instant, batch: &Batch) -> Result<(), Refusal> {
        self.before(format!("pipeline of {}{}", batch.commands, named(batch.label)))
    }

    fn after_pipeline(&mut self, _: Instant, batch: &Batch, end: &BatchEnd) {
        self.after(format!("pipeline of {}{} {}", batch.commands, named(batch.label), counted(end.tally)));
    }

    fn before_transaction(&mut self, _: Instant, what: &Transaction) -> Result<(), Refusal> {
        let watching = if what.watching { " watching" } else { "" };
        self.before(format!("transaction of {}{}{watching}", what.commands, named(what.label)))
    }

    fn after_transaction(&mut self, _: Instant, what: &Transaction, end: &TransactionEnd) {
        let Transaction { commands, label, .. } = what;
        self.after(format!(
            "transaction of {commands}{} {:?} {}",
            named(*label),
            end.fate,
            counted(end.tally)
        ));
    }
}

/// A client with one hook, and what that has written about dials taken away.
pub(crate) fn watched(builder: Builder) -> (Client, Log) {
    let log = Log::default();
    let client = open(builder.hook(Witness::new('A', &log)));
    assert_eq!(log.take(), ["A before dial 1", "A after dial answered"]);
    (client, log)
}
