//! What is published, for who subscribed.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use respire_core::command::{Keys, Request, Subscription, unlink};
use respire_core::pubsub::{self, Overflow};
use respire_core::resp::ArgSink;

use super::block_on::block_on_for;
use super::desk::is_showing;
use super::feed::{Feed, Found};
use super::machine::Core;
use super::{Client, block_on};
use crate::Error;

/// Something that was published.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Published {
    /// The kind of the subscription that it came for.
    pub kind: Subscription,
    /// The pattern that matched; empty if it came for a channel.
    pub pattern: Vec<u8>,
    /// Where it was published.
    pub channel: Vec<u8>,
    /// What was published.
    pub payload: Vec<u8>,
    /// So many messages were dropped in front of it for lack of room.
    pub missed: u32,
}

/// What a subscriber is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// Something was published.
    Message(Published),
    /// The connection was lost, and is there again: what was published meanwhile is gone. It comes before the first message
    /// behind it.
    Gap,
    /// The server refuses a subscription, as it does for channels that its user may not listen to: one that was
    /// [added](NewsControl::subscribe), or that was there and is refused since its connection was lost. Nothing comes
    /// for it. It is asked for again from time to time, which is not told, until it is
    /// [given up](NewsControl::unsubscribe).
    Refused {
        /// The kind of the subscription.
        kind: Subscription,
        /// The channel or pattern.
        name: Vec<u8>,
    },
}

/// How much of what is published waits for its subscriber, and what becomes of the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewsOptions {
    /// So many bytes of messages wait at most, each with 17 more.
    pub bytes: usize,
    /// What becomes of messages that there is no room for. [`Overflow::Block`] is taken for
    /// [`Overflow::DropNewest`]: one subscriber must not keep all others waiting.
    pub overflow: Overflow,
}

impl NewsOptions {
    /// A MiB; the oldest go.
    pub const DEFAULT: Self = Self { bytes: 1 << 20, overflow: Overflow::DropOldest };
}

impl Default for NewsOptions {
    /// [`NewsOptions::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A subscriber: an iterator for threads, [`recv`](Self::recv) for tasks, and [`listen`](Self::listen) for who wants to be
/// called. When it is dropped, its subscriptions end.
///
/// With RESP3 it shares a connection with requests; with RESP2 all subscribers of a client have one together.
///
/// ```no_run
/// use respire::{Client, Notice};
///
/// let client = Client::open("redis://127.0.0.1:6379")?;
/// for notice in client.subscribe("news").wait()? {
///     match notice {
///         Notice::Message(message) => println!("{}", String::from_utf8_lossy(&message.payload)),
///         Notice::Gap => println!("something may be missing here"),
///         Notice::Refused { .. } => println!("the server refuses it"),
///     }
/// }
/// # Ok::<(), respire::Error>(())
/// ```
pub struct News {
    control: NewsControl,
    /// A gap was found in front of this message.
    held: Option<Published>,
}

/// Changes what a subscriber has subscribed to, from whichever thread, while it waits for messages.
#[derive(Clone)]
pub struct NewsControl {
    client: Client,
    feed: Arc<Feed>,
}

impl NewsControl {
    /// Subscribes to one more channel or pattern. It is confirmed later; if it is not, its subscriber is told
    /// ([`Notice::Refused`]).
    ///
    /// # Errors
    /// There is no room for it, the client was closed, or its subscriber is gone.
    pub fn subscribe(&self, kind: Subscription, name: impl AsRef<[u8]>) -> Result<(), Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        let shared = self.client.shared();
        let subscribe = |core: &mut Core| {
            let Core { feeds, engine, .. } = core;
            feeds.subscribe(engine, shared.now(), &self.feed, kind, name.as_ref())
        };
        Ok(shared.enter(subscribe)?)
    }

    /// Unsubscribes. Whether it was subscribed.
    pub fn unsubscribe(&self, kind: Subscription, name: impl AsRef<[u8]>) -> bool {
        let Some((id, name)) = self.feed.forget(kind, name.as_ref()) else { return false };
        let feed = Arc::clone(&self.feed);
        self.client.shared().soon(move |core, shared| core.unsubscribe(shared.now(), &feed, id, kind, &name));
        true
    }

    /// Messages that there was no room for, so far.
    pub fn dropped(&self) -> u64 {
        self.feed.dropped()
    }
}

impl News {
    /// Changes its subscriptions, from other threads, too.
    pub fn control(&self) -> NewsControl {
        self.control.clone()
    }

    /// What comes next. `None`: the client was closed, or the queue, by [`Overflow::Close`]. Nothing is lost if it is
    /// dropped.
    pub async fn recv(&mut self) -> Option<Notice> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// What comes next, if it comes within this time: `None` if it does not, `Some(None)` at the end.
    pub fn recv_timeout(&mut self, patience: Duration) -> Option<Option<Notice>> {
        block_on_for(self.recv(), patience)
    }

    /// What has come, without waiting.
    pub fn try_next(&mut self) -> Option<Notice> {
        match self.take(None) {
            Poll::Ready(notice) => notice,
            Poll::Pending => None,
        }
    }

    /// Calls `handler` with everything that comes, in a thread of its own. If it panics, that concerns this message alone.
    /// Its thread ends with the client, or when `handler` answers `false`.
    ///
    /// # Errors
    /// The system's.
    pub fn listen(
        self,
        mut handler: impl FnMut(Notice) -> bool + Send + 'static,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("respire-news".into()).spawn(move || {
            for notice in self {
                if let Ok(false) = catch_unwind(AssertUnwindSafe(|| handler(notice))) {
                    return;
                }
            }
        })
    }

    fn take(&mut self, context: Option<&Context<'_>>) -> Poll<Option<Notice>> {
        if let Some(held) = self.held.take() {
            return Poll::Ready(Some(Notice::Message(held)));
        }
        match self.control.feed.take(context.map(Context::waker), |message| Published::from(message)) {
            Found::Message((message, false)) => Poll::Ready(Some(Notice::Message(message))),
            Found::Message((message, true)) => {
                self.held = Some(message);
                Poll::Ready(Some(Notice::Gap))
            }
            Found::Gap => Poll::Ready(Some(Notice::Gap)),
            Found::Refused(kind, name) => Poll::Ready(Some(Notice::Refused { kind, name })),
            Found::End => Poll::Ready(None),
            Found::Nothing => Poll::Pending,
        }
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Notice>> {
        let polled = self.take(Some(context));
        if polled.is_pending() {
            self.control.client.shared().see_to_driver();
        }
        polled
    }
}

impl Iterator for News {
    type Item = Notice;

    /// What comes next. In a hook, and in what reads an answer, it does not wait.
    fn next(&mut self) -> Option<Notice> {
        if is_showing() { self.try_next() } else { block_on(self.recv()) }
    }
}

#[cfg(feature = "stream")]
impl futures_core::Stream for News {
    type Item = Notice;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Notice>> {
        self.poll(context)
    }
}

impl Drop for News {
    fn drop(&mut self) {
        let shared = self.control.client.shared();
        let feed = Arc::clone(&self.control.feed);
        shared.soon(move |core, shared| core.leave_feed(shared.now(), &feed));
    }
}

impl From<&pubsub::Message<'_>> for Published {
    fn from(message: &pubsub::Message<'_>) -> Self {
        let &pubsub::Message { kind, pattern, channel, payload, missed, .. } = message;
        Self { kind, pattern: pattern.into(), channel: channel.into(), payload: payload.into(), missed }
    }
}

/// Subscribes: [`wait`](Self::wait) until that is confirmed, or await it.
#[must_use = "nothing is asked for before it is waited for"]
pub struct SubscribeCall<'c> {
    client: &'c Client,
    kind: Subscription,
    names: Keys<'c>,
    options: NewsOptions,
    news: Option<News>,
}

impl Client {
    /// Subscribes to channels.
    pub fn subscribe<'c>(&'c self, channels: impl Into<Keys<'c>>) -> SubscribeCall<'c> {
        SubscribeCall::new(self, Subscription::Channel, channels.into())
    }

    /// Subscribes to all channels whose names match patterns.
    pub fn psubscribe<'c>(&'c self, patterns: impl Into<Keys<'c>>) -> SubscribeCall<'c> {
        SubscribeCall::new(self, Subscription::Pattern, patterns.into())
    }

    /// Subscribes to channels that belong to the slot of their name (7.0).
    pub fn ssubscribe<'c>(&'c self, channels: impl Into<Keys<'c>>) -> SubscribeCall<'c> {
        SubscribeCall::new(self, Subscription::Shard, channels.into())
    }
}

impl<'c> SubscribeCall<'c> {
    fn new(client: &'c Client, kind: Subscription, names: Keys<'c>) -> Self {
        Self { client, kind, names, options: NewsOptions::default(), news: None }
    }

    /// How much may wait.
    pub const fn options(mut self, options: NewsOptions) -> Self {
        self.options = options;
        self
    }

    /// Blocks this thread until all subscriptions are confirmed.
    ///
    /// # Errors
    /// [`Error::NotSubscribed`] if the server refuses one; there is no room for them, or the client was closed.
    pub fn wait(self) -> Result<News, Error> {
        block_on(self)
    }

    fn begin(&mut self) -> Result<News, Error> {
        if is_showing() {
            return Err(Error::Busy);
        }
        let feed = Arc::new(Feed::of(self.options));
        let control = NewsControl { client: self.client.clone(), feed };
        // Somebody must drive as long as it lives.
        self.client.shared().enter(|core| core.desk.tasks += 1);
        let news = News { control, held: None };
        for name in names(self.names) {
            news.control.subscribe(self.kind, name)?;
        }
        Ok(news)
    }
}

/// Each of them by itself.
fn names(keys: Keys<'_>) -> Vec<Vec<u8>> {
    struct Names(Vec<Vec<u8>>);

    impl ArgSink for Names {
        fn arg(&mut self, _word: &[u8]) {}

        fn key(&mut self, key: &[u8]) {
            self.0.push(key.into());
        }
    }

    let mut names = Names(Vec::new());
    unlink(keys).visit(&mut names);
    names.0
}

impl Future for SubscribeCall<'_> {
    type Output = Result<News, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.news.is_none() {
            self.news = Some(self.begin()?);
        }
        let is_confirmed = self.news.as_ref().map(|news| news.control.feed.is_confirmed(context.waker()));
        match is_confirmed {
            Some(Some(false)) => {
                self.client.shared().see_to_driver();
                Poll::Pending
            }
            Some(Some(true)) => Poll::Ready(self.news.take().ok_or(Error::Busy)),
            _ => {
                self.news = None;
                Poll::Ready(Err(Error::NotSubscribed))
            }
        }
    }
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News")
            .field("subscriptions", &self.control.feed.wanted().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewsControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewsControl").finish_non_exhaustive()
    }
}

impl fmt::Debug for SubscribeCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscribeCall").field("kind", &self.kind).finish_non_exhaustive()
    }
}
