//! `respire demo`: the main job, shown on a server inside this process or on a real one.

#[cfg(not(target_os = "wasi"))]
mod server;

use std::time::{Duration, Instant};

use respire_core::client::{Call, Dial, Error, Fault, PipelineCall, Share, Subscriber};
use respire_core::command::{
    ExpiryOptions, GenericCommands, PubSubCommands, Set, StringCommands, get, incr, set,
};

use super::options::{Options, Stop};
use super::output::Output;
use crate::Single;

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
#[cfg(unix)]
pub(super) fn shows_password(options: &Options) -> bool {
    options.command.first().is_some_and(|word| word == b"demo")
        && options.command.iter().any(|word| word.contains(&b'@'))
}

/// Runs the demo: `demo [--url URL]`.
pub(super) fn run(options: &Options) -> Result<(), Stop> {
    let words: Vec<_> = options.command.iter().map(|word| String::from_utf8_lossy(word)).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [_] => show_inside(),
        [_, "--url", url] => show_at(url),
        _ => return Err(Stop::error("usage: respire demo [--url URL]")),
    }
    .map_err(|error| Stop::error(format!("demo: {error}")))
}

fn show_at(url: &str) -> Result<(), Failed> {
    let client = Single::open(url).map_err(words)?;
    show(&client, &mut crate::Subscriber::open(url).map_err(words)?)
}

#[cfg(not(target_os = "wasi"))]
fn show_inside() -> Result<(), Failed> {
    let address = server::start()?;
    print_line!("A server inside this process, over a real socket on {address}.\n");
    show_at(&format!("redis://{address}"))
}

/// A component has no threads: client and server take turns in one.
#[cfg(target_os = "wasi")]
fn show_inside() -> Result<(), Failed> {
    use respire_core::client;
    let server = respire_core::testing::Local::default();
    let url = crate::Url::new(crate::Endpoint::default());
    print_line!("A server inside this component, without a socket.\n");
    let mut subscriber = Subscriber::connect(server.clone(), &url).map_err(words)?;
    show(&client::Client::connect(server, url).map_err(words)?, &mut subscriber)
}

/// Errors outlive the transport that they tell of.
fn words<E: Fault>(error: Error<E>) -> Failed {
    error.to_string().into()
}

fn show<C: Share, D: Dial>(client: &C, subscriber: &mut Subscriber<D>) -> Result<(), Failed> {
    client.set(GREETING, "hello, world").ex(60).wait().map_err(words)?;
    let greeting: Option<String> = client.get(GREETING).wait().map_err(words)?;
    print_line!("set, get      {:?}", greeting.unwrap_or_default());
    print_line!("ttl           {} s", client.ttl(GREETING).wait().map_err(words)?);

    let (text, number) = PipelineCall::new(client, (get(GREETING), incr(COUNTER))).wait().map_err(words)?;
    let text = text.map_err(words)?.unwrap_or_default();
    print_line!("a tuple       {:?} and {}", String::from_utf8_lossy(&text), number.map_err(words)?);

    match client.incr(GREETING).wait() {
        Err(error) => print_line!("typed error   code {:?}: {error}", error.code().unwrap_or("none")),
        Ok(n) => print_line!("typed error   none, the greeting is {n}"),
    }
    print_line!("");

    let mut table = Table::default();
    one_by_one(client, &mut table)?;
    pipelines(client, &mut table)?;
    messages(client, subscriber, &mut table)?;
    table.print();

    let keys: Vec<String> = (0..PIPELINE).map(key).collect();
    client.del(&keys).wait().map_err(words)?;
    client.del(&[GREETING, COUNTER]).wait().map_err(words)?;
    Ok(())
}

/// Requests that wait for each other: the time of one round trip.
fn one_by_one<C: Share>(client: &C, table: &mut Table) -> Result<(), Failed> {
    let mut times = Vec::with_capacity(SINGLES);
    let start = Instant::now();
    for _ in 0..SINGLES {
        let sent = Instant::now();
        Call::new(client, get(GREETING)).wait_with(|reply| Ok(reply.get::<&[u8]>()?.len())).map_err(words)?;
        times.push(sent.elapsed());
    }
    table.row("GET, one by one", SINGLES, start.elapsed(), Some(times));
    Ok(())
}

/// Requests that go out together.
fn pipelines<C: Share>(client: &C, table: &mut Table) -> Result<(), Failed> {
    let keys: Vec<String> = (0..PIPELINE).map(key).collect();
    let sets: Vec<Set<'_>> = keys.iter().map(|key| set(key, key).ex(60)).collect();
    let start = Instant::now();
    for result in PipelineCall::new(client, sets.as_slice()).wait().map_err(words)? {
        result.map_err(words)?;
    }
    table.row("SET, a pipeline of 10 000", PIPELINE, start.elapsed(), None);

    let gets: Vec<_> = keys.iter().map(get).collect();
    let start = Instant::now();
    let values = PipelineCall::new(client, gets.as_slice()).wait().map_err(words)?;
    table.row("GET, a pipeline of 10 000", PIPELINE, start.elapsed(), None);
    for (key, value) in keys.iter().zip(values) {
        if value.map_err(words)?.as_deref() != Some(key.as_bytes()) {
            return Err(format!("another value came back for {key}").into());
        }
    }
    Ok(())
}

/// From one connection to another.
fn messages<C: Share, D: Dial>(
    client: &C,
    subscriber: &mut Subscriber<D>,
    table: &mut Table,
) -> Result<(), Failed> {
    subscriber.subscribe(CHANNEL).map_err(words)?;
    let mut times = Vec::with_capacity(MESSAGES);
    let start = Instant::now();
    for n in 0..MESSAGES {
        let sent = Instant::now();
        client.publish(CHANNEL, n).wait().map_err(words)?;
        if subscriber.next(Some(Duration::from_secs(5))).map_err(words)?.is_none() {
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
