//! Batches of a client: items in, results out, and nothing that waits for the network in between.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::task::{Context, Poll, Waker};

use respire_core::bulk::{self, Refused, Resolved, Slot, Stats, Ticket, Value as Ended};
use respire_core::command::Request;
use respire_core::conn::{Failure, Token};
use respire_core::engine::{Failed, Lease, LoadConfig, Loaded, Loader};
use respire_core::error::ReplyError;
use respire_core::resp::{ErrorReply, Value};
use respire_core::time::Instant;

use super::desk::{is_showing, token};
use super::machine::{Core, Machine};
use super::shared::Shared;
use super::waiter::{Waiter, lock};
use super::{Client, block_on};

/// Items that go out in batches, over a connection that they have for themselves.
///
/// - [`push`](Self::push) copies an item and returns: it never waits for the network. A batch goes when it is full, in items or
///   in bytes, when its time has come, or when it is [flushed](Self::flush).
/// - Each item has a result of its own, which waits to be [taken](Self::next): as many items as there is memory for are
///   on their way or untaken, and beyond it a push is refused.
/// - What was lost and may go again does, by the rules of [`bulk`](respire_core::bulk).
/// - When it is dropped, what is in it is still sent, and nobody hears of the results.
///
/// ```no_run
/// use respire::prelude::*;
///
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// let bulk = client.bulk().start();
/// for n in 0..1000 {
///     bulk.push(&set(&format!("key:{n}"), n)).expect("room for a thousand");
/// }
/// bulk.close();
/// while let Some(result) = bulk.next_blocking() {
///     result.answer.expect("every item stored");
/// }
/// # Ok::<(), respire::Error>(())
/// ```
pub struct Bulk {
    client: Client,
    cell: Arc<Cell>,
}

/// How a [`Bulk`] is made.
#[derive(Clone, Debug)]
#[must_use = "it makes a bulk when it starts"]
pub struct BulkBuilder<'c> {
    client: &'c Client,
    config: bulk::Config,
    load: LoadConfig,
    items: usize,
    bytes: usize,
}

/// What became of an item.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct BulkResult {
    /// Which one.
    pub ticket: Ticket,
    /// The batch that it was in, the last one if it was in several.
    pub batch: Option<u32>,
    /// Its place there, from 0.
    pub index: u32,
    /// How often it was sent again.
    pub retries: u8,
    /// Before the last time there was one whose outcome nobody knows: it may have been executed then, too.
    pub doubtful: bool,
    /// Its answer, or why there is no good one.
    pub answer: Result<Value, BulkError>,
}

/// Why an item has no good answer.
#[derive(Clone, PartialEq, Debug)]
pub enum BulkError {
    /// The server said no.
    Server(ErrorReply),
    /// There is no answer. `NotSent` and `Expired` mean that it was never executed.
    Failed(Failure),
    /// It was not executed, and an item behind it, of the same key or of one that is not known, was.
    Overtaken,
}

type Load = Loader<Vec<u8>, Vec<Slot>>;

/// A loader, and who waits for its results.
pub(super) struct Cell(Mutex<State>);

struct State {
    loader: Load,
    /// Answers whose results were not taken.
    answers: HashMap<Ticket, Result<Value, ErrorReply>>,
    /// Who waits for the next.
    waiters: Vec<Waker>,
    /// Items that were resolved when this was looked at last.
    resolved: u64,
    /// Nobody takes results any more.
    abandoned: bool,
}

/// The bulks of a client, each with its number.
#[derive(Default)]
pub(super) struct Bulks(Vec<(u32, Arc<Cell>)>);

/// Numbers of bulks stand in the place of slots, of which there are never so many.
const FIRST: u32 = 1 << 31;

/// Of all bulks of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl Client {
    /// Items that go out in batches.
    pub fn bulk(&self) -> BulkBuilder<'_> {
        BulkBuilder {
            client: self,
            config: bulk::Config::DEFAULT,
            load: LoadConfig::DEFAULT,
            items: 10_000,
            bytes: 8 << 20,
        }
    }
}

impl BulkBuilder<'_> {
    /// How batches are made.
    pub fn config(mut self, change: impl FnOnce(&mut bulk::Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// How its connection is treated.
    pub fn load(mut self, change: impl FnOnce(&mut LoadConfig)) -> Self {
        change(&mut self.load);
        self
    }

    /// How many items have room, and how many bytes of them.
    pub const fn room(mut self, items: usize, bytes: usize) -> Self {
        (self.items, self.bytes) = (items, bytes);
        self
    }

    /// Makes it. Nothing is sent before the first push.
    #[must_use]
    pub fn start(self) -> Bulk {
        let Self { client, config, load, items, bytes } = self;
        let bulk = bulk::Bulk::new(vec![0; bytes], vec![Slot::EMPTY; items], config);
        let (cell, number) = Cell::new(bulk, load);
        let added = Arc::clone(&cell);
        client.shared().soon(move |core, _| {
            core.bulks.0.push((number, added));
            core.desk.tasks += 1;
        });
        Bulk { client: client.clone(), cell }
    }
}

impl Bulk {
    /// Takes an item: its bytes are copied.
    ///
    /// # Errors
    /// See [`Refused`]: nothing of the item was taken then.
    pub fn push<R: Request>(&self, request: &R) -> Result<Ticket, Refused> {
        let now = self.client.shared().now();
        let pushed = self.cell.reach().ok_or(Refused::Items)?.loader.push(now, request);
        self.stir();
        pushed
    }

    /// The same with an item that may be executed twice, whatever its command is.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_safe<R: Request>(&self, request: &R) -> Result<Ticket, Refused> {
        let now = self.client.shared().now();
        let pushed = self.cell.reach().ok_or(Refused::Items)?.loader.push_safe(now, request);
        self.stir();
        pushed
    }

    /// All that is here goes as soon as batches may.
    pub fn flush(&self) {
        match self.cell.reach() {
            Some(mut state) => state.loader.flush(),
            None => self.later(|state, _, _| state.loader.flush()),
        }
        self.stir();
    }

    /// Flushes, and takes nothing more.
    pub fn close(&self) {
        if let Some(mut state) = self.cell.reach() {
            state.loader.seal();
        }
        self.later(|state, engine, now| {
            state.loader.seal();
            state.loader.close(engine, now);
        });
        self.client.shared().see_to_driver();
    }

    /// The next result, in the order in which items were resolved. `None`: it was closed, and this was the last.
    pub async fn next(&self) -> Option<BulkResult> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// The same for a thread. In a hook, and in what reads an answer, it does not wait.
    pub fn next_blocking(&self) -> Option<BulkResult> {
        if is_showing() { self.try_next() } else { block_on(self.next()) }
    }

    /// A result that is there.
    pub fn try_next(&self) -> Option<BulkResult> {
        self.cell.take(None).unwrap_or_default()
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        self.cell.reach().map(|state| state.loader.bulk().stats()).unwrap_or_default()
    }

    /// As soon as somebody has the core.
    fn later(&self, act: impl FnOnce(&mut State, &mut Machine, Instant) + Send + 'static) {
        let cell = Arc::clone(&self.cell);
        let act =
            move |core: &mut Core, shared: &Shared| act(&mut lock(&cell.0), &mut core.engine, shared.now());
        self.client.shared().soon(act);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<BulkResult>> {
        match self.cell.take(Some(context.waker())) {
            Ok(result) => Poll::Ready(result),
            Err(()) => {
                self.client.shared().see_to_driver();
                Poll::Pending
            }
        }
    }

    /// Whoever drives looks at it.
    fn stir(&self) {
        self.client.shared().post();
        self.client.shared().see_to_driver();
    }
}

impl Drop for Bulk {
    fn drop(&mut self) {
        self.later(|state, _, _| state.abandoned = true);
        self.close();
    }
}

impl Cell {
    fn new(bulk: bulk::Bulk<Vec<u8>, Vec<Slot>>, load: LoadConfig) -> (Arc<Self>, u32) {
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
    fn reach(&self) -> Option<MutexGuard<'_, State>> {
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
    fn take(&self, waker: Option<&Waker>) -> Result<Option<BulkResult>, ()> {
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

impl BulkResult {
    fn of(resolved: Resolved<'_>, answer: Option<Result<Value, ErrorReply>>) -> Self {
        let Resolved { ticket, batch, index, retries, doubtful, result, .. } = resolved;
        let answer = match result {
            Ended::Answered => Ok(answer.and_then(Result::ok).unwrap_or(Value::Null)),
            // The bulk has kept the start of its text.
            Ended::Error(error) => {
                Err(BulkError::Server(answer.and_then(Result::err).unwrap_or_else(|| error.into())))
            }
            Ended::Failed(failure) => Err(BulkError::Failed(failure)),
            Ended::Overtaken => Err(BulkError::Overtaken),
        };
        Self { ticket, batch, index, retries, doubtful, answer }
    }
}

impl Bulks {
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

impl fmt::Debug for Bulk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk").field("loader", &lock(&self.cell.0).loader).finish_non_exhaustive()
    }
}

impl fmt::Display for BulkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => error.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
            Self::Overtaken => f.write_str("it was not executed, and a later item was"),
        }
    }
}

impl std::error::Error for BulkError {}
