//! One connection that is replaced when it is lost, and what must be remembered of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use super::connect::{Dial, Link, Patience, connect};
use super::error::{Cause, Error};
use super::url::Url;
use crate::command::{AnyRequest, Each, Effect, Pipeline, Request};
use crate::conn::{CloseReason, Event, Failure, Settings, SubmitError, Token, Wait};
use crate::error::{Full, Misuse};
use crate::flaw::flaw;
use crate::resp::Reply;
use crate::time::Duration;

/// Bytes of a pipeline that are encoded ahead of the socket.
const AHEAD: usize = 256 << 10;

/// Requests that wait for answers.
const IN_FLIGHT: usize = 1024;

/// What comes of a pipeline: a result for each request, or nothing at all.
pub type Results<P, E> = Result<<P as Pipeline>::Output<E>, E>;

/// The connection of a client, and what must be remembered of it.
pub struct Session<D: Dial> {
    dialer: D,
    url: Url,
    driver: Option<Box<Link<D, IN_FLIGHT>>>,
    /// The user has set something that a new connection would not have.
    altered: bool,
    /// A command may have changed the database, and its answer was not seen.
    selecting: bool,
    /// The database that was chosen last.
    db: u32,
    in_multi: bool,
    /// Keys may be watched.
    watching: bool,
    /// A call has begun. If the next one finds it so, that call did not end: a conversion of the
    /// user's panicked, and there may be answers that nobody may take for his own.
    begun: bool,
}

impl<D: Dial> Session<D> {
    /// Connects as `url` says, and waits until the server said hello.
    ///
    /// # Errors
    /// [`Error::Connect`] with every address that was tried.
    pub fn open(dialer: D, url: Url) -> Result<Self, Error<D::Error>> {
        let db = url.db;
        let (altered, selecting, in_multi, begun) = (false, false, false, false);
        let mut session =
            Self { dialer, url, driver: None, altered, selecting, db, in_multi, watching: false, begun };
        session.driver()?;
        Ok(session)
    }

    /// Gives the connection up: answers may have been left unread. The next request makes another.
    pub fn forget(&mut self) {
        self.driver = None;
    }

    /// A connection that stood a moment ago.
    fn driver(&mut self) -> Result<&mut Link<D, IN_FLIGHT>, Error<D::Error>> {
        if core::mem::take(&mut self.begun) {
            self.driver = None;
        }
        // It may have ended meanwhile. And what came meanwhile answers nothing: left unread, it would be
        // taken for the answer to the request that comes next.
        if let Some(driver) = &mut self.driver {
            driver.look();
        }
        if self.driver.as_ref().is_none_or(|driver| driver.connection().is_closed()) {
            self.driver = None;
            let flags = [&mut self.altered, &mut self.selecting, &mut self.in_multi, &mut self.watching];
            if flags.map(core::mem::take).contains(&true) {
                self.db = self.url.db;
                flaw!(SessionLeaks => return self.driver());
                return Err(Error::SessionLost);
            }
        }
        Ok(match &mut self.driver {
            Some(driver) => driver,
            vacant => {
                let patience = Patience { connect: self.url.connect_timeout, reply: self.url.timeout };
                let Self { dialer, url, db, .. } = self;
                let settings = Settings { db: *db, ..url.settings() };
                vacant.insert(connect(dialer, &url.endpoint, &settings, patience)?)
            }
        })
    }

    /// Sends a request and shows its answer to `read`. `timeout`: `None` is the URL's, `Some(None)`
    /// is none at all.
    ///
    /// # Errors
    /// See [`Error`]; and what `read` returns.
    pub fn call<T>(
        &mut self,
        request: &dyn AnyRequest,
        timeout: Option<Option<Duration>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, Error<D::Error>>,
    ) -> Result<T, Error<D::Error>> {
        let result = self.call_once(request, timeout, read);
        self.begun = false;
        self.remember();
        result
    }

    fn call_once<T>(
        &mut self,
        request: &dyn AnyRequest,
        timeout: Option<Option<Duration>>,
        read: impl FnOnce(Reply<'_>) -> Result<T, Error<D::Error>>,
    ) -> Result<T, Error<D::Error>> {
        let effect = permit(request)?;
        let driver = self.driver()?;
        let now = driver.now();
        let patience = match timeout {
            None => Wait::Usual(now),
            Some(own) => Wait::Until(own.map(|timeout| now.saturating_add(timeout))),
        };
        if request.is_chunked() {
            return Err(Error::Refused(Misuse::Streamed.into()));
        }
        // It is the only one: whoever held the session before left nothing in flight.
        driver.submit_alone(patience, request).map_err(Error::Refused)?;
        self.begun = true;
        let ends = self.foresee([effect]);
        let driver = self.driver.as_mut().ok_or(Error::Refused(SubmitError::Closed))?;
        let mut read = Some(read);
        let mut answer = None;
        while answer.is_none() {
            let mut failure = None;
            driver.turn_for(request, &mut |event| match event {
                Event::Reply { reply, .. } => answer = read.take().map(|read| read(reply)),
                Event::Failed { failure: why, .. } => failure = Some(why),
                _ => {}
            });
            if let Some(failure) = failure {
                return Err(lost::<D>(driver, failure));
            }
        }
        if ends {
            self.driver = None;
        }
        answer.unwrap_or(Err(Error::Refused(SubmitError::Closed)))
    }

    /// Sends requests and collects their results, in constant memory besides them.
    ///
    /// # Errors
    /// Only that nothing could be sent at all; each request's fate is in its own result.
    pub fn pipeline<P: Pipeline>(&mut self, pipeline: &P) -> Results<P, Error<D::Error>> {
        let results = self.pipeline_once(pipeline);
        self.begun = false;
        self.remember();
        results
    }

    fn pipeline_once<P: Pipeline>(&mut self, pipeline: &P) -> Results<P, Error<D::Error>> {
        let total = pipeline.len();
        for index in 0..total {
            pipeline.visit(index, &mut Permit(PhantomData)).transpose()?;
        }
        self.driver()?;
        self.begun = true;
        let ends = self.foresee((0..total).filter_map(|index| pipeline.visit(index, &mut EffectOf)));
        let driver = self.driver.as_mut().ok_or(Error::Refused(SubmitError::Closed))?;
        let mut partial = pipeline.start::<Error<D::Error>>();
        let (mut next, mut resolved) = (0, 0);
        let mut failures = Vec::new();
        while resolved < total {
            // Not for each: to ask a host for the time takes as long as a request.
            let patience = Wait::Usual(driver.now());
            while next < total && driver.connection().poll_transmit().len() < AHEAD {
                match pipeline.visit(next, &mut Submit::<D> { driver, patience, index: next }) {
                    Some(Ok(())) => {}
                    Some(Err(SubmitError::Full(Full::Transmit | Full::InFlight))) => break,
                    Some(Err(SubmitError::Closed)) => {
                        resolved += 1;
                        P::put(&mut partial, next, Err(lost::<D>(driver, Failure::NotSent)));
                    }
                    Some(Err(error)) => {
                        resolved += 1;
                        if P::ATOMIC {
                            P::put(&mut partial, total - 1, Err(Error::Refused(error)));
                            driver.connection_mut().close();
                        }
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
                P::put(&mut partial, index_of(token), Err(lost::<D>(driver, failure)));
            }
        }
        if ends {
            self.driver = None;
        }
        Ok(P::finish(partial, || Error::Refused(SubmitError::Closed)))
    }

    /// Remembers the database that was chosen, so that the next connection goes on with it, and whether anything
    /// is watched still.
    fn remember(&mut self) {
        let Some(driver) = &self.driver else { return };
        let (connection, state) = (driver.connection(), driver.connection().state());
        if !connection.is_closed() {
            self.watching = state.watching;
        }
        // What a transaction queues is chosen, or not, when it ends.
        if let (false, Some(db)) = (connection.is_closed() || state.transaction, state.db) {
            (self.selecting, self.db) = (false, db);
        }
    }

    /// Remembers what requests that are about to be sent leave behind on the connection, so that its
    /// loss is never silent. Says whether they end its use: as good as new after RESET is not what
    /// the URL asked for.
    fn foresee(&mut self, effects: impl IntoIterator<Item = Effect>) -> bool {
        let mut ends = false;
        for effect in effects {
            match effect {
                Effect::Session | Effect::Hello | Effect::Tracking => self.altered = true,
                Effect::Watch => self.watching = true,
                Effect::Select => self.selecting = true,
                Effect::Multi => self.in_multi = true,
                Effect::EndMulti => self.in_multi = false,
                Effect::Reset | Effect::Quit => {
                    (self.altered, self.selecting, self.in_multi, ends) = (false, false, false, true);
                    self.watching = false;
                    self.db = self.url.db;
                }
                _ => {}
            }
        }
        ends
    }
}

impl<D: Dial> fmt::Debug for Session<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.driver.as_ref().map(|driver| driver.connection());
        f.debug_struct("Session").field("url", &self.url).field("connection", &connection).finish()
    }
}

const fn index_of(token: Token) -> usize {
    token.0 as usize
}

fn lost<D: Dial>(driver: &Link<D, IN_FLIGHT>, failure: Failure) -> Error<D::Error> {
    match failure {
        Failure::TooLarge => Error::TooLarge,
        Failure::TooDeep => Error::TooDeep,
        Failure::Expired => Error::Lost { failure, cause: Cause::Closed(CloseReason::ReplyTimeout) },
        failure => Error::Lost { failure, cause: Cause::of(driver) },
    }
}

/// What a shared connection cannot do.
fn permit<E>(request: &dyn AnyRequest) -> Result<Effect, Error<E>> {
    match request.row().effect {
        Effect::Subscribe(_) | Effect::Unsubscribe(_) | Effect::Monitor => Err(Error::NeedsOwnConnection),
        effect => Ok(effect),
    }
}

struct Permit<E>(PhantomData<E>);

impl<E> Each for Permit<E> {
    type Output = Result<(), Error<E>>;

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

struct Submit<'d, D: Dial> {
    driver: &'d mut Link<D, IN_FLIGHT>,
    patience: Wait,
    index: usize,
}

impl<D: Dial> Each for Submit<'_, D> {
    type Output = Result<(), SubmitError>;

    fn request<R: Request>(&mut self, request: &R) -> Self::Output {
        self.driver.submit_whole(self.patience, Token(self.index as u64), request)
    }
}
