//! Batches of a client: items in, results out, and nothing that waits for the network in between.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use respire_core::bulk::{self, Refused, Resolved, Slot, Stats, Ticket, Value as Ended};
use respire_core::command::Request;
use respire_core::conn::Failure;
use respire_core::engine::LoadConfig;
use respire_core::resp::{ErrorReply, Value};
use respire_core::time::Instant;

use super::bulks::{Cell, State};
use super::desk::is_showing;
use super::machine::{Core, Machine};
use super::shared::Shared;
use super::waiter::lock;
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
            core.bulks.add(number, added);
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

impl BulkResult {
    pub(super) fn of(resolved: Resolved<'_>, answer: Option<Result<Value, ErrorReply>>) -> Self {
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
