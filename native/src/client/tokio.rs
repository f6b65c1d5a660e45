//! A client that lives in a tokio runtime (feature `tokio`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant as Clock;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time::{Sleep, sleep_until};

use super::Client;
use super::runtime::{Descriptor, Driver, Reactor};

/// A future that drives the client in the present runtime: spawn it, and no thread is started for the client.
///
/// ```no_run
/// use respire::prelude::*;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// tokio::spawn(respire::tokio::driver(&client)?);
/// let greeting: Option<String> = client.get("greeting").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The system's.
///
/// # Panics
/// Outside of a runtime, or in one without I/O or time.
pub fn driver(client: &Client) -> io::Result<Driver<Tokio>> {
    client.driver(|descriptor| {
        // A registry keeps its descriptor as long as it lives, which is what the unsafe successor asks for.
        #[allow(deprecated, reason = "its successor is unsafe, and newer than what we ask for")]
        let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        Ok(Tokio { descriptor, sleep: None })
    })
}

/// The present tokio runtime.
#[derive(Debug)]
pub struct Tokio {
    descriptor: AsyncFd<Descriptor>,
    sleep: Option<(Clock, Pin<Box<Sleep>>)>,
}

impl Reactor for Tokio {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut guard = ready!(self.descriptor.poll_read_ready(context))?;
        guard.clear_ready();
        Poll::Ready(Ok(()))
    }

    fn poll_due(&mut self, context: &mut Context<'_>, due: Option<Clock>) -> Poll<()> {
        let Some(due) = due else { return Poll::Pending };
        match &mut self.sleep {
            // It comes early enough: who is woken too early asks again.
            Some((known, sleep)) if *known <= due && !sleep.is_elapsed() => sleep.as_mut().poll(context),
            Some((known, sleep)) => {
                *known = due;
                sleep.as_mut().reset(due.into());
                sleep.as_mut().poll(context)
            }
            None => {
                let (_, sleep) = self.sleep.insert((due, Box::pin(sleep_until(due.into()))));
                sleep.as_mut().poll(context)
            }
        }
    }
}
