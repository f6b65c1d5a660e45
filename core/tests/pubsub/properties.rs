//! Whatever happens in the registry's world, in any order.

use proptest::collection::vec;
use proptest::prelude::*;
use respire_core::command::Subscription::Channel;

use crate::world::{KEYS, Mood, Op, World};

fn op() -> impl Strategy<Value = Op> {
    let which = 0..KEYS.len();
    prop_oneof![
        6 => which.clone().prop_map(Op::Subscribe),
        4 => which.clone().prop_map(Op::Unsubscribe),
        10 => prop::bool::weighted(0.9).prop_map(|sent| Op::Ask { sent }),
        10 => prop_oneof![4 => Just(Mood::Confirms), 1 => Just(Mood::Refuses), 1 => Just(Mood::Late), 1 => Just(Mood::Strict)]
            .prop_map(Op::Serve),
        2 => which.clone().prop_map(Op::Drop),
        6 => which.prop_map(Op::Publish),
        12 => (1..5_u8).prop_map(Op::Hear),
        5 => (1..5_u8).prop_map(Op::Events),
        1 => Just(Op::Lose),
        3 => (0..200_u16).prop_map(Op::Pass),
    ]
}

/// One run, until all is over.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    entries: usize,
    memory: usize,
    batch: usize,
    seed: u64,
    ops: Vec<Op>,
}

impl Case {
    /// Panics where the registry does or says what it may not.
    pub(crate) fn play(self) {
        let mut world = World::new(self.entries, self.memory, self.batch, self.seed);
        self.ops.iter().for_each(|&op| world.step(op));
        world.quiet();
        for (key, wanted) in world.wanted.clone() {
            (0..wanted).for_each(|_| world.unsubscribe(key));
        }
        world.quiet();
        assert!(world.registry.is_empty());
        let whole = "x".repeat(self.memory - 8);
        assert!(world.registry.subscribe(Channel, whole.as_bytes()).is_ok());
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let entries = prop_oneof![2..8_usize, Just(16_usize)];
    let memory = prop_oneof![20..150_usize, Just(400_usize)];
    (entries, memory, 0..5_usize, any::<u64>(), vec(op(), 1..120))
        .prop_map(|(entries, memory, batch, seed, ops)| Case { entries, memory, batch, seed, ops })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S1-CLI-09, S1-CLI-10: whatever was lost, dropped and refused, in the end what is confirmed is what is wanted, and
    /// no message comes behind a gap that was not told.
    #[test]
    fn in_the_end_what_is_confirmed_is_what_is_wanted(case in cases()) {
        case.play();
    }
}
