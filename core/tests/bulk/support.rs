//! A bulk of fixed memory, and words for what is done with it.

use respire_core::bulk::{Bulk, Config, Item, Outcome, Refused, Slot, Ticket, Verdict};
use respire_core::command::words;
use respire_core::conn::Failure;
use respire_core::error::ServerError;
use respire_core::time::{Duration, Instant};

pub(crate) type Small = Bulk<[u8; 4096], [Slot; 100]>;

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// No waiting before an item goes again.
pub(crate) fn config() -> Config {
    Config { retry_base: Duration::ZERO, ..Config::DEFAULT }
}

pub(crate) fn bulk(config: Config) -> Small {
    Bulk::new([0; 4096], [Slot::EMPTY; 100], config)
}

pub(crate) fn push(bulk: &mut Small, now: Instant, text: &str) -> Result<Ticket, Refused> {
    bulk.push(now, &words(&text.split(' ').collect::<Vec<_>>()))
}

/// The items of the next batch; none if there is no batch.
pub(crate) fn batch(bulk: &mut Small, now: Instant) -> Vec<Item> {
    bulk.poll_batch(now).map(|batch| batch.map(|(item, _)| item).collect()).unwrap_or_default()
}

pub(crate) fn error(bulk: &mut Small, now: Instant, item: Item, text: &str) -> Verdict {
    bulk.handle_reply(now, item, Outcome::Error(ServerError::new(text.as_bytes())))
}

pub(crate) fn fail(bulk: &mut Small, now: Instant, item: Item, failure: Failure) -> Verdict {
    bulk.handle_reply(now, item, failure.into())
}

pub(crate) fn numbers(items: &[Item]) -> Vec<usize> {
    items.iter().map(|item| item.ticket().number()).collect()
}

/// All results: whose, and how they ended.
pub(crate) fn results(bulk: &mut Small) -> Vec<(usize, String)> {
    let next = || bulk.poll_result().map(|told| (told.ticket.number(), format!("{:?}", told.result)));
    std::iter::from_fn(next).collect()
}
