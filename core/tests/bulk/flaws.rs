//! Every known mistake of a bulk is noticed by its model.

#[path = "../support/flaws.rs"]
mod support;

use respire_core::flaw::Flaw;

use crate::properties::{Case, cases};

#[test]
fn every_flaw_of_a_bulk_is_noticed() {
    let missed = support::missed(&Flaw::BULK, cases(), Case::play);
    assert!(missed.is_empty(), "{missed:?} are not noticed");
}
