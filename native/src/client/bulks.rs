//! The bulks of a client, as whoever drives knows them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::task::Waker;

use respire_core::bulk::{self, Slot, Ticket};
use respire_core::conn::Token;
use respire_core::engine::{Failed, Lease, LoadConfig, Loaded, Loader};
use respire_core::error::ReplyError;
use respire_core::resp::{ErrorReply, Value};
use respire_core::time::Instant;

use super::bulk::BulkResult;
use super::desk::{is_showing, token};
use super::machine::{Core, Machine};
use super::waiter::{Waiter, lock};

type Load = Loader<Vec<u8>, Vec<Slot>>;

/// A loader, and who waits for its results.
pub(super) struct Cell(pub(super) Mutex<State>);

pub(super) struct State {
    pub(super) loader: Load,
    /// Answers whose results were not taken.
    answers: HashMap<Ticket, Result<Value, ErrorReply>>,
    /// Who waits for the next.
    waiters: Vec<Waker>,
    /// Items that were resolved when this was looked at last.
    resolved: u64,
    /// Nobody takes results any more.
    pub(super) abandoned: bool,
}

/// The bulks of a client, each with its number.
#[derive(Default)]
pub(super) struct Bulks(Vec<(u32, Arc<Cell>)>);

/// Numbers of bulks stand in the place of slots, of which there are never so many.
const FIRST: u32 = 1 << 31;

/// Of all bulks of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Cell {
    pub(super) fn new(bulk: bulk::Bulk<Vec<u8>, Vec<Slot>>, load: LoadConfig) -> (Arc<Self>, u32) {
        let number = FIRST | NEXT.fetch_add(1, Ordering::Relaxed);
        let state = State {
            loader: Loader::new(bulk, token(number, 0), load),
            answers: HashMap::new(),
            waiters: Vec::new(),
            resolved: 0,
            abandoned: false,
        };
        (Arc::new(Self(Mutex::new(state))), number)
    }

    /// Its state; not in a hook that is told of it just now, for then this thread has it.
    pub(super) fn reach(&self) -> Option<MutexGuard<'_, State>> {
        if !is_showing() {
            return Some(lock(&self.0));
        }
        match self.0.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The next result, or the end. `Err`: it is still to come, and `waker` is told.
    pub(super) fn take(&self, waker: Option<&Waker>) -> Result<Option<BulkResult>, ()> {
        let mut state = self.reach().ok_or(())?;
        let State { loader, answers, waiters, .. } = &mut *state;
        if let Some(resolved) = loader.poll_result() {
            return Ok(Some(BulkResult::of(resolved, answers.remove(&resolved.ticket))));
        }
        if loader.is_over() {
            return Ok(None);
        }
        if let Some(waker) = waker
            && !waiters.iter().any(|known| known.will_wake(waker))
        {
            waiters.push(waker.clone());
        }
        Err(())
    }
}

impl Bulks {
    pub(super) fn add(&mut self, number: u32, cell: Arc<Cell>) {
        self.0.push((number, cell));
    }

    fn of(&self, token: Token) -> Option<&Arc<Cell>> {
        let number = token.0 as u32;
        self.0.iter().find(|(known, _)| *known == number).map(|(_, cell)| cell)
    }

    /// A connection is there. Whether it was for one of these.
    pub(super) fn handle_leased(&self, now: Instant, token: Token, lease: Lease) -> bool {
        self.of(token).is_some_and(|cell| lock(&cell.0).loader.handle_leased(now, token, lease))
    }

    /// The same if there is none.
    pub(super) fn handle_failed(&self, now: Instant, token: Token, failed: &Failed) -> bool {
        self.of(token).is_some_and(|cell| lock(&cell.0).loader.handle_failed(now, token, failed))
    }

    /// When one of them has something to do.
    pub(super) fn due(&self) -> Instant {
        let due = |cell: &Arc<Cell>| lock(&cell.0).loader.poll_timeout();
        self.0.iter().map(|(_, cell)| due(cell)).min().unwrap_or(Instant::MAX)
    }

    /// Moves all of them. Who is to be told, and how many are over that nobody holds any more.
    pub(super) fn poll(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        mut wake: impl FnMut(Waiter),
    ) -> (bool, usize) {
        let (mut is_idle, before) = (true, self.0.len());
        self.0.retain(|(_, cell)| {
            let mut state = lock(&cell.0);
            let State { loader, answers, waiters, resolved, abandoned } = &mut *state;
            let mut heard = false;
            while let Some(loaded) = loader.poll_answer(engine, now) {
                heard = true;
                if let (Loaded::Answer { ticket, reply }, false) = (loaded, *abandoned) {
                    match reply.get() {
                        Ok(value) => _ = answers.insert(ticket, Ok(value)),
                        Err(ReplyError::Server(error)) => _ = answers.insert(ticket, Err(error.into())),
                        // It is nested deeper than a value may be.
                        Err(ReplyError::Decode(_)) => {}
                    }
                }
            }
            if *abandoned {
                while loader.poll_result().is_some() {}
            }
            is_idle &= !heard;
            let is_over = loader.is_over();
            let stats = loader.bulk().stats();
            let seen = std::mem::replace(resolved, stats.answered.wrapping_add(stats.failed));
            if *resolved != seen || is_over {
                waiters.drain(..).map(Waiter::Task).for_each(&mut wake);
            }
            !is_over
        });
        (!is_idle, before - self.0.len())
    }
}

impl Core {
    /// Moves what goes in batches. Whether there was anything.
    pub(super) fn load(&mut self, now: Instant) -> bool {
        let Self { bulks, engine, desk, .. } = self;
        let (moved, over) = bulks.poll(engine, now, |waiter| {
            if !matches!(waiter, Waiter::Nobody) {
                desk.woken.push(waiter);
            }
        });
        desk.tasks -= over;
        moved
    }
}
