//! An engine and its socket in one: what is asked of it goes to the [`World`]'s server, and what comes back is told.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use respire_core::command::echo;
use respire_core::conn::{Failure, SubmitError, Token};
use respire_core::engine::{Config, Engine, Failed, Heap, Lease, Refused, Ticket};
use respire_core::error::Full;
use respire_core::resp::{Encoder, Reply};
use respire_core::time::{Duration, Instant};

use super::Shape;
use super::desk::{Abandoned, Desk, Own, token};
use super::inbox::Ask;
use super::shared::Shared;
use super::slots::Told;
use super::world::World;

/// So many requests are worth a write before the driver is back.
pub(super) const BATCH: usize = 2;

pub(super) struct Core {
    world: Arc<World>,
    pub(super) sockets: Sockets,
    pub(super) desk: Desk,
    pub(super) collecting: bool,
    pub(super) fresh: usize,
    pub(super) used: Instant,
    /// Requests can be taken back.
    cancels: bool,
    /// So many are taken.
    room: usize,
    unsent: Vec<(u64, Vec<u8>)>,
    /// What is to be told of, and until when.
    pending: BTreeMap<u64, (Token, Instant)>,
    next: u64,
    /// Something that nobody waits for is to be done so long after each request.
    upkeep: Option<Duration>,
}

#[derive(Default)]
pub(super) struct Sockets {
    is_ready: bool,
}

impl Sockets {
    pub(super) fn note(&mut self, (): ()) {
        self.is_ready = true;
    }
}

impl Core {
    pub(super) fn new(world: &Arc<World>, shape: Shape) -> Self {
        Self {
            world: Arc::clone(world),
            sockets: Sockets::default(),
            desk: Desk::default(),
            collecting: false,
            fresh: 0,
            used: Instant::ZERO,
            cancels: shape.cancels,
            room: shape.room,
            unsent: Vec::new(),
            pending: BTreeMap::new(),
            next: 0,
            upkeep: shape.upkeep,
        }
    }

    pub(super) fn due(&self) -> Instant {
        if self.sockets.is_ready {
            return Instant::ZERO;
        }
        self.pending.values().map(|(_, due)| *due).min().unwrap_or(Instant::MAX)
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.pending.len() <= 1
    }

    pub(super) fn submit(&mut self, now: Instant, ask: &mut Ask<'_>) -> Result<(), Refused> {
        if self.pending.len() >= self.room {
            return Err(SubmitError::from(Full::InFlight).into());
        }
        self.fresh += 1;
        let id = self.next;
        self.next += 1;
        let mut bytes = [0; 64];
        let mut encoder = Encoder::new(&mut bytes);
        ask.request.encode(&mut encoder);
        let len = encoder.finish().len();
        self.unsent.push((id, bytes[..len].to_vec()));
        let due = ask.options.timeout.map_or(Instant::MAX, |timeout| now.saturating_add(timeout));
        self.await_until(id, token(ask.slot, 0), due);
        if let Some(upkeep) = self.upkeep {
            self.await_until(UPKEEP, Token(u64::MAX), now.saturating_add(upkeep));
        }
        self.desk.expect(ask.slot, self.cancels.then(ticket), 1, std::mem::take(&mut ask.waiter));
        Ok(())
    }

    fn await_until(&mut self, id: u64, token: Token, due: Instant) {
        self.pending.insert(id, (token, due));
        if due < Instant::MAX {
            self.world.change(|state| state.deadlines.insert(id, Duration::from_micros(due.as_micros())));
        }
    }

    pub(super) fn abandon(&mut self, shared: &Shared, slot: u32) {
        if let Some(Abandoned::Call(_)) = self.desk.abandon(shared, slot) {
            let of_slot = |(_, (known, _)): &(&u64, &(Token, Instant))| *known == token(slot, 0);
            if let Some(id) = self.pending.iter().find(of_slot).map(|(id, _)| *id) {
                self.forget(id);
            }
        }
    }

    /// Connections are not lent here.
    pub(super) const fn lend(&mut self, _: Instant) -> Option<Lease> {
        None
    }

    pub(super) const fn release(&mut self, _: &Shared, _: Instant, _: Lease) {}

    pub(super) const fn serve(&mut self, _: &Shared, _: Instant) {}

    pub(super) fn transmit(&mut self, _: Instant) {
        self.fresh = 0;
        if !self.unsent.is_empty() {
            self.world.change(|state| state.sent.extend(self.unsent.drain(..)));
        }
    }

    pub(super) fn settle(&mut self, shared: &Shared, own: &mut Option<Own<'_>>) -> Instant {
        if std::mem::take(&mut self.sockets.is_ready) {
            let answers = self.world.change(|state| std::mem::take(&mut state.answers));
            for (id, answer) in answers {
                // What was taken back is not told of.
                if let Some((token, _)) = self.forget(id) {
                    self.desk.tell(shared, token, Told::Reply(Reply::parse(&answer).unwrap()), own);
                }
            }
        }
        let now = shared.now();
        while let Some(id) = self.pending.iter().find(|(_, (_, due))| *due <= now).map(|(id, _)| *id) {
            if let Some((token, _)) = self.forget(id)
                && id != UPKEEP
            {
                self.desk.tell(shared, token, Told::Failed(LATE), own);
            }
        }
        shared.slots.line.expire(now, |waiter| self.desk.wake(waiter));
        now
    }

    fn forget(&mut self, id: u64) -> Option<(Token, Instant)> {
        let forgotten = self.pending.remove(&id)?;
        if forgotten.1 < Instant::MAX {
            self.world.change(|state| state.deadlines.remove(&id));
        }
        Some(forgotten)
    }
}

const UPKEEP: u64 = u64::MAX;

const LATE: Failed =
    Failed { failure: Failure::TimedOut, why: None, refused: None, attempts: 1, elapsed: Duration::ZERO };

/// Only an engine makes them; the desk looks whether there is one.
fn ticket() -> Ticket {
    static TICKET: OnceLock<Ticket> = OnceLock::new();
    *TICKET.get_or_init(|| {
        let memory =
            Heap { connections: 1, calls: 1, bytes: 64, subscriptions: 0, names: 0, buffer: (256, 256) };
        let mut engine = Engine::<Heap, 1>::new(memory, &Config::DEFAULT, Instant::ZERO);
        engine.submit(Instant::ZERO, Token(0), &echo(""), &Default::default()).unwrap()
    })
}
