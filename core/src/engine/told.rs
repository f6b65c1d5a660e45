//! What the hook is told.

use super::call::{Call, Calls};
use super::link::Role;
use super::machine::Engine;
use super::pipeline::count;
use super::{Config, Memory};
use crate::command::AnyRequest;
use crate::config::Address;
use crate::conn::{CloseReason, Failure};
use crate::hook::{Attempt, Dial, DialEnd, DialOutcome, End, Hook, Outcome, Refusal, Times, Unsent};
use crate::pool::{self, DialCode, Id};
use crate::resp::Encoder;
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// Where a connection is to be dialled, if it is elsewhere, unless the hook refuses.
    pub(super) fn before_dial(&mut self, id: Id) -> Result<Option<Address<'static>>, Refusal> {
        self.attempts = self.attempts.saturating_add(1);
        let usual = self.config.address;
        let mut dial = Dial { address: usual, attempt: self.attempts };
        if self.hook.is_active()
            && let Err(refusal) = self.hook.before_dial(self.now, &mut dial)
        {
            self.stirred = true;
            self.pool.handle_open_failed(self.now, id, DialCode::FORBIDDEN);
            if let Some(at) = self.find(id) {
                self.set_role(at, Role::None);
            }
            return Err(refusal);
        }
        if let Some(link) = self.links.as_mut().get_mut(id.index()) {
            link.address = dial.address;
        }
        Ok((dial.address != usual).then_some(dial.address))
    }

    /// A dial, or the handshake behind it, came to nothing.
    pub(super) fn dial_failed(&mut self, at: u16, id: Id, code: DialCode) {
        self.stirred = true;
        self.after_dial(at, Some(code));
        self.pool.handle_open_failed(self.now, id, code);
    }

    /// A connection is ready, or could not be opened.
    pub(super) fn after_dial(&mut self, at: u16, failed: Option<DialCode>) {
        if self.hook.is_active()
            && let Some(link) = self.links.as_ref().get(usize::from(at))
        {
            let outcome = match (failed, link.connection.close_reason()) {
                (None, _) => DialOutcome::Ready,
                (
                    Some(DialCode::REJECTED),
                    Some(CloseReason::Rejected(error) | CloseReason::Refused(error)),
                ) => DialOutcome::Rejected(error.kind()),
                (Some(code), _) => dial_outcome(code),
            };
            let dial = Dial { address: link.address, attempt: self.attempts };
            self.hook.after_dial(self.now, &dial, &DialEnd { outcome, started: link.dialled });
        }
        if failed.is_none() {
            self.attempts = 0;
        }
    }

    /// An attempt begins, unless the hook refuses.
    #[inline]
    pub(super) fn before(&mut self, index: u16, request: Option<&dyn AnyRequest>) -> Result<(), Refusal> {
        if self.hook.is_active() { self.ask_hook(index, request) } else { Ok(()) }
    }

    #[inline(never)]
    fn ask_hook(&mut self, index: u16, request: Option<&dyn AnyRequest>) -> Result<(), Refusal> {
        let now = self.now;
        let Some(call) = self.calls.at_mut(index) else { return Ok(()) };
        let bytes = match request {
            Some(request) => {
                let mut measure = Encoder::new(&mut []);
                request.encode(&mut measure);
                measure.finish().len()
            }
            None => usize::try_from(call.kept.len()).unwrap_or(usize::MAX),
        };
        call.bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.hook.before_command(now, &attempt(&self.config, call))?;
        (call.told, call.sent) = (true, now);
        Ok(())
    }

    /// An attempt has ended without an answer.
    #[inline]
    pub(super) fn after(&mut self, index: u16, outcome: Outcome<'_>) {
        if self.hook.is_active() {
            tell(&mut self.hook, &mut self.calls, &self.config, self.now, index, outcome, 0);
        }
    }

    /// An attempt has ended with the answer that this connection lends.
    #[inline]
    pub(super) fn after_answer(&mut self, at: u16, index: u16) {
        if self.hook.is_active()
            && let Some(link) = self.links.as_ref().get(usize::from(at))
        {
            let (reply, bytes) = (link.connection.lent(), link.connection.lent_len() as u64);
            let outcome = reply.error().map_or(Outcome::Answered, |error| Outcome::Error(error.kind()));
            tell(&mut self.hook, &mut self.calls, &self.config, self.now, index, outcome, bytes);
        }
    }

    /// One of a pipeline was answered.
    pub(super) fn count_answer(&mut self, at: u16, index: u16) {
        let Some(link) = self.links.as_ref().get(usize::from(at)) else { return };
        let (reply, bytes) = (link.connection.lent(), link.connection.lent_len() as u64);
        let outcome = reply.error().map_or(Outcome::Answered, |error| Outcome::Error(error.kind()));
        count(&mut self.calls, index, outcome, bytes);
    }

    /// A call has ended without an answer, and perhaps without a connection.
    #[inline]
    pub(super) fn after_all(&mut self, index: u16, failure: Failure, refused: Option<pool::Refusal>) {
        if self.hook.is_active() {
            self.after(
                index,
                refused.map_or(Outcome::Failed(failure), |refused| Outcome::Unsent(unsent(refused))),
            );
        }
    }
}

/// The hook is told how an attempt went, if it let it pass.
#[inline(never)]
fn tell<Q: AsRef<[Call]> + AsMut<[Call]>>(
    hook: &mut impl Hook,
    calls: &mut Calls<Q>,
    config: &Config,
    now: Instant,
    index: u16,
    outcome: Outcome<'_>,
    bytes: u64,
) {
    if let Some(call) = calls.at_mut(index)
        && core::mem::take(&mut call.told)
    {
        let times = Times { submitted: call.since, started: call.sent, written: call.sent, ended: now };
        let end = End { outcome, times, bytes, connection: call.id };
        hook.after_command(now, &attempt(config, call), &end);
    }
}

fn attempt(config: &Config, call: &Call) -> Attempt<'static> {
    Attempt {
        command: call.command,
        keys: call.keys,
        bytes: call.bytes.into(),
        address: config.address,
        db: config.db as u16,
        number: u16::from(call.made) + 1,
        most: u16::try_from(config.retry.retries).map_or(u16::MAX, |most| most.saturating_add(1)),
        label: call.label,
    }
}

/// What a number for a failed dial says by itself: those of drivers are the system's.
const fn dial_outcome(code: DialCode) -> DialOutcome<'static> {
    match code {
        DialCode::TIMEOUT => DialOutcome::TimedOut,
        DialCode::TLS => DialOutcome::Tls,
        DialCode::LOST | DialCode::REJECTED | DialCode::STRANGE => DialOutcome::Lost,
        _ => DialOutcome::Unreachable,
    }
}

const fn unsent(refused: pool::Refusal) -> Unsent {
    match refused {
        pool::Refusal::Exhausted => Unsent::PoolExhausted,
        pool::Refusal::Full => Unsent::Full,
        pool::Refusal::Timeout { .. } => Unsent::PoolTimeout,
        pool::Refusal::Unavailable(_) => Unsent::Unreachable,
        pool::Refusal::Closed => Unsent::Closed,
    }
}
