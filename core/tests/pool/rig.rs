//! A pool, a clock, and a driver whose dials succeed when a test says so.

use respire_core::conn::Token;
use respire_core::pool::{Action, Config, DialCode, Got, Id, Place, Pool, Put, Reason, Refusal, Returned};
use respire_core::pool::{Slot, Stats, Waiter};
use respire_core::time::{Duration, Instant};

/// Nothing happens by itself: no connection is kept ready, and no time ends anything.
pub(crate) const QUIET: Config = Config {
    size: 4,
    min_idle: 0,
    idle_time: Duration::ZERO,
    wait_timeout: Duration::ZERO,
    health_interval: Duration::ZERO,
    dial_timeout: Duration::ZERO,
    ..Config::DEFAULT
};

pub(crate) struct Rig {
    pub(crate) pool: Pool<Vec<Slot>, Vec<Waiter>>,
    pub(crate) now: Instant,
}

impl Rig {
    /// Room for 64 connections and 16 callers.
    pub(crate) fn new(config: Config) -> Self {
        Self::seeded(config, 1)
    }

    pub(crate) fn seeded(config: Config, seed: u64) -> Self {
        let now = Instant::from_millis(1000);
        let (slots, line) = (vec![Slot::EMPTY; 64], vec![Waiter::EMPTY; 16]);
        Self { pool: Pool::new(slots, line, &config, seed, now), now }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, span: Duration) {
        self.now = self.now.saturating_add(span);
    }

    pub(crate) fn get(&mut self, token: u64) -> Result<Got, Refusal> {
        self.pool.get(self.now, Token(token))
    }

    /// A caller who is lent one at once.
    #[track_caller]
    pub(crate) fn lent(&mut self) -> Id {
        match self.get(0) {
            Ok(Got::Lent(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    /// A caller who has to wait.
    #[track_caller]
    pub(crate) fn waiting(&mut self, token: u64) -> Place {
        match self.get(token) {
            Ok(Got::Waiting(place)) => place,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn put(&mut self, id: Id) -> Put {
        self.pool.put(self.now, id, Returned::Clean)
    }

    /// All that is to be done now.
    pub(crate) fn poll(&mut self) -> Vec<Action> {
        let actions: Vec<_> = core::iter::from_fn(|| self.pool.poll(self.now)).take(1000).collect();
        assert!(actions.len() < 1000, "no end: {:?}", &actions[990..]);
        actions
    }

    /// The dials that are to be begun now, and nothing else is to be done.
    #[track_caller]
    pub(crate) fn dials(&mut self) -> Vec<Id> {
        let dial = |action| match action {
            Action::Open(id) => id,
            other => panic!("{other:?}"),
        };
        self.poll().into_iter().map(dial).collect()
    }

    /// The connections that are to be closed now, and nothing else is to be done.
    #[track_caller]
    pub(crate) fn closes(&mut self) -> Vec<(usize, Reason)> {
        let close = |action| match action {
            Action::Close(id, why) => (id.index(), why),
            other => panic!("{other:?}"),
        };
        self.poll().into_iter().map(close).collect()
    }

    /// The connections that are to be checked now, and nothing else is to be done.
    #[track_caller]
    pub(crate) fn pings(&mut self) -> Vec<Id> {
        let ping = |action| match action {
            Action::Ping(id) => id,
            other => panic!("{other:?}"),
        };
        self.poll().into_iter().map(ping).collect()
    }

    /// Callers who are served now, and with which slot, and nothing else is to be done.
    #[track_caller]
    pub(crate) fn served(&mut self) -> Vec<(u64, usize)> {
        let serve = |action| match action {
            Action::Serve { token, id } => (token.0, id.index()),
            other => panic!("{other:?}"),
        };
        self.poll().into_iter().map(serve).collect()
    }

    /// Callers who are refused now, and nothing else is to be done.
    #[track_caller]
    pub(crate) fn refused(&mut self) -> Vec<(u64, Refusal)> {
        let refuse = |action| match action {
            Action::Refuse { token, why } => (token.0, why),
            other => panic!("{other:?}"),
        };
        self.poll().into_iter().map(refuse).collect()
    }

    #[track_caller]
    pub(crate) fn opened(&mut self, id: Id) {
        assert!(self.pool.handle_opened(self.now, id));
    }

    #[track_caller]
    pub(crate) fn failed(&mut self, id: Id) {
        assert!(self.pool.handle_open_failed(self.now, id, DialCode(111)));
    }

    /// `n` connections that are lent, in the order of their slots.
    #[track_caller]
    pub(crate) fn borrowed(&mut self, n: usize) -> Vec<Id> {
        let mut ids = Vec::new();
        for token in 0..n as u64 {
            let _ = self.waiting(token);
        }
        for dialled in self.dials() {
            self.opened(dialled);
            let Some(Action::Serve { id, .. }) = self.pool.poll(self.now) else { panic!("nobody is served") };
            ids.push(id);
        }
        assert_eq!(ids.len(), n);
        ids
    }

    /// Dials that are wanted succeed, until none is.
    pub(crate) fn settle(&mut self) {
        loop {
            let dials = self.dials();
            if dials.is_empty() {
                return;
            }
            for id in dials {
                self.opened(id);
            }
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.pool.stats()
    }

    /// When the pool wants to be asked again, in milliseconds from now.
    pub(crate) fn wants(&self) -> Option<u128> {
        let at = self.pool.poll_timeout();
        (at < Instant::MAX).then(|| at.saturating_since(self.now).as_millis())
    }
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
