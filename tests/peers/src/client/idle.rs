//! Connections that nobody uses any more, after one GET each: what they cost.

use std::thread;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use respire::Client as Respire;
use respire::prelude::*;

use super::blocking::Blocking;
use super::compare::{Arena, Options};
use super::kept::Kept;
use super::meter::{Usage, rss_kib};
use super::tokio::{Asynchronous, runtime};
use super::workload::{Threads, Workload};
use super::{Outcome, Target, turn};

/// The word that asks for connections that do nothing.
pub(crate) const IDLE: &str = "client-idle";

const NAME: &str = "idle-1000";

const CLIENTS: [&str; 4] = ["raw", "respire", "redis-rs", "redis-rs-mux"];

/// How many connections, and how few to compare with: the rest of the client is there, too.
const COUNTS: [u16; 2] = [1000, 1];

/// How long they are left alone before memory is looked at, and for how long CPU time is looked at then.
const SETTLING: Duration = Duration::from_secs(3);
const IDLING: Duration = Duration::from_secs(5);

/// A row for each client.
pub(crate) fn measure(arena: &Arena, options: &Options) -> Outcome<Vec<Kept>> {
    CLIENTS
        .into_iter()
        .filter(|client| options.wants(NAME, client))
        .map(|client| row(arena, client))
        .collect()
}

fn row(arena: &Arena, client: &'static str) -> Outcome<Kept> {
    let figures = |count: u16| {
        let args = [IDLE, client, &count.to_string(), &arena.near.to_string()].map(str::to_owned);
        match turn::read(&arena.cpus.told(&args)?)? {
            [Some(rss), Some(cpu)] => Ok::<_, Box<dyn std::error::Error + Send + Sync>>((rss, cpu)),
            _ => Err("no memory is told here".into()),
        }
    };
    let [(many, cpu), (few, _)] = [figures(COUNTS[0])?, figures(COUNTS[1])?];
    let each = (many - few) / f64::from(COUNTS[0] - COUNTS[1]);
    let title = "1,000 idle connections: memory of each beyond the first, and CPU time of 5 s";
    let figures = vec![
        ("kib_per_connection", "KiB a connection", each),
        ("rss_kib", "RSS KiB", many),
        ("cpu_ms_of_5_s", "CPU ms of 5 s", cpu),
    ];
    Ok(Kept { workload: NAME, title, client, figures })
}

/// The process that has them.
pub(crate) struct Idle {
    client: String,
    count: u16,
    target: Target,
}

impl Idle {
    /// The words behind the first.
    pub(crate) fn read(args: &[String]) -> Option<Self> {
        let [client, count, target] = args else { return None };
        Some(Self { client: client.clone(), count: count.parse().ok()?, target: Target::read(target) })
    }

    /// Connects, waits, and prints memory and CPU time.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(crate) fn take(&self) -> Result<(), String> {
        self.open().map_err(|error| error.to_string()).and_then(|figures| turn::say(&figures))
    }

    fn open(&self) -> Outcome<[Option<f64>; 2]> {
        let Self { client, count, target } = self;
        let work = Workload::named("get-1").ok_or("no such workload")?.work();
        let key = &work.keys[0];
        let each = 0..*count;
        match client.as_str() {
            "raw" => {
                let _all = each.map(|_| target.connect()).collect::<Result<Vec<_>, _>>()?;
                Ok(rest())
            }
            "respire" => {
                // The one that all share is among them.
                let builder = Respire::builder(target.url().parse()?).connections(*count);
                // Nobody else wants to dial.
                let client = builder.config(|config| config.dials = (*count, *count)).connect()?;
                let lend = |_| {
                    let conn = client.conn().wait()?;
                    work.check(conn.get(key).wait().map(|value: Vec<u8>| value.len())?)?;
                    Ok(conn)
                };
                let lent = each.skip(1).map(lend).collect::<Outcome<Vec<_>>>()?;
                drop(lent);
                Ok(rest())
            }
            "redis-rs" => {
                let open = |_| {
                    let mut connection = <redis::Connection as Blocking>::open(target)?;
                    work.check(Blocking::get(&mut connection, key)?)?;
                    Ok(connection)
                };
                let _all = each.map(open).collect::<Outcome<Vec<_>>>()?;
                Ok(rest())
            }
            "redis-rs-mux" => {
                let runtime = runtime(Threads::Each)?;
                let open = |_| {
                    runtime.block_on(async {
                        let mut connection = <MultiplexedConnection as Asynchronous>::open(target).await?;
                        work.check(Asynchronous::get(&mut connection, key).await?)?;
                        Ok(connection)
                    })
                };
                let _all = each.map(open).collect::<Outcome<Vec<_>>>()?;
                Ok(rest())
            }
            _ => Err("no client does that".into()),
        }
    }
}

/// Memory after a while, and CPU time in another.
fn rest() -> [Option<f64>; 2] {
    thread::sleep(SETTLING);
    let (rss, before) = (rss_kib(), Usage::now());
    thread::sleep(IDLING);
    [rss, Some(Usage::since(before).cpu_us / 1e3)]
}
