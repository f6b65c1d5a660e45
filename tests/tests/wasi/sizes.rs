//! Components travel: how large they are is a promise of the README.

use respire_tests::{Component, skip};

/// The command line tool.
const TOOL: u64 = 1_258_291;
/// A component that looks a name up, connects, sets and gets.
const SMALLEST: u64 = 56 << 10;

#[track_caller]
fn at_most(component: Component, limit: u64) {
    let Some(path) = component.path() else {
        return skip("no Rust for components here: rustup target add wasm32-wasip2");
    };
    let size = stripped(&std::fs::read(path).expect("it was just built"));
    println!("{component:?}: {size} bytes of at most {limit}");
    assert!(size <= limit, "{component:?}: {size} bytes, at most {limit}");
}

/// The length of a component without its custom sections: the names that the linker gives everything in
/// it, which nobody needs to run it, and which `wasm-tools strip` takes away.
fn stripped(component: &[u8]) -> u64 {
    let (mut at, mut len) = (8, 8);
    while at < component.len() {
        let custom = component[at] == 0;
        let (mut size, mut shift, mut body) = (0, 0, at + 1);
        loop {
            let byte = component[body];
            size |= usize::from(byte & 0x7f) << shift;
            (shift, body) = (shift + 7, body + 1);
            if byte < 0x80 {
                break;
            }
        }
        len += if custom { 0 } else { body + size - at };
        at = body + size;
    }
    assert_eq!(at, component.len(), "sections end where the file ends");
    len as u64
}

#[test]
fn the_tool() {
    at_most(Component::Respire, TOOL);
}

#[test]
fn the_smallest() {
    at_most(Component::Minimal, SMALLEST);
}
