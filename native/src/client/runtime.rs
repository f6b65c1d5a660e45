//! A client in a runtime of the caller's: one future drives it, and no other thread is needed.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use respire_core::time::Instant;

use super::Client;
use super::poller::Registry;
use super::shared::Shared;
use super::sync::atomic::Ordering;
use super::sync::{Arc, Clock};

/// What a runtime has to offer: it says when a descriptor is readable, and when a time has come. There is one for
/// [tokio](crate::tokio) and one for [async-io](crate::async_io).
pub trait Reactor: Unpin {
    /// Whether the descriptor has become readable since the last time that this said so. If not, the task is woken when
    /// it does.
    ///
    /// # Errors
    /// The runtime has no reactor any more: the driver ends.
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether that time has come; `None` never does. If not, the task is woken when it does.
    fn poll_due(&mut self, context: &mut Context<'_>, due: Option<Clock>) -> Poll<()>;
}

/// What is readable when a client has something to do. It must be read by nobody.
#[derive(Debug)]
pub struct Descriptor(Registry);

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Drives a client, as long as it lives: to be spawned. Once it is dropped, the client goes on with a thread of its own.
#[must_use = "it drives the client when it is spawned"]
pub struct Driver<R> {
    shared: Arc<Shared>,
    reactor: R,
}

impl Client {
    /// A future that drives this client in the runtime that `reactor` belongs to.
    ///
    /// # Errors
    /// Those of the system, and of `reactor`.
    pub fn driver<R: Reactor>(
        &self,
        reactor: impl FnOnce(Descriptor) -> io::Result<R>,
    ) -> io::Result<Driver<R>> {
        let shared = Arc::clone(self.shared());
        let reactor = reactor(Descriptor(shared.registry.try_clone()?))?;
        // Whoever drives now, and is no thread that waits for an answer of its own, leaves it to this.
        shared.has_runtime.store(true, Ordering::SeqCst);
        shared.rouse();
        Ok(Driver { shared, reactor })
    }
}

impl<R: Reactor> Future for Driver<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Self { shared, reactor } = &mut *self;
        shared.set_runtime(Some(context.waker()));
        loop {
            if shared.is_gone.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            // Another thread leads: it calls when it goes.
            let Some(leading) = shared.try_lead() else { return Poll::Pending };
            let mut leading = leading.for_tasks();
            let (due, _) = shared.before_wait(&mut None);
            match reactor.poll_readable(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {
                    let due = (due != Instant::MAX).then(|| shared.clock(due));
                    if reactor.poll_due(context, due).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
            match leading.look() {
                // They run first, and what they ask for goes out together.
                Ok(true) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Ok(false) => {}
                Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl<R> Drop for Driver<R> {
    fn drop(&mut self) {
        self.shared.set_runtime(None);
        self.shared.stop_collecting();
        if self.shared.has_tasks() {
            self.shared.keep();
        }
    }
}

impl<R> fmt::Debug for Driver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}
