//! Several requests of a client in one go.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use respire_core::command::Pipeline;
use respire_core::engine::{Lease, Options};

use super::call::answer;
use super::desk::is_showing;
use super::machine::{AskMany, WINDOW};
use super::progress::{Progress, Stage};
use super::shared::Shared;
use super::slots::Told;
use super::waiter::Waiter;
use crate::Error;

/// Requests that were not sent yet: [`wait`](Self::wait) for all their answers, or await them. They go out together and in
/// order, with nothing of anybody else's between them on a connection of one's own, and a thousand at a time, or as many
/// as there is room for.
#[must_use = "nothing is sent before it is waited for"]
pub struct PipelineCall<'c, P: Pipeline> {
    pipeline: P,
    options: Options,
    on: Option<Lease>,
    progress: Progress<'c>,
    /// The first that was not sent yet.
    next: usize,
    results: Option<P::Partial<Error>>,
}

// Nothing in it is pinned.
impl<P: Pipeline> Unpin for PipelineCall<'_, P> {}

impl<'c, P: Pipeline> PipelineCall<'c, P> {
    pub(super) fn new(shared: &'c Arc<Shared>, pipeline: P, on: Option<Lease>) -> Self {
        let results = Some(pipeline.start());
        let progress = Progress::new(shared);
        Self { pipeline, options: Options::DEFAULT, on, progress, next: 0, results }
    }

    /// Each of them is waited for at most this long.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// What hooks are told that they are, each of them and all together: see [`Call::label`](super::Call::label).
    pub const fn label(mut self, label: &'static str) -> Self {
        self.options.label = Some(label);
        self
    }

    /// On a connection of its own: many answers do not stand in the way of others then.
    pub const fn apart(mut self) -> Self {
        self.options.own = true;
        self
    }

    /// Sends them, and blocks this thread until the last answer is there.
    ///
    /// # Errors
    /// Nothing was sent at all; each request's fate is in its own result.
    pub fn wait(mut self) -> Result<P::Output<Error>, Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        let shared = self.progress.shared;
        let mut sent = match self.progress.stage {
            Stage::Sent(slot) => Some(slot),
            _ => None,
        };
        while sent.is_some() || self.next < self.pipeline.len() {
            let slot = match sent.take() {
                Some(slot) => slot,
                None => {
                    let slot = self.progress.slot(&self.options);
                    match slot.and_then(|slot| self.send(slot, Waiter::Nobody)) {
                        Ok(slot) => slot,
                        Err(error) => {
                            self.cut_short(error)?;
                            continue;
                        }
                    }
                }
            };
            self.progress.stage = Stage::New;
            let results = &mut self.results;
            shared.wait(slot, &mut |item, told| {
                if let Some(results) = results {
                    P::put(results, item as usize, answer(told));
                }
            })?;
        }
        self.finish()
    }

    /// Sends as many as there is room for. The slot again.
    fn send(&mut self, slot: u32, waiter: Waiter) -> Result<u32, Error> {
        let shared = self.progress.shared;
        shared.same_process().inspect_err(|_| shared.slots.line.give(slot))?;
        self.progress.within(&mut self.options);
        let Self { pipeline, next, on, options, .. } = &*self;
        let most = pipeline.len().saturating_sub(*next).min(WINDOW);
        // What goes over a connection of one's own takes no room that others need.
        let most =
            if on.is_some() { most } else { 1 + shared.slots.line.widen(slot, most as u32 - 1) as usize };
        let ask = AskMany { slot, waiter, pipeline, from: *next, most, options, on: *on };
        let sent = shared.enter(|core| core.submit_many(shared, shared.now(), ask));
        self.next = sent.inspect_err(|_| shared.slots.give(slot))?;
        Ok(slot)
    }

    /// No more are sent. What was answered before has its results, and this is that of all others.
    ///
    /// # Errors
    /// The same, if nothing was sent before.
    fn cut_short(&mut self, error: Error) -> Result<(), Error> {
        if self.next == 0 {
            return Err(error);
        }
        if let Some(results) = &mut self.results {
            for index in self.next..self.pipeline.len() {
                P::put(results, index, Err(copy(&error)));
            }
        }
        self.next = self.pipeline.len();
        self.progress.stage = Stage::New;
        Ok(())
    }

    fn finish(&mut self) -> Result<P::Output<Error>, Error> {
        self.progress.stage = Stage::Over;
        match self.results.take() {
            Some(results) => Ok(P::finish(results, || Error::Busy)),
            None => Err(Error::Busy),
        }
    }
}

/// What keeps a request from being sent, for one more.
fn copy(error: &Error) -> Error {
    match error {
        Error::Failed(failed) => Error::Failed(*failed),
        Error::NotTaken(refused) => Error::NotTaken(*refused),
        Error::NeedsOwnConnection => Error::NeedsOwnConnection,
        Error::Forked => Error::Forked,
        _ => Error::Busy,
    }
}

impl<P: Pipeline> Future for PipelineCall<'_, P> {
    type Output = Result<P::Output<Error>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.progress.shared;
        loop {
            if let Stage::Sent(slot) = self.progress.stage {
                let results = &mut self.results;
                let mut each = |item: u32, told: Told<'_>| {
                    if let Some(results) = results {
                        P::put(results, item as usize, answer(told));
                    }
                };
                if !shared.slots.collect(slot, Waiter::task(context.waker()), &mut each) {
                    return Poll::Pending;
                }
                self.progress.stage = Stage::New;
                continue;
            }
            if matches!(self.progress.stage, Stage::Over) || is_showing() {
                return Poll::Ready(Err(Error::Busy));
            }
            if self.next >= self.pipeline.len() {
                return Poll::Ready(self.finish());
            }
            let options = self.options;
            let slot = ready!(self.progress.poll_slot(&options, context));
            match slot.and_then(|slot| self.send(slot, Waiter::Task(context.waker().clone()))) {
                Ok(slot) => {
                    self.progress.stage = Stage::Sent(slot);
                    shared.see_to_driver();
                }
                Err(error) => self.cut_short(error)?,
            }
        }
    }
}

impl<P: Pipeline> fmt::Debug for PipelineCall<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineCall").field("requests", &self.pipeline.len()).finish_non_exhaustive()
    }
}
