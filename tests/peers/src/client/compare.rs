//! The comparison: a server, and clients that take turns at each workload.

use std::path::Path;

use respire_tests::{Kind, Server};

use super::count::{self, COUNTS};
use super::meter::{FIGURES, Figures, Pace};
use super::report::{self, Row};
use super::turn::{Cpus, Turn};
use super::workload::{self, WORKLOADS, Workload};
use super::{Outcome, Target, clients, idle, kept, proxy, soak};
use crate::{document, machine, say};

/// What was asked for on the command line.
#[derive(Default)]
pub(crate) struct Options {
    json: bool,
    quick: bool,
    count: bool,
    unix: bool,
    only: Option<String>,
    clients: Option<Vec<String>>,
    rounds: Option<usize>,
    into: Option<String>,
}

impl Options {
    pub(crate) fn read(args: &[String]) -> Option<Self> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--quick" => options.quick = true,
                "--count" => options.count = true,
                "--unix" => options.unix = true,
                "--only" => options.only = Some(args.next()?.clone()),
                "--clients" => options.clients = Some(args.next()?.split(',').map(str::to_owned).collect()),
                "--rounds" => options.rounds = Some(args.next()?.parse().ok().filter(|&rounds| rounds > 0)?),
                "--into" => options.into = Some(args.next()?.clone()),
                _ => return None,
            }
        }
        Some(options)
    }

    /// Whether this is to be measured at all.
    pub(crate) fn wants(&self, workload: &str, client: &str) -> bool {
        let is_work = self.only.as_ref().is_none_or(|only| only == workload);
        is_work && self.clients.as_ref().is_none_or(|some| some.iter().any(|one| one == client))
    }

    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 5 })
    }
}

/// Measures, and prints or writes what came out.
///
/// # Errors
/// What went wrong, in words.
pub(crate) fn compare(options: &Options) -> Result<(), String> {
    measure(options).map_err(|error| error.to_string())
}

fn measure(options: &Options) -> Outcome {
    // The processors are told before this program keeps to one of them.
    let mut head = machine::described(options.count, &machine::clients());
    if options.unix {
        head += "Over a Unix socket.\n\n";
    }
    let arena = Arena::new(options.unix)?;
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        for row in arena.compare(workload, options)? {
            if options.json {
                say(&(report::line(&row) + "\n"))?;
            }
            rows.push(row);
        }
    }
    let mut kept = Vec::new();
    if !options.quick {
        for rows in [soak::measure, idle::measure].map(|measure| measure(&arena, options)) {
            for row in rows? {
                if options.json {
                    say(&(row.line() + "\n"))?;
                }
                kept.push(row);
            }
        }
    }
    if rows.is_empty() && kept.is_empty() {
        return Err("there is no such workload, or no such client for it".into());
    }
    if !options.json {
        let text = head + &report::tables(&rows) + &kept::tables(&kept);
        match &options.into {
            Some(path) => document::replace(Path::new(path), "client", &text)?,
            None => say(&text)?,
        }
    }
    Ok(())
}

/// The server, and how to get there.
pub(crate) struct Arena {
    pub(crate) cpus: Cpus,
    pub(crate) near: Target,
    /// Only over TCP.
    far: Option<Target>,
    _server: Server,
}

impl Arena {
    fn new(unix: bool) -> Outcome<Self> {
        Kind::Redis70.binary().ok_or("redis-server is not installed")?;
        let cpus = Cpus::new()?;
        cpus.join_server()?;
        let server = Server::builder(Kind::Redis70).unix_socket().start();
        let mut connection = redis::Client::open(server.url())?.get_connection()?;
        for (key, value) in workload::stored() {
            let () = redis::Commands::set(&mut connection, key, &value[..])?;
        }
        let (near, far) = match server.unix_path() {
            Some(path) if unix => (Target::Unix(path.to_owned()), None),
            _ => (Target::Tcp(server.addr()), Some(Target::Tcp(proxy::start(server.addr())?))),
        };
        Ok(Self { cpus, near, far, _server: server })
    }

    /// A row for each client that does this. They take turns, so that what disturbs one disturbs all.
    fn compare(&self, workload: &'static Workload, options: &Options) -> Outcome<Vec<Row>> {
        let target = if workload.delayed { self.far.as_ref() } else { Some(&self.near) };
        let Some(target) = target else { return Ok(Vec::new()) };
        let pace = if options.quick { Pace::Quick } else { Pace::Full };
        let clients: Vec<_> = clients(workload)
            .into_iter()
            .filter(|client| options.wants(workload.name, client.name()))
            .collect();
        let mut turns: Vec<_> = clients
            .iter()
            .map(|client| {
                let turn = Turn { client: client.name().to_owned(), workload, target: target.clone(), pace };
                (turn, client.missing(), Vec::new())
            })
            .collect();
        for _ in 0..options.rounds() {
            for (turn, missing, figures) in &mut turns {
                if missing.is_none() {
                    figures.push(turn.figures(&self.cpus)?);
                }
            }
        }
        let row = |((turn, missing, figures), client): (
            (Turn, Option<&'static str>, Vec<Figures>),
            &'static str,
        )| {
            let counts = match missing {
                None if options.count => count::count(&turn, &self.cpus)?,
                _ => [None; COUNTS.len()],
            };
            Ok(Row { client, workload, figures: medians(&figures), counts, note: missing })
        };
        let names: Vec<_> = clients.iter().map(|client| client.name()).collect();
        turns.into_iter().zip(names).map(row).collect()
    }
}

/// The median of each figure over all rounds.
fn medians(rounds: &[Figures]) -> Figures {
    let mut medians = [None; FIGURES.len()];
    for (at, median) in medians.iter_mut().enumerate() {
        let mut all: Vec<f64> = rounds.iter().filter_map(|figures| figures[at]).collect();
        all.sort_by(f64::total_cmp);
        *median = all.get(all.len() / 2).copied();
    }
    medians
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::meter::Meter;
    use crate::client::workload::{Command, Group};

    #[test]
    fn every_client_does_what_it_says() {
        if !Kind::Redis70.available_or_skip() {
            return;
        }
        for unix in [false, true] {
            let arena = Arena::new(unix).unwrap();
            for workload in WORKLOADS {
                let work = &*Box::leak(Box::new(workload.work()));
                let target = if workload.delayed { arena.far.as_ref() } else { Some(&arena.near) };
                let Some(target) = target else { continue };
                for client in clients(workload) {
                    if let Some(why) = client.missing() {
                        respire_tests::skip(&format!("{}: {why}", client.name()));
                        continue;
                    }
                    let pace = Pace::Ops(2 * workload.in_flight as u32);
                    let meter = &*Box::leak(Box::new(Meter::new(workload, pace)));
                    let done = client.run(work, target, meter);
                    assert!(done.is_ok(), "{} at {}: {done:?}", client.name(), workload.name);
                }
            }
        }
    }

    #[test]
    fn what_is_there_is_checked() {
        if !Kind::Redis70.available_or_skip() {
            return;
        }
        let arena = Arena::new(false).unwrap();
        let mut connection = redis::Client::open(arena.near.url()).unwrap().get_connection().unwrap();
        let () = redis::cmd("FLUSHALL").query(&mut connection).unwrap();
        let is_read = |workload: &&Workload| {
            workload.command != Command::Set && !workload.delayed && workload.group != Group::Pools
        };
        for workload in WORKLOADS.iter().filter(is_read) {
            let work = &*Box::leak(Box::new(workload.work()));
            for client in clients(workload) {
                let pace = Pace::Ops(2 * workload.in_flight as u32);
                let meter = &*Box::leak(Box::new(Meter::new(workload, pace)));
                // Less came than was asked for: raw would wait for the rest.
                if client.name().starts_with("raw") || client.missing().is_some() {
                    continue;
                }
                assert!(
                    client.run(work, &arena.near, meter).is_err(),
                    "{} at {}",
                    client.name(),
                    workload.name
                );
            }
        }
    }

    #[test]
    fn the_median_is_that_of_each_figure() {
        let rounds = [[Some(3.0); 8], [Some(1.0); 8], [None, Some(9.0), None, None, None, None, None, None]];
        let [first, second, ..] = medians(&rounds);
        assert_eq!((first, second), (Some(3.0), Some(3.0)));
        assert_eq!(medians(&[]), [None; 8]);
    }
}
