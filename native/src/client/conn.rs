//! A connection of one's own.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use respire_core::command::{Caller, Pipeline, Request};
use respire_core::engine::{Lease, Options};
use respire_core::time::Instant;

use super::desk::is_showing;
use super::machine::Core;
use super::progress::{Progress, Stage};
use super::shared::Shared;
use super::slots::Told;
use super::waiter::Waiter;
use super::{Call, Client, PipelineCall, block_on};
use crate::Error;

/// A connection of the client's pool for its owner's own use: for commands that change the state of their connection, such
/// as `SELECT`, `WATCH` and `CLIENT TRACKING`, and for whatever nobody else should stand behind.
///
/// When it is dropped it goes back to the pool, made as new, or is closed if that is not possible. It is never replaced:
/// once its connection is lost, so is what was set there, and every call fails.
///
/// ```no_run
/// use respire::prelude::*;
///
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// let conn = client.conn().wait()?;
/// conn.select(3).wait()?;
/// conn.set("there", "not in the database of others").wait()?;
/// # Ok::<(), respire::Error>(())
/// ```
pub struct Conn {
    client: Client,
    lease: Lease,
}

impl Conn {
    /// Sends any request.
    pub fn send<R: Request>(&self, request: R) -> Call<'_, R> {
        Call::new(self.client.shared(), request, Some(self.lease))
    }

    /// Sends several requests in one go: see [`Client::pipeline`].
    pub fn pipeline<P: Pipeline>(&self, pipeline: P) -> PipelineCall<'_, P> {
        PipelineCall::new(self.client.shared(), pipeline, Some(self.lease))
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn lease(&self) -> Lease {
        self.lease
    }
}

impl Caller for Conn {
    type Call<'c, R: Request> = Call<'c, R>;

    fn call<R: Request>(&self, request: R) -> Call<'_, R> {
        self.send(request)
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.client.shared().release(self.lease);
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("lease", &self.lease).finish_non_exhaustive()
    }
}

/// A wish for a connection of one's own: [`wait`](Self::wait) for it, or await it. How long that may take is up to the
/// pool's [`wait_timeout`](respire_core::pool::Config::wait_timeout).
#[must_use = "nothing is wished for before it is waited for"]
pub struct ConnCall<'c> {
    client: &'c Client,
    progress: Progress<'c>,
}

impl<'c> ConnCall<'c> {
    pub(super) fn new(client: &'c Client) -> Self {
        Self { client, progress: Progress::new(client.shared()) }
    }

    /// Blocks this thread until the connection is there.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn wait(self) -> Result<Conn, Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        // What nobody uses is lent without a slot to wait at.
        match self.progress.shared.lend_or(|_, _| false)? {
            Some(lease) => Ok(self.lent(lease)),
            None => block_on(self),
        }
    }

    fn lent(&self, lease: Lease) -> Conn {
        Conn { client: self.client.clone(), lease }
    }
}

impl Future for ConnCall<'_> {
    type Output = Result<Conn, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.progress.shared;
        if let Stage::Sent(slot) = self.progress.stage {
            let (client, mut result) = (self.client, Err(Error::Busy));
            let mut each = |_, told: Told<'_>| {
                result = match told {
                    Told::Leased(lease) => Ok(Conn { client: client.clone(), lease }),
                    Told::Failed(failed) => Err(failed.into()),
                    Told::Refused(refused) => Err(refused.into()),
                    Told::Reply(_) => Err(Error::Busy),
                };
            };
            if !shared.slots.collect(slot, Waiter::task(context.waker()), &mut each) {
                return Poll::Pending;
            }
            self.progress.stage = Stage::Over;
            return Poll::Ready(result);
        }
        if matches!(self.progress.stage, Stage::Over) || is_showing() {
            return Poll::Ready(Err(Error::Busy));
        }
        let waiter = || Waiter::Task(context.waker().clone());
        let mut wished = None;
        if let Stage::New = self.progress.stage {
            let lent = shared.lend_or(|core, now| {
                let Some(slot) = shared.slots.line.take() else { return false };
                wished = Some(wish(shared, core, now, slot, waiter()));
                true
            });
            if !matches!((&lent, &wished), (Ok(None), None)) {
                self.progress.stage = Stage::Over;
            }
            if let Some(lease) = lent? {
                return Poll::Ready(Ok(self.lent(lease)));
            }
        }
        let slot = match wished {
            Some(wished) => wished?,
            // Somebody else has the core, or all slots are taken.
            None => {
                let slot = ready!(self.progress.poll_slot(&Options::DEFAULT, context))?;
                shared.same_process().inspect_err(|_| shared.slots.line.give(slot))?;
                shared.enter(|core| wish(shared, core, shared.now(), slot, waiter()))?
            }
        };
        self.progress.stage = Stage::Sent(slot);
        shared.see_to_driver();
        Poll::Pending
    }
}

/// Wishes for a connection, of which this slot is told.
///
/// # Errors
/// The engine's; the slot was given back.
fn wish(shared: &Shared, core: &mut Core, now: Instant, slot: u32, waiter: Waiter) -> Result<u32, Error> {
    if let Err(refused) = core.wish(now, slot, waiter) {
        shared.slots.line.give(slot);
        return Err(refused.into());
    }
    core.serve(shared, now);
    Ok(slot)
}

impl fmt::Debug for ConnCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnCall").finish_non_exhaustive()
    }
}
