//! The beginning and the end of a client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use respire_core::client::ConnectError;
use respire_core::engine::Life;

use super::desk::is_showing;
use super::{Client, block_on};
use crate::Error;

/// A stage of a client's life: [`wait`](Self::wait) for it, or await it.
#[must_use = "it is to be waited for"]
pub struct Reached<'c> {
    client: &'c Client,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Ready,
    Closed,
}

impl Stage {
    /// Whether it has come, or is not to be waited for.
    pub(super) fn is_reached(self, life: Life, has_failed: bool) -> bool {
        match self {
            Self::Ready => !matches!(life, Life::New | Life::Connecting) || has_failed,
            Self::Closed => life == Life::Closed,
        }
    }
}

impl Client {
    /// Until the first connection stands, or could not be made. Begins when it is waited for.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), respire::Error> {
    /// let client = respire::Client::builder("redis://127.0.0.1:6379".parse()?).lazy()?;
    /// client.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn ready(&self) -> Reached<'_> {
        Reached { client: self, stage: Stage::Ready }
    }

    /// Closes the client for all who have it: no more requests are taken, what was sent and what is [lent](Self::conn) is
    /// waited for as long as [`drain`](respire_core::engine::Config::drain) says, and what was not sent fails. Begins at once; once more changes
    /// nothing.
    pub fn close(&self) -> Reached<'_> {
        let shared = self.shared();
        shared.soon(|core, shared| {
            core.end_monitors(shared);
            core.engine.close(shared.now());
        });
        shared.rouse();
        Reached { client: self, stage: Stage::Closed }
    }

    /// Where it is in its life.
    pub fn life(&self) -> Life {
        // Who is shown an answer has a connection.
        if is_showing() { Life::Ready } else { self.shared().enter(|core| core.engine.life()) }
    }
}

impl Reached<'_> {
    /// Blocks this thread until then.
    ///
    /// # Errors
    /// As when it is awaited.
    pub fn wait(self) -> Result<(), Error> {
        block_on(self)
    }
}

impl Future for Reached<'_> {
    /// [`Error::Connect`] if there is no connection and the last attempt has failed.
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { client, stage } = *self;
        if is_showing() {
            return Poll::Ready(Err(Error::Busy));
        }
        let shared = client.shared();
        let reached = shared.enter(|core| {
            core.settle(shared, &mut None);
            let life = core.engine.life();
            if !stage.is_reached(life, core.failure.is_some()) {
                core.watch(stage, context.waker());
                return Poll::Pending;
            }
            let failure = if stage.is_reached(life, false) { None } else { core.failure.take() };
            Poll::Ready(failure.map_or(Ok(()), |cause| {
                let endpoint = core.sockets.endpoint().clone();
                Err(Error::Connect(ConnectError { endpoint, tried: Vec::new(), cause }))
            }))
        });
        if reached.is_pending() {
            shared.see_to_driver();
        }
        reached
    }
}

impl fmt::Debug for Reached<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reached").finish_non_exhaustive()
    }
}
