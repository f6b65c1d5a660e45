//! Subscriptions: which connection they are on, what is asked there, and when it is given back.

use super::Memory;
use super::answer::{SITE, TENDING, ask_token};
use super::event::Refused;
use super::lane::Lane;
use super::link::Role;
use super::machine::Engine;
use super::site::Site;
use crate::command::{Subscription, ping};
use crate::conn::{Failure, Protocol, SubmitError, Token};
use crate::error::Full;
use crate::flaw::flaw;
use crate::hook::Hook;
use crate::pool::{Got, Id, Put, Returned};
use crate::pubsub::{self, Happened, Registry};
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// One more wants this channel, or channels of this pattern. It is asked for as soon as there is a connection,
    /// and again on every other that takes its place: [`Event::Subscription`](super::Event::Subscription) tells how it
    /// goes, and [`Event::Message`](super::Event::Message) what is published. With RESP2 and as many connections as are
    /// shared there is none for it.
    ///
    /// # Errors
    /// [`Refused::Subscription`]: it was not wanted before, and there is no room. [`Refused::Closed`].
    pub fn subscribe(
        &mut self,
        now: Instant,
        kind: Subscription,
        name: &[u8],
    ) -> Result<pubsub::Id, Refused> {
        self.clock(now);
        if !M::SUBSCRIBES {
            return Err(pubsub::Refused::Entries.into());
        }
        if self.closing {
            return Err(Refused::Closed);
        }
        let id = self.subs.registry.subscribe(kind, name)?;
        self.reconcile();
        Ok(id)
    }

    /// One less wants this; with the last one it is ended. `false`: nobody did.
    pub fn unsubscribe(&mut self, now: Instant, kind: Subscription, name: &[u8]) -> bool {
        self.clock(now);
        if !M::SUBSCRIBES || self.closing || !self.subs.registry.unsubscribe(kind, name) {
            return false;
        }
        self.reconcile();
        // There may be something to tell.
        self.stirred = true;
        true
    }

    /// What is wanted and what is confirmed. All that can be done with it from here is to look.
    pub const fn subscriptions(&self) -> &Registry<M::Names, M::Entries> {
        &self.subs.registry
    }

    /// The next thing that has happened to a subscription, and was not told.
    pub(super) fn untold(&mut self) -> Option<Happened> {
        if self.closing {
            return None;
        }
        flaw!(GapUntold => while self.subs.registry.news() == Some(Happened::Gap) {
            let _ = self.subs.registry.poll_event();
        });
        self.subs.registry.news()
    }

    /// Makes what is confirmed more like what is wanted, if there is reason to.
    #[inline]
    pub(super) fn reconcile_if_stirred(&mut self) {
        if self.subs.stirred {
            self.reconcile();
        }
    }

    /// The same in any case.
    pub(super) fn reconcile(&mut self) {
        self.subs.stirred = false;
        if self.closing {
            return;
        }
        if self.subs.registry.is_empty() {
            return self.let_go();
        }
        if let Site::None = self.subs.site {
            self.find_site();
        }
        if let Site::At(at) = self.subs.site {
            self.ask_at(at);
        }
    }

    /// A shared connection, if the server can speak of two things on one; else one from the pool.
    fn find_site(&mut self) {
        if self.config.lanes > 0 {
            let ready = |lane: &Lane| match *lane {
                Lane::At(at) => {
                    self.link(at).filter(|link| link.connection.is_ready()).map(|link| (at, link))
                }
                _ => None,
            };
            let mut lanes = self.lanes.iter().take(usize::from(self.config.lanes));
            match lanes.find_map(ready).map(|(at, link)| (at, link.connection.protocol())) {
                Some((at, Protocol::Resp3)) => return self.subs.settle(at, Instant::MAX),
                Some(_) => {}
                // Nobody knows yet what it speaks.
                None => return,
            }
        }
        match self.pool.get(self.now, SITE) {
            Ok(Got::Lent(id)) => self.serve_subscriptions(id),
            Ok(Got::Waiting(place)) => {
                self.subs.site = Site::Asked(place);
                self.stirred = true;
            }
            // It is asked again when the pool has something to say.
            Err(_) => {}
        }
    }

    /// The pool has a connection for subscriptions.
    pub(super) fn serve_subscriptions(&mut self, id: Id) {
        let Some(at) = self.find(id) else { return };
        self.subs.site = Site::None;
        if self.closing || self.subs.registry.is_empty() {
            return self.take_back(id);
        }
        if let Some(link) = self.link_mut(at) {
            (link.id, link.role) = (Some(id), Role::Subscriber);
        }
        self.subs.settle(at, self.next_check());
        self.subs.stir();
    }

    /// The pool has none. It is asked again once it has told the rest.
    pub(super) const fn refuse_subscriptions(&mut self) {
        self.subs.site = Site::None;
    }

    /// Asks for what is wanted, and for the end of what is not.
    fn ask_at(&mut self, at: u16) {
        let (now, until) = (self.now, Some(self.soon()));
        let Some(link) = self.links.as_mut().get_mut(usize::from(at)) else { return };
        let registry = &mut self.subs.registry;
        link.connection.clock(now);
        self.subs.blocked = false;
        while let Some(ask) = registry.poll_ask(now) {
            let number = ask.number();
            match link.connection.submit_until(until, ask_token(number), &ask) {
                Ok(()) => continue,
                // It never fits: perhaps its names do one by one.
                Err(SubmitError::Misuse(_) | SubmitError::Full(Full::TooLarge)) => {
                    registry.handle_over(now, number);
                    (self.subs.stirred, self.stirred) = (true, true);
                }
                Err(_) => {
                    registry.handle_unsent(number);
                    self.subs.blocked = true;
                }
            }
            break;
        }
        let due = registry.poll_timeout().min(self.subs.beat_at);
        self.wake_at(due);
        self.watch(at);
        self.list_unsent(at);
    }

    /// There may be room on their connection.
    #[inline]
    pub(super) fn unblock_subscriptions(&mut self, at: u16) {
        if self.subs.blocked && self.subs.is_at(at) {
            self.reconcile();
        }
    }

    /// One of the registry's requests was answered, or failed.
    pub(super) fn handle_asked(&mut self, at: u16, token: Token, failure: Option<Failure>) {
        let (now, number) = (self.now, token.0 as u32);
        let Some(link) = self.links.as_ref().get(usize::from(at)).filter(|_| self.subs.is_at(at)) else {
            return;
        };
        let registry = &mut self.subs.registry;
        match failure {
            // All is asked again on the next one.
            Some(_) if link.connection.is_closed() => return,
            Some(Failure::NotSent | Failure::Expired) => registry.handle_unsent(number),
            Some(_) => registry.handle_over(now, number),
            None => match link.connection.lent().error() {
                Some(error) => registry.handle_refused(now, number, error),
                None => registry.handle_over(now, number),
            },
        }
        self.subs.stir();
    }

    /// A connection has ended, perhaps theirs.
    pub(super) fn lose_subscriptions(&mut self, at: u16, id: Id, role: Role) {
        if role == Role::Subscriber {
            self.pool.put(self.now, id, Returned::Broken);
        }
        if self.subs.is_at(at) {
            self.subs.site = Site::None;
            flaw!(SubscriptionsForgotten => return);
            self.subs.registry.handle_lost();
            self.subs.stir();
        }
    }

    /// Their connection is given up while it works: all is asked for on another.
    pub(super) fn move_subscriptions(&mut self, at: u16) {
        if M::SUBSCRIBES && self.subs.is_at(at) {
            self.subs.site = Site::None;
            self.subs.registry.handle_lost();
            self.subs.stir();
        }
    }

    /// A connection of their own is replaced.
    pub(super) fn renew_site(&mut self) {
        if let Site::At(at) = self.subs.site
            && let Some(link) = self.link_mut(at).filter(|link| link.role == Role::Subscriber)
        {
            link.connection.close();
            self.list_news(at);
        }
    }

    /// Whether anything is subscribed here that a loss would interrupt.
    pub(super) fn has_subscriptions(&self, at: u16) -> bool {
        M::SUBSCRIBES && self.subs.is_at(at) && !self.subs.registry.is_empty()
    }

    /// Nothing is wanted or subscribed any more: a connection of their own is not needed. A shared one stays theirs,
    /// for what may come late.
    fn let_go(&mut self) {
        match self.subs.site {
            Site::At(at) if self.link(at).is_some_and(|link| link.role == Role::Subscriber) => {
                self.leave_site(at);
            }
            Site::Asked(place) => {
                self.pool.cancel(self.now, place);
                self.stirred = true;
            }
            _ => return,
        }
        self.subs.site = Site::None;
    }

    /// The connection of their own is closed: a server may remember more of it than it says.
    fn leave_site(&mut self, at: u16) {
        let Some(id) = self.link(at).and_then(|link| link.id) else { return };
        self.stirred = true;
        match self.pool.put(self.now, id, Returned::Broken) {
            Put::Gone | Put::Stale => self.bury(at),
            _ => self.put_aside(at),
        }
        self.list_news(at);
    }

    /// All subscriptions are over, whatever the server thinks.
    pub(super) fn end_subscriptions(&mut self) {
        self.let_go();
        self.subs.site = Site::None;
    }

    /// Time has passed: their connection is to show that it lives, and what was refused may go again.
    pub(super) fn tend_subscriptions(&mut self) {
        if let Site::At(at) = self.subs.site
            && self.now >= self.subs.beat_at
            && !self.subs.registry.is_empty()
        {
            let (now, until) = (self.now, Some(self.soon()));
            self.subs.beat_at = self.next_check();
            if let Some(link) = self.link_mut(at) {
                link.connection.clock(now);
                // If there is no room for it, an answer is awaited anyway.
                let _ = link.connection.submit_until(until, TENDING, &ping());
            }
            self.list_unsent(at);
        }
        self.reconcile();
    }
}
