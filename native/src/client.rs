//! The blocking client: one connection, shared by reference.

use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use respire_core::command::{Caller, Carry, Each, Effect, OwnedReply, Pipeline, Request};
use respire_core::conn::{Event, Failure, SubmitError, Token};
use respire_core::error::Full;
use respire_core::resp::Reply;

use crate::driver::{Driver, Tuning};
use crate::error::Error;
use crate::url::Url;

/// How long a connection may rest before it is looked at for an end that came meanwhile.
const RESTED: Duration = Duration::from_secs(1);

/// Bytes of a pipeline that are encoded ahead of the socket.
const AHEAD: usize = 256 << 10;

/// A client of one server.
///
/// Every command is a method (from the traits in [`prelude`](crate::prelude)) that makes a
/// [`Call`]; [`Call::wait`] sends it and waits for the answer. The client is `Send` and `Sync`:
/// threads that share it take turns.
///
/// A connection that is found closed before a request is sent is replaced. A request that was sent
/// and not answered is an error that says so ([`Error::Lost`]); it is never sent again by itself.
///
/// ```no_run
/// use respire::prelude::*;
///
/// let client = respire::Client::open("redis://127.0.0.1:6379")?;
/// client.set("greeting", "hello").ex(60).wait()?;
/// let greeting: Option<String> = client.get("greeting").wait()?;
/// let (length, visits) = client.pipeline((strlen("greeting"), incr("visits"))).wait()?;
/// println!("{greeting:?} has {} bytes; visit {}", length?, visits?);
/// # Ok::<(), respire::Error>(())
/// ```
#[derive(Debug)]
pub struct Client {
    session: Mutex<Session>,
}

/// A request of a client that was not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `wait`"]
pub struct Call<'c, R> {
    client: &'c Client,
    request: R,
    timeout: Option<Option<Duration>>,
}

/// A pipeline of a client that was not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `wait`"]
pub struct PipelineCall<'c, P> {
    client: &'c Client,
    pipeline: P,
}

impl Client {
    /// Connects to the server of a [URL](crate::Url), and waits until it said hello.
    ///
    /// # Errors
    /// [`Error::Url`], or [`Error::Connect`] with every address that was tried.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url.parse()?)
    }

    /// Connects as `url` says.
    ///
    /// # Errors
    /// [`Error::Connect`] with every address that was tried.
    pub fn connect(url: Url) -> Result<Self, Error> {
        Self::with_buffers(url, None)
    }

    /// Connects with kernel socket buffers of a given size.
    #[doc(hidden)]
    pub fn with_buffers(url: Url, socket_buffers: Option<usize>) -> Result<Self, Error> {
        let mut session = Session {
            url,
            socket_buffers,
            driver: None,
            used: Instant::now(),
            altered: false,
            in_multi: false,
        };
        session.driver()?;
        Ok(Self { session: Mutex::new(session) })
    }

    /// Sends several requests in one go and waits for all answers: a tuple or a slice of requests
    /// becomes a tuple or a vector of results, each with its own fate.
    ///
    /// Any number of requests takes constant memory besides their results: what does not fit into
    /// the buffers is encoded when there is room, and answers are read all the while.
    pub const fn pipeline<P: Pipeline>(&self, pipeline: P) -> PipelineCall<'_, P> {
        PipelineCall { client: self, pipeline }
    }

    /// Sends any request: one that was made by a function of [`command`](crate::command), such as
    /// [`raw`](crate::command::raw).
    pub const fn send<R: Request>(&self, request: R) -> Call<'_, R> {
        Call { client: self, request, timeout: None }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(|poisoned| {
            // A panic, in a conversion of the user's, may have left answers unread: nobody may take
            // them for his own.
            let mut session = PoisonError::into_inner(poisoned);
            session.driver = None;
            self.session.clear_poison();
            session
        })
    }
}

impl Caller for Client {
    type Call<'c, R: Request> = Call<'c, R>;

    fn call<R: Request>(&self, request: R) -> Call<'_, R> {
        self.send(request)
    }
}

impl<R> Carry<R> for Call<'_, R> {
    fn map(self, change: impl FnOnce(R) -> R) -> Self {
        Self { request: change(self.request), ..self }
    }
}

impl<R: Request> Call<'_, R> {
    /// Waits at most this long for the answer; `None` for ever, as blocking commands need.
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: Some(timeout.into()), ..self }
    }

    /// Sends the request and waits for the answer.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn wait(self) -> Result<R::Owned, Error>
    where
        R: OwnedReply,
    {
        self.wait_with(|reply| Ok(reply.get()?))
    }

    /// Sends the request, waits, and reads the answer where it lies: nothing is copied.
    ///
    /// ```no_run
    /// # use respire::prelude::*;
    /// # let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let zeros = client.send(get("bitmap")).wait_with(|reply| {
    ///     let bytes: &[u8] = reply.get()?;
    ///     Ok(bytes.iter().map(|byte| byte.count_zeros()).sum::<u32>())
    /// })?;
    /// # Ok::<(), respire::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Error`]; and what `read` returns.
    pub fn wait_with<T>(self, read: impl FnOnce(Reply<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.client.session().call(&self.request, self.timeout, read)
    }
}

impl<P: Pipeline> PipelineCall<'_, P> {
    /// Sends the requests and waits for all answers.
    ///
    /// # Errors
    /// Only that nothing could be sent at all; each request's fate is in its own result.
    pub fn wait(self) -> Result<P::Output<Error>, Error> {
        self.client.session().pipeline(&self.pipeline)
    }
}

/// The connection and what must be remembered of it.
struct Session {
    url: Url,
    socket_buffers: Option<usize>,
    driver: Option<Driver>,
    used: Instant,
    /// The user has set something that a new connection would not have.
    altered: bool,
    in_multi: bool,
}

impl Session {
    /// A connection that stood a moment ago.
    fn driver(&mut self) -> Result<&mut Driver, Error> {
        if let Some(driver) = &mut self.driver
            && self.used.elapsed() > RESTED
        {
            driver.look();
        }
        if self.driver.as_ref().is_none_or(|driver| driver.connection().is_closed()) {
            self.driver = None;
            if core::mem::take(&mut self.altered) | core::mem::take(&mut self.in_multi) {
                return Err(Error::SessionLost);
            }
        }
        self.used = Instant::now();
        match &mut self.driver {
            Some(driver) => Ok(driver),
            vacant => {
                let tuning = Tuning {
                    connect_timeout: self.url.connect_timeout,
                    reply_timeout: self.url.timeout,
                    socket_buffers: self.socket_buffers,
                };
                let driver = Driver::connect(&self.url.endpoint, &self.url.settings(), tuning)?;
                Ok(vacant.insert(driver))
            }
        }
    }

    fn call<T>(
        &mut self,
        request: &impl Request,
        timeout: Option<Option<Duration>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let effect = permit(request)?;
        let default = self.url.timeout;
        let driver = self.driver()?;
        let timeout = timeout.unwrap_or(default);
        let deadline = timeout.map(|timeout| driver.now().saturating_add(timeout));
        // It is the only one: whoever held the session before left nothing in flight.
        let token = Token(0);
        driver.submit_until(deadline, token, request).map_err(Error::Refused)?;
        let ends = self.foresee([effect]);
        let driver = self.driver.as_mut().ok_or(Error::Refused(SubmitError::Closed))?;
        let mut read = Some(read);
        let mut answer = None;
        while answer.is_none() {
            let mut failure = None;
            driver.turn(None, |event| match event {
                Event::Reply { reply, .. } => answer = read.take().map(|read| read(reply)),
                Event::Failed { failure: why, .. } => failure = Some(why),
                _ => {}
            });
            if let Some(failure) = failure {
                return Err(lost(driver, failure));
            }
        }
        if ends {
            self.driver = None;
        }
        answer.unwrap_or(Err(Error::Refused(SubmitError::Closed)))
    }

    fn pipeline<P: Pipeline>(&mut self, pipeline: &P) -> Result<P::Output<Error>, Error> {
        let total = pipeline.len();
        for index in 0..total {
            pipeline.visit(index, &mut Permit).transpose()?;
        }
        self.driver()?;
        let ends = self.foresee((0..total).filter_map(|index| pipeline.visit(index, &mut EffectOf)));
        let driver = self.driver.as_mut().ok_or(Error::Refused(SubmitError::Closed))?;
        let mut partial = pipeline.start::<Error>();
        let (mut next, mut resolved) = (0, 0);
        let mut failures = Vec::new();
        while resolved < total {
            while next < total && driver.unsent() < AHEAD {
                match pipeline.visit(next, &mut Submit { driver, index: next }) {
                    Some(Ok(())) => {}
                    Some(Err(SubmitError::Full(Full::Transmit | Full::InFlight))) => break,
                    Some(Err(SubmitError::Closed)) => {
                        resolved += 1;
                        P::put(&mut partial, next, Err(lost(driver, Failure::NotSent)));
                    }
                    Some(Err(error)) => {
                        resolved += 1;
                        P::put(&mut partial, next, Err(Error::Refused(error)));
                    }
                    None => resolved += 1,
                }
                next += 1;
            }
            if resolved == total {
                break;
            }
            driver.turn(None, |event| match event {
                Event::Reply { token, reply } => {
                    resolved += 1;
                    P::put(&mut partial, index_of(token), Ok(reply));
                }
                Event::Failed { token, failure } => failures.push((token, failure)),
                _ => {}
            });
            for (token, failure) in failures.drain(..) {
                resolved += 1;
                P::put(&mut partial, index_of(token), Err(lost(driver, failure)));
            }
        }
        if ends {
            self.driver = None;
        }
        Ok(P::finish(partial, || Error::Refused(SubmitError::Closed)))
    }

    /// Remembers what requests that are about to be sent leave behind on the connection, so that its
    /// loss is never silent. Says whether they end its use: as good as new after RESET is not what
    /// the URL asked for.
    fn foresee(&mut self, effects: impl IntoIterator<Item = Effect>) -> bool {
        let mut ends = false;
        for effect in effects {
            match effect {
                Effect::Session | Effect::Hello => self.altered = true,
                Effect::Multi => self.in_multi = true,
                Effect::EndMulti => self.in_multi = false,
                Effect::Reset | Effect::Quit => {
                    (self.altered, self.in_multi, ends) = (false, false, true);
                }
                _ => {}
            }
        }
        ends
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let connection = self.driver.as_ref().map(Driver::connection);
        f.debug_struct("Session").field("url", &self.url).field("connection", &connection).finish()
    }
}

const fn index_of(token: Token) -> usize {
    token.0 as usize
}

fn lost(driver: &Driver, failure: Failure) -> Error {
    match failure {
        Failure::TooLarge => Error::TooLarge,
        failure => Error::Lost { failure, cause: driver.cause() },
    }
}

/// What a shared connection cannot do.
fn permit(request: &impl Request) -> Result<Effect, Error> {
    match request.command().effect {
        Effect::Subscribe(_) | Effect::Unsubscribe(_) | Effect::Monitor => Err(Error::NeedsOwnConnection),
        effect => Ok(effect),
    }
}

struct Permit;

impl Each for Permit {
    type Output = Result<(), Error>;

    fn request<R: Request>(&mut self, request: &R) -> Self::Output {
        permit(request).map(|_| ())
    }
}

struct EffectOf;

impl Each for EffectOf {
    type Output = Effect;

    fn request<R: Request>(&mut self, request: &R) -> Effect {
        request.command().effect
    }
}

struct Submit<'d> {
    driver: &'d mut Driver,
    index: usize,
}

impl Each for Submit<'_> {
    type Output = Result<(), SubmitError>;

    fn request<R: Request>(&mut self, request: &R) -> Self::Output {
        self.driver.submit(Token(self.index as u64), request)
    }
}

// A client may be shared by threads, and handed to one.
const _: PhantomData<fn() -> Client> = {
    const fn shared<T: Send + Sync>() {}
    shared::<Client>();
    PhantomData
};
