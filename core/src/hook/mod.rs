//! What is told of dials, commands, pipelines and transactions, to whoever wants to know or to forbid.
//!
//! A [`Hook`] stands around four things. Before each it may refuse, and what it refused is not done. After each
//! it is told how it went: by name, size, time and outcome, **never with the bytes of an argument or a reply**.
//!
//! Hooks are types, not a list: `()` is none of them and costs nothing, a tuple is one around the other, and an
//! `Option` can be turned on while the program runs. With feature `alloc`, `Vec<Box<dyn Hook>>` is a hook, too.
//!
//! ```
//! use respire_core::hook::{Attempt, Hook, Refusal};
//! use respire_core::command::Access;
//! use respire_core::time::Instant;
//!
//! /// Lets nothing through that administers the server.
//! struct Guard;
//!
//! impl Hook for Guard {
//!     fn before_command(&mut self, _now: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
//!         if attempt.command.access == Access::Admin { Err(Refusal(1)) } else { Ok(()) }
//!     }
//! }
//! ```
//!
//! # Order
//!
//! ```text
//! (A, B):     A before ─ B before ─ the command ─ B after ─ A after
//! B refuses:  A before ─ B before ────────────────────────── A after, with Outcome::Refused
//! ```
//! Whoever lets a thing pass is told of its end exactly once; whoever refuses it knows already.
//!
//! A command inside a pipeline or a transaction has its own two calls between those of the whole. A command that
//! is tried again has two for each attempt.

mod compose;
mod outcome;
mod told;

pub use outcome::{DialOutcome, Fate, Kind, Outcome, Phase, Refusal, Unsent};
pub use told::{
    Attempt, Batch, BatchEnd, Dial, DialEnd, End, Report, Tally, Times, Transaction, TransactionEnd,
};

use crate::time::Instant;

/// Someone who stands around dials, commands, pipelines and transactions.
///
/// Every method has a default that does nothing and allows everything. None of them may wait.
pub trait Hook {
    /// Whether any of it does anything now. If not, whoever calls may leave out the calls, and what it takes to
    /// know what they would tell.
    fn is_active(&self) -> bool {
        true
    }

    /// Before a connection is dialled. May send it to another address, such as that of a proxy.
    ///
    /// # Errors
    /// It is not to be dialled.
    fn before_dial(&mut self, now: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        let _ = (now, dial);
        Ok(())
    }

    /// After its handshake, or when it came to nothing.
    fn after_dial(&mut self, now: Instant, dial: &Dial<'_>, end: &DialEnd<'_>) {
        let _ = (now, dial, end);
    }

    /// Before an attempt to have a command executed.
    ///
    /// # Errors
    /// It is not to be sent.
    fn before_command(&mut self, now: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        let _ = (now, attempt);
        Ok(())
    }

    /// After its answer, or when it was given up.
    fn after_command(&mut self, now: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        let _ = (now, attempt, end);
    }

    /// Before several commands that are sent together.
    ///
    /// # Errors
    /// None of them is to be sent.
    fn before_pipeline(&mut self, now: Instant, batch: &Batch) -> Result<(), Refusal> {
        let _ = (now, batch);
        Ok(())
    }

    /// After the last of their answers.
    fn after_pipeline(&mut self, now: Instant, batch: &Batch, end: &BatchEnd) {
        let _ = (now, batch, end);
    }

    /// Before `MULTI`.
    ///
    /// # Errors
    /// The transaction is not to begin.
    fn before_transaction(&mut self, now: Instant, transaction: &Transaction) -> Result<(), Refusal> {
        let _ = (now, transaction);
        Ok(())
    }

    /// After the answer to `EXEC` or `DISCARD`, or when nobody will know.
    fn after_transaction(&mut self, now: Instant, transaction: &Transaction, end: &TransactionEnd) {
        let _ = (now, transaction, end);
    }
}
