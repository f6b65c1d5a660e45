//! A connection of its own for messages.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::connect::{Dial, Link, Patience, connect};
use super::error::{Cause, Error};
use super::url::Url;
use crate::command::{AnyRequest, Keys, psubscribe, punsubscribe, subscribe, unsubscribe};
use crate::conn::{Event, Failure, Token};
use crate::resp::Reply;
use crate::time::Duration;

/// Messages that wait for [`Subscriber::next`] while something else is waited for, and their bytes.
const WAITING: usize = 65_536;
const WAITING_BYTES: usize = 64 << 20;

/// Requests that wait for confirmations.
const IN_FLIGHT: usize = 16;

/// Receives what is published.
///
/// Pub/sub is at most once: what is published while this is not connected is gone, and a
/// subscriber whose connection was lost says so ([`Error::Lost`]) instead of going on silently.
pub struct Subscriber<D: Dial> {
    driver: Box<Link<D, IN_FLIGHT>>,
    waiting: VecDeque<Message>,
    /// Bytes of the messages that wait.
    waiting_bytes: usize,
    /// Messages that there was no room for.
    dropped: u64,
    timeout: Option<Duration>,
}

/// Something that was published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The pattern that matched, for a subscription by pattern.
    pub pattern: Option<String>,
    /// Where it was published. What is not UTF-8 is replaced.
    pub channel: String,
    /// What was published.
    pub payload: Vec<u8>,
}

impl<D: Dial> Subscriber<D> {
    /// Connects to the server of a [URL](Url).
    ///
    /// # Errors
    /// [`Error::Url`], or [`Error::Connect`] with every address that was tried.
    pub fn open(url: &str) -> Result<Self, Error<D::Error>>
    where
        D: Default,
    {
        Self::connect(D::default(), &url.parse()?)
    }

    /// Connects as `url` says, with a dialer of one's own.
    ///
    /// # Errors
    /// [`Error::Connect`] with every address that was tried.
    pub fn connect(mut dialer: D, url: &Url) -> Result<Self, Error<D::Error>> {
        let patience = Patience { connect: url.connect_timeout, reply: url.timeout };
        let driver = connect(&mut dialer, &url.endpoint, &url.settings(), patience)?;
        Ok(Self { driver, waiting: VecDeque::new(), waiting_bytes: 0, dropped: 0, timeout: url.timeout })
    }

    /// Subscribes to channels, and waits until the server has confirmed each.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn subscribe<'a>(&mut self, channels: impl Into<Keys<'a>>) -> Result<(), Error<D::Error>> {
        self.ask(&subscribe(channels))
    }

    /// Subscribes to patterns, and waits until the server has confirmed each.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn psubscribe<'a>(&mut self, patterns: impl Into<Keys<'a>>) -> Result<(), Error<D::Error>> {
        self.ask(&psubscribe(patterns))
    }

    /// Ends subscriptions to channels.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn unsubscribe<'a>(&mut self, channels: impl Into<Keys<'a>>) -> Result<(), Error<D::Error>> {
        self.ask(&unsubscribe(channels))
    }

    /// Ends subscriptions to patterns.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn punsubscribe<'a>(&mut self, patterns: impl Into<Keys<'a>>) -> Result<(), Error<D::Error>> {
        self.ask(&punsubscribe(patterns))
    }

    /// Waits for the next message, at most `patience` long or, with `None`, for ever. `Ok(None)` if
    /// none came in time.
    ///
    /// # Errors
    /// [`Error::Overflow`] once if messages had to be dropped, and [`Error::Lost`] once the connection
    /// is gone; both after every message that was kept was handed out.
    pub fn next(&mut self, patience: Option<Duration>) -> Result<Option<Message>, Error<D::Error>> {
        let start = self.driver.now();
        let mut turned = false;
        loop {
            if let Some(message) = self.waiting.pop_front() {
                self.waiting_bytes -= message.size();
                return Ok(Some(message));
            }
            if self.dropped > 0 {
                return Err(Error::Overflow { dropped: core::mem::take(&mut self.dropped) });
            }
            if self.driver.connection().is_closed() {
                return Err(self.lost());
            }
            let left =
                patience.map(|patience| patience.saturating_sub(self.driver.now().saturating_since(start)));
            if turned && left == Some(Duration::ZERO) {
                return Ok(None);
            }
            turned = true;
            self.turn(left, |_| {});
        }
    }

    fn ask(&mut self, request: &dyn AnyRequest) -> Result<(), Error<D::Error>> {
        if self.driver.connection().is_closed() {
            return Err(Error::Lost { failure: Failure::NotSent, cause: Cause::of(&self.driver) });
        }
        let token = Token(0);
        let deadline = self.timeout.map(|timeout| self.driver.now().saturating_add(timeout));
        self.driver.submit_until(deadline, token, request).map_err(Error::Refused)?;
        let mut answer = None;
        while answer.is_none() {
            if self.driver.connection().is_closed() {
                return Err(self.lost());
            }
            self.turn(None, |reply| answer = Some(reply.get::<()>().map_err(Error::from)));
        }
        answer.unwrap_or(Ok(()))
    }

    /// One turn: messages are kept, the answer to a request is shown to `on_answer`.
    fn turn(&mut self, patience: Option<Duration>, mut on_answer: impl FnMut(Reply<'_>)) {
        let Self { driver, waiting, waiting_bytes, dropped, .. } = self;
        driver.turn(patience, |event| match event {
            Event::Push(push) => {
                let Some(message) = Message::from_push(push) else { return };
                // Only while a subscription waits for its confirmation can many come unread. One
                // always fits, however large.
                let fits = waiting.len() < WAITING && *waiting_bytes + message.size() <= WAITING_BYTES;
                if fits || waiting.is_empty() {
                    *waiting_bytes += message.size();
                    waiting.push_back(message);
                } else {
                    *dropped += 1;
                }
            }
            Event::PushTooLarge => *dropped += 1,
            Event::Reply { reply, .. } => on_answer(reply),
            _ => {}
        });
    }

    fn lost(&self) -> Error<D::Error> {
        Error::Lost { failure: Failure::Unknown, cause: Cause::of(&self.driver) }
    }
}

impl<D: Dial> fmt::Debug for Subscriber<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("connection", self.driver.connection())
            .field("waiting", &self.waiting.len())
            .finish()
    }
}

impl Message {
    /// The memory it takes, about.
    fn size(&self) -> usize {
        let pattern = self.pattern.as_ref().map_or(0, String::len);
        size_of::<Self>() + pattern + self.channel.len() + self.payload.len()
    }

    fn from_push(push: Reply<'_>) -> Option<Self> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if let Ok((b"pmessage", pattern, channel, payload)) = push.get::<(&[u8], &[u8], &[u8], Vec<u8>)>() {
            return Some(Self { pattern: Some(text(pattern)), channel: text(channel), payload });
        }
        match push.get::<(&[u8], &[u8], Vec<u8>)>() {
            Ok((b"message", channel, payload)) => {
                Some(Self { pattern: None, channel: text(channel), payload })
            }
            _ => None,
        }
    }
}
