//! The tables of the command line tool: the component prints what the native tool prints and ends
//! as it ends, both on the same fresh state. That the native tool is right is for `tests/tests/cli`.

use std::str::from_utf8;

use respire_tests::cases::table::{Case, parse};
use respire_tests::cases::{Tool, check_each};
use respire_tests::{Component, Kind, Network, redis_cli_path, respire_path, skip};

/// Names the tests after the tables and keeps their texts for the count.
macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        const TABLES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("../cli/", stringify!($name), ".txt")))),*];
        $(
            #[test]
            fn $name() {
                compare(stringify!($name), include_str!(concat!("../cli/", stringify!($name), ".txt")));
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
    lists,
    pipe,
    protocol,
    quoted,
    scripted_replies,
    scripts,
    stdin,
    streams,
    strings,
    url,
    x_argument,
    zsets,
}

fn compare(name: &str, text: &str) {
    // Scripts lie in the folder where both run.
    let Some(component) = Component::Respire.command_or_skip(Network::Granted, Some(".")) else { return };
    if !Kind::Redis70.available_or_skip() {
        return;
    }
    if redis_cli_path().is_none() {
        return skip("no redis-cli here, to look at what is left on the server: run ./check");
    }
    check_each(name, text, fits, &Tool::new([respire_path()]), &Tool::new(component));
}

/// Whether a component can do it at all: it gets no arguments but text, and has no Unix sockets.
/// Cases that end by a signal are left to the native tool, too.
fn fits(case: &Case) -> bool {
    let text = case.words.iter().all(|word| from_utf8(word).is_ok());
    let unix = case.words.iter().any(|word| word == b"-s" || word.starts_with(b"unix:"));
    text && !unix && case.limit_ms.is_none()
}

/// Each is compared in one form and protocol; in a fast run every third of a table.
#[test]
fn most_cases_fit() {
    let all: usize = TABLES.iter().map(|(name, text)| parse(name, text).len()).sum();
    let fit: usize =
        TABLES.iter().map(|(name, text)| parse(name, text).iter().filter(|case| fits(case)).count()).sum();
    println!("{fit} of {all} cases");
    assert!(fit >= 600, "{fit} of {all} cases");
}
