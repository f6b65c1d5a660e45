//! Connections that callers have for themselves.

use std::collections::VecDeque;

use respire_core::command::{AnyRequest, Effect};
use respire_core::conn::{Event, SubmitError, Token};
use respire_core::engine::{Lease, Options, Refused};
use respire_core::time::Instant;

use super::machine::{LOST, Machine, failed};
use super::slots::Told;

/// All of them, with what is awaited on each.
#[derive(Default)]
pub(super) struct Leases(Vec<Lent>);

struct Lent {
    lease: Lease,
    waiting: VecDeque<Token>,
}

impl Leases {
    /// A connection is lent.
    pub(super) fn begin(&mut self, lease: Lease) {
        self.0.push(Lent { lease, waiting: VecDeque::new() });
    }

    /// It is given back: what is awaited there will not come.
    pub(super) fn end(&mut self, lease: Lease, mut lost: impl FnMut(Token)) {
        if let Some(at) = self.0.iter().position(|lent| lent.lease == lease) {
            self.0.swap_remove(at).waiting.into_iter().for_each(&mut lost);
        }
    }

    /// Takes a request for one of them.
    pub(super) fn submit(
        &mut self,
        engine: &mut Machine,
        now: Instant,
        lease: Lease,
        token: Token,
        request: &dyn AnyRequest,
        options: &Options,
    ) -> Result<(), Refused> {
        let row = request.row();
        if matches!(row.effect, Effect::Subscribe(_) | Effect::Monitor) {
            return Err(Refused::NeedsLease);
        }
        let lent = self.0.iter_mut().find(|lent| lent.lease == lease);
        let (Some(lent), Some(connection)) = (lent, engine.leased(lease)) else {
            return Err(SubmitError::Closed.into());
        };
        match options.timeout {
            Some(timeout) => connection.submit_until(Some(now.saturating_add(timeout)), token, request),
            // What blocks takes as long as it says.
            None if row.blocks.is_some() => connection.submit_until(None, token, request),
            None => connection.submit(now, token, request),
        }?;
        lent.waiting.push_back(token);
        Ok(())
    }

    /// Tells what has come. Whether there was anything.
    pub(super) fn poll(&mut self, engine: &mut Machine, mut tell: impl FnMut(Token, Told<'_>)) -> bool {
        let mut is_idle = true;
        for lent in &mut self.0 {
            let Some(connection) = engine.leased(lent.lease) else {
                is_idle &= lent.waiting.is_empty();
                lent.waiting.drain(..).for_each(|token| tell(token, Told::Failed(LOST)));
                continue;
            };
            while let Some(event) = connection.poll_event() {
                is_idle = false;
                let (token, told) = match event {
                    Event::Reply { token, reply } => (token, Told::Reply(reply)),
                    Event::Failed { token, failure } => (token, Told::Failed(failed(failure))),
                    _ => continue,
                };
                // In order, but for those that are late.
                if let Some(at) = lent.waiting.iter().position(|waiting| *waiting == token) {
                    lent.waiting.remove(at);
                    tell(token, told);
                }
            }
        }
        !is_idle
    }
}
