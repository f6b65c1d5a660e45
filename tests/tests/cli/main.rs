//! The `respire` command line tool against `redis-cli` 7.0: the same bytes on stdout and stderr,
//! and the same exit status, for every case in the tables beside this file.
//!
//! The tables are the `*.txt` files, in the form that [`table`](respire_tests::cases::table) describes. Each of them is one
//! test with a server of its own, so that they run side by side; each case runs both programs
//! against the same fresh state.

mod own;
mod terminal;

use respire_tests::cases::{Tool, check, reference, table};
use respire_tests::respire_path;

fn compare(name: &str, text: &str) {
    let Some(reference) = reference() else { return };
    check(name, text, &Tool::new([reference]), &Tool::new([respire_path()]));
}

/// Names the tests after the tables and keeps their texts for the count.
macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        const TABLES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!(stringify!($name), ".txt")))),*];
        $(
            #[test]
            fn $name() {
                compare(stringify!($name), include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

tables! {
    auth,
    binary,
    connection,
    delimiters,
    errors,
    exit,
    hashes_sets,
    limited,
    lists,
    options,
    pipe,
    protocol,
    quoted,
    reports,
    scripts,
    scripted_replies,
    stdin,
    streams,
    strings,
    url,
    x_argument,
    zsets,
}

/// The promise of the README: so many comparisons with the real tool, counted without the
/// repetition over formats and protocols.
#[test]
fn the_tables_are_large_enough() {
    let cases: usize = TABLES.iter().map(|(name, text)| table::parse(name, text).len()).sum();
    let runs: usize = TABLES
        .iter()
        .flat_map(|(name, text)| table::parse(name, text))
        .map(|case| case.variants().count())
        .sum();
    println!("{cases} cases, {runs} comparisons");
    assert!(cases >= 180, "{cases} cases");
    assert!(runs >= 1000, "{runs} comparisons");
}
