//! The examples of the client: each runs against a server of its own, and what it prints is true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use respire_tests::example::prints;
use respire_tests::{Kind, Server};

/// The examples, and lines that each prints.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("blocking", &["greeting: Some(\"hello\")", "letters: 5", "visits: 800"]),
    ("bulk", &["stored: 24999, failed: ERR", "counted: 24999"]),
    (
        "dedicated",
        &[
            "SELECT needs a connection of its own",
            "there: 1, here: 0",
            "somebody else was faster",
            "the job: paint the fence",
        ],
    ),
    ("event_loop", &["the last of a thousand answers: 1000", "news: hello"]),
    ("no_runtime", &["64 answers, and their sum is 2080", "waited: 64, awaited: 64"]),
    (
        "pipeline",
        &[
            "stored: true, length: 5, visit: 1",
            "wrong: ERR value is not an integer or out of range",
            "right: 2",
            "the last of ten thousand: Some(10002)",
            "one: hello, missing: 1",
        ],
    ),
    ("pubsub", &["one", "two", "three", "listeners: 1", "goal", "more: false", "nobody listens any more"]),
    ("serde", &["Ann is 30, nickname None", "letters: 3", "nobody: the field name is missing"]),
    ("smol", &["greeting: Some(\"hello\")", "visits: 100", "the driver has ended"]),
    ("tokio", &["greeting: Some(\"hello\")", "visits: 100", "a job: none in time", "the driver has ended"]),
    ("transaction", &["alice has 70, bob 30", "bob has 110", "alice has less than 100"]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../native/examples")
}

#[test]
fn what_they_print_is_true() {
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    for (name, lines) in EXAMPLES {
        let server = Server::redis();
        prints(name, &[&server.url()], lines);
    }
}

/// None is forgotten above, each says how it is run, and none is long.
#[test]
fn every_one_is_run_and_says_how() {
    let files = fs::read_dir(source()).expect("the examples").map(|entry| entry.expect("a file").path());
    let found: BTreeSet<_> = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    // The one of TLS is run in `tls/example.rs`.
    let known: BTreeSet<_> =
        EXAMPLES.iter().map(|(name, _)| *name).chain(["tls"]).map(str::to_owned).collect();
    assert_eq!(found, known);
    let manifest = fs::read_to_string(source().join("../Cargo.toml")).expect("the manifest");
    for name in known {
        let text = fs::read_to_string(source().join(format!("{name}.rs"))).expect("an example");
        let needs = manifest.split("[[example]]").find(|part| part.contains(&format!("name = \"{name}\"\n")));
        let needs = needs.and_then(|part| part.split("required-features = [\"").nth(1));
        let features =
            needs.map_or(String::new(), |list| format!(" --features {}", list.split('"').next().unwrap()));
        let how = format!("//! `cargo run --example {name}{features} [redis");
        assert!(text.starts_with("//! ") && text.contains(&how), "{name} lacks {how}");
        assert!(text.lines().count() <= 60, "{name} is long");
    }
}
