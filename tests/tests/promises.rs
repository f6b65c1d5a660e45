//! The tests that `docs/RELIABILITY.md` names are there.

use std::fs;
use std::path::Path;

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/RELIABILITY.md")).expect("the page");
    let mut named = 0;
    for line in text.lines() {
        // Names stand behind the file that they are in.
        let mut source = None;
        for quoted in line.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                let path = root.join(quoted);
                source = Some((quoted, fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {quoted}"))));
            } else if let Some((path, source)) = &source {
                let is_there = ["(", "<"].iter().any(|end| source.contains(&format!("fn {quoted}{end}")));
                assert!(is_there, "{path} has no {quoted}");
                named += 1;
            }
        }
    }
    assert!(named > 50, "{named} are named only");
}
