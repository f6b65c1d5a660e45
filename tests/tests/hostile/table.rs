//! The table itself: nothing is missing, nothing is there twice.

use std::collections::BTreeSet;

use respire_tests::hostile::{CLASSES, attacks, find};

#[test]
fn every_class_has_an_attack() {
    let classes: BTreeSet<u8> = attacks().map(|attack| attack.class).collect();
    assert!(classes.into_iter().eq(1..=CLASSES));
}

#[test]
fn every_attack_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for attack in attacks() {
        assert!(names.insert(attack.name), "{} is there twice", attack.name);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(attack.name.bytes().all(plain), "{}", attack.name);
        assert!(find(attack.name).is_some_and(|found| std::ptr::eq(found, attack)));
        assert!(attack.protocols().count() > 0);
    }
}
