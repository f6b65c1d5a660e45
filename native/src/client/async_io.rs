//! A client that lives in a runtime on async-io, such as smol (feature `async-io`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant as Clock;

use ::async_io::{Async, Timer};

use super::Client;
use super::runtime::{Descriptor, Driver, Reactor};

/// A future that drives the client on the reactor of async-io: spawn it on whichever executor there is.
///
/// ```no_run
/// use respire::prelude::*;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// let driver = respire::async_io::driver(&client)?;
/// // smol::spawn(driver).detach();
/// # drop(driver);
/// let greeting: Option<String> = client.get("greeting").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The system's.
pub fn driver(client: &Client) -> io::Result<Driver<AsyncIo>> {
    client.driver(|descriptor| {
        Ok(AsyncIo { descriptor: Async::new_nonblocking(descriptor)?, timer: Timer::never(), due: None })
    })
}

/// The reactor of async-io.
#[derive(Debug)]
pub struct AsyncIo {
    descriptor: Async<Descriptor>,
    timer: Timer,
    due: Option<Clock>,
}

impl Reactor for AsyncIo {
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.descriptor.poll_readable(context)
    }

    fn poll_due(&mut self, context: &mut Context<'_>, due: Option<Clock>) -> Poll<()> {
        let Some(due) = due else { return Poll::Pending };
        if self.due.is_none_or(|known| known > due || known <= Clock::now()) {
            self.due = Some(due);
            self.timer.set_at(due);
        }
        Pin::new(&mut self.timer).poll(context).map(|_| self.due = None)
    }
}
