//! What becomes of memory that was kept. Not in its own file, which the models run over other locks.

use respire_core::time::{Duration, Instant};

use super::spares::{MOST, REST, Spares};

const NOW: Instant = Instant::ZERO;

/// Of who has just taken one.
fn spares() -> Spares {
    let spares = Spares::default();
    assert_eq!(spares.take(NOW, 0).len(), 0);
    spares
}

#[test]
fn the_last_serves_first() {
    let spares = spares();
    for size in 1..=3 {
        spares.keep(vec![0; size]);
    }
    assert_eq!(spares.counted(), 6);
    for size in [3, 2, 1, 9, 9] {
        assert_eq!(spares.take(NOW, 9).len(), size);
    }
    assert_eq!(spares.counted(), 0);
}

#[test]
fn no_more_is_kept_than_that() {
    let spares = spares();
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
    let spares = spares();
    spares.rest(NOW.saturating_add(REST));
    let (first, second) = (spares.take(NOW, 1), spares.take(NOW, 2));
    spares.keep(first);
    spares.keep(second);
    assert!(spares.count(10), "elsewhere");
    spares.rest(NOW.saturating_add(REST - Duration::from_micros(1)));
    assert_eq!(spares.counted(), 13);
    spares.rest(NOW.saturating_add(REST));
    assert_eq!(spares.counted(), 10);
    // Who has held one for longer is too late.
    spares.keep(vec![0; 3]);
    assert_eq!(spares.counted(), 10);
    assert_eq!(spares.take(NOW, 7).len(), 7);
}
