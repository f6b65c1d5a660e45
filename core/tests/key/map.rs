//! One key at a time.

use std::collections::BTreeMap;

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use respire_core::key::{HashKey, Normalise, Policy, slot};

use crate::model::Model;

/// Bytes that mean something, and some that do not.
pub(crate) fn key() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => proptest::sample::select(b" :{}abAB*\t".to_vec()), 1 => any::<u8>()];
    prop_oneof![9 => vec(byte, 0..14), 1 => vec(any::<u8>(), 0..40)]
}

pub(crate) fn model() -> impl Strategy<Value = Model> {
    let normalise =
        (any::<[bool; 4]>(), 0..20_usize).prop_map(|([trim, collapse, lowercase, reject_empty], max)| {
            Normalise { trim, collapse, lowercase, reject_empty, max_len: if max < 10 { max } else { 1024 } }
        });
    let prefix = proptest::sample::select(vec!["", "p:", "a b::", "{x}", "q{x}:", "*?[", "}"]);
    let hash = option::of(proptest::sample::select(vec![HashKey::PUBLIC, HashKey([9; 16])]));
    let databases = btree_set(0..30_u32, 1..8).prop_map(|set| set.into_iter().collect());
    (normalise, prefix, hash, databases).prop_map(|(normalise, prefix, hash, databases)| Model {
        prefix: prefix.into(),
        normalise,
        hash,
        databases,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// S0-KEY-01: the same key always to the same place, as the model says, in the memory that it asks for.
    #[test]
    fn keypolicy(model in model(), key in key(), dirt in any::<u8>()) {
        let policy = model.policy();
        let mut scratch = vec![dirt; policy.room().min(2000)];
        let mapped = policy.map(&key, &mut scratch).map(|wire| (wire.shard.database, wire.key.to_vec()));
        prop_assert_eq!(&mapped, &model.map(&key));
        prop_assert_eq!(policy.shard(&key).map(|shard| shard.database), model.map(&key).map(|(database, _)| database));
        if let Ok((_, wire)) = mapped {
            prop_assert!(wire.starts_with(policy.prefix()));
            if !policy.is_hashed() {
                prop_assert_eq!(policy.strip(&wire).unwrap(), model.normal(&key).unwrap());
            }
            // A hashed key is in the slot that it would be in anyway, if it has a tag.
            let clear = Model { hash: None, ..model.clone() }.map(&key).unwrap().1;
            if respire_core::key::tag(&clear).is_some() {
                prop_assert_eq!(slot(&wire), slot(&clear));
            }
        }
    }

    /// S0-KEY-01: injective up to the hash, and what is normalised.
    #[test]
    fn keys_that_mean_something_else_are_stored_elsewhere(model in model(), keys in vec(key(), 2..40)) {
        let policy = model.policy();
        let mut seen: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for key in keys {
            let mut scratch = [0; 200];
            let Ok(wire) = policy.map(&key, &mut scratch) else { continue };
            let normal = model.normal(&key).unwrap();
            prop_assert_eq!(seen.entry(wire.key.to_vec()).or_insert_with(|| normal.clone()), &normal);
        }
        let mut meanings: Vec<_> = seen.values().collect();
        meanings.sort();
        meanings.dedup();
        prop_assert_eq!(meanings.len(), seen.len());
    }
}

/// S0-OPT-04: 6 000 keys over six databases, 800 to 1 200 in each.
#[test]
fn databases_get_about_the_same_share() {
    for policy in [Policy::MANAGED, Policy::MANAGED.with_hash(None)] {
        let mut shares = [0; 6];
        for n in 0..6000 {
            let key = format!("user:{n}");
            shares[usize::from(policy.shard(key.as_bytes()).unwrap().ordinal)] += 1;
        }
        assert!(shares.iter().all(|share| (800..=1200).contains(share)), "{shares:?}");
    }
}
