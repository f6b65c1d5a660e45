//! Transactions, and changes on condition that nobody else made any.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use respire_core::command::{Atomic, Keys, Pipeline, TransactionError, unwatch, watch};

use super::conn::{Conn, ConnCall};
use super::{Client, PipelineCall, block_on};
use crate::Error;

/// What comes of a transaction: the results of its requests, each with its own fate.
type Results<P> = Result<<P as Pipeline>::Output<Error>, TransactionError<Error>>;

/// The same of a change on condition: nothing if none was wanted.
type Checked<P> = Result<Option<<P as Pipeline>::Output<Error>>, TransactionError<Error>>;

/// Requests that the server executes with nothing of anybody else's between them: [`wait`](Self::wait) for their results,
/// or await them.
#[must_use = "nothing is sent before it is waited for"]
pub struct TransactionCall<'c, P: Pipeline> {
    client: &'c Client,
    requests: Option<P>,
    label: Option<&'static str>,
    stage: Stage<'c, P>,
}

enum Stage<'c, P: Pipeline> {
    /// It needs a connection.
    Wishing(ConnCall<'c>),
    /// It has one, which goes back when this is over.
    Executing {
        call: PipelineCall<'c, Atomic<P>>,
        _conn: Conn,
    },
    Over,
}

// Nothing in it is pinned.
impl<P: Pipeline> Unpin for TransactionCall<'_, P> {}

impl<'c, P: Pipeline> TransactionCall<'c, P> {
    pub(super) fn new(client: &'c Client, requests: P) -> Self {
        Self { client, requests: Some(requests), label: None, stage: Stage::Wishing(client.conn()) }
    }

    /// What hooks are told that it is, the whole and each of its requests: see [`Call::label`](super::Call::label).
    pub const fn label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// Blocks this thread until the results are there.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn wait(self) -> Results<P> {
        block_on(self)
    }
}

impl<P: Pipeline> Future for TransactionCall<'_, P> {
    type Output = Results<P>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Results<P>> {
        loop {
            match &mut self.stage {
                Stage::Wishing(wish) => {
                    let Poll::Ready(conn) = Pin::new(wish).poll(context) else { return Poll::Pending };
                    match (conn, self.requests.take()) {
                        (Ok(conn), Some(requests)) => {
                            let (shared, on) = (self.client.shared(), Some(conn.lease()));
                            let call = PipelineCall::new(shared, Atomic(requests), on);
                            let call = match self.label {
                                Some(label) => call.label(label),
                                None => call,
                            };
                            self.stage = Stage::Executing { call, _conn: conn };
                        }
                        (conn, _) => {
                            self.stage = Stage::Over;
                            return Poll::Ready(Err(TransactionError::Failed(
                                conn.err().unwrap_or(Error::Busy),
                            )));
                        }
                    }
                }
                Stage::Executing { call, .. } => {
                    let Poll::Ready(done) = Pin::new(call).poll(context) else { return Poll::Pending };
                    self.stage = Stage::Over;
                    return Poll::Ready(done.unwrap_or_else(|error| Err(TransactionError::Failed(error))));
                }
                Stage::Over => return Poll::Ready(Err(TransactionError::Failed(Error::Busy))),
            }
        }
    }
}

impl<P: Pipeline> fmt::Debug for TransactionCall<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCall").finish_non_exhaustive()
    }
}

impl Client {
    /// The requests of a pipeline as one transaction: `MULTI`, the requests, `EXEC`, in one go and on a connection of its
    /// own.
    ///
    /// ```no_run
    /// use respire::prelude::*;
    ///
    /// let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let (from, to) = client.transaction((decr_by("alice", 5), incr_by("bob", 5))).wait()?;
    /// println!("alice has {} left, bob {}", from?, to?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn transaction<P: Pipeline>(&self, requests: P) -> TransactionCall<'_, P> {
        TransactionCall::new(self, requests)
    }

    /// Reads, decides, and writes only if nobody has changed `keys` meanwhile; else tries again, `attempts` times in all.
    ///
    /// `decide` is given a connection of its own to read with, and answers with the requests to execute, or `None` to
    /// leave everything as it is.
    ///
    /// ```no_run
    /// use respire::prelude::*;
    ///
    /// let client = respire::Client::open("redis://127.0.0.1:6379")?;
    /// let done = client.check_and_set("n", 10, |conn| {
    ///     let n: Option<i64> = conn.get("n").wait()?;
    ///     Ok(n.map(|n| [set("n", n * 2)]))
    /// })?;
    /// println!("{}", if done.is_some() { "doubled" } else { "there was nothing to double" });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TransactionError::Aborted`] if the last attempt came too late, too, or if there was none to be;
    /// [`TransactionError::Failed`] with what `decide` fails with, and whatever a [transaction](Self::transaction) may
    /// come to.
    pub fn check_and_set<'k, P: Pipeline>(
        &self,
        keys: impl Into<Keys<'k>>,
        attempts: u32,
        mut decide: impl FnMut(&Conn) -> Result<Option<P>, Error>,
    ) -> Checked<P> {
        let decide = async |conn: &Conn| decide(conn);
        block_on(self.check_and_set_async(keys, attempts, decide))
    }

    /// The same for tasks: `decide` may await.
    ///
    /// # Errors
    /// As [`check_and_set`](Self::check_and_set).
    pub async fn check_and_set_async<'k, P: Pipeline>(
        &self,
        keys: impl Into<Keys<'k>>,
        attempts: u32,
        mut decide: impl AsyncFnMut(&Conn) -> Result<Option<P>, Error>,
    ) -> Checked<P> {
        let keys = keys.into();
        let failed = TransactionError::Failed;
        if attempts == 0 {
            return Err(TransactionError::Aborted);
        }
        let conn = self.conn().await.map_err(failed)?;
        for _ in 0..attempts {
            conn.send(watch(keys)).await.map_err(failed)?;
            let Some(requests) = decide(&conn).await.map_err(failed)? else {
                conn.send(unwatch()).await.map_err(failed)?;
                return Ok(None);
            };
            match conn.pipeline(Atomic(requests)).await.map_err(failed)? {
                Err(TransactionError::Aborted) => {}
                done => return done.map(Some),
            }
        }
        Err(TransactionError::Aborted)
    }
}
