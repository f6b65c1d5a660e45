//! Connections that callers have for themselves.

use std::collections::VecDeque;

use respire_core::command::{AnyRequest, Effect};
use respire_core::conn::{Event, SubmitError, Token};
use respire_core::engine::{Lease, Options, Refused};
use respire_core::time::Instant;

use super::machine::{LOST, Machine, failed};
use super::slots::Told;

/// All of them, with what is awaited on each.
pub(super) struct Leases {
    lent: Vec<Lent>,
    /// Where a connection stands there, by [`Id::index`](respire_core::pool::Id::index). What is not lent may stand
    /// anywhere.
    places: Vec<usize>,
    /// The first deadline that the engine may not know of: it learns what was asked here when its events are polled.
    due: Instant,
}

struct Lent {
    lease: Lease,
    waiting: VecDeque<Token>,
}

impl Default for Leases {
    fn default() -> Self {
        Self { lent: Vec::new(), places: Vec::new(), due: Instant::MAX }
    }
}

impl Leases {
    /// When the engine's events are to be polled, whatever it says.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// A connection is lent.
    pub(super) fn begin(&mut self, lease: Lease) {
        self.stands(lease, self.lent.len());
        self.lent.push(Lent { lease, waiting: VecDeque::new() });
    }

    fn stands(&mut self, lease: Lease, place: usize) {
        let index = lease.id().index();
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        self.places[index] = place;
    }

    fn place(&self, lease: Lease) -> Option<usize> {
        let &place = self.places.get(lease.id().index())?;
        self.lent.get(place).is_some_and(|lent| lent.lease == lease).then_some(place)
    }

    /// It is given back: what is awaited there will not come.
    pub(super) fn end(&mut self, lease: Lease, mut lost: impl FnMut(Token)) {
        if let Some(place) = self.place(lease) {
            self.lent.swap_remove(place).waiting.into_iter().for_each(&mut lost);
            if let Some(moved) = self.lent.get(place).map(|lent| lent.lease) {
                self.stands(moved, place);
            }
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
        let lent = self.place(lease).and_then(|place| self.lent.get_mut(place));
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
        self.due = self.due.min(connection.poll_timeout().unwrap_or(Instant::MAX));
        Ok(())
    }

    /// Tells what has come, behind the engine's own events. Whether there was anything.
    pub(super) fn poll(&mut self, engine: &mut Machine, mut tell: impl FnMut(Token, Told<'_>)) -> bool {
        let mut is_idle = true;
        self.due = Instant::MAX;
        for lent in &mut self.lent {
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
