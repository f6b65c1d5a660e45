//! What a hook is told of dials and pipelines, and what it may forbid.

use respire_core::command::{get, incr, ping, set};
use respire_core::config::Address;
use respire_core::engine::{Config, Life, Options, Refused};
use respire_core::hook::{Attempt, Batch, BatchEnd, Dial, DialEnd, End, Hook, Refusal, Tally};
use respire_core::pool::{self, DialCode};
use respire_core::time::Instant;

use crate::net::{HEAP, Net, Told, token};
use crate::{NONE, config};

/// Writes down what it is told.
#[derive(Default)]
struct Witness {
    lines: Vec<String>,
    pipelines: Vec<(Batch, Tally)>,
    forbids_dials: bool,
    forbids_pipelines: bool,
}

impl Hook for Witness {
    fn before_dial(&mut self, _now: Instant, dial: &mut Dial<'_>) -> Result<(), Refusal> {
        self.lines.push(format!("dial {} {}", dial.address, dial.attempt));
        dial.address = Address { host: "proxy", port: 1 };
        if self.forbids_dials { Err(Refusal(3)) } else { Ok(()) }
    }

    fn after_dial(&mut self, _now: Instant, dial: &Dial<'_>, end: &DialEnd<'_>) {
        self.lines.push(format!("dialled {} {} {:?}", dial.address, dial.attempt, end.outcome));
    }

    fn before_command(&mut self, _now: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
        self.lines.push(format!("{} {}", attempt.command.words.join(" "), attempt.keys));
        Ok(())
    }

    fn after_command(&mut self, _now: Instant, attempt: &Attempt<'_>, _end: &End<'_>) {
        self.lines.push(format!("{} over", attempt.command.words.join(" ")));
    }

    fn before_pipeline(&mut self, _now: Instant, batch: &Batch) -> Result<(), Refusal> {
        self.lines.push(format!("pipeline of {}", batch.commands));
        if self.forbids_pipelines { Err(Refusal(4)) } else { Ok(()) }
    }

    fn after_pipeline(&mut self, _now: Instant, batch: &Batch, end: &BatchEnd) {
        self.lines.push("pipeline over".into());
        self.pipelines.push((*batch, end.tally));
    }
}

fn net(hook: Witness) -> Net<Witness> {
    let mut net = Net::with_hook(HEAP, &config(), hook);
    net.turn();
    net
}

fn lines(net: &mut Net<Witness>) -> Vec<String> {
    core::mem::take(&mut net.engine.hook_mut().lines)
}

/// S1-HOOK-01: a hook stands around each dial, sends it elsewhere, and knows how it went.
#[test]
fn dials() {
    let mut net = net(Witness::default());
    assert_eq!(lines(&mut net), ["dial :6379 1", "dialled proxy:1 1 Ready"]);
    net.down = true;
    net.cut();
    net.ms(2000);
    let told = lines(&mut net);
    assert_eq!(
        told[..4],
        ["dial :6379 1", "dialled proxy:1 1 Unreachable", "dial :6379 2", "dialled proxy:1 2 Unreachable"]
    );
    net.down = false;
    net.ms(2000);
    assert!(lines(&mut net).last().unwrap().ends_with("Ready"));
}

#[test]
fn a_dial_that_takes_too_long_is_over() {
    let pool = pool::Config { dial_timeout: core::time::Duration::from_millis(100), ..config().pool };
    let mut net = Net::with_hook(HEAP, &Config { pool, ..config() }, Witness::default());
    net.silent = true;
    net.ms(150);
    let told = lines(&mut net);
    assert!(told.contains(&"dialled proxy:1 1 TimedOut".to_string()), "{told:?}");
    let begun = told.iter().filter(|line| line.starts_with("dial ")).count();
    assert!(begun - told.iter().filter(|line| line.starts_with("dialled")).count() <= 1, "{told:?}");
}

/// What is given up has not taken too long.
#[test]
fn a_dial_that_is_given_up_is_lost() {
    for closes in [false, true] {
        let mut net = Net::with_hook(HEAP, &config(), Witness::default());
        net.silent = true;
        net.turn();
        if closes {
            net.engine.close(net.now);
        } else {
            net.engine.renew(net.now);
        }
        net.turn();
        assert_eq!(lines(&mut net)[..2], ["dial :6379 1", "dialled proxy:1 1 Lost"]);
    }
}

#[test]
fn a_server_that_says_no_is_told_as_such() {
    let mut net = Net::with_hook(HEAP, &config(), Witness::default());
    net.server = respire_core::testing::Responder::new().with_password(b"secret");
    net.turn();
    let told = lines(&mut net);
    assert!(told[1].contains("Rejected(NoAuth"), "{told:?}");
}

#[test]
fn a_dial_may_be_forbidden() {
    let mut net = net(Witness { forbids_dials: true, ..Witness::default() });
    net.engine.submit(net.now, token(1), &ping(), &NONE).unwrap();
    net.ms(1000);
    let told = net.told();
    let [Told::Failed(1, failed)] = &told[..] else { panic!("{told:?}") };
    let Some(pool::Refusal::Unavailable(why)) = failed.refused else { panic!("{failed:?}") };
    assert_eq!((why.code, net.dials), (DialCode::FORBIDDEN, 0));
    assert!(lines(&mut net).iter().all(|line| !line.starts_with("dialled")), "it knows already");
}

/// S1-HOOK-03: a hook around a pipeline sees each of its commands, and what became of all.
#[test]
fn pipelines() {
    let mut net = net(Witness::default());
    net.engine.submit(net.now, token(0), &set("k", "v"), &NONE).unwrap();
    net.turn();
    lines(&mut net);
    let options = Options { keys: 1, ..NONE };
    let mut pipeline = net.engine.pipeline(net.now, 3, &options).unwrap();
    pipeline.push(token(1), &get("k")).unwrap();
    pipeline.push(token(2), &incr("k")).unwrap();
    drop(pipeline);
    assert_eq!(lines(&mut net), ["pipeline of 3", "GET 1", "INCR 1"]);
    net.turn();
    assert_eq!(lines(&mut net), ["GET over", "INCR over", "pipeline over"]);
    let [(batch, tally)] = net.engine.hook().pipelines[..] else { panic!() };
    assert_eq!((batch.commands, tally.answered, tally.errors, tally.failed), (2, 1, 1, 0));
    assert_eq!(batch.bytes, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n".len() as u64);
    assert_eq!(net.engine.pending(), 0, "its slot is free");
}

/// S1-MON-04: what a caller calls his requests is told with each attempt, and with a pipeline of them, before and after.
#[test]
fn labels() {
    #[derive(Default)]
    struct Labels(Vec<Option<&'static str>>);

    impl Hook for Labels {
        fn before_command(&mut self, _: Instant, attempt: &Attempt<'_>) -> Result<(), Refusal> {
            self.0.push(attempt.label);
            Ok(())
        }

        fn after_command(&mut self, _: Instant, attempt: &Attempt<'_>, _: &End<'_>) {
            self.0.push(attempt.label);
        }

        fn before_pipeline(&mut self, _: Instant, batch: &Batch) -> Result<(), Refusal> {
            self.0.push(batch.label);
            Ok(())
        }

        fn after_pipeline(&mut self, _: Instant, batch: &Batch, _: &BatchEnd) {
            self.0.push(batch.label);
        }
    }

    let mut net = Net::with_hook(HEAP, &config(), Labels::default());
    let labelled = |label| Options { label: Some(label), ..NONE };
    net.engine.submit(net.now, token(0), &get("k"), &labelled("a")).unwrap();
    net.engine.submit(net.now, token(1), &get("k"), &NONE).unwrap();
    net.ms(1000);
    let (a, b) = (Some("a"), Some("b"));
    assert_eq!(net.engine.hook_mut().0.split_off(0), [a, None, a, None]);
    // The second attempt says it, too.
    net.silent = true;
    net.engine.submit(net.now, token(2), &get("k"), &labelled("a")).unwrap();
    net.turn();
    net.silent = false;
    net.cut();
    net.ms(1000);
    assert_eq!(net.engine.hook_mut().0.split_off(0), [a; 4]);
    let mut pipeline = net.engine.pipeline(net.now, 1, &labelled("b")).unwrap();
    pipeline.push(token(3), &get("k")).unwrap();
    drop(pipeline);
    net.ms(1000);
    assert_eq!(net.engine.hook_mut().0, [b; 4]);
}

#[test]
fn a_pipeline_that_fails_or_is_empty_is_over_too() {
    let mut net = net(Witness::default());
    drop(net.engine.pipeline(net.now, 5, &NONE).unwrap());
    assert_eq!(net.engine.hook().pipelines.len(), 1);
    net.silent = true;
    let mut pipeline = net.engine.pipeline(net.now, 5, &NONE).unwrap();
    let tickets: Vec<_> = (0..5).map(|n| pipeline.push(token(n), &incr("n")).unwrap()).collect();
    drop(pipeline);
    net.turn();
    assert!(net.engine.cancel(net.now, tickets[1]).is_some());
    net.down = true;
    net.cut();
    net.engine.close(net.now);
    net.ms(1000);
    let (batch, tally) = net.engine.hook().pipelines[1];
    assert_eq!((batch.commands, tally.failed, net.engine.life()), (5, 5, Life::Closed));
}

#[test]
fn a_pipeline_may_be_forbidden() {
    let mut net = net(Witness { forbids_pipelines: true, ..Witness::default() });
    assert_eq!(net.engine.pipeline(net.now, 2, &NONE).unwrap_err(), Refused::Hook(Refusal(4)));
    assert_eq!(net.engine.pending(), 0);
}
