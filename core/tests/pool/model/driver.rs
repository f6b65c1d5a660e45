//! What the driver has learned.

use respire_core::pool::{Id, Reason};
use respire_core::time::Instant;

use super::{Model, Phase, Tested};

impl Model {
    /// Whether what the driver says is of any meaning.
    pub(super) fn told(&mut self, id: Id, phase: Phase, done: bool) -> bool {
        let found = self.conns.iter().find(|conn| conn.id.is_same_connection(id)).copied();
        assert_eq!(done, found.is_some_and(|conn| conn.phase == phase), "{found:?}");
        done
    }

    pub(crate) fn opened(&mut self, now: Instant, id: Id, done: bool, pool: &Tested) {
        if !self.told(id, Phase::Dialling, done) {
            return;
        }
        self.failures = 0;
        let expires = pool.age(id).expect("opened").expires;
        (self.conn(id).began, self.conn(id).expires) = (now, expires);
        let surplus = self.surplus(expires, now);
        self.rest(id, now, surplus);
        self.check_lifetimes();
    }

    pub(crate) fn open_failed(&mut self, now: Instant, id: Id, done: bool) {
        if self.told(id, Phase::Dialling, done) {
            let began = self.conn(id).began;
            self.fail(began, now);
            self.failed_reports += 1;
            self.end(id, None);
        }
    }

    pub(crate) fn closed(&mut self, now: Instant, id: Id, done: bool) {
        let found = self.conns.iter().find(|conn| conn.id.is_same_connection(id)).copied();
        let Some(conn) = found else { return assert!(!done) };
        assert_eq!(done, conn.phase != Phase::Dead);
        match conn.phase {
            Phase::Dead => {}
            Phase::Lent => self.conn(id).phase = Phase::Dead,
            Phase::Dialling => self.open_failed(now, id, true),
            Phase::Closing(why) => self.end(id, Some(why)),
            Phase::Idle | Phase::Resetting | Phase::Checking => {
                self.counts.stale += 1;
                self.end(id, Some(Reason::Lost));
            }
        }
    }

    pub(crate) fn reset(&mut self, now: Instant, id: Id, ok: bool, done: bool) {
        if self.told(id, Phase::Resetting, done) {
            let why = if ok {
                self.surplus(self.conns[self.position(id)].expires, now)
            } else {
                Some(Reason::Broken)
            };
            self.rest(id, now, why);
        }
    }

    pub(crate) fn health(&mut self, now: Instant, id: Id, ok: bool, done: bool) {
        if self.told(id, Phase::Checking, done) {
            self.counts.stale += u64::from(!ok);
            let conn = *self.conn(id);
            let why = if ok { self.surplus(conn.expires, now) } else { Some(Reason::Stale) };
            let conn = self.conn(id);
            conn.phase = why.map_or(Phase::Idle, Phase::Closing);
            conn.seen = now;
        }
    }

    pub(super) fn end(&mut self, id: Id, why: Option<Reason>) {
        let at = self.position(id);
        self.conns.remove(at);
        if let Some(why) = why {
            self.counts.closed_by[why as usize] += 1;
        }
    }
}
