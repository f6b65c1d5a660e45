//! What everybody asks of a server, for who wants to see it.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use respire_core::command::{self, MonitorLine, Subscription};
use respire_core::conn::Failure;
use respire_core::pubsub::Message;

use super::block_on::block_on_for;
use super::conn::Conn;
use super::desk::is_showing;
use super::feed::{Feed, Found};
use super::{Call, Client, NewsOptions, block_on};
use crate::Error;

/// A command that the server has executed, for whomever.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Monitored {
    /// The line as the server wrote it, without its end.
    pub raw: Vec<u8>,
    /// What it says; `None` if it is written otherwise than servers do.
    pub command: Option<MonitoredCommand>,
    /// So many lines were dropped in front of it for lack of room.
    pub missed: u32,
}

/// What a line says.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MonitoredCommand {
    /// When it was executed, by the server's clock: so long after the beginning of 1970, to the microsecond.
    pub time: Duration,
    /// In which database.
    pub db: u32,
    /// Who asked for it.
    pub origin: Origin,
    /// Its name and its arguments, as they were sent. Servers show `(redacted)` for what is secret.
    pub args: Vec<Vec<u8>>,
}

/// Who has asked for a command.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Origin {
    /// A client with this address: `127.0.0.1:60866`, `[::1]:60866`.
    Address(String),
    /// A client over the server's Unix socket, which has this path.
    Unix(String),
    /// A script.
    Script,
}

/// Everything that a server executes, by `MONITOR`: an iterator for threads, [`recv`](Self::recv) for tasks, and
/// [`listen`](Self::listen) for who wants to be called.
///
/// It has a connection of the pool for itself, out of as many as the client [may have](super::Builder::connections).
/// When it is dropped that is closed, and nobody has it again. It is not replaced: once it is lost, so is what was
/// executed since, and the last thing that comes is [`Error::Lost`]. What is not taken in time is dropped, as
/// [`NewsOptions`] say, and counted. To watch a server costs it half of what it can do.
///
/// ```no_run
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// for line in client.monitor().wait()? {
///     let line = line?;
///     match line.command {
///         Some(command) => println!("{:?} {:?}: {:?}", command.time, command.origin, command.args),
///         None => println!("{}", String::from_utf8_lossy(&line.raw)),
///     }
/// }
/// # Ok::<(), respire::Error>(())
/// ```
pub struct Monitor {
    conn: Conn,
    feed: Arc<Feed>,
    /// It was told that the connection is lost.
    is_over: bool,
}

impl Monitor {
    /// What comes next. `None`: it is over, because the client was closed, or its queue by
    /// [`Overflow::Close`](respire_core::pubsub::Overflow::Close), or as the
    /// one before has said. Nothing is lost if this is dropped.
    ///
    /// ```no_run
    /// # async fn example(client: respire::Client) -> Result<(), respire::Error> {
    /// let mut monitor = client.monitor().await?;
    /// while let Some(line) = monitor.recv().await {
    ///     println!("{}", String::from_utf8_lossy(&line?.raw));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Option<Result<Monitored, Error>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// What comes next, if it comes within this time: `None` if it does not, `Some(None)` at the end.
    pub fn recv_timeout(&mut self, patience: Duration) -> Option<Option<Result<Monitored, Error>>> {
        block_on_for(self.recv(), patience)
    }

    /// What has come, without waiting; `None` at the end, too.
    pub fn try_next(&mut self) -> Option<Result<Monitored, Error>> {
        match self.take(None) {
            Poll::Ready(line) => line,
            Poll::Pending => None,
        }
    }

    /// Calls `handler` with everything that comes, in a thread of its own, as [`News::listen`](super::News::listen) does.
    ///
    /// # Errors
    /// The system's.
    pub fn listen(
        self,
        mut handler: impl FnMut(Result<Monitored, Error>) -> bool + Send + 'static,
    ) -> io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("respire-monitor".into()).spawn(move || {
            for line in self {
                if let Ok(false) = catch_unwind(AssertUnwindSafe(|| handler(line))) {
                    return;
                }
            }
        })
    }

    /// Lines that there was no room for, so far.
    pub fn dropped(&self) -> u64 {
        self.feed.dropped()
    }

    fn take(&mut self, context: Option<&Context<'_>>) -> Poll<Option<Result<Monitored, Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        match self.feed.take(context.map(Context::waker), Monitored::of) {
            Found::Message((line, _)) => Poll::Ready(Some(Ok(line))),
            Found::Nothing | Found::Gap | Found::Refused(..) => Poll::Pending,
            Found::End => {
                self.is_over = true;
                let lost =
                    self.feed.take_cause().map(|cause| Error::Lost { failure: Failure::Unknown, cause });
                Poll::Ready(lost.map(Err))
            }
        }
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Result<Monitored, Error>>> {
        let polled = self.take(Some(context));
        if polled.is_pending() {
            self.conn.client().shared().see_to_driver();
        }
        polled
    }
}

impl Iterator for Monitor {
    type Item = Result<Monitored, Error>;

    /// What comes next. In a hook, and in what reads an answer, it does not wait.
    fn next(&mut self) -> Option<Result<Monitored, Error>> {
        if is_showing() { self.try_next() } else { block_on(self.recv()) }
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for Monitor {
    type Item = Result<Monitored, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(context)
    }
}

impl Monitored {
    fn of(message: &Message<'_>) -> Self {
        let raw = message.payload.to_vec();
        let command = MonitorLine::parse(&raw).map(MonitoredCommand::of);
        Self { raw, command, missed: message.missed }
    }
}

impl MonitoredCommand {
    fn of(line: MonitorLine<'_>) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let origin = match line.origin {
            command::Origin::Unix(path) => Origin::Unix(text(path)),
            command::Origin::Script => Origin::Script,
            command::Origin::Address(address) => Origin::Address(text(address)),
            // The core has learned of another.
            _ => Origin::Address(String::new()),
        };
        Self {
            time: Duration::new(line.seconds, line.micros.saturating_mul(1000)),
            db: line.db,
            origin,
            args: line.args().map(|arg| arg.bytes().collect()).collect(),
        }
    }
}

/// A line, as it waits in a queue.
pub(super) const fn message(line: &[u8]) -> Message<'_> {
    let kind = Subscription::Channel;
    Message { kind, pattern: &[], channel: &[], payload: line, missed: 0, gap: false }
}

/// A wish to see what a server does: [`wait`](Self::wait) until it shows that, or await it.
///
/// It waits for a connection as a [`ConnCall`](super::ConnCall) does, and then for the server's `OK`. If it is dropped
/// before, nothing is shown.
#[must_use = "nothing is asked for before it is waited for"]
pub struct MonitorCall<'c> {
    client: &'c Client,
    options: NewsOptions,
    begun: Option<Begun<'c>>,
}

type Begun<'c> = Pin<Box<dyn Future<Output = Result<Monitor, Error>> + Send + 'c>>;

impl Client {
    /// Shows everything that the server executes from now on, for all of its clients.
    pub const fn monitor(&self) -> MonitorCall<'_> {
        MonitorCall { client: self, options: NewsOptions::DEFAULT, begun: None }
    }
}

impl MonitorCall<'_> {
    /// How much may wait to be taken.
    pub const fn options(mut self, options: NewsOptions) -> Self {
        self.options = options;
        self
    }

    /// Blocks this thread until the server has said `OK`.
    ///
    /// # Errors
    /// [`Error::Server`] if the user may not see it; else as for any request.
    pub fn wait(self) -> Result<Monitor, Error> {
        block_on(self)
    }
}

async fn begin(client: &Client, options: NewsOptions) -> Result<Monitor, Error> {
    let conn = client.conn().await?;
    let (lease, feed) = (conn.lease(), Arc::new(Feed::of(options)));
    // Lines may come together with the answer.
    let shown = Arc::clone(&feed);
    client.shared().soon(move |core, _| core.show(lease, shown));
    let monitor = Monitor { conn, feed, is_over: false };
    Call::new(client.shared(), command::monitor(), Some(lease)).await?;
    Ok(monitor)
}

impl Future for MonitorCall<'_> {
    type Output = Result<Monitor, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { client, options, begun } = &mut *self;
        let (client, options) = (*client, *options);
        begun.get_or_insert_with(|| Box::pin(begin(client, options))).as_mut().poll(context)
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("conn", &self.conn).finish_non_exhaustive()
    }
}

impl fmt::Debug for MonitorCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorCall").field("options", &self.options).finish_non_exhaustive()
    }
}
