//! A hook that writes down how attempts have ended.

use respire_core::conn::Settings;
use respire_core::engine::Config;
use respire_core::hook::{Attempt, End, Hook, Kind, Report};
use respire_core::time::Instant;

use crate::support::App;

/// One attempt that has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// In words.
    pub(crate) report: String,
    pub(crate) kind: Kind,
    /// Which connection of the engine it was on.
    pub(crate) connection: Option<respire_core::pool::Id>,
    /// All that was told, as a careless program would print it.
    pub(crate) all: String,
}

#[derive(Default, Debug)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
}

impl Hook for Log {
    fn after_command(&mut self, _now: Instant, attempt: &Attempt<'_>, end: &End<'_>) {
        self.entries.push(Entry {
            report: Report { attempt, end }.to_string(),
            kind: end.outcome.into(),
            connection: end.connection,
            all: format!("{attempt:?} {end:?}"),
        });
    }
}

impl App<Log> {
    pub(crate) fn logged(server: std::net::SocketAddr, config: &Config, settings: Settings<'static>) -> Self {
        Self::hooked(server, config, settings, Log::default())
    }

    /// What was written down since the last time.
    pub(crate) fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.engine.hook_mut().entries)
    }
}
