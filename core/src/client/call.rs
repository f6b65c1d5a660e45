//! What a client hands out: calls and pipelines to wait for.

use core::cell::RefCell;
use core::fmt;

use super::connect::Dial;
use super::error::Error;
use super::session::{Results, Session};
use super::url::Url;
use crate::command::{Caller, Carry, OwnedReply, Pipeline, Request};
use crate::resp::Reply;
use crate::time::Duration;

/// A client of one server, for one thread.
///
/// Every command is a method (from the traits in [`command`](crate::command)) that makes a
/// [`Call`]; [`Call::wait`] sends it and waits for the answer.
///
/// A connection that is found closed before a request is sent is replaced. A request that was sent
/// and not answered is an error that says so ([`Error::Lost`]); it is never sent again by itself.
pub struct Client<D: Dial> {
    session: RefCell<Session<D>>,
}

/// The shared use of one session: what makes a type a client.
pub trait Share {
    /// How its connections are opened.
    type Dialer: Dial;

    /// Lends the session. `None`: it is lent already, further up on the same stack.
    fn share<T>(&self, act: impl FnOnce(&mut Session<Self::Dialer>) -> T) -> Option<T>;
}

/// The error of a client.
type ErrorOf<C> = Error<<<C as Share>::Dialer as Dial>::Error>;

/// A request of a client that was not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `wait`"]
pub struct Call<'c, C, R> {
    client: &'c C,
    request: R,
    timeout: Option<Option<Duration>>,
}

/// A pipeline of a client that was not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `wait`"]
pub struct PipelineCall<'c, C, P> {
    client: &'c C,
    pipeline: P,
}

impl<D: Dial> Client<D> {
    /// Connects to the server of a [URL](Url), and waits until it said hello.
    ///
    /// # Errors
    /// [`Error::Url`], or [`Error::Connect`] with every address that was tried.
    pub fn open(url: &str) -> Result<Self, Error<D::Error>>
    where
        D: Default,
    {
        Self::connect(D::default(), url.parse()?)
    }

    /// Connects as `url` says, with a dialer of one's own.
    ///
    /// # Errors
    /// [`Error::Connect`] with every address that was tried.
    pub fn connect(dialer: D, url: Url) -> Result<Self, Error<D::Error>> {
        Ok(Self { session: RefCell::new(Session::open(dialer, url)?) })
    }

    /// Sends several requests in one go and waits for all answers: a tuple or a slice of requests
    /// becomes a tuple or a vector of results, each with its own fate.
    ///
    /// Any number of requests takes constant memory besides their results: what does not fit into
    /// the buffers is encoded when there is room, and answers are read all the while.
    pub const fn pipeline<P: Pipeline>(&self, pipeline: P) -> PipelineCall<'_, Self, P> {
        PipelineCall::new(self, pipeline)
    }

    /// Sends any request: one that was made by a function of [`command`](crate::command), such as
    /// [`raw`](crate::command::raw).
    pub const fn send<R: Request>(&self, request: R) -> Call<'_, Self, R> {
        Call::new(self, request)
    }
}

impl<D: Dial> Share for Client<D> {
    type Dialer = D;

    fn share<T>(&self, act: impl FnOnce(&mut Session<D>) -> T) -> Option<T> {
        self.session.try_borrow_mut().ok().map(|mut session| act(&mut session))
    }
}

impl<C: Share> Caller for C {
    type Call<'c, R: Request>
        = Call<'c, C, R>
    where
        C: 'c;

    fn call<R: Request>(&self, request: R) -> Call<'_, C, R> {
        Call::new(self, request)
    }
}

impl<C, R> Carry<R> for Call<'_, C, R> {
    fn map(self, change: impl FnOnce(R) -> R) -> Self {
        Self { request: change(self.request), ..self }
    }
}

impl<'c, C, R> Call<'c, C, R> {
    /// A request for this client.
    pub const fn new(client: &'c C, request: R) -> Self {
        Self { client, request, timeout: None }
    }
}

impl<C: Share, R: Request> Call<'_, C, R> {
    /// Waits at most this long for the answer; `None` for ever, as blocking commands need.
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: Some(timeout.into()), ..self }
    }

    /// Sends the request and waits for the answer. A long argument is not copied, if the transport
    /// [lends](crate::io::Socket::lends_from).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn wait(self) -> Result<R::Owned, ErrorOf<C>>
    where
        R: OwnedReply,
    {
        self.wait_with(|reply| Ok(reply.get()?))
    }

    /// Sends the request, waits, and reads the answer where it lies: nothing is copied.
    ///
    /// # Errors
    /// See [`Error`]; and what `read` returns.
    pub fn wait_with<T>(
        self,
        read: impl FnOnce(Reply<'_>) -> Result<T, ErrorOf<C>>,
    ) -> Result<T, ErrorOf<C>> {
        let Self { client, request, timeout } = self;
        client.share(|session| session.call(&request, timeout, read)).unwrap_or(Err(Error::Busy))
    }
}

impl<'c, C, P> PipelineCall<'c, C, P> {
    /// A pipeline for this client.
    pub const fn new(client: &'c C, pipeline: P) -> Self {
        Self { client, pipeline }
    }
}

impl<C: Share, P: Pipeline> PipelineCall<'_, C, P> {
    /// Sends the requests and waits for all answers.
    ///
    /// # Errors
    /// Only that nothing could be sent at all; each request's fate is in its own result.
    pub fn wait(self) -> Results<P, ErrorOf<C>> {
        self.client.share(|session| session.pipeline(&self.pipeline)).unwrap_or(Err(Error::Busy))
    }
}

impl<D: Dial> fmt::Debug for Client<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.session.try_borrow() {
            Ok(session) => f.debug_struct("Client").field("session", &*session).finish(),
            Err(_) => f.write_str("Client(busy)"),
        }
    }
}
