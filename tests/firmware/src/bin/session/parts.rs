//! What is done while all goes well.

use core::array;

use respire_core::command::*;
use respire_core::conn::{Part, SubmitError, Token};
use respire_core::resp::ArgSink;
use respire_firmware::board::host;

use crate::answer::{DONE, Expect, Tally, number};
use crate::{Failure, Session};

/// What is stored here is read again after the connection was lost.
pub(crate) const KEY: &str = "respire:session";
pub(crate) const VALUE: &[u8] = b"from the board";

const BRIEF: &str = "respire:session:brief";
const LARGE: &str = "respire:session:large";
const COUNTER: &str = "respire:n";
const CHANNEL: &[u8] = b"respire:session:news";

/// What a subscriber hears.
pub(crate) const MESSAGE: Expect<'static> = Expect::Values(&[b"message", CHANNEL, VALUE]);

/// How long the large value is.
const LENGTH: u32 = 100_000;

/// How many requests the pipeline makes; it leaves this number at its key.
const COUNT: u32 = 2000;

impl Session<'_, '_> {
    /// Requests and answers of each kind: stored and read, a time to live, numbers, an error,
    /// deleted, nothing.
    pub(crate) fn commands(&mut self) -> Result<(), Failure> {
        let commands: [(&dyn AnyRequest, Expect<'_>); 8] = [
            (&set(KEY, VALUE), DONE),
            (&get(KEY), Expect::Bytes(VALUE)),
            (&set(BRIEF, 41).ex(60), DONE),
            (&ttl(BRIEF), Expect::Number(1, 60)),
            (&incr(BRIEF), number(42)),
            (&Push { key: KEY, value: "no list" }, Expect::Error(b"WRONGTYPE")),
            (&del(BRIEF), number(1)),
            (&get(BRIEF), Expect::Null),
        ];
        commands.iter().try_for_each(|&(command, expected)| self.ask(command, expected))
    }

    /// A value that is made as it is sent, and never is in memory as a whole.
    pub(crate) fn send_large(&mut self) -> Result<(), Failure> {
        self.submit(Token(0), &set(LARGE, Later(LENGTH.into())))?;
        let (mut next, mut tally) = (0, Tally::new(|_| DONE));
        while tally.answered == 0 && !self.server.connection().is_closed() {
            let piece: [u8; 64] = array::from_fn(|n| byte(next + n as u32));
            let taken = self.server.connection_mut().supply(&piece) as u32;
            next += taken;
            self.turn(&mut |event| tally.take(event));
        }
        self.check(tally.right)?;
        self.ask(&strlen(LARGE), number(LENGTH))
    }

    /// The same value again, looked at as it arrives.
    pub(crate) fn receive_large(&mut self) -> Result<(), Failure> {
        let (mut next, mut right) = (0, true);
        let mut look = |part: Part<'_>| {
            let Part::Chunk { bytes, .. } = part else { return };
            for received in bytes {
                right &= *received == byte(next);
                next += 1;
            }
        };
        let other = self.server.fetch(&chunked(get(LARGE)), &mut look, |_| ())?;
        self.check(right && next == LENGTH && other.is_none())
    }

    /// Each request waits for the answer to the one before.
    pub(crate) fn round_trips(&mut self) -> Result<(), Failure> {
        (0..1000).try_for_each(|_| self.ask(&get(KEY), Expect::Bytes(VALUE)))
    }

    /// No request waits for the answer to the one before, as long as there is room for it.
    pub(crate) fn pipeline(&mut self) -> Result<(), Failure> {
        self.ask(&del(COUNTER), Expect::Number(0, 1))?;
        let (mut asked, mut most, mut tally) = (0, 0, Tally::new(|n| number(n + 1)));
        while tally.answered < COUNT && !self.server.connection().is_closed() {
            asked += self.fill(COUNTER, asked, COUNT)?;
            most = most.max(self.server.connection().in_flight());
            self.turn(&mut |event| tally.take(event));
        }
        host::report(c"in flight at most: ", most as u32);
        self.check(tally.right && asked == COUNT && tally.answered == COUNT)
    }

    /// Submits INCR for the numbers from `asked` on and below `end`, as there is room. Says how many.
    pub(crate) fn fill(&mut self, key: &str, asked: u32, end: u32) -> Result<u32, Failure> {
        for number in asked..end {
            match self.server.submit(Token(number.into()), &incr(key)) {
                Ok(()) => {}
                Err(SubmitError::Full(_)) => return Ok(number - asked),
                Err(_) => return Err(Failure::Lost),
            }
        }
        Ok(end - asked)
    }

    /// A message comes while answers are awaited, and takes the place of none.
    pub(crate) fn message(&mut self) -> Result<(), Failure> {
        self.ask(&subscribe(CHANNEL), Expect::Values(&[b"subscribe", CHANNEL, b"1"]))?;
        let mut tally = Tally::new(|n| {
            number(match n {
                0 | 1 => COUNT + 1 + n,
                // One subscriber hears it: this connection.
                2 => 1,
                _ => COUNT + n,
            })
        });
        self.fill(COUNTER, 0, 2)?;
        self.submit(Token(2), &publish(CHANNEL, VALUE))?;
        self.fill(COUNTER, 3, 5)?;
        while tally.answered < 5 && !self.server.connection().is_closed() {
            self.turn(&mut |event| tally.take(event));
        }
        self.check(tally.right && tally.messages == 1)?;
        self.ask(&unsubscribe(CHANNEL), Expect::Values(&[b"unsubscribe", CHANNEL, b"0"]))
    }
}

/// LPUSH: a command that the crate has no row for, as an application adds one.
struct Push<'a> {
    key: &'a str,
    value: &'a str,
}

impl Request for Push<'_> {
    type Reply<'r> = i64;

    fn command(&self) -> &'static Command {
        static ROW: Command =
            Command { words: &["LPUSH"], access: Access::Write, blocks: None, ..Command::UNKNOWN };
        &ROW
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        sink.word("LPUSH");
        sink.key(self.key.as_bytes());
        sink.arg(self.value.as_bytes());
    }
}

/// The large value's byte at this place: all values are there, and line ends too.
fn byte(place: u32) -> u8 {
    (place % 251) as u8
}
