//! Hooks around dials and pipelines, with a real server behind them.

use respire_core::command::{AnyRequest, get, incr, ping, raw, set};
use respire_core::conn::Settings;
use respire_core::hook::{Batch, BatchEnd, Dial, DialEnd, DialOutcome, Hook, Kind as Ended, Refusal, Tally};
use respire_core::pool::{self, DialCode};
use respire_core::time::Instant;

use crate::support::{Admin, App, PLAIN, config, failed, redis, status};

/// Writes down what it is told.
#[derive(Default)]
struct Witness {
    dials: u32,
    ends: Vec<Ended>,
    begun: Vec<u32>,
    pipelines: Vec<(Batch, Tally)>,
}

impl Hook for Witness {
    fn before_dial(&mut self, _now: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        self.dials += 1;
        assert!(dial.attempt > 0);
        Ok(())
    }

    fn after_dial(&mut self, now: Instant, _dial: &Dial<'_>, end: &DialEnd<'_>) {
        assert!(end.started <= now);
        assert!(!matches!(end.outcome, DialOutcome::Refused(_)), "nobody has refused it");
        self.ends.push(end.outcome.into());
    }

    fn before_pipeline(&mut self, _now: Instant, batch: &Batch) -> Result<(), Refusal> {
        self.begun.push(batch.commands);
        Ok(())
    }

    fn after_pipeline(&mut self, _now: Instant, batch: &Batch, end: &BatchEnd) {
        self.pipelines.push((*batch, end.tally));
    }
}

/// S1-HOOK-01: a hook around each dial sees those that succeed, and why others do not: a password, and nobody there.
#[test]
fn dial_hook() {
    let Some(server) = redis() else { return };
    let admin = Admin::of(&server);
    admin.ask("CONFIG SET requirepass open");
    let open = Settings { password: Some("open"), ..Settings::NONE };
    let mut app = App::hooked(server.addr(), &config(), open, Witness::default());
    assert_eq!(app.value(&ping()), status("PONG"));
    let hook = app.engine.hook();
    assert_eq!((hook.dials, &hook.ends[..]), (1, &[Ended::Answered][..]));

    let wrong = Settings { password: Some("sesame"), ..Settings::NONE };
    let mut app = App::hooked(server.addr(), &config(), wrong, Witness::default());
    let refused = failed(app.call(&ping())).refused;
    let Some(pool::Refusal::Unavailable(why)) = refused else { panic!("{refused:?}") };
    assert_eq!(why.code, DialCode::REJECTED);
    let hook = app.engine.hook();
    // One more may be on its way.
    assert!(hook.ends.len() as u32 + 1 >= hook.dials && hook.ends.len() >= 3, "{:?}", hook.ends);
    assert!(hook.ends.iter().all(|end| *end == Ended::Auth), "{:?}", hook.ends);

    let address = server.addr();
    drop((admin, server));
    let mut app = App::hooked(address, &config(), Settings::NONE, Witness::default());
    failed(app.call(&ping()));
    assert!(app.engine.hook().ends.iter().all(|end| *end == Ended::Unreachable));
}

/// S1-HOOK-03: a hook around a pipeline knows how many commands and bytes it has, and what became of all of them.
#[test]
fn pipe_hook() {
    let Some(server) = redis() else { return };
    let mut app = App::hooked(server.addr(), &config(), Settings::NONE, Witness::default());
    app.value(&set("text", "v"));
    let (read, count) = (get("text"), incr("text"));
    app.pipe(&[&read, &count, &read], &PLAIN);
    app.hear_all();
    // Nothing is executed behind this.
    let kill = raw("CLIENT KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("no");
    app.pipe(&[&kill as &dyn AnyRequest, &count, &read], &PLAIN);
    app.hear_all();
    let hook = app.engine.hook();
    assert_eq!(hook.begun, [3, 3]);
    let [(first, all), (_, lost)] = hook.pipelines[..] else { panic!("{:?}", hook.pipelines) };
    assert_eq!(first, Batch { commands: 3, bytes: 2 * 23 + 24, label: None });
    assert_eq!((all.answered, all.errors, all.failed), (2, 1, 0));
    assert_eq!((lost.answered, lost.errors, lost.failed), (2, 0, 1));
    assert_eq!(app.engine.pending(), 0);
}
