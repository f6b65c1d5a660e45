//! Memory of a client that works for long.

use super::Outcome;
use super::compare::{Arena, Options};
use super::kept::Kept;
use super::meter::Pace;
use super::turn::{self, Turn};
use super::workload::Workload;

const NAME: &str = "soak";

const CLIENTS: [&str; 5] = ["respire-tokio", "respire-block-on", "redis-rs-mux", "fred", "rustis"];

/// A row for each client, one after the other.
pub(crate) fn measure(arena: &Arena, options: &Options) -> Outcome<Vec<Kept>> {
    CLIENTS
        .into_iter()
        .filter(|client| options.wants(NAME, client))
        .map(|client| row(arena, client))
        .collect()
}

fn row(arena: &Arena, client: &'static str) -> Outcome<Kept> {
    let workload = Workload::named("get-512").ok_or("no such workload")?;
    let target = arena.near.clone();
    let turn = Turn { client: client.to_owned(), workload, target, pace: Pace::Soak };
    let [Some(early), Some(late)] = turn::read(&turn.told(&[], &arena.cpus)?)? else {
        return Err("no memory is told here".into());
    };
    let title = "Ten million GETs, 512 in flight: memory after 100,000 and after all";
    let figures = vec![
        ("rss_kib_early", "RSS KiB, early", early),
        ("rss_kib", "RSS KiB", late),
        ("growth_percent", "growth, %", (late - early) / early * 100.0),
    ];
    Ok(Kept { workload: NAME, title, client, figures })
}
