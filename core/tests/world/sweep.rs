//! Each call of a driver fails once, in several stories.

use respire_core::testing::world::{Call, Fault, Faults, Mode, Options, sweep};

fn scenario(seed: u64, faults: Faults) -> [u64; Call::ALL.len()] {
    let options = Options { seed, mode: Mode::Liveness, faults, steps: 150 };
    let swept = sweep(&options);
    assert!(swept.wrong.is_none(), "{swept}");
    swept.cases
}

fn scenarios(faults: Faults, calls: &[Call]) {
    let mut sum = [0; Call::ALL.len()];
    for seed in 0..if cfg!(miri) { 0 } else { 12 } {
        sum.iter_mut().zip(scenario(seed, faults)).for_each(|(sum, n)| *sum += n);
    }
    for call in calls {
        assert!(cfg!(miri) || sum[*call as usize] > 10, "{call:?}: {sum:?}");
    }
}

#[test]
fn on_a_good_day() {
    scenarios(Faults::NONE, &[Call::Read, Call::End, Call::Write, Call::Connect]);
}

#[test]
fn when_bytes_come_one_by_one() {
    let faults = Faults::NONE.with(Fault::Split).with(Fault::TinyWindow).with(Fault::Delay);
    scenarios(faults, &[Call::Read, Call::End, Call::Write]);
}

#[test]
fn when_the_server_is_slow_or_silent() {
    let silent = Faults::NONE.with(Fault::HalfOpen).with(Fault::Mute);
    let faults = silent.with(Fault::Delay).with(Fault::Stall).with(Fault::Slow);
    scenarios(faults, &[Call::Read, Call::Timer]);
}

#[test]
fn when_the_application_changes_its_mind() {
    let faults = Faults::NONE.with(Fault::Abandon).with(Fault::Close).with(Fault::Quit).with(Fault::Reset);
    scenarios(faults, &[Call::Read, Call::End, Call::Write, Call::Connect]);
}
