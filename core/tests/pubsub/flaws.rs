//! Every known mistake of a registry is noticed by the world around it.

#[path = "../support/flaws.rs"]
mod support;

use respire_core::flaw::Flaw;

use crate::properties::{Case, cases};

#[test]
fn every_flaw_of_a_registry_is_noticed() {
    let missed = support::missed(&Flaw::PUBSUB, cases(), Case::play);
    assert!(missed.is_empty(), "{missed:?} are not noticed");
}
