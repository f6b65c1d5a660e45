//! A, B, the command, B, A: and who is told what when one of them says no.

use std::cell::RefCell;

use proptest::prelude::*;
use respire_core::command::Command;
use respire_core::config::Address;
use respire_core::conn::Failure;
use respire_core::hook::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, DialOutcome, End, Fate, Hook, Outcome, Refusal, Tally, Times,
    Transaction, TransactionEnd,
};
use respire_core::time::Instant;

const NOW: Instant = Instant::from_millis(5);
const HOME: Address<'_> = Address { host: "localhost", port: 6379 };

/// Writes down what it is told, and may say no.
struct Recorder<'l> {
    name: char,
    refuses: bool,
    log: &'l RefCell<Vec<String>>,
}

impl Recorder<'_> {
    fn before(&self, what: &str) -> Result<(), Refusal> {
        self.log.borrow_mut().push(format!("{} before {what}", self.name));
        if self.refuses { Err(Refusal(self.name as u16)) } else { Ok(()) }
    }

    fn after(&self, what: &str, refused: Option<Refusal>) {
        let end = refused.map_or(String::new(), |Refusal(by)| format!(" refused by {}", by as u8 as char));
        self.log.borrow_mut().push(format!("{} after {what}{end}", self.name));
    }
}

impl Hook for Recorder<'_> {
    fn before_dial(&mut self, _: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        dial.attempt += 1;
        self.before("dial")
    }

    fn after_dial(&mut self, _: Instant, _: &Dial<'_>, end: &DialEnd<'_>) {
        self.after(
            "dial",
            if let DialOutcome::Refused(refusal) = end.outcome { Some(refusal) } else { None },
        );
    }

    fn before_command(&mut self, _: Instant, _: &Attempt<'_>) -> Result<(), Refusal> {
        self.before("command")
    }

    fn after_command(&mut self, _: Instant, _: &Attempt<'_>, end: &End<'_>) {
        self.after("command", if let Outcome::Refused(refusal) = end.outcome { Some(refusal) } else { None });
    }

    fn before_pipeline(&mut self, _: Instant, _: &Batch) -> Result<(), Refusal> {
        self.before("pipeline")
    }

    fn after_pipeline(&mut self, _: Instant, _: &Batch, _: &BatchEnd) {
        self.after("pipeline", None);
    }

    fn before_transaction(&mut self, _: Instant, _: &Transaction) -> Result<(), Refusal> {
        self.before("transaction")
    }

    fn after_transaction(&mut self, _: Instant, _: &Transaction, end: &TransactionEnd) {
        self.after("transaction", if let Fate::Refused(refusal) = end.fate { Some(refusal) } else { None });
    }
}

fn attempt() -> Attempt<'static> {
    Attempt {
        command: &Command::UNKNOWN,
        keys: 0,
        bytes: 20,
        address: HOME,
        db: 0,
        number: 1,
        most: 1,
        label: None,
    }
}

fn ended(outcome: Outcome<'_>, bytes: u64) -> End<'_> {
    End { outcome, times: Times::at(NOW), bytes, connection: None }
}

/// Does each of the four things, as an engine would.
fn drive(hook: &mut impl Hook, log: &RefCell<Vec<String>>) {
    let done = |what: &str| log.borrow_mut().push(what.to_owned());
    let mut dial = Dial { address: HOME, attempt: 1 };
    if hook.before_dial(NOW, &mut dial).is_ok() {
        done("dial");
        hook.after_dial(NOW, &dial, &DialEnd { outcome: DialOutcome::Ready, started: NOW });
    }
    if hook.before_command(NOW, &attempt()).is_ok() {
        done("command");
        hook.after_command(NOW, &attempt(), &ended(Outcome::Failed(Failure::Unknown), 0));
    }
    let batch = Batch { commands: 2, bytes: 40, label: None };
    if hook.before_pipeline(NOW, &batch).is_ok() {
        done("pipeline");
        hook.after_pipeline(NOW, &batch, &BatchEnd { tally: Tally::default(), started: NOW });
    }
    let transaction = Transaction { commands: 2, bytes: 40, watching: false, label: None };
    if hook.before_transaction(NOW, &transaction).is_ok() {
        done("transaction");
        let end = TransactionEnd { fate: Fate::Executed, tally: Tally::default(), started: NOW };
        hook.after_transaction(NOW, &transaction, &end);
    }
}

/// What hooks around hooks should write: each wraps the rest, as closures would.
fn naive(rest: &[(char, bool)], what: &str, log: &mut Vec<String>) -> Option<char> {
    let Some((&(name, refuses), inner)) = rest.split_first() else {
        log.push(what.to_owned());
        return None;
    };
    log.push(format!("{name} before {what}"));
    if refuses {
        return Some(name);
    }
    let refused = naive(inner, what, log);
    let end = refused.filter(|_| what != "pipeline").map_or(String::new(), |by| format!(" refused by {by}"));
    log.push(format!("{name} after {what}{end}"));
    refused
}

fn expected(hooks: &[(char, bool)]) -> Vec<String> {
    let mut log = Vec::new();
    for what in ["dial", "command", "pipeline", "transaction"] {
        naive(hooks, what, &mut log);
    }
    log
}

/// S1-HOOK-05: A, B, the command, B, A.
#[test]
fn the_first_is_around_the_second() {
    let log = RefCell::default();
    let hook = |name| Recorder { name, refuses: false, log: &log };
    let mut pair = (hook('A'), hook('B'));
    assert_eq!(pair.before_command(NOW, &attempt()), Ok(()));
    pair.after_command(NOW, &attempt(), &ended(Outcome::Answered, 5));
    assert_eq!(*log.borrow(), ["A before command", "B before command", "B after command", "A after command"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// S1-HOOK-01, S1-HOOK-03, S1-HOOK-04, S1-HOOK-05: whoever refuses, and however the hooks are put
    /// together, they are told what closures around closures would be.
    #[test]
    fn however_they_are_put_together(refuses in prop::collection::vec(prop::bool::weighted(0.2), 5)) {
        let all: Vec<_> = ('A'..='E').zip(refuses).collect();
        let log = RefCell::default();
        let hook = |at: usize| Recorder { name: all[at].0, refuses: all[at].1, log: &log };
        let check = |mut hook: &mut dyn Hook, count: usize| {
            drive(&mut hook, &log);
            assert_eq!(log.take(), expected(&all[..count]));
        };
        check(&mut (hook(0), hook(1)), 2);
        check(&mut (hook(0), hook(1), hook(2)), 3);
        check(&mut ((hook(0), hook(1)), (hook(2), (), hook(3)), hook(4)), 5);
        check(&mut (Some(hook(0)), None::<Recorder<'_>>, ()), 1);
        let kept = RefCell::new(hook(2));
        check(&mut ((&mut hook(0), &mut &mut hook(1)), &kept), 3);
        let mut list = [hook(0), hook(1), hook(2), hook(3), hook(4)];
        drive(&mut &mut list[..], &log);
        assert_eq!(log.take(), expected(&all));
    }
}

/// S1-HOOK-05: a list can be added to while the program runs.
#[cfg(feature = "alloc")]
#[test]
fn hooks_are_added_at_run_time() {
    let log = RefCell::default();
    let mut list: Vec<Box<dyn Hook + '_>> = Vec::new();
    assert!(!list.is_active());
    for (count, name) in ('A'..='D').enumerate() {
        list.push(Box::new(Recorder { name, refuses: name == 'C', log: &log }));
        assert!(list.is_active());
        drive(&mut list, &log);
        let all: Vec<_> = ('A'..='D').map(|name| (name, name == 'C')).collect();
        assert_eq!(log.take(), expected(&all[..=count]));
    }
}

/// S1-HOOK-01: a dial may be sent elsewhere, and every hook behind sees where.
#[test]
fn a_dial_may_be_sent_elsewhere() {
    struct Detour;
    impl Hook for Detour {
        fn before_dial(&mut self, _: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
            dial.address = Address { host: "proxy", port: 1080 };
            Ok(())
        }
    }
    struct Look(bool);
    impl Hook for Look {
        fn before_dial(&mut self, _: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
            self.0 = dial.address.host == "proxy";
            Ok(())
        }
    }
    let mut hook = (Look(false), Detour, Look(false));
    let mut dial = Dial { address: HOME, attempt: 1 };
    assert_eq!(hook.before_dial(NOW, &mut dial), Ok(()));
    assert_eq!((hook.0.0, hook.2.0, dial.address.port), (false, true, 1080));
}

/// S1-HOOK-02: no hook takes no room, says so, and what is off is off.
#[test]
fn no_hook_costs_nothing() {
    struct Engine<H> {
        _part: u64,
        _hook: H,
    }
    assert_eq!(size_of::<Engine<()>>(), size_of::<u64>());
    assert_eq!(size_of::<Engine<((), ((), (), ()))>>(), size_of::<u64>());
    assert!(!((), ((), (), ())).is_active());
    struct On;
    impl Hook for On {}
    assert!(((), On).is_active() && !((), None::<On>).is_active() && ((), Some(On), ()).is_active());
}

/// A hook that is being looked at is passed over, and nothing breaks.
#[test]
fn a_hook_that_is_borrowed_is_passed_over() {
    let log = RefCell::default();
    let kept = RefCell::new(Recorder { name: 'A', refuses: true, log: &log });
    let look = kept.borrow();
    drive(&mut &kept, &log);
    assert_eq!(log.take(), expected(&[]));
    drop(look);
    drive(&mut &kept, &log);
    assert_eq!(log.take(), expected(&[('A', true)]));
}
