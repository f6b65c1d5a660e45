//! What the pool wants done, and whether it may.

use respire_core::conn::Token;
use respire_core::pool::{Action, Id, Reason, Refusal};
use respire_core::time::{Duration, Instant};

use super::{Conn, Model, Phase};

impl Model {
    pub(crate) fn act(&mut self, now: Instant, action: Action) {
        self.expire_dials(now);
        self.thin_out();
        self.reap(now);
        match action {
            Action::Open(id) => self.open_one(now, id),
            Action::Close(id, why) => self.close_one(now, id, why),
            Action::Ping(id) => self.ping(now, id),
            Action::Serve { token, id } => {
                assert!(!self.closed);
                let wanted = self.candidate(now);
                assert!(wanted.is_some_and(|wanted| wanted.is_same_connection(id)), "{id:?}, not {wanted:?}");
                self.lend(now, id);
                self.answer(now, token);
            }
            Action::Refuse { token, why } => {
                let down = self.is_down() && !self.may_come();
                if !self.closed {
                    assert_eq!(self.candidate(now), None, "refused beside an idle one");
                }
                let waited = self.answer(now, token);
                match why {
                    Refusal::Closed => assert!(self.closed),
                    Refusal::Unavailable(why) => assert_eq!((down, why.failures), (true, self.failures)),
                    Refusal::Timeout { waited: told, size, in_use } => {
                        assert!(!self.closed && !down);
                        let numbers = (told, usize::from(size), usize::from(in_use));
                        assert_eq!(numbers, (waited, self.limit(), self.lent()));
                        assert!(!self.config.wait_timeout.is_zero());
                        assert!(Duration::from_micros(waited) >= self.config.wait_timeout);
                        self.counts.timeouts += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// The oldest of those who wait, and nobody else.
    pub(super) fn answer(&mut self, now: Instant, token: Token) -> u64 {
        let caller = self.line.pop_front().expect("somebody waits");
        assert_eq!(caller.token, token, "not the oldest");
        self.count_wait(now, &caller);
        now.as_micros() - caller.since.as_micros()
    }

    pub(super) fn expire_dials(&mut self, now: Instant) {
        for at in 0..self.conns.len() {
            let conn = self.conns[at];
            if conn.phase == Phase::Dialling && Self::is_over(conn.began, self.config.dial_timeout, now) {
                self.conns[at].phase = Phase::Closing(Reason::DialTimeout);
                self.fail(conn.began, now);
            }
        }
    }

    pub(super) fn dialling(&self) -> usize {
        self.count(|phase| phase == Phase::Dialling)
    }

    pub(super) fn wants_dial(&self) -> bool {
        let ready = self.count(|phase| matches!(phase, Phase::Idle | Phase::Checking | Phase::Dialling));
        let dialling = self.dialling();
        !self.closed
            && self.conns.len() < self.limit()
            && (self.line.len() > dialling
                || ready < self.min_idle() + self.line.len()
                || (dialling == 0 && self.is_down()))
    }

    pub(super) fn open_one(&mut self, now: Instant, id: Id) {
        assert!(self.wants_dial(), "a dial for nobody");
        assert!(self.failures == 0 || self.dialling() == 0, "one at a time while they fail");
        assert!(self.config.max_dials == 0 || self.dialling() < usize::from(self.config.max_dials));
        assert!(self.conns.iter().all(|conn| conn.id.index() != id.index()), "a slot for two");
        assert!(id.index() < self.capacity);
        let expires = Instant::MAX;
        self.conns.push(Conn { id, phase: Phase::Dialling, began: now, used: now, seen: now, expires });
        assert!(self.conns.len() <= self.limit());
        self.counts.dials += 1;
    }

    /// What was to be closed, or is idle and too old.
    pub(super) fn close_one(&mut self, now: Instant, id: Id, why: Reason) {
        let conn = *self.conn(id);
        match conn.phase {
            Phase::Idle => assert!(why == Reason::Lifetime && now >= conn.expires),
            phase => assert_eq!(phase, Phase::Closing(why)),
        }
        self.end(id, Some(why));
    }

    pub(super) fn ping(&mut self, now: Instant, id: Id) {
        let checking = self.count(|phase| phase == Phase::Checking);
        let conn = *self.conn(id);
        assert_eq!(conn.phase, Phase::Idle);
        assert!(Self::is_over(conn.seen, self.config.health_interval, now), "{conn:?}");
        let silent =
            |other: &Conn| other.phase == Phase::Idle && now < other.expires && other.seen < conn.seen;
        assert!(!self.conns.iter().any(silent), "another is silent for longer");
        assert!(self.line.is_empty() && (checking == 0 || checking < self.idle()));
        self.conn(id).phase = Phase::Checking;
    }
}
