//! What hooks are told of batches: each as of a pipeline, and of its items.

use crate::bulk::{Config, Flying, Item, Outcome};
use crate::conn::Connection;
use crate::engine::{self, Engine, Lease, Memory};
use crate::hook::{self, Attempt, Batch, BatchEnd, End, Hook, Refusal, Tally, Times};
use crate::pool::Id;
use crate::time::Instant;

/// Batches in flight that a hook let pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told([Option<Open>; Config::MOST_BATCHES as usize]);

#[derive(Clone, Copy, Debug)]
struct Open {
    number: u32,
    /// Items that are not over.
    left: u32,
    batch: Batch,
    tally: Tally,
    started: Instant,
    /// The hook has let this one pass, and it could not be submitted yet.
    passed: Option<Item>,
}

/// The engine's part: whom to tell, and of what.
pub(super) struct Scene<'e, H> {
    pub(super) now: Instant,
    hook: &'e mut H,
    config: &'e engine::Config,
    connection: Option<Id>,
}

impl<'e, H: Hook> Scene<'e, H> {
    /// With the connection beside it.
    pub(super) fn of<M: Memory<F>, const F: usize>(
        engine: &'e mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) -> Option<(Self, &'e mut Connection<M::Storage, F>)> {
        let at = engine.find(lease.0)?;
        let Engine { links, hook, config, .. } = engine;
        let link = links.as_mut().get_mut(usize::from(at))?;
        Some((Self { now, hook, config, connection: Some(lease.0) }, &mut link.connection))
    }

    /// Without any.
    pub(super) fn without<M: Memory<F>, const F: usize>(
        engine: &'e mut Engine<M, F, H>,
        now: Instant,
    ) -> Self {
        Self { now, hook: &mut engine.hook, config: &engine.config, connection: None }
    }
}

impl Told {
    pub(super) const NONE: Self = Self([None; Config::MOST_BATCHES as usize]);

    /// A batch begins, unless the hook refuses.
    pub(super) fn begin<H: Hook>(
        &mut self,
        hook: &mut H,
        now: Instant,
        number: u32,
        batch: Batch,
    ) -> Result<(), Refusal> {
        if !hook.is_active() {
            return Ok(());
        }
        hook.before_pipeline(now, &batch)?;
        if let Some(place) = self.0.iter_mut().find(|place| place.is_none()) {
            let (left, tally) = (batch.commands, Tally::default());
            *place = Some(Open { number, left, batch, tally, started: now, passed: None });
        }
        Ok(())
    }

    /// Whether an item may be written, as far as the hook is asked.
    pub(super) fn before<H: Hook>(&mut self, scene: &mut Scene<'_, H>, item: Item, flying: &Flying) -> bool {
        let Some(open) = self.open(flying) else { return true };
        if open.passed == Some(item) {
            return true;
        }
        let is_let = scene.hook.before_command(scene.now, &attempt(scene.config, item, flying)).is_ok();
        open.passed = Some(item).filter(|_| is_let);
        is_let
    }

    /// An item is over; of one that was not written the hook may know.
    pub(super) fn after<H: Hook>(
        &mut self,
        scene: &mut Scene<'_, H>,
        item: Item,
        flying: &Flying,
        was_written: bool,
        outcome: Outcome<'_>,
        bytes: u64,
    ) {
        let Some(open) = self.open(flying) else { return };
        let outcome = match outcome {
            Outcome::Value => hook::Outcome::Answered,
            Outcome::Error(error) => hook::Outcome::Error(error.kind()),
            Outcome::Failed(failure) => hook::Outcome::Failed(failure),
        };
        open.tally.count(outcome, bytes);
        open.left = open.left.saturating_sub(1);
        let (&mut Open { batch, tally, started, left, passed, .. }, now) = (open, scene.now);
        if was_written || passed == Some(item) {
            let times = Times { submitted: started, started, written: started, ended: now };
            let end = End { outcome, times, bytes, connection: scene.connection };
            scene.hook.after_command(now, &attempt(scene.config, item, flying), &end);
        }
        if left == 0 {
            scene.hook.after_pipeline(now, &batch, &BatchEnd { tally, started });
            let is_it = |open: &Open| open.number == flying.batch;
            self.0
                .iter_mut()
                .filter(|place| place.as_ref().is_some_and(is_it))
                .for_each(|place| *place = None);
        }
    }

    fn open(&mut self, flying: &Flying) -> Option<&mut Open> {
        self.0.iter_mut().flatten().find(|open| open.number == flying.batch)
    }
}

fn attempt(config: &engine::Config, item: Item, flying: &Flying) -> Attempt<'static> {
    let number = u16::from(item.attempts()).saturating_add(1);
    Attempt {
        command: flying.row,
        keys: 0,
        bytes: flying.len.into(),
        address: config.address,
        db: config.db as u16,
        number,
        most: number.max(flying.most),
        label: None,
    }
}
