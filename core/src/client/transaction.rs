//! Transactions, and changes on condition that nobody else made any.

use core::cell::RefCell;

use super::call::{PipelineCall, Share};
use super::connect::Dial;
use super::error::Error;
use super::session::Session;
use crate::command::{Atomic, Keys, Pipeline, TransactionError, unwatch, watch};

type ErrorOf<C> = Error<<<C as Share>::Dialer as Dial>::Error>;

/// What comes of a transaction: the results of its requests, each with its own fate.
type Results<P, E> = Result<<P as Pipeline>::Output<E>, TransactionError<E>>;

/// The same of a change on condition: nothing if none was wanted.
type Checked<P, E> = Result<Option<<P as Pipeline>::Output<E>>, TransactionError<E>>;

/// Transactions of a client.
pub trait Transact: Share {
    /// The requests of a pipeline as one transaction: `MULTI`, the requests, `EXEC`, in one go.
    ///
    /// ```
    /// use respire_core::client::{Client, Endpoint, Transact, Url};
    /// use respire_core::command::{decr_by, incr_by};
    /// # let server = respire_core::testing::Local::default();
    /// let client = Client::connect(server, Url::new(Endpoint::default()))?;
    /// let (from, to) = client.transaction((decr_by("alice", 5), incr_by("bob", 5))).wait()?;
    /// assert_eq!((from?, to?), (-5, 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn transaction<P: Pipeline>(&self, requests: P) -> TransactionCall<'_, Self, P>
    where
        Self: Sized,
    {
        TransactionCall(PipelineCall::new(self, Atomic(requests)))
    }

    /// Reads, decides, and writes only if nobody has changed `keys` meanwhile; else tries again, `attempts`
    /// times in all.
    ///
    /// `decide` is given the client to read with, and answers with the requests to execute, or `None` to leave
    /// everything as it is. It has the connection for itself until then: what it asks for is read behind
    /// `WATCH`, and what others ask of this client waits.
    ///
    /// ```
    /// use respire_core::client::{Client, Endpoint, Transact, Url};
    /// use respire_core::command::{StringCommands, set};
    /// # let server = respire_core::testing::Local::default();
    /// let client = Client::connect(server, Url::new(Endpoint::default()))?;
    /// client.set("n", 21).wait()?;
    /// let done = client.check_and_set("n", 10, |client| {
    ///     let n: Option<i64> = client.get("n").wait()?;
    ///     Ok(n.map(|n| [set("n", n * 2)]))
    /// })?;
    /// assert!(done.is_some(), "there was a number");
    /// assert_eq!(client.get::<i64>("n").wait()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TransactionError::Aborted`] if the last attempt came too late, too, or if there was none to be;
    /// [`TransactionError::Failed`] with what `decide` fails with, and whatever a
    /// [transaction](Self::transaction) may come to.
    fn check_and_set<'k, K, P, F>(&self, keys: K, attempts: u32, mut decide: F) -> Checked<P, ErrorOf<Self>>
    where
        Self: Sized,
        K: Into<Keys<'k>>,
        P: Pipeline,
        F: FnMut(&Attempt<'_, Self::Dialer>) -> Result<Option<P>, ErrorOf<Self>>,
    {
        let keys = keys.into();
        let all = |session: &mut Session<Self::Dialer>| {
            let client = Attempt(RefCell::new(session));
            for _ in 0..attempts {
                match attempt(&client, keys, &mut decide) {
                    Err(TransactionError::Aborted) => {}
                    result => return result,
                }
            }
            Err(TransactionError::Aborted)
        };
        self.share(all).unwrap_or(Err(TransactionError::Failed(Error::Busy)))
    }
}

impl<C: Share> Transact for C {}

/// A client that has the connection for itself, for the time of one [attempt](Transact::check_and_set).
#[derive(Debug)]
pub struct Attempt<'s, D: Dial>(RefCell<&'s mut Session<D>>);

impl<D: Dial> Share for Attempt<'_, D> {
    type Dialer = D;

    fn share<T>(&self, act: impl FnOnce(&mut Session<D>) -> T) -> Option<T> {
        self.0.try_borrow_mut().ok().map(|mut session| act(&mut session))
    }
}

fn attempt<D: Dial, P: Pipeline>(
    client: &Attempt<'_, D>,
    keys: Keys<'_>,
    decide: &mut impl FnMut(&Attempt<'_, D>) -> Result<Option<P>, Error<D::Error>>,
) -> Checked<P, Error<D::Error>> {
    use crate::client::Call;

    Call::new(client, watch(keys)).wait().map_err(TransactionError::Failed)?;
    let decided = decide(client);
    if let Ok(Some(requests)) = decided {
        let done = client.transaction(requests).wait().map(Some);
        if let Err(TransactionError::Failed(Error::NeedsOwnConnection) | TransactionError::NotBegun(_)) = done
        {
            // Nothing has ended what was begun with WATCH.
            _ = Call::new(client, unwatch()).wait();
        }
        return done;
    }
    // If it cannot be said, the connection is lost, and with it what was watched.
    let unwatched = Call::new(client, unwatch()).wait();
    decided.map_err(TransactionError::Failed)?;
    match unwatched {
        Ok(_) | Err(Error::SessionLost | Error::Lost { .. }) => Ok(None),
        Err(error) => Err(TransactionError::Failed(error)),
    }
}

/// A transaction of a client that was not sent yet.
#[derive(Debug)]
#[must_use = "nothing is sent before `wait`"]
pub struct TransactionCall<'c, C, P>(PipelineCall<'c, C, Atomic<P>>);

impl<C: Share, P: Pipeline> TransactionCall<'_, C, P> {
    /// Sends the requests and waits for the results.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn wait(self) -> Results<P, ErrorOf<C>> {
        self.0.wait().unwrap_or_else(|error| Err(TransactionError::Failed(error)))
    }
}
