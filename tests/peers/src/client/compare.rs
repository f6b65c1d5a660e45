//! The comparison: a server, and clients that take turns at each workload.

use std::path::Path;

use respire_tests::{Kind, Server};

use super::count::{self, COUNTS};
use super::meter::{FIGURES, Figures, Pace};
use super::report::{self, Row};
use super::turn::{Cpus, Turn};
use super::workload::{self, WORKLOADS, Workload};
use super::{Outcome, Target, clients, proxy};
use crate::{document, machine, say};

/// What was asked for on the command line.
#[derive(Default)]
pub(crate) struct Options {
    json: bool,
    quick: bool,
    count: bool,
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
                "--only" => options.only = Some(args.next()?.clone()),
                "--clients" => options.clients = Some(args.next()?.split(',').map(str::to_owned).collect()),
                "--rounds" => options.rounds = Some(args.next()?.parse().ok().filter(|&rounds| rounds > 0)?),
                "--into" => options.into = Some(args.next()?.clone()),
                _ => return None,
            }
        }
        Some(options)
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
    let arena = Arena::new()?;
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        if options.only.as_ref().is_some_and(|only| only != workload.name) {
            continue;
        }
        for row in arena.compare(workload, options)? {
            if options.json {
                say(&(report::line(&row) + "\n"))?;
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return Err("there is no such workload, or no such client for it".into());
    }
    if !options.json {
        let text = machine::described(options.count, &machine::clients()) + &report::tables(&rows);
        match &options.into {
            Some(path) => document::replace(Path::new(path), "client", &text)?,
            None => say(&text)?,
        }
    }
    Ok(())
}

/// The server, and how to get there.
struct Arena {
    cpus: Cpus,
    near: Target,
    far: Target,
    _server: Server,
}

impl Arena {
    fn new() -> Outcome<Self> {
        Kind::Redis70.binary().ok_or("redis-server is not installed")?;
        let cpus = Cpus::new()?;
        cpus.join_server()?;
        let server = Server::builder(Kind::Redis70).unix_socket().start();
        let far = proxy::start(server.addr())?.port();
        let mut connection = redis::Client::open(server.url())?.get_connection()?;
        for (key, value) in workload::stored() {
            let () = redis::Commands::set(&mut connection, key, &value[..])?;
        }
        Ok(Self { cpus, near: Target { port: server.port() }, far: Target { port: far }, _server: server })
    }

    /// A row for each client that does this. They take turns, so that what disturbs one disturbs all.
    fn compare(&self, workload: &'static Workload, options: &Options) -> Outcome<Vec<Row>> {
        let wanted =
            |name: &str| options.clients.as_ref().is_none_or(|some| some.iter().any(|one| one == name));
        let target = if workload.delayed { self.far } else { self.near };
        let pace = if options.quick { Pace::Quick } else { Pace::Full };
        let clients: Vec<_> =
            clients().into_iter().filter(|client| client.does(workload) && wanted(client.name())).collect();
        let mut turns: Vec<_> = clients
            .iter()
            .map(|client| {
                let turn = Turn { client: client.name().to_owned(), workload, target, pace };
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
