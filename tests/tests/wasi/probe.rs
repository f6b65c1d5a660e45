//! The client inside a component, on a real server.

use respire_tests::{Component, Kind, Network, Server};

use crate::{Guest, errors, redis};

fn probe() -> Option<Guest> {
    Guest::or_skip(Component::Probe, Network::Addresses)
}

#[test]
fn pipelines_of_ten_thousand() {
    let Some(probe) = probe() else { return };
    for kind in Kind::ALL {
        if !kind.available_or_skip() {
            continue;
        }
        let server = Server::builder(kind).start();
        for protocol in [2, 3] {
            let url = format!("{}?protocol={protocol}", server.url());
            let done = probe.run(&["pipeline", &url, "10000"], b"");
            assert_eq!((errors(&done).as_str(), done.code()), ("", Some(0)), "{kind}, RESP{protocol}");
            println!("{kind}, RESP{protocol}\n{}", done.text());
        }
    }
}

/// WASI has no TCP_NODELAY: the last piece of a request that goes out in several waits, on many hosts,
/// until the peer has acknowledged the others, and it takes its 40 ms for that.
///
/// What is cut is cut the same way every time, so all requests of that size would wait. A busy
/// machine delays some round trips, and now and then by as much. Hence the limit is for nine of ten,
/// for each size and direction by itself, and far from both: a round trip takes a tenth of a millisecond.
#[test]
fn values_of_all_sizes_do_not_stall() {
    const SMALL: u64 = 100_000;
    const LIMIT_US: u64 = 20_000;
    let Some(probe) = probe() else { return };
    let Some(server) = redis() else { return };
    let done = probe.run(&["values", &server.url()], b"");
    let text = done.text();
    println!("{:>32} {:>7} {:>7} {:>7}   <0.1   <1  <10  <35  <60 more ms", "p50", "p90", "p99", "max µs");
    println!("{text}{}", errors(&done));
    assert_eq!(done.code(), Some(0));
    let mut rows = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        if number(0) <= SMALL {
            rows += 1;
            assert!(number(4) < LIMIT_US, "{line}");
        }
    }
    assert_eq!(rows, 16, "eight sizes, both ways");
}
