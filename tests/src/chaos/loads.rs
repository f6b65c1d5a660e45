//! Bulks: items in batches, each with one result, and what the server says of them afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use respire::bulk::{Refused, Ticket};
use respire::command::words;
use respire::resp::Value;
use respire::{Bulk, BulkError, BulkResult, Client};

use super::book::{Claim, failure, is_one_bit_off, refusal};
use super::round::Round;
use crate::admin::{Admin, Answer};
use crate::proxy::Random;

/// What became of the items of bulks.
#[derive(Clone, Default, Debug)]
pub struct Loads {
    /// Items.
    pub items: u64,
    /// With the right answer.
    pub ok: u64,
    /// That were sent more than once.
    pub again: u64,
    /// Answers that differ from theirs by one bit.
    pub flipped: u64,
    /// Without an answer, by kind.
    pub failed: BTreeMap<String, u64>,
    /// Without a result.
    pub untold: u64,
    /// Results of items that have none to come, and answers that were not theirs.
    pub wrong: Vec<String>,
    /// What was said of each item of the ledger.
    pub claims: Vec<(String, Claim)>,
    /// One for each bulk.
    books: Vec<Book>,
}

/// What a bulk has pushed to its list, and written to its key.
#[derive(Clone, Default, Debug)]
struct Book {
    word: String,
    /// In the order in which they were pushed: what was said of each, and where it stands in the list by its
    /// answer.
    listed: BTreeMap<usize, (Claim, Option<i64>)>,
    written: BTreeMap<usize, Claim>,
}

/// What an item is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    /// The ledger: executed once at most.
    Count,
    /// A list: the same, and in the order of pushing.
    List,
    /// A key: may be executed twice, and the last one counts.
    Write,
    /// Its answer.
    Echo,
}

/// How many items have room.
const ROOM: usize = 300;

/// Pushes and takes until the round is over, then takes what is left.
pub(super) async fn load(round: Arc<Round>, client: usize, handle: Client, seed: u64) -> Loads {
    let mut random = Random::new(seed);
    let word = format!("bulk-{}", round.word(client, seed));
    let items: &[Item] = match round.is_reader(client) {
        true => &[Item::Echo],
        false => &[Item::Count, Item::List, Item::Write, Item::Echo],
    };
    let bulk = handle
        .bulk()
        .config(|config| {
            (config.batch_size, config.flush_interval) = (20, Duration::from_millis(5));
            config.retry_cap = Duration::from_millis(100);
        })
        .load(|load| load.timeout = Some(Duration::from_millis(round.mix.timeout.1)))
        .room(ROOM, 64 << 10)
        .start();
    let mut worker = Worker { bulk, word, waiting: HashMap::new(), next: 0, loads: Loads::default() };
    worker.loads.books.push(Book { word: worker.word.clone(), ..Book::default() });
    while !round.is_over() {
        for _ in 0..1 + random.below(40) {
            let which = usize::try_from(random.below(items.len() as u64)).unwrap_or(0);
            if !worker.push(items[which]) {
                break;
            }
        }
        if random.once_in(3) {
            worker.bulk.flush();
        }
        let most = usize::try_from(random.below(60)).unwrap_or(0);
        worker.take(most).await;
        async_io::Timer::after(Duration::from_millis(2)).await;
    }
    worker.bulk.close();
    worker.take_rest().await;
    worker.loads.untold = worker.waiting.len() as u64;
    worker.loads
}

struct Worker {
    bulk: Bulk,
    word: String,
    /// Items that have no result yet: what they are for, and their number.
    waiting: HashMap<Ticket, (Item, usize)>,
    next: usize,
    loads: Loads,
}

impl Worker {
    /// Whether there was room.
    fn push(&mut self, item: Item) -> bool {
        let number = self.next;
        let request = item.words(&self.word, number);
        match self.bulk.push(&words(&request)) {
            Ok(ticket) => {
                self.next += 1;
                self.loads.items += 1;
                if self.waiting.insert(ticket, (item, number)).is_some() {
                    self.loads.wrong.push(format!("{request:?} has the ticket of another"));
                }
                true
            }
            Err(Refused::Items | Refused::Bytes) => false,
            Err(other) => {
                self.loads.wrong.push(format!("{request:?} was not taken: {other}"));
                false
            }
        }
    }

    /// Takes results until so many are left.
    async fn take(&mut self, most: usize) {
        while self.waiting.len() > most
            && let Some(result) = self.bulk.next().await
        {
            self.note(result);
        }
    }

    async fn take_rest(&mut self) {
        while let Some(result) = self.bulk.next().await {
            self.note(result);
        }
    }

    fn note(&mut self, result: BulkResult) {
        let Some((item, number)) = self.waiting.remove(&result.ticket) else {
            return self.loads.wrong.push(format!("a result of nobody's: {result:?}"));
        };
        self.loads.again += u64::from(result.retries > 0);
        let mut place = None;
        let (name, mut claim) = match &result.answer {
            Ok(answer) if item.is_answer(answer, &self.word, number) => {
                if let Value::Integer(length) = answer {
                    place = Some(*length);
                }
                (None, Claim::Once)
            }
            Ok(answer) if is_one_bit_off(answer, &item.echo(&self.word, number)) => {
                self.loads.flipped += 1;
                (None, Claim::Once)
            }
            Ok(answer) => {
                let request = item.words(&self.word, number);
                self.loads.wrong.push(format!("{request:?} was answered by {answer:?}"));
                (None, Claim::Once)
            }
            Err(error) => {
                let (name, claim) = match error {
                    BulkError::Server(reply) => refusal(reply),
                    BulkError::Failed(why) => failure(*why),
                    BulkError::Overtaken => ("overtaken".to_owned(), Claim::Never),
                };
                (Some(name), claim)
            }
        };
        // What is said is said of the last time only.
        if result.doubtful && claim == Claim::Never {
            claim = Claim::Perhaps;
        }
        match name {
            Some(name) => *self.loads.failed.entry(name).or_default() += 1,
            // With the bit that was flipped, perhaps.
            None => self.loads.ok += 1,
        }
        let book = &mut self.loads.books[0];
        match item {
            Item::Count => self.loads.claims.push((format!("{}-{number}", self.word), claim)),
            Item::List => drop(book.listed.insert(number, (claim, place))),
            Item::Write => drop(book.written.insert(number, claim)),
            Item::Echo => {}
        }
    }
}

impl Item {
    fn words(self, word: &str, number: usize) -> Vec<String> {
        let words = match self {
            Self::Count => format!("HINCRBY ledger {word}-{number} 1"),
            Self::List => format!("RPUSH list:{word} {number}"),
            Self::Write => format!("SET last:{word} {number}"),
            Self::Echo => format!("ECHO {word}-{number}"),
        };
        words.split(' ').map(str::to_owned).collect()
    }

    fn is_answer(self, answer: &Value, word: &str, number: usize) -> bool {
        match (self, answer) {
            (Self::Count, Value::Integer(1)) => true,
            (Self::List, Value::Integer(length)) => *length > 0,
            (Self::Write, Value::Simple(status)) => status == b"OK",
            (Self::Echo, answer) => *answer == self.echo(word, number),
            _ => false,
        }
    }

    /// The answer of one that has no other purpose.
    fn echo(self, word: &str, number: usize) -> Value {
        match self {
            Self::Echo => Value::Bulk(format!("{word}-{number}").into_bytes()),
            _ => Value::Null,
        }
    }
}

impl Loads {
    /// Adds what became of others.
    pub(super) fn add(&mut self, other: Self) {
        self.items += other.items;
        self.ok += other.ok;
        self.again += other.again;
        self.flipped += other.flipped;
        self.untold += other.untold;
        self.wrong.extend(other.wrong);
        self.claims.extend(other.claims);
        self.books.extend(other.books);
        for (kind, count) in other.failed {
            *self.failed.entry(kind).or_default() += count;
        }
    }

    /// Compares what was said with the lists and keys of the server, once all clients are gone; they are
    /// deleted then.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub fn check(&mut self, admin: &mut Admin) {
        for book in std::mem::take(&mut self.books) {
            let (list, key) = (format!("list:{}", book.word), format!("last:{}", book.word));
            let Answer::List(elements) = admin.done(&format!("LRANGE {list} 0 -1")) else {
                panic!("a list is a list")
            };
            let elements: Vec<usize> = elements.iter().filter_map(number).collect();
            let last = number(&admin.done(&format!("GET {key}")));
            self.wrong
                .extend(book.faults(&elements, last).iter().map(|fault| format!("{}: {fault}", book.word)));
            admin.done(&format!("DEL {list} {key}"));
        }
    }
}

fn number(answer: &Answer) -> Option<usize> {
    match answer {
        Answer::Text(text) => text.parse().ok(),
        _ => None,
    }
}

impl Book {
    /// What was said of a bulk and is not so: of its list, and of the last that was written to its key.
    fn faults(&self, list: &[usize], last: Option<usize>) -> Vec<String> {
        let mut faults = Vec::new();
        if !list.is_sorted_by(|a, b| a < b) {
            faults.push(format!("executed twice or out of order: {list:?}"));
        }
        for (number, (claim, place)) in &self.listed {
            let found = list.binary_search(number).ok();
            match (claim, found, place) {
                (Claim::Once, None, _) => faults.push(format!("{number} was answered and not executed")),
                (Claim::Never, Some(_), _) => {
                    faults.push(format!("{number} was executed, it was said not to be"));
                }
                (_, Some(at), Some(place)) if i64::try_from(at + 1) != Ok(*place) => {
                    faults
                        .push(format!("{number} has the answer of place {place}, and stands at {}", at + 1));
                }
                _ => {}
            }
        }
        if let Some(number) = list.iter().find(|number| !self.listed.contains_key(number)) {
            faults.push(format!("{number} was executed and asked for by nobody"));
        }
        let answered = self.written.iter().rev().find(|(_, claim)| **claim == Claim::Once);
        match (last, answered) {
            (None, Some((number, _))) => faults.push(format!("{number} was written and is not there")),
            (Some(last), Some((number, _))) if last < *number => {
                faults.push(format!("{number} was written, and {last} is there"));
            }
            (Some(last), _) if matches!(self.written.get(&last), None | Some(Claim::Never)) => {
                faults.push(format!("{last} was written, it was said not to be"));
            }
            _ => {}
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checker that notices nothing proves nothing.
    #[test]
    fn every_lie_about_an_item_is_noticed() {
        use Claim::{Never, Once, Perhaps};
        let listed = [(1, (Once, Some(1))), (2, (Perhaps, None)), (3, (Never, None)), (4, (Once, None))];
        let written = [(5, Once), (6, Never), (7, Perhaps), (8, Once), (9, Perhaps), (10, Never)];
        let book = Book { listed: listed.into(), written: written.into(), ..Book::default() };
        let count = |list: &[usize], last| book.faults(list, last).len();
        assert_eq!((count(&[1, 4], Some(8)), count(&[1, 2, 4], Some(9))), (0, 0));
        assert_eq!(count(&[1, 4, 4], Some(8)), 1, "twice");
        assert_eq!(count(&[1, 4, 2], Some(8)), 2, "out of order, and not where it was looked for");
        assert_eq!(count(&[1], Some(8)), 1, "lost");
        assert_eq!(count(&[1, 3, 4], Some(8)), 1, "a lie");
        assert_eq!(count(&[0, 1, 4], Some(8)), 2, "nobody's, and another's place");
        assert_eq!(count(&[1, 4], None), 1, "not written");
        assert_eq!(count(&[1, 4], Some(7)), 1, "an older one came last");
        assert_eq!(count(&[1, 4], Some(10)), 1, "not to be written");
        assert_eq!(count(&[1, 4], Some(11)), 1, "by nobody");
    }
}
