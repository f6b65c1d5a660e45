//! `respire demo`: the main job, shown on a server inside this process or on a real one.

mod server;

use std::time::{Duration, Instant};

use respire_core::command::{
    ExpiryOptions, GenericCommands, PubSubCommands, Set, StringCommands, get, incr, set,
};

use super::options::{Options, Stop};
use super::output::Output;
use crate::{Client, Subscriber};

/// A line on standard output. If that is closed, the process ends quietly.
macro_rules! print_line {
    ($($arg:tt)*) => { Output::stdout().line(&format!($($arg)*)) };
}

/// Requests in the pipelines.
const PIPELINE: usize = 10_000;
/// Requests one after the other.
const SINGLES: usize = 5_000;
/// Messages published.
const MESSAGES: usize = 1_000;

/// Keys of the demo, all deleted at its end.
const GREETING: &str = "respire:demo:greeting";
const COUNTER: &str = "respire:demo:counter";
const CHANNEL: &str = "respire:demo:channel";

/// Whatever went wrong, in words.
type Failed = Box<dyn std::error::Error>;

/// Whether the words of the demo hold a URL with a login.
pub(super) fn shows_password(options: &Options) -> bool {
    options.command.first().is_some_and(|word| word == b"demo")
        && options.command.iter().any(|word| word.contains(&b'@'))
}

/// Runs the demo: `demo [--url URL]`.
pub(super) fn run(options: &Options) -> Result<(), Stop> {
    let words: Vec<_> = options.command.iter().map(|word| String::from_utf8_lossy(word)).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let url = match words.as_slice() {
        [_] => {
            let address = server::start().map_err(|error| Stop::error(format!("demo server: {error}")))?;
            print_line!("A server inside this process, over a real socket on {address}.\n");
            format!("redis://{address}")
        }
        [_, "--url", url] => (*url).to_owned(),
        _ => return Err(Stop::error("usage: respire demo [--url URL]")),
    };
    show(&url).map_err(|error| Stop::error(format!("demo: {error}")))
}

fn show(url: &str) -> Result<(), Failed> {
    let client = Client::open(url)?;

    client.set(GREETING, "hello, world").ex(60).wait()?;
    let greeting: Option<String> = client.get(GREETING).wait()?;
    print_line!("set, get      {:?}", greeting.unwrap_or_default());
    print_line!("ttl           {} s", client.ttl(GREETING).wait()?);

    let (text, number) = client.pipeline((get(GREETING), incr(COUNTER))).wait()?;
    print_line!("a tuple       {:?} and {}", String::from_utf8_lossy(&text?.unwrap_or_default()), number?);

    match client.incr(GREETING).wait() {
        Err(error) => print_line!("typed error   code {:?}: {error}", error.code().unwrap_or("none")),
        Ok(n) => print_line!("typed error   none, the greeting is {n}"),
    }
    print_line!("");

    let mut table = Table::default();
    one_by_one(&client, &mut table)?;
    pipelines(&client, &mut table)?;
    messages(url, &client, &mut table)?;
    table.print();

    let keys: Vec<String> = (0..PIPELINE).map(key).collect();
    client.del(&keys).wait()?;
    client.del(&[GREETING, COUNTER]).wait()?;
    Ok(())
}

/// Requests that wait for each other: the time of one round trip.
fn one_by_one(client: &Client, table: &mut Table) -> Result<(), Failed> {
    let mut times = Vec::with_capacity(SINGLES);
    let start = Instant::now();
    for _ in 0..SINGLES {
        let sent = Instant::now();
        client.send(get(GREETING)).wait_with(|reply| Ok(reply.get::<&[u8]>()?.len()))?;
        times.push(sent.elapsed());
    }
    table.row("GET, one by one", SINGLES, start.elapsed(), Some(times));
    Ok(())
}

/// Requests that go out together.
fn pipelines(client: &Client, table: &mut Table) -> Result<(), Failed> {
    let keys: Vec<String> = (0..PIPELINE).map(key).collect();
    let sets: Vec<Set<'_>> = keys.iter().map(|key| set(key, key).ex(60)).collect();
    let start = Instant::now();
    for result in client.pipeline(sets.as_slice()).wait()? {
        result?;
    }
    table.row("SET, a pipeline of 10 000", PIPELINE, start.elapsed(), None);

    let gets: Vec<_> = keys.iter().map(get).collect();
    let start = Instant::now();
    let values = client.pipeline(gets.as_slice()).wait()?;
    table.row("GET, a pipeline of 10 000", PIPELINE, start.elapsed(), None);
    for (key, value) in keys.iter().zip(values) {
        if value?.as_deref() != Some(key.as_bytes()) {
            return Err(format!("another value came back for {key}").into());
        }
    }
    Ok(())
}

/// From one connection to another.
fn messages(url: &str, client: &Client, table: &mut Table) -> Result<(), Failed> {
    let mut subscriber = Subscriber::open(url)?;
    subscriber.subscribe(CHANNEL)?;
    let mut times = Vec::with_capacity(MESSAGES);
    let start = Instant::now();
    for n in 0..MESSAGES {
        let sent = Instant::now();
        client.publish(CHANNEL, n).wait()?;
        if subscriber.next(Some(Duration::from_secs(5)))?.is_none() {
            return Err(format!("message {n} did not arrive").into());
        }
        times.push(sent.elapsed());
    }
    table.row("PUBLISH to a subscriber", MESSAGES, start.elapsed(), Some(times));
    Ok(())
}

fn key(n: usize) -> String {
    format!("respire:demo:{n}")
}

/// What was measured.
#[derive(Default)]
struct Table(Vec<[String; 5]>);

impl Table {
    fn row(&mut self, name: &str, count: usize, took: Duration, times: Option<Vec<Duration>>) {
        let rate = count as f64 / took.as_secs_f64().max(1e-9);
        let mut times = times.unwrap_or_default();
        times.sort_unstable();
        let at = |share: f64| {
            let index = (times.len() as f64 * share) as usize;
            times.get(index).map_or(String::new(), |time| format!("{:.0}", time.as_secs_f64() * 1e6))
        };
        self.0.push([name.to_owned(), count.to_string(), format!("{rate:.0}"), at(0.5), at(0.99)]);
    }

    fn print(&self) {
        let head = ["", "requests", "a second", "p50 µs", "p99 µs"].map(str::to_owned);
        for row in [&head].into_iter().chain(&self.0) {
            let [name, count, rate, median, tail] = row;
            print_line!("{name:26}{count:>9}{rate:>12}{median:>9}{tail:>9}");
        }
    }
}
