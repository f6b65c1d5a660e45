//! A request whose answer is read where it lies.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use respire_core::command::Request;
use respire_core::resp::Reply;

use super::call::{Call, show};
use super::slots::Told;
use crate::Error;

/// A request that was not sent yet, and what will read its answer: [`wait`](Self::wait) for that, or await it.
#[must_use = "nothing is sent before it is waited for"]
pub struct ReadCall<'c, R, F> {
    call: Call<'c, R>,
    read: Option<F>,
}

// Nothing in it is pinned.
impl<R, F> Unpin for ReadCall<'_, R, F> {}

impl<'c, R, F> ReadCall<'c, R, F> {
    pub(super) const fn new(call: Call<'c, R>, read: F) -> Self {
        Self { call, read: Some(read) }
    }
}

impl<R: Request, T, F: FnOnce(Reply<'_>) -> Result<T, Error>> ReadCall<'_, R, F> {
    /// What hooks are told that it is: see [`Call::label`].
    pub fn label(self, label: &'static str) -> Self {
        Self { call: self.call.label(label), ..self }
    }

    /// Sends it, blocks this thread until the answer is there, and reads it: see [`Call::wait_with`].
    ///
    /// # Errors
    /// See [`Error`], and what the reader returns.
    pub fn wait(self) -> Result<T, Error> {
        match self.read {
            Some(read) => self.call.wait_with(read),
            None => Err(Error::Busy),
        }
    }
}

impl<R: Request, T, F: FnOnce(Reply<'_>) -> Result<T, Error>> Future for ReadCall<'_, R, F> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call, read } = &mut *self;
        let mut result = None;
        let mut each = |_, told: Told<'_>| {
            if let Some(read) = read.take() {
                result = Some(show(told, read));
            }
        };
        ready!(call.poll_answer(context, &mut each))?;
        Poll::Ready(result.unwrap_or(Err(Error::Busy)))
    }
}

impl<R, F> fmt::Debug for ReadCall<'_, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadCall").field("call", &self.call).finish_non_exhaustive()
    }
}
