//! Time.

use super::Memory;
use super::link::{Link, Role};
use super::machine::{Engine, Life, REST};
use crate::buffer::Storage;
use crate::hook::Hook;
use crate::time::Instant;

impl<M: Memory<F>, const F: usize, H: Hook> Engine<M, F, H> {
    /// When to call [`handle_timeout`](Self::handle_timeout): never later than something is due, perhaps earlier.
    /// [`Instant::MAX`]: not until something else has happened, and never after its end.
    #[must_use = "a deadline that nobody keeps is no deadline"]
    pub fn poll_timeout(&self) -> Instant {
        if self.closing && self.life() == Life::Closed {
            return Instant::MAX;
        }
        let open = if self.to_open > 0 { self.open_at } else { Instant::MAX };
        self.wake.min(if self.stirred { self.now } else { self.pool_due }).min(open)
    }

    /// It is `now`. Call it when what has arrived in time was read; then poll events.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.clock(now);
        if now < self.wake {
            return;
        }
        self.wake = self.drain_by;
        if now >= self.drain_by {
            self.give_up();
        }
        for at in 0..self.links.as_ref().len().min(usize::from(u16::MAX)) as u16 {
            let Some(link) = self.link_mut(at) else { break };
            if matches!(link.role, Role::None | Role::Held) {
                continue;
            }
            if link.connection.poll_timeout().is_some_and(|deadline| deadline <= now) {
                link.connection.handle_timeout(now);
                // Its deadline is another once it has told what this one came to.
                self.list_news(at);
            } else {
                self.watch(at);
            }
            if self.is_lane(at) {
                self.tend_lane(at);
            }
            if M::Storage::RESTS {
                self.rest(at, now);
            }
        }
        let wake = self.expire(now);
        self.wake_at(wake);
        if M::SUBSCRIBES {
            self.tend_subscriptions();
        }
    }

    /// A connection that nobody has used for a while gives its memory back.
    fn rest(&mut self, at: u16, now: Instant) {
        let Some(&Link { role: Role::Idle, id: Some(id), .. }) = self.link(at) else { return };
        let Some(age) = self.pool.age(id) else { return };
        let due = age.used.saturating_add(REST);
        if due > now {
            self.wake_at(due);
        } else if let Some(link) = self.link_mut(at) {
            link.connection.rest();
        }
    }

    /// The patience of [`close`](Self::close) is over: every connection ends, and with it what is waited for.
    fn give_up(&mut self) {
        self.refuse_waiting();
        self.pool.close(self.now);
        self.stirred = true;
        (self.wake, self.drain_by) = (Instant::MAX, Instant::MAX);
        for at in 0..self.links.as_ref().len().min(usize::from(u16::MAX)) as u16 {
            let Some(link) = self.link_mut(at) else { break };
            let (role, id) = (link.role, link.id);
            if !matches!(role, Role::None | Role::Held) {
                link.connection.close();
                self.list_news(at);
            }
            if let (Role::Leased | Role::Loading, Some(id)) = (role, id) {
                self.take_back(id);
            }
        }
    }

    /// A connection may have an earlier deadline than any before. One that has passed and was told stands until
    /// events are polled, which a lessee may never do.
    pub(super) fn watch(&mut self, at: u16) {
        if let Some(link) = self.link(at)
            && let Some(deadline) = link.connection.poll_timeout()
            && (deadline > self.now || !link.connection.has_news())
        {
            self.wake_at(deadline);
        }
    }
}
