//! The blocking client that threads share.

use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use respire_core::client::{Call, PipelineCall, Session, Share};
use respire_core::command::{Pipeline, Request};

use crate::{Dialer, Error, Url};

/// A client of one server.
///
/// Every command is a method (from the traits in [`prelude`](crate::prelude)) that makes a
/// [`Call`]; [`Call::wait`] sends it and waits for the answer. The client is `Send` and `Sync`:
/// threads that share it take turns.
///
/// A connection that is found closed before a request is sent is replaced. A request that was sent
/// and not answered is an error that says so ([`Error::Lost`](respire_core::client::Error::Lost)); it is never
/// sent again by itself.
///
/// ```no_run
/// use respire::prelude::*;
///
/// let client = respire::Single::open("redis://127.0.0.1:6379")?;
/// client.set("greeting", "hello").ex(60).wait()?;
/// let greeting: Option<String> = client.get("greeting").wait()?;
/// let (length, visits) = client.pipeline((strlen("greeting"), incr("visits"))).wait()?;
/// println!("{greeting:?} has {} bytes; visit {}", length?, visits?);
/// # Ok::<(), respire::Error>(())
/// ```
///
/// The first argument of 4 KiB or more of a single request is not copied on its way to the kernel; a
/// pipeline copies all of them, once.
///
/// [`Call::wait_with`] reads an answer where it lies, without a copy:
/// ```no_run
/// # use respire::prelude::*;
/// # let client = respire::Single::open("redis://127.0.0.1:6379")?;
/// let zeros = client.send(get("bitmap")).wait_with(|reply| {
///     let bytes: &[u8] = reply.get()?;
///     Ok(bytes.iter().map(|byte| byte.count_zeros()).sum::<u32>())
/// })?;
/// # Ok::<(), respire::Error>(())
/// ```
#[derive(Debug)]
pub struct Single {
    session: Mutex<Session<Dialer>>,
}

impl Single {
    /// Connects to the server of a [URL](crate::Url), and waits until it said hello.
    ///
    /// # Errors
    /// [`Error::Url`](respire_core::client::Error::Url), or [`Error::Connect`](respire_core::client::Error::Connect) with every
    /// address that was tried.
    pub fn open(url: &str) -> Result<Self, Error> {
        Self::connect(url.parse()?)
    }

    /// Connects as `url` says.
    ///
    /// # Errors
    /// [`Error::Connect`](respire_core::client::Error::Connect) with every address that was tried.
    pub fn connect(url: Url) -> Result<Self, Error> {
        Self::with_dialer(Dialer::default(), url)
    }

    /// Connects with a dialer of one's own making: TLS with certificates of one's own, sockets that the user connects.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn with_dialer(dialer: Dialer, url: Url) -> Result<Self, Error> {
        Ok(Self { session: Mutex::new(Session::open(dialer, url)?) })
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

impl Share for Single {
    type Dialer = Dialer;

    fn share<T>(&self, act: impl FnOnce(&mut Session<Dialer>) -> T) -> Option<T> {
        let mut session = self.session.lock().unwrap_or_else(|poisoned| {
            // A panic, in a conversion of the user's, may have left answers unread: nobody may take
            // them for his own.
            let mut session = PoisonError::into_inner(poisoned);
            session.forget();
            self.session.clear_poison();
            session
        });
        Some(act(&mut session))
    }
}

// A client may be shared by threads, and handed to one.
const _: PhantomData<fn() -> Single> = {
    const fn shared<T: Send + Sync>() {}
    shared::<Single>();
    PhantomData
};
