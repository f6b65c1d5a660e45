//! Time and allocations of cases that take turns.

use std::time::{Duration, Instant};

use crate::case::{Case, Subject};
use crate::counting::allocations;

/// What a case cost, for one unit.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Cost {
    /// Nanoseconds of this thread's CPU time: the least of all rounds.
    pub(crate) ns: Option<f64>,
    /// Instructions in user space.
    pub(crate) instructions: Option<f64>,
    /// Calls of the allocator, growing included.
    pub(crate) allocs: Option<f64>,
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How often each case has its turn.
    pub(crate) rounds: u32,
    /// How long a turn lasts at least.
    pub(crate) turn: Duration,
    /// No case has another turn after as much in all.
    pub(crate) most: Duration,
}

impl Effort {
    /// What the published figures are measured with.
    pub(crate) const FULL: Self =
        Self { rounds: 15, turn: Duration::from_millis(2), most: Duration::from_millis(600) };
    /// Enough to see that everything works.
    pub(crate) const QUICK: Self =
        Self { rounds: 2, turn: Duration::from_micros(100), most: Duration::from_millis(20) };
}

/// Measures the cases of one workload. They take turns, so that what disturbs one disturbs all.
pub(crate) fn measure(cases: &mut [Case], effort: Effort) -> Vec<Cost> {
    let clock = clock_cost();
    let mut costs = vec![Cost::default(); cases.len()];
    for (case, cost) in cases.iter_mut().zip(&mut costs) {
        let Some(subject) = &mut case.subject else { continue };
        // Buffers find their size first.
        once(subject.as_mut());
        subject.prepare();
        let allocations = allocations(|| subject.run());
        cost.allocs = case.counted.then_some(allocations as f64 / case.units as f64);
    }
    let mut spent = vec![Duration::ZERO; cases.len()];
    for _ in 0..effort.rounds {
        for ((case, cost), spent) in cases.iter_mut().zip(&mut costs).zip(&mut spent) {
            let Some(subject) = &mut case.subject else { continue };
            if *spent > effort.most {
                continue;
            }
            let began = Instant::now();
            let ns = turn(subject.as_mut(), effort.turn, clock) / case.units as f64;
            *spent += began.elapsed();
            cost.ns = Some(cost.ns.map_or(ns, |least| least.min(ns)));
        }
    }
    costs
}

fn once(subject: &mut dyn Subject) {
    subject.prepare();
    subject.run();
}

/// Nanoseconds for one run.
fn turn(subject: &mut dyn Subject, least: Duration, clock: f64) -> f64 {
    let began = Instant::now();
    once(subject);
    let mut ns = 0.0;
    let mut runs = 0.0;
    if subject.consumes() {
        while runs == 0.0 || began.elapsed() < least {
            subject.prepare();
            let before = cpu_ns();
            subject.run();
            ns += (cpu_ns() - before - clock).max(0.0);
            runs += 1.0;
        }
    } else {
        // As many runs between two looks at the clock as fill the turn: how many, the first one told.
        let one = began.elapsed().max(Duration::from_nanos(20));
        let repeats = (least.as_nanos() / one.as_nanos()).clamp(1, 1 << 20);
        let before = cpu_ns();
        for _ in 0..repeats {
            subject.run();
        }
        ns = cpu_ns() - before - clock;
        runs = repeats as f64;
    }
    ns / runs
}

/// What a look at the clock costs by itself.
fn clock_cost() -> f64 {
    (0..1000).map(|_| -cpu_ns() + cpu_ns()).fold(f64::MAX, f64::min)
}

/// CPU time of this thread.
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes the time into this one value.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "no clock for a thread");
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
