//! From the first wish to the answer: a call's slot, or its place in the line for one.

use std::task::{Context, Poll};

use respire_core::conn::{Failure, SubmitError};
use respire_core::engine::{Failed, Options, Refused};
use respire_core::error::Full;
use respire_core::time::Instant;

use super::line::{Place, Turn};
use super::shared::Shared;
use super::sync::{Arc, thread};
use super::waiter::Waiter;
use crate::Error;

/// How far a call has come; when it is dropped, nobody waits any more.
pub(super) struct Progress<'c> {
    pub(super) shared: &'c Arc<Shared>,
    pub(super) stage: Stage,
    /// When its time is over, if it has stood in line.
    due: Instant,
}

pub(super) enum Stage {
    New,
    /// In line for a slot.
    Waiting(Arc<Place>),
    Sent(u32),
    Over,
}

impl<'c> Progress<'c> {
    pub(super) const fn new(shared: &'c Arc<Shared>) -> Self {
        Self { shared, stage: Stage::New, due: Instant::MAX }
    }

    /// A slot, within the time that the request has.
    ///
    /// # Errors
    /// There is none, and it is not to be waited for any more; or this has had its answer already.
    pub(super) fn slot(&mut self, options: &Options) -> Result<u32, Error> {
        let line = &self.shared.slots.line;
        let this_thread = || Waiter::Thread(thread::current());
        let place = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::New => match line.take() {
                Some(slot) => return Ok(slot),
                None if self.shared.refuses => return Err(full()),
                None => line.wait(this_thread(), self.begin(options)),
            },
            Stage::Waiting(place) => place,
            Stage::Sent(_) | Stage::Over => return Err(Error::Busy),
        };
        loop {
            match place.wait(this_thread()) {
                Turn::Comes(slot) => return Ok(slot),
                Turn::Late => return Err(late(options)),
                Turn::Over => return Err(Error::Busy),
                Turn::Waits(_) => {}
            }
            let left = place.due().saturating_since(self.shared.now());
            match place.due() {
                Instant::MAX => thread::park(),
                _ if left.is_zero() => {
                    line.leave(&place);
                    return Err(late(options));
                }
                _ => thread::park_timeout(left),
            }
        }
    }

    /// When the time of a request is over that stands in line from now on.
    fn begin(&mut self, options: &Options) -> Instant {
        if let (Instant::MAX, Some(timeout)) = (self.due, options.timeout.or(self.shared.timeout)) {
            self.due = self.shared.now().saturating_add(timeout);
        }
        self.due
    }

    /// What is left of its time, if it has stood in line.
    pub(super) fn within(&self, options: &mut Options) {
        if self.due < Instant::MAX {
            options.timeout = Some(self.due.saturating_since(self.shared.now()));
        }
    }

    /// A slot for a task.
    pub(super) fn poll_slot(&mut self, options: &Options, context: &Context<'_>) -> Poll<Result<u32, Error>> {
        let this_task = || Waiter::Task(context.waker().clone());
        let line = &self.shared.slots.line;
        if let Stage::New = self.stage {
            match line.take() {
                Some(slot) => {
                    self.stage = Stage::Over;
                    return Poll::Ready(Ok(slot));
                }
                None if self.shared.refuses => {
                    self.stage = Stage::Over;
                    return Poll::Ready(Err(full()));
                }
                None => {
                    let due = self.begin(options);
                    self.stage = Stage::Waiting(line.wait(this_task(), due));
                    if due < Instant::MAX {
                        self.shared.look_at_line();
                        self.shared.see_to_driver();
                    }
                }
            }
        }
        let Stage::Waiting(place) = &self.stage else { return Poll::Pending };
        let came = match place.wait(this_task()) {
            Turn::Comes(slot) => Ok(slot),
            Turn::Late => Err(late(options)),
            Turn::Over => Err(Error::Busy),
            Turn::Waits(_) => return Poll::Pending,
        };
        self.stage = Stage::Over;
        Poll::Ready(came)
    }
}

/// Its time was over before there was a slot.
fn late(options: &Options) -> Error {
    let elapsed = options.timeout.unwrap_or_default();
    Failed { failure: Failure::Expired, why: None, refused: None, attempts: 0, elapsed }.into()
}

/// There is no slot.
fn full() -> Error {
    Refused::from(SubmitError::from(Full::InFlight)).into()
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        match &self.stage {
            Stage::Sent(slot) => self.shared.turn_away(*slot),
            Stage::Waiting(place) => self.shared.slots.line.leave(place),
            Stage::New | Stage::Over => {}
        }
    }
}
