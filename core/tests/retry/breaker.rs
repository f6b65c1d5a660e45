//! The breaker against a list of everything that ever happened.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::retry::{Breaker, BreakerConfig, BreakerState, Pass, Verdict};
use respire_core::time::{Duration, Instant};

/// Remembers all, and looks through all of it each time.
struct Naive {
    config: BreakerConfig,
    /// When, and whether it worked; since it closed last.
    past: Vec<(u64, bool)>,
    /// Where the tenths of the window start to be counted.
    origin: u64,
    mode: Mode,
    /// Numbers the modes.
    age: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Closed,
    Open(u64),
    Half { since: u64, waiting: u8, worked: u8 },
}

impl Naive {
    fn micros(span: Duration) -> u64 {
        u64::try_from(span.as_micros()).unwrap()
    }

    /// Which mode the request was admitted in.
    fn admit(&mut self, now: u64) -> Option<u32> {
        let open = Self::micros(self.config.open);
        let renewed = match self.mode {
            Mode::Closed => return Some(self.age),
            Mode::Open(until) => now >= until,
            Mode::Half { since, waiting, worked } => {
                waiting + worked == self.config.probes && now >= since + open
            }
        };
        if renewed {
            self.mode = Mode::Half { since: now, waiting: 0, worked: 0 };
            self.age += 1;
        }
        match &mut self.mode {
            Mode::Half { waiting, worked, .. } if *waiting + *worked < self.config.probes => {
                *waiting += 1;
                Some(self.age)
            }
            _ => None,
        }
    }

    fn verdict(&mut self, now: u64, age: u32, verdict: Verdict) {
        if age != self.age {
            return;
        }
        let fails = match &mut self.mode {
            Mode::Open(_) => return,
            Mode::Closed => {
                let span = Self::micros(self.config.window) / 10;
                if now >= self.origin + 10 * span {
                    // Nothing for a whole window, as seen from its newest tenth.
                    self.past.clear();
                    self.origin = now;
                } else {
                    self.origin += (now - self.origin) / span * span;
                }
                if verdict != Verdict::Nothing {
                    self.past.push((now, verdict == Verdict::Works));
                }
                let oldest = self.origin.saturating_sub(9 * span);
                let recent: Vec<_> = self.past.iter().filter(|(at, _)| *at >= oldest).collect();
                let failed = recent.iter().filter(|(_, ok)| !ok).count();
                verdict != Verdict::Nothing
                    && failed > 0
                    && recent.len() >= self.config.least as usize
                    && failed * 100 >= recent.len() * usize::from(self.config.percent)
            }
            Mode::Half { waiting, worked, .. } => {
                *waiting -= 1;
                *worked += u8::from(verdict == Verdict::Works);
                if *worked == self.config.probes {
                    self.past.clear();
                    self.mode = Mode::Closed;
                    self.age += 1;
                    return;
                }
                verdict == Verdict::Fails
            }
        };
        if fails {
            self.mode = Mode::Open(now + Self::micros(self.config.open));
            self.age += 1;
        }
    }
}

/// A request is sent, or one on its way is resolved.
#[derive(Clone, Debug)]
enum Step {
    Admit,
    Verdict(usize, Verdict),
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let micros = prop_oneof![6 => 0..100_000_u64, 2 => 0..2_000_000_u64, 1 => 0..40_000_000_u64, 3 => (0..120_u64).prop_map(|n| n * 100_000)];
    let verdict =
        proptest::sample::select(vec![Verdict::Works, Verdict::Fails, Verdict::Fails, Verdict::Nothing]);
    let step = prop_oneof![
        Just(Step::Admit),
        (any::<usize>(), verdict).prop_map(|(which, what)| Step::Verdict(which, what))
    ];
    vec((micros, step), 0..400)
}

fn config() -> impl Strategy<Value = BreakerConfig> {
    (1..=100_u8, 1..12_u32, 1..15_u64, 1..9_u64, 1..4_u8).prop_map(
        |(percent, least, window, open, probes)| {
            let (window, open) = (Duration::from_secs(window), Duration::from_secs(open));
            BreakerConfig { percent, least, window, open, probes }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// S1-ERR-08: admits and refuses as the list says, step by step, and says when to come back.
    #[test]
    fn the_breaker_agrees_with_a_list(config in config(), steps in steps()) {
        let mut breaker = Breaker::new(Some(config));
        let mut naive = Naive { config, past: Vec::new(), origin: 0, mode: Mode::Closed, age: 0 };
        let mut sent: Vec<(Pass, u32)> = Vec::new();
        let mut now = 0;
        for (passed, step) in steps {
            now += passed;
            let at = Instant::from_micros(now);
            match step {
                Step::Admit => match (breaker.admit(at), naive.admit(now)) {
                    (Ok(pass), Some(age)) => sent.push((pass, age)),
                    (Err(open), None) => prop_assert!(open.retry_in > Duration::ZERO && open.retry_in <= config.open),
                    (breaker, naive) => prop_assert!(false, "{:?} {:?}", breaker, naive),
                },
                Step::Verdict(which, verdict) if !sent.is_empty() => {
                    let (pass, age) = sent.swap_remove(which % sent.len());
                    breaker.handle_verdict(at, pass, verdict);
                    naive.verdict(now, age, verdict);
                }
                Step::Verdict(..) => continue,
            }
            let state = match naive.mode {
                Mode::Closed => BreakerState::Closed,
                Mode::Open(until) if now < until => BreakerState::Open,
                Mode::Open(_) | Mode::Half { .. } => BreakerState::HalfOpen,
            };
            prop_assert_eq!(breaker.state(), state);
            if let Mode::Open(until) = naive.mode {
                prop_assert_eq!(breaker.poll_timeout(), Instant::from_micros(until));
            }
        }
    }
}

/// So many requests of this sort at this second.
fn run(breaker: &mut Breaker, secs: u64, count: usize, verdict: Verdict) {
    let now = Instant::from_millis(secs * 1000);
    for _ in 0..count {
        let pass = breaker.admit(now).unwrap();
        breaker.handle_verdict(now, pass, verdict);
    }
}

/// S1-ERR-08: a window of more than an hour is one of an hour.
#[test]
fn no_window_is_longer_than_an_hour() {
    for (secs, state) in [(3599, BreakerState::Open), (3600, BreakerState::Closed)] {
        let window = Duration::from_secs(7200);
        let mut breaker = Breaker::new(Some(BreakerConfig { window, ..BreakerConfig::default() }));
        run(&mut breaker, 0, 19, Verdict::Fails);
        run(&mut breaker, secs, 1, Verdict::Fails);
        assert_eq!(breaker.state(), state, "{secs}");
    }
}

/// What has no tenth part still sees what happens in one moment.
#[test]
fn a_window_is_never_nothing() {
    for micros in [0, 1, 9] {
        let window = Duration::from_micros(micros);
        let mut breaker = Breaker::new(Some(BreakerConfig { window, ..BreakerConfig::default() }));
        run(&mut breaker, 1, 20, Verdict::Fails);
        assert_eq!(breaker.state(), BreakerState::Open, "{micros}");
        let refused = breaker.admit(Instant::from_millis(2000)).unwrap_err();
        assert_eq!(refused.to_string(), "the circuit is open: try again in 4000 ms");
    }
}
