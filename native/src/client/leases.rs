//! Connections that callers have for themselves.

use std::collections::VecDeque;
use std::sync::Arc;

use respire_core::client::Cause;
use respire_core::command::{AnyRequest, Effect};
use respire_core::conn::{CloseReason, Event, SubmitError, Token};
use respire_core::engine::{Lease, Options, Refused};
use respire_core::time::Instant;

use super::desk::Own;
use super::feed::Feed;
use super::machine::{Core, LOST, Machine, failed};
use super::monitor;
use super::shared::Shared;
use super::slots::{Told, Waiter};

/// All of them, with what is awaited on each.
pub(super) struct Leases {
    lent: Vec<Lent>,
    /// The first deadline that the engine may not know of: it learns what was asked here when its events are polled.
    due: Instant,
    /// Who is to be told that there are lines.
    shown: Vec<Waiter>,
}

struct Lent {
    lease: Lease,
    waiting: VecDeque<Token>,
    /// Where the lines of `MONITOR` go.
    feed: Option<Arc<Feed>>,
}

impl Default for Leases {
    fn default() -> Self {
        Self { lent: Vec::new(), due: Instant::MAX, shown: Vec::new() }
    }
}

impl Leases {
    /// When the engine's events are to be polled, whatever it says.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// A connection is lent.
    pub(super) fn begin(&mut self, lease: Lease) {
        self.lent.push(Lent { lease, waiting: VecDeque::new(), feed: None });
    }

    /// It is given back: what is awaited there will not come. Where its lines went.
    pub(super) fn end(&mut self, lease: Lease, mut lost: impl FnMut(Token)) -> Option<Arc<Feed>> {
        let at = self.lent.iter().position(|lent| lent.lease == lease)?;
        let Lent { waiting, feed, .. } = self.lent.swap_remove(at);
        waiting.into_iter().for_each(&mut lost);
        feed
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
        let lent = self.lent.iter_mut().find(|lent| lent.lease == lease);
        let is_shown = lent.as_ref().is_some_and(|lent| lent.feed.is_some());
        if matches!(row.effect, Effect::Subscribe(_)) || row.effect == Effect::Monitor && !is_shown {
            return Err(Refused::NeedsLease);
        }
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
                self.shown.extend(lent.lose(CloseReason::Local));
                continue;
            };
            while let Some(event) = connection.poll_event() {
                is_idle = false;
                let (token, told) = match event {
                    Event::Reply { token, reply } => (token, Told::Reply(reply)),
                    Event::Failed { token, failure } => (token, Told::Failed(failed(failure))),
                    Event::Push(line) => {
                        let line = line.as_bytes().map(monitor::message);
                        self.shown.extend(lent.feed.as_ref().zip(line).map(|(feed, line)| feed.push(line)));
                        continue;
                    }
                    Event::PushTooLarge => {
                        lent.feed.iter().for_each(|feed| feed.skip());
                        continue;
                    }
                    Event::Closed(reason) => {
                        self.shown.extend(lent.lose(reason));
                        continue;
                    }
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

impl Lent {
    /// Its connection is over, and what it shows with it.
    fn lose(&self, reason: CloseReason<'_>) -> Option<Waiter> {
        self.feed.as_ref().map(|feed| feed.lose(Cause::from(reason)))
    }
}

impl Core {
    /// The lines of `MONITOR` on this connection go there.
    pub(super) fn show(&mut self, lease: Lease, feed: Arc<Feed>) {
        match self.leases.lent.iter_mut().find(|lent| lent.lease == lease) {
            Some(lent) => {
                lent.feed = Some(feed);
                // Somebody must drive as long as it lives.
                self.desk.tasks += 1;
            }
            None => drop(feed.close()),
        }
    }

    /// Gives a connection back.
    pub(super) fn release(&mut self, shared: &Shared, now: Instant, lease: Lease) {
        let Self { leases, desk, .. } = self;
        let feed = leases.end(lease, |token| desk.tell(shared, token, Told::Failed(LOST), &mut None));
        if let Some(feed) = feed {
            desk.tasks -= 1;
            desk.wake(feed.close());
        }
        self.engine.release(now, lease);
    }

    /// Nothing is shown any more.
    pub(super) fn end_monitors(&mut self, shared: &Shared) {
        let shown = |lent: &Lent| lent.feed.is_some().then_some(lent.lease);
        let leases: Vec<_> = self.leases.lent.iter().filter_map(shown).collect();
        leases.into_iter().for_each(|lease| self.release(shared, shared.now(), lease));
    }

    /// Tells what has come over connections that are lent. Whether there was anything.
    pub(super) fn tell_lessees(&mut self, shared: &Shared, own: &mut Option<Own<'_>>) -> bool {
        let Self { leases, engine, desk, .. } = self;
        let heard = leases.poll(engine, |token, told| desk.tell(shared, token, told, own));
        leases.shown.drain(..).for_each(|waiter| desk.wake(waiter));
        heard
    }
}
