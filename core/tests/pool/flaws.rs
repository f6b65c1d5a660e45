//! Every known mistake of a pool is noticed by its model.

#[path = "../support/flaws.rs"]
mod support;

use respire_core::flaw::Flaw;

use crate::random::{Case, cases};

#[test]
fn every_flaw_of_a_pool_is_noticed() {
    let missed = support::missed(&Flaw::POOL, cases(), Case::play);
    assert!(missed.is_empty(), "{missed:?} are not noticed");
}
