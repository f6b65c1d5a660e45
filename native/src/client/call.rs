//! One request of a client: a future, and something to wait for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use respire_core::command::{Carry, OwnedReply, Request, Retry};
use respire_core::engine::{Lease, Options};
use respire_core::resp::{FromReply, Reply};

use super::desk::{Showing, is_showing};
use super::inbox::Ask;
use super::progress::{Progress, Stage};
use super::read::ReadCall;
use super::shared::Shared;
use super::slots::Told;
use super::sync::Arc;
use super::waiter::Waiter;
use crate::Error;

/// A request that was not sent yet: [`wait`](Self::wait) for its answer, or await it.
///
/// As a future it is sent when it is first polled. If it is dropped before its answer has come, nobody waits any more: it is
/// taken back if it was not sent; if it was, it may be executed, and its answer goes to nobody.
#[must_use = "nothing is sent before it is waited for"]
pub struct Call<'c, R> {
    request: R,
    options: Options,
    on: Option<Lease>,
    progress: Progress<'c>,
}

// Nothing in it is pinned.
impl<R> Unpin for Call<'_, R> {}

impl<'c, R> Call<'c, R> {
    pub(super) const fn new(shared: &'c Arc<Shared>, request: R, on: Option<Lease>) -> Self {
        let progress = Progress::new(shared);
        Self { request, options: Options::DEFAULT, on, progress }
    }

    /// Waits at most this long for the answer, in place of the [client's time](super::Builder::timeout): attempts and all
    /// waiting included. What is not there by then fails, as [`Expired`](respire_core::conn::Failure::Expired) if it was never
    /// sent, and as [`TimedOut`](respire_core::conn::Failure::TimedOut) if it was.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// What becomes of it when it is executed twice, if the caller knows better than
    /// [`Retry::of`]: so it is known when it may be sent again.
    ///
    /// By default only what reads goes again once it was sent:
    ///
    /// ```no_run
    /// use respire::prelude::*;
    ///
    /// let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// // Nobody minds if it is stored twice: it goes again after a lost connection.
    /// client.set("seen", 1).retry(Retry::ReadOnly).wait()?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub const fn retry(mut self, class: Retry) -> Self {
        self.options.class = Some(class);
        self
    }

    /// What [hooks](super::Builder::hook) are told that it is, so that it can be told from others of the same command. Nothing
    /// else depends on it, and the server does not see it.
    ///
    /// ```no_run
    /// use respire::prelude::*;
    ///
    /// let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// client.incr("orders").label("checkout").wait()?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub const fn label(mut self, label: &'static str) -> Self {
        self.options.label = Some(label);
        self
    }

    /// On a connection of its own: what is slow does not stand in the way of others then. Commands that block on the server
    /// always have one.
    pub const fn apart(mut self) -> Self {
        self.options.own = true;
        self
    }
}

impl<'c, R: Request> Call<'c, R> {
    /// Reads the answer with `read` instead of making it into a value of its own: for tasks what
    /// [`wait_with`](Self::wait_with) is for threads.
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # async fn example(client: respire::Client) -> Result<(), respire::Error> {
    /// let ones = client
    ///     .send(get("bitmap"))
    ///     .read(|reply| Ok(reply.get::<&[u8]>()?.iter().map(|byte| byte.count_ones()).sum::<u32>()))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn read<T, F: FnOnce(Reply<'_>) -> Result<T, Error>>(self, read: F) -> ReadCall<'c, R, F> {
        ReadCall::new(self, read)
    }

    /// Reads a string into a buffer of one's own: so many bytes it has, and as many of them are there as have room. `None` if
    /// there is nothing.
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let mut buffer = [0; 1024];
    /// if let Some(len) = client.send(get("greeting")).read_into(&mut buffer).wait()? {
    ///     println!("{len} bytes, the first of them {:?}", buffer.first());
    /// }
    /// # Ok::<(), respire::Error>(())
    /// ```
    pub const fn read_into<'b>(
        self,
        buffer: &'b mut [u8],
    ) -> ReadCall<'c, R, impl FnOnce(Reply<'_>) -> Result<Option<usize>, Error> + use<'b, R>> {
        self.read(|reply: Reply<'_>| {
            let Some(bytes) = reply.get::<Option<&[u8]>>()? else { return Ok(None) };
            buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            Ok(Some(bytes.len()))
        })
    }

    /// Sends it, and blocks this thread until the answer is there; meanwhile this thread may read and write for all.
    ///
    /// # Errors
    /// See [`Error`]. [`Error::Failed`] says whether it can have been executed.
    pub fn wait(self) -> Result<R::Owned, Error>
    where
        R: OwnedReply,
    {
        self.wait_told(value)
    }

    /// Sends it, blocks this thread until the answer is there, and reads it where it lies, without a copy. The client may stand
    /// still for all others until `read` is through.
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let ones = client.send(get("bitmap")).wait_with(|reply| {
    ///     let bytes: &[u8] = reply.get()?;
    ///     Ok(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>())
    /// })?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Error`], and what `read` returns. [`Error::Busy`] if `read` asks this client, or another, for something.
    pub fn wait_with<T>(self, read: impl FnOnce(Reply<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.wait_told(|told| show(told, read))
    }

    fn wait_told<T>(mut self, read: impl FnOnce(Told<'_>) -> Result<T, Error>) -> Result<T, Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        let shared = self.progress.shared;
        let slot = match self.progress.stage {
            Stage::Sent(slot) => slot,
            _ => {
                let slot = self.progress.slot(&self.options)?;
                self.ask(slot, Waiter::Nobody)?;
                slot
            }
        };
        self.progress.stage = Stage::Over;
        let (mut read, mut result) = (Some(read), None);
        shared.wait(slot, &mut |_, told| {
            if let Some(read) = read.take() {
                result = Some(read(told));
            }
        })?;
        result.unwrap_or(Err(Error::Busy))
    }
}

/// What was told, for one request.
pub(super) fn answer(told: Told<'_>) -> Result<Reply<'_>, Error> {
    match told {
        Told::Reply(reply) => Ok(reply),
        Told::Failed(failed) => Err(Error::from(failed)),
        Told::Refused(refused) => Err(Error::from(refused)),
        Told::Leased(_) => Err(Error::Busy),
    }
}

/// The same, read by the caller's own code.
pub(super) fn show<T>(told: Told<'_>, read: impl FnOnce(Reply<'_>) -> Result<T, Error>) -> Result<T, Error> {
    // Wherever it lies: what a closure may do does not depend on who drives.
    let _showing = Showing::new();
    answer(told).and_then(read)
}

/// The same as a value of its own.
fn value<T: for<'r> FromReply<'r>>(told: Told<'_>) -> Result<T, Error> {
    Ok(answer(told)?.get()?)
}

impl<R: Request> Call<'_, R> {
    /// Asks, or gives the slot back. Whether somebody must be seen to who drives.
    fn ask(&mut self, slot: u32, waiter: Waiter) -> Result<bool, Error> {
        let Self { request, options, on, progress } = self;
        progress.within(options);
        let asked = progress.shared.submit(Ask { slot, waiter, request, options, on: *on });
        asked.inspect_err(|_| progress.shared.slots.line.give(slot))
    }
}

impl<R: Request> Call<'_, R> {
    /// Whether the answer is there: then it was shown to `each`.
    pub(super) fn poll_answer(
        &mut self,
        context: &Context<'_>,
        each: &mut dyn FnMut(u32, Told<'_>),
    ) -> Poll<Result<(), Error>> {
        let shared = self.progress.shared;
        match self.progress.stage {
            Stage::Sent(slot) => {
                if !shared.slots.collect(slot, Waiter::task(context.waker()), each) {
                    return Poll::Pending;
                }
                self.progress.stage = Stage::Over;
                Poll::Ready(Ok(()))
            }
            Stage::Over => Poll::Ready(Err(Error::Busy)),
            Stage::New | Stage::Waiting(_) if is_showing() => Poll::Ready(Err(Error::Busy)),
            Stage::New | Stage::Waiting(_) => {
                let Self { options, progress, .. } = self;
                let slot = ready!(progress.poll_slot(options, context))?;
                let is_left_alone = self.ask(slot, Waiter::Task(context.waker().clone()))?;
                self.progress.stage = Stage::Sent(slot);
                if is_left_alone {
                    shared.see_to_driver();
                }
                Poll::Pending
            }
        }
    }
}

impl<R: OwnedReply> Future for Call<'_, R> {
    type Output = Result<R::Owned, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut result = None;
        let mut each = |_, told: Told<'_>| result = Some(value(told));
        ready!(self.poll_answer(context, &mut each))?;
        Poll::Ready(result.unwrap_or(Err(Error::Busy)))
    }
}

impl<R> Carry<R> for Call<'_, R> {
    fn map(self, change: impl FnOnce(R) -> R) -> Self {
        Self { request: change(self.request), ..self }
    }
}

impl<R> fmt::Debug for Call<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("options", &self.options).finish_non_exhaustive()
    }
}
