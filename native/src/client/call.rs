//! One request of a client: a future, and something to wait for.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use respire_core::command::{Carry, OwnedReply, Request, Retry};
use respire_core::engine::{Options, Refused};
use respire_core::resp::Reply;

use super::Client;
use super::shared::{Ask, Shared, is_showing};
use super::slots::{Place, Told, Waiter};
use crate::Error;

/// A request that was not sent yet: [`wait`](Self::wait) for its answer, or await it.
#[must_use = "nothing is sent before it is waited for"]
pub struct Call<'c, R> {
    request: R,
    options: Options,
    progress: Progress<'c>,
}

/// How far it has come; when it is dropped, nobody waits any more.
struct Progress<'c> {
    shared: &'c Arc<Shared>,
    stage: Stage,
}

enum Stage {
    New,
    /// In line for a slot.
    Waiting(Arc<Place>),
    Sent(u32),
    Over,
}

// Nothing in it is pinned.
impl<R> Unpin for Call<'_, R> {}

impl<'c, R> Call<'c, R> {
    pub(super) fn new(client: &'c Client, request: R) -> Self {
        let progress = Progress { shared: client.shared(), stage: Stage::New };
        Self { request, options: Options::DEFAULT, progress }
    }

    /// Waits at most this long for the answer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout.into());
        self
    }

    /// What becomes of it when it is executed twice, if the caller knows better than
    /// [`Retry::of`]: so it is known when it may be sent again.
    pub const fn retry(mut self, class: Retry) -> Self {
        self.options.class = Some(class);
        self
    }

    /// On a connection of its own: what is slow does not stand in the way of others then.
    pub const fn apart(mut self) -> Self {
        self.options.own = true;
        self
    }
}

impl<R: Request> Call<'_, R> {
    /// Sends it, and blocks this thread until the answer is there.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn wait(self) -> Result<R::Owned, Error>
    where
        R: OwnedReply,
    {
        self.wait_with(|reply| Ok(reply.get()?))
    }

    /// Sends it, blocks this thread until the answer is there, and reads it where it lies.
    ///
    /// # Errors
    /// See [`Error`], and what `read` returns.
    pub fn wait_with<T>(mut self, read: impl FnOnce(Reply<'_>) -> Result<T, Error>) -> Result<T, Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        let shared = self.progress.shared;
        let slot = match std::mem::replace(&mut self.progress.stage, Stage::Over) {
            Stage::New => {
                let slot = shared.slots.take().unwrap_or_else(|| shared.stand_in_line());
                shared.ask(slot, Waiter::Nobody, &self.request, self.options)?;
                slot
            }
            Stage::Waiting(place) => {
                let slot = place.slot().unwrap_or_else(|| stay_in_line(&place));
                shared.ask(slot, Waiter::Nobody, &self.request, self.options)?;
                slot
            }
            Stage::Sent(slot) => slot,
            Stage::Over => return Err(Error::Busy),
        };
        let (mut read, mut result) = (Some(read), None);
        shared
            .wait(slot, &mut |_, told| {
                if let Some(read) = read.take() {
                    result = Some(answer(told).and_then(read));
                }
            })
            .map_err(cannot_wait)?;
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

pub(super) fn cannot_wait(error: io::Error) -> Error {
    Error::System(error)
}

impl Shared {
    /// Asks, or gives the slot back.
    fn ask(
        &self,
        slot: u32,
        waiter: Waiter,
        request: &impl Request,
        options: Options,
    ) -> Result<(), Refused> {
        let is_task = matches!(waiter, Waiter::Task(_));
        self.slots.expect(slot, 1, waiter);
        let asked = self.submit(&Ask { slot, is_task, request, options });
        asked.inspect_err(|_| self.slots.give(slot))
    }

    /// Waits for a slot.
    fn stand_in_line(&self) -> u32 {
        let place = self.slots.line_up(Waiter::Thread(thread::current()));
        stay_in_line(&place)
    }
}

fn stay_in_line(place: &Place) -> u32 {
    loop {
        if let Some(slot) = place.wait(Waiter::Thread(thread::current())) {
            return slot;
        }
        thread::park();
    }
}

impl<R: OwnedReply> Future for Call<'_, R> {
    type Output = Result<R::Owned, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = self.progress.shared;
        loop {
            match &self.progress.stage {
                Stage::New => {
                    if is_showing() {
                        return Poll::Ready(Err(Error::Busy));
                    }
                    match shared.slots.take() {
                        Some(slot) => return self.ask(slot, context),
                        None => {
                            let place = shared.slots.line_up(Waiter::Task(context.waker().clone()));
                            self.progress.stage = Stage::Waiting(place);
                        }
                    }
                }
                Stage::Waiting(place) => {
                    let Some(slot) = place.wait(Waiter::Task(context.waker().clone())) else {
                        return Poll::Pending;
                    };
                    self.progress.stage = Stage::Over;
                    return self.ask(slot, context);
                }
                &Stage::Sent(slot) => {
                    if !shared.slots.wait_task(slot, context.waker()) {
                        return Poll::Pending;
                    }
                    self.progress.stage = Stage::Over;
                    let mut result = None;
                    shared.slots.finish(slot).each(&mut |_, told| {
                        result = Some(answer(told).and_then(|reply| Ok(reply.get()?)));
                    });
                    return Poll::Ready(result.unwrap_or(Err(Error::Busy)));
                }
                Stage::Over => return Poll::Ready(Err(Error::Busy)),
            }
        }
    }
}

impl<R: OwnedReply> Call<'_, R> {
    /// Asks as a task does. It is over at once if it is refused.
    fn ask(&mut self, slot: u32, context: &Context<'_>) -> Poll<Result<R::Owned, Error>> {
        let shared = self.progress.shared;
        let waiter = Waiter::Task(context.waker().clone());
        if let Err(refused) = shared.ask(slot, waiter, &self.request, self.options) {
            self.progress.stage = Stage::Over;
            return Poll::Ready(Err(refused.into()));
        }
        self.progress.stage = Stage::Sent(slot);
        shared.see_to_driver();
        Poll::Pending
    }
}

impl<R> Carry<R> for Call<'_, R> {
    fn map(self, change: impl FnOnce(R) -> R) -> Self {
        Self { request: change(self.request), ..self }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        match &self.stage {
            Stage::Sent(slot) => self.shared.turn_away(*slot),
            Stage::Waiting(place) => self.shared.slots.leave_line(place),
            Stage::New | Stage::Over => {}
        }
    }
}
