//! What becomes of memory that was kept. Not in its own file, which the models run over other locks.

use respire_core::time::{Duration, Instant};

use super::spares::{MOST, REST, Spares, TAKINGS};

const NOW: Instant = Instant::ZERO;

#[test]
fn the_last_serves_first_and_what_nobody_needs_is_given_back() {
    let spares = Spares::default();
    for size in 1..=3 {
        spares.keep(vec![0; size]);
    }
    for _ in 1..2 * TAKINGS {
        let spare = spares.take(NOW, 9);
        assert_eq!(spare.len(), 3);
        spares.keep(spare);
    }
    assert_eq!(spares.counted(), 6);
    let spare = spares.take(NOW, 9);
    assert_eq!((spare.len(), spares.counted()), (3, 0), "two were never needed");
    assert_eq!(spares.take(NOW, 9).len(), 9);
}

#[test]
fn no_more_is_kept_than_that() {
    let spares = Spares::default();
    spares.keep(vec![0; MOST - 10]);
    spares.keep(vec![0; 11]);
    assert!(spares.count(10) && !spares.count(1));
    spares.uncount(10);
    assert_eq!(spares.take(NOW, 1).len(), MOST - 10);
    assert_eq!(spares.take(NOW, 1).len(), 1);
    assert_eq!(spares.counted(), 0);
}

#[test]
fn what_nobody_has_taken_for_a_while_is_given_back() {
    let spares = Spares::default();
    spares.rest(NOW.saturating_add(REST));
    let (first, second) = (spares.take(NOW, 1), spares.take(NOW, 2));
    spares.keep(first);
    spares.keep(second);
    assert!(spares.count(10), "elsewhere");
    spares.rest(NOW.saturating_add(REST - Duration::from_micros(1)));
    assert_eq!(spares.counted(), 13);
    spares.rest(NOW.saturating_add(REST));
    assert_eq!(spares.counted(), 10);
    assert_eq!(spares.take(NOW, 7).len(), 7);
}
