//! Components travel: how large they are is a promise of the README.

use respire_tests::{Component, skip};

/// The command line tool.
const TOOL: u64 = 1_258_291;
/// A component that looks a name up, connects, sets and gets.
const SMALLEST: u64 = 48 << 10;

#[track_caller]
fn at_most(component: Component, limit: u64) {
    let Some(path) = component.path() else {
        return skip("no Rust for components here: rustup target add wasm32-wasip2");
    };
    let size = path.metadata().expect("it was just built").len();
    println!("{component:?}: {size} bytes of at most {limit}");
    assert!(size <= limit, "{component:?}: {size} bytes, at most {limit}");
}

#[test]
fn the_tool() {
    at_most(Component::Respire, TOOL);
}

#[test]
fn the_smallest() {
    at_most(Component::Minimal, SMALLEST);
}
