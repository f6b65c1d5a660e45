//! One turn of a loader: what was answered, what goes out, and whose the connection is.

use super::told::Scene;
use super::{Loaded, Loader, Loan, Place};
use crate::bulk::{self, Item, Outcome, Rest, Slot, Verdict};
use crate::conn::{Event, Failure, SubmitError};
use crate::engine::{Engine, Lease, Memory, Refused};
use crate::error::Full;
use crate::flaw::flaw;
use crate::hook::{Batch, Hook};
use crate::time::Instant;

/// What a connection has said.
enum Heard {
    Nothing,
    /// Nothing for anybody else.
    Something,
    Answer(bulk::Ticket),
    Push,
    Lost,
}

/// What became of the rest of a batch.
enum Written {
    All,
    /// As much as there is room for.
    Some,
    /// The next one is not to be sent.
    Refused,
}

impl<B, S> Loader<B, S>
where
    B: AsRef<[u8]> + AsMut<[u8]>,
    S: AsRef<[Slot]> + AsMut<[Slot]>,
{
    /// Moves all that can be moved: wishes for a connection, passes on what it says, writes, and gives it back. Says
    /// what was answered; poll until `None`, after events and before actions, and at
    /// [`poll_timeout`](Self::poll_timeout).
    #[must_use = "an answer is told once"]
    pub fn poll_answer<'e, M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &'e mut Engine<M, F, H>,
        now: Instant,
    ) -> Option<Loaded<'e>> {
        let now = engine.clock(now);
        self.bulk.handle_timeout(now);
        let (lease, heard) = loop {
            if engine.closing {
                self.bulk.close();
            }
            let Place::Lent(Loan { lease, .. }) = self.place else {
                self.wish(engine, now);
                return None;
            };
            match self.hear(engine, lease, now) {
                Heard::Something => {}
                Heard::Lost => self.lose(engine, lease, now),
                Heard::Nothing => {
                    self.write(engine, lease, now);
                    if !self.is_done(engine, now) {
                        // What was written has a deadline.
                        engine.find(lease.0).into_iter().for_each(|at| engine.watch(at));
                        return None;
                    }
                    self.place = Place::None;
                    engine.release(now, lease);
                }
                heard => break (lease, heard),
            }
        };
        let reply = engine.leased(lease)?.lent();
        Some(match heard {
            Heard::Answer(ticket) => Loaded::Answer { ticket, reply },
            _ => Loaded::Push(reply),
        })
    }

    /// Wishes for a connection if one is wanted, and no longer if none is.
    pub(super) fn wish<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        now: Instant,
    ) {
        match self.place {
            // If it was told by now, it is about to come.
            Place::Wished(ticket) if self.bulk.queued() == 0 && engine.cancel(now, ticket).is_some() => {
                self.place = Place::None;
            }
            Place::None if self.bulk.queued() > 0 => {
                // Who is closed is not waited for a second time.
                if engine.closing && self.misses > 0 {
                    return self.bulk.give_up(now);
                }
                let is_due = self.bulk.is_held() || self.bulk.poll_timeout() <= now;
                if !is_due || now < self.again_at {
                    return;
                }
                match engine.wish(now, self.token, true) {
                    Ok(ticket) => self.place = Place::Wished(ticket),
                    Err(Refused::Closed) => self.bulk.give_up(now),
                    Err(_) => self.miss(now),
                }
            }
            _ => {}
        }
    }

    /// The next that the connection has to say goes to the bulk.
    fn hear<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) -> Heard {
        let Some(connection) = engine.leased(lease) else { return Heard::Lost };
        let (token, failure) = match connection.poll_event() {
            None => return Heard::Nothing,
            Some(Event::Reply { token, .. }) => (token, None),
            Some(Event::Failed { token, failure }) => (token, Some(failure)),
            Some(Event::Push(_)) => return Heard::Push,
            Some(Event::Closed(_)) => return Heard::Lost,
            Some(_) => return Heard::Something,
        };
        let item = Item::from_token(token);
        let Some((mut scene, connection)) = Scene::of(engine, lease, now) else { return Heard::Lost };
        let verdict = match failure {
            Some(failure) => self.conclude(&mut scene, item, failure.into(), 0),
            None => {
                let bytes = connection.lent_len() as u64;
                self.conclude(&mut scene, item, Outcome::of(connection.lent()), bytes)
            }
        };
        match (verdict, failure) {
            (Verdict::Told, None) => Heard::Answer(item.ticket()),
            _ => Heard::Something,
        }
    }

    /// What the connection has said of an item, or what is known without it.
    fn conclude<H: Hook>(
        &mut self,
        scene: &mut Scene<'_, H>,
        item: Item,
        outcome: Outcome<'_>,
        bytes: u64,
    ) -> Verdict {
        if let Place::Lent(loan) = &mut self.place {
            loan.since = scene.now;
        }
        if let Some(flying) = self.bulk.flying(item) {
            let was_written = !self.rest.holds(item);
            self.told.after(scene, item, &flying, was_written, outcome, bytes);
        }
        self.bulk.handle_reply(scene.now, item, outcome)
    }

    /// The connection is gone: what it has not said of items is known without it.
    fn lose<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) {
        self.drop_rest(engine, now);
        let mut last = None;
        while let Some(item) = self.bulk.next_in_flight(last) {
            // It was closed without a word: time was up.
            let mut scene = Scene::without(engine, now);
            let _ = self.conclude(&mut scene, item, Failure::Unknown.into(), 0);
            last = Some(item);
        }
        self.place = Place::None;
        self.again_at = now;
        engine.release(now, lease);
    }

    /// What was not written will not be, on this connection.
    pub(super) fn drop_rest<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        now: Instant,
    ) {
        while let Some((item, rest)) = self.first_of_rest() {
            let mut scene = Scene::without(engine, now);
            let _ = self.conclude(&mut scene, item, Failure::NotSent.into(), 0);
            self.rest = rest;
        }
    }

    /// The next item to be written, and what is left then.
    fn first_of_rest(&self) -> Option<(Item, Rest)> {
        let mut batch = self.bulk.resume(self.rest);
        let (item, _) = batch.next()?;
        Some((item, batch.rest()))
    }

    /// Batches go out while there is room.
    fn write<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) {
        loop {
            match self.write_rest(engine, lease, now) {
                Written::Some => return,
                Written::All if !self.begin(engine, lease, now) => return,
                Written::All => {}
                Written::Refused => self.refuse_first(engine, now),
            }
        }
    }

    /// The first of the rest is not sent, and does not go again.
    fn refuse_first<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        now: Instant,
    ) {
        let Some((item, rest)) = self.first_of_rest() else { return };
        if let Some(flying) = self.bulk.flying(item) {
            let mut scene = Scene::without(engine, now);
            self.told.after(&mut scene, item, &flying, false, Failure::NotSent.into(), 0);
        }
        self.bulk.refuse(now, item);
        self.rest = rest;
    }

    /// The next batch is the rest, if there is one and it may go.
    fn begin<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) -> bool {
        let Place::Lent(loan) = &mut self.place else { return false };
        loan.ending = loan.used && engine.wants_back(lease);
        if loan.ending {
            return false;
        }
        let Some(batch) = self.bulk.poll_batch(now) else { return false };
        (loan.used, loan.since) = (true, now);
        let told = Batch { commands: batch.len() as u32, bytes: batch.size() as u64, label: None };
        let number = batch.number();
        self.rest = batch.rest();
        if self.told.begin(&mut engine.hook, now, number, told).is_err() {
            while !self.rest.is_empty() {
                self.refuse_first(engine, now);
            }
        }
        true
    }

    /// Submits what was not submitted of the last batch.
    fn write_rest<M: Memory<F>, const F: usize, H: Hook>(
        &mut self,
        engine: &mut Engine<M, F, H>,
        lease: Lease,
        now: Instant,
    ) -> Written {
        if self.rest.is_empty() {
            return Written::All;
        }
        let deadline = self.config.timeout.map(|timeout| now.saturating_add(timeout));
        let Some((mut scene, connection)) = Scene::of(engine, lease, now) else { return Written::Some };
        let mut batch = self.bulk.resume(self.rest);
        while let Some((item, frame)) = batch.next() {
            let flying = self.bulk.flying(item).filter(|flying| flying.wanted);
            let Some(flying) = flying else { return Written::Refused };
            if !self.told.before(&mut scene, item, &flying) {
                return Written::Refused;
            }
            let submitted = match deadline {
                Some(_) => connection.submit_until(deadline, item.token(), &frame),
                None => connection.submit(now, item.token(), &frame),
            };
            match submitted {
                Ok(()) => self.rest = batch.rest(),
                Err(SubmitError::Full(Full::TooLarge) | SubmitError::Misuse(_)) => {
                    return Written::Refused;
                }
                // There will be room, or an end.
                Err(_) => {
                    flaw!(RestForgotten => self.rest = Rest::NONE);
                    return Written::Some;
                }
            }
        }
        Written::All
    }

    /// Whether the connection is to be given back.
    fn is_done<M: Memory<F>, const F: usize, H: Hook>(&self, engine: &Engine<M, F, H>, now: Instant) -> bool {
        let Place::Lent(loan) = self.place else { return false };
        flaw!(LoanKept => return false);
        let is_over = self.bulk.queued() == 0 && (self.bulk.is_closed() || engine.closing);
        self.bulk.flights() == 0 && (loan.ending || is_over || now >= self.idle_at())
    }
}
