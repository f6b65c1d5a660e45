//! What hooks are told of connections that are lent: the engine does not see what is asked there.

use std::collections::VecDeque;

use respire_core::command::{AnyRequest, Command, Effect};
use respire_core::config::Address;
use respire_core::conn::{Failure, SubmitError, Token};
use respire_core::engine::{Options, Refused};
use respire_core::error::{ErrorKind, Full};
use respire_core::hook::{
    Attempt, Batch, BatchEnd, End, Fate, Hook, Outcome, Refusal, Tally, Times, Transaction, TransactionEnd,
    Unsent,
};
use respire_core::pool::Id;
use respire_core::resp::{Encoder, Reply, Seq};
use respire_core::time::Instant;

use super::hooks::Hooks;

/// Where and when something is told.
#[derive(Clone, Copy)]
pub(super) struct Scene {
    pub(super) now: Instant,
    pub(super) address: Address<'static>,
    pub(super) db: u32,
    pub(super) id: Id,
}

/// What a hook knows of one connection, and was not told the end of. Nothing is in here if there is no hook.
#[derive(Default)]
pub(super) struct Watched {
    asked: VecDeque<Asked>,
    groups: VecDeque<Group>,
    next: u32,
}

/// A request that the hook let pass.
struct Asked {
    token: Token,
    command: &'static Command,
    bytes: u64,
    keys: u32,
    db: u32,
    label: Option<&'static str>,
    since: Instant,
    /// The group that it belongs to.
    group: Option<u32>,
}

/// A pipeline or a transaction that the hook let pass.
struct Group {
    number: u32,
    kind: Kind,
    /// Its requests that are not over.
    left: u32,
    /// More of them may come.
    open: bool,
    tally: Tally,
    since: Instant,
}

enum Kind {
    Pipeline(Batch),
    Transaction(Transaction, Fate),
}

/// How a request has ended.
#[derive(Clone, Copy)]
pub(super) enum Ended<'r> {
    /// With this answer, of so many bytes.
    Reply(Reply<'r>, usize),
    Failed(Failure),
    /// It was not taken.
    Unsent(SubmitError),
}

/// So many requests go together, of so many bytes in all.
#[derive(Clone, Copy)]
pub(super) struct Together {
    pub(super) commands: u32,
    pub(super) bytes: u64,
    pub(super) is_atomic: bool,
    pub(super) watching: bool,
    pub(super) label: Option<&'static str>,
}

/// How many bytes a request has.
pub(super) fn measure(request: &dyn AnyRequest) -> u64 {
    let mut encoder = Encoder::new(&mut []);
    request.encode(&mut encoder);
    encoder.finish().len() as u64
}

impl Watched {
    /// Several requests begin, unless a hook refuses.
    pub(super) fn begin(
        &mut self,
        hooks: &mut Hooks,
        now: Instant,
        together: &Together,
    ) -> Result<(), Refusal> {
        let &Together { commands, bytes, is_atomic, watching, label } = together;
        let kind = if is_atomic {
            let transaction = Transaction { commands, bytes, watching, label };
            hooks.before_transaction(now, &transaction)?;
            Kind::Transaction(transaction, Fate::Failed(Failure::NotSent))
        } else {
            let batch = Batch { commands, bytes, label };
            hooks.before_pipeline(now, &batch)?;
            Kind::Pipeline(batch)
        };
        let (number, tally) = (self.next, Tally::default());
        self.next = number.wrapping_add(1);
        self.groups.push_back(Group { number, kind, left: 0, open: true, tally, since: now });
        Ok(())
    }

    /// No more requests of those that have begun come. If one was refused, why.
    pub(super) fn end(&mut self, hooks: &mut Hooks, now: Instant, refused: Option<&Refused>) {
        let Some(group) = self.groups.iter_mut().find(|group| group.open) else { return };
        group.open = false;
        if let (Kind::Transaction(_, fate), Some(Refused::Hook(refusal))) = (&mut group.kind, refused) {
            *fate = Fate::Refused(*refusal);
        }
        let number = group.number;
        self.finish(hooks, now, number);
    }

    /// A request begins, unless a hook refuses.
    pub(super) fn before(
        &mut self,
        hooks: &mut Hooks,
        scene: &Scene,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
    ) -> Result<(), Refusal> {
        let group = self.groups.iter_mut().find(|group| group.open);
        let asked = Asked {
            token,
            command: request.row(),
            bytes: measure(request),
            keys: options.keys,
            db: scene.db,
            label: options.label,
            since: scene.now,
            group: group.as_ref().map(|group| group.number),
        };
        hooks.before_command(scene.now, &asked.attempt(scene))?;
        if let Some(group) = group {
            group.left += 1;
        }
        self.asked.push_back(asked);
        Ok(())
    }

    /// It is over.
    pub(super) fn after(&mut self, hooks: &mut Hooks, scene: &Scene, token: Token, ended: Ended<'_>) {
        let Some(at) = self.asked.iter().position(|asked| asked.token == token) else { return };
        let Some(asked) = self.asked.remove(at) else { return };
        let (outcome, bytes) = match ended {
            Ended::Reply(reply, len) => {
                let outcome = reply.error().map_or(Outcome::Answered, |error| Outcome::Error(error.kind()));
                (outcome, len as u64)
            }
            Ended::Failed(failure) => (Outcome::Failed(failure), 0),
            Ended::Unsent(error) => (Outcome::Unsent(unsent(error)), 0),
        };
        let (now, since) = (scene.now, asked.since);
        let times = Times { submitted: since, started: since, written: since, ended: now };
        let end = End { outcome, times, bytes, connection: Some(scene.id) };
        hooks.after_command(now, &asked.attempt(scene), &end);
        let Some(group) = asked.group.and_then(|number| self.group(number)) else { return };
        group.left -= 1;
        match &mut group.kind {
            Kind::Pipeline(_) => group.tally.add(&end),
            Kind::Transaction(_, fate) if asked.command.effect == Effect::EndMulti => {
                (*fate, group.tally) = executed(ended, outcome);
            }
            Kind::Transaction(..) => {}
        }
        let number = group.number;
        self.finish(hooks, now, number);
    }

    /// The connection is gone, and with it all that was asked there.
    pub(super) fn lose(&mut self, hooks: &mut Hooks, scene: &Scene) {
        while let Some(token) = self.asked.front().map(|asked| asked.token) {
            self.after(hooks, scene, token, Ended::Failed(Failure::Unknown));
        }
        while self.groups.iter().any(|group| group.open) {
            self.end(hooks, scene.now, None);
        }
    }

    fn group(&mut self, number: u32) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.number == number)
    }

    /// The hook is told of a group of which nothing is left.
    fn finish(&mut self, hooks: &mut Hooks, now: Instant, number: u32) {
        let is_over = |group: &Group| group.number == number && group.left == 0 && !group.open;
        let Some(at) = self.groups.iter().position(is_over) else { return };
        let Some(Group { kind, tally, since: started, .. }) = self.groups.remove(at) else { return };
        match kind {
            Kind::Pipeline(batch) => hooks.after_pipeline(now, &batch, &BatchEnd { tally, started }),
            Kind::Transaction(transaction, fate) => {
                hooks.after_transaction(now, &transaction, &TransactionEnd { fate, tally, started });
            }
        }
    }
}

impl Asked {
    fn attempt(&self, scene: &Scene) -> Attempt<'static> {
        Attempt {
            command: self.command,
            keys: self.keys,
            bytes: self.bytes,
            address: scene.address,
            db: u16::try_from(self.db).unwrap_or(u16::MAX),
            number: 1,
            most: 1,
            label: self.label,
        }
    }
}

/// What became of a transaction, by the answer to `EXEC`.
fn executed(ended: Ended<'_>, outcome: Outcome<'_>) -> (Fate, Tally) {
    let mut tally = Tally::default();
    let fate = match (ended, outcome) {
        (Ended::Reply(..), Outcome::Error(ErrorKind::ExecAbort)) => Fate::Discarded,
        (Ended::Reply(reply, len), Outcome::Answered) => match reply.get::<Option<Seq<'_, Reply<'_>>>>() {
            Ok(None) => Fate::Aborted,
            Ok(Some(answers)) => {
                tally.bytes = len as u64;
                for answer in answers.flatten() {
                    let counter =
                        if answer.error().is_some() { &mut tally.errors } else { &mut tally.answered };
                    *counter = counter.saturating_add(1);
                }
                Fate::Executed
            }
            Err(_) => Fate::Failed(Failure::Unknown),
        },
        (Ended::Failed(failure), _) => Fate::Failed(failure),
        (Ended::Unsent(..), _) => Fate::Failed(Failure::NotSent),
        // There was none, and each request was taken by itself.
        (Ended::Reply(..), _) => Fate::Failed(Failure::Unknown),
    };
    (fate, tally)
}

const fn unsent(error: SubmitError) -> Unsent {
    match error {
        SubmitError::Full(Full::TooLarge) | SubmitError::Misuse(_) => Unsent::Misuse,
        SubmitError::Full(_) => Unsent::Full,
        _ => Unsent::Closed,
    }
}
