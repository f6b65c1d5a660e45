//! A pipeline as one transaction: MULTI in front, EXEC behind.

use core::fmt;

use super::pipeline::{Each, Pipeline};
use super::{exec, multi};
use crate::error::ReplyError;
use crate::resp::{DecodeError, Reply, Seq};

/// The requests of a pipeline, executed by the server with nothing of anybody else's between them: the
/// pipeline `MULTI`, the requests, `EXEC`. An error of one of them is its own and does not undo the others;
/// that is how servers do it.
#[derive(Clone, Copy, Debug)]
pub struct Atomic<P>(pub P);

/// Why a transaction has no results.
#[derive(Debug)]
pub enum TransactionError<E> {
    /// A watched key was changed by somebody else. Nothing was executed.
    Aborted,
    /// The server refused to queue this request, and so executed none.
    Refused {
        /// Which one, from 0.
        index: usize,
        /// What it said.
        error: E,
    },
    /// The server did not begin a transaction: it took each request by itself.
    NotBegun(E),
    /// The answer to EXEC never came, or it was an error, or nothing was sent at all. As with any request
    /// the error says which.
    Failed(E),
}

/// What is known of a transaction that is on its way.
pub struct Progress<P: Pipeline, E> {
    len: usize,
    results: P::Partial<E>,
    refused: Option<TransactionError<E>>,
    end: Option<Result<Option<()>, E>>,
}

impl<P: Pipeline> Pipeline for Atomic<P> {
    type Output<E> = Result<P::Output<E>, TransactionError<E>>;
    type Partial<E> = Progress<P, E>;

    const ATOMIC: bool = true;

    fn len(&self) -> usize {
        self.0.len() + 2
    }

    fn visit<V: Each>(&self, index: usize, each: &mut V) -> Option<V::Output> {
        match index.checked_sub(1) {
            None => Some(each.request(&multi())),
            Some(index) if index == self.0.len() => Some(each.request(&exec())),
            Some(index) => self.0.visit(index, each),
        }
    }

    fn start<E>(&self) -> Progress<P, E> {
        Progress { len: self.0.len(), results: self.0.start(), refused: None, end: None }
    }

    fn put<E>(progress: &mut Progress<P, E>, index: usize, answer: Result<Reply<'_>, E>)
    where
        E: for<'r> From<ReplyError<'r>>,
    {
        if index > progress.len {
            // The first is what counts: a request that could not be sent took EXEC with it.
            if progress.end.is_none() {
                progress.end = Some(answer.and_then(|reply| take::<P, E>(progress, reply)));
            }
        } else if let Ok(reply) = answer
            && let Some(error) = reply.error()
            && progress.refused.is_none()
        {
            let error = ReplyError::Server(error).into();
            progress.refused = Some(match index.checked_sub(1) {
                None => TransactionError::NotBegun(error),
                Some(index) => TransactionError::Refused { index, error },
            });
        }
    }

    fn finish<E>(progress: Progress<P, E>, missing: impl Fn() -> E) -> Self::Output<E> {
        match (progress.end, progress.refused) {
            (Some(Ok(Some(()))), _) => Ok(P::finish(progress.results, missing)),
            (Some(Ok(None)), _) => Err(TransactionError::Aborted),
            (Some(Err(_)), Some(refused)) => Err(refused),
            (Some(Err(error)), None) => Err(TransactionError::Failed(error)),
            (None, _) => Err(TransactionError::Failed(missing())),
        }
    }
}

/// The answer to EXEC: each request's own, or nothing.
fn take<P: Pipeline, E>(progress: &mut Progress<P, E>, reply: Reply<'_>) -> Result<Option<()>, E>
where
    E: for<'r> From<ReplyError<'r>>,
{
    let Some(answers) = reply.get::<Option<Seq<'_, Reply<'_>>>>()? else { return Ok(None) };
    let mut count = 0;
    // A reply as such is made of any.
    for answer in answers.flatten() {
        P::put(&mut progress.results, count, Ok(answer));
        count += 1;
    }
    if count == progress.len {
        return Ok(Some(()));
    }
    Err(ReplyError::Decode(DecodeError::Length { expected: progress.len }).into())
}

impl<E: fmt::Display> fmt::Display for TransactionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted => f.write_str("a watched key has changed: nothing was executed"),
            Self::Refused { index, error } => {
                write!(f, "request {index} of the transaction was refused, and none executed: {error}")
            }
            Self::NotBegun(error) => {
                write!(f, "the server began no transaction and took each request by itself: {error}")
            }
            Self::Failed(error) => write!(f, "the transaction failed: {error}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for TransactionError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Aborted => None,
            Self::Refused { error, .. } | Self::NotBegun(error) | Self::Failed(error) => Some(error),
        }
    }
}

impl<P: Pipeline, E> fmt::Debug for Progress<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("len", &self.len).finish_non_exhaustive()
    }
}
