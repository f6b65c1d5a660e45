//! What is done while all goes well.

use core::array;

use respire_core::command::*;
use respire_core::conn::{Event, Failure as Fate, SubmitError, Token};
use respire_core::io::Transport;
use respire_core::resp::{Done, FromReply, Reply};
use respire_core::time::Duration;

use respire_firmware::board::host;

use crate::{Failure, PATIENCE, Session, check};

/// What is stored here is read again after the connection was lost.
pub(crate) const KEY: &str = "respire:session";
pub(crate) const VALUE: &[u8] = b"from the board";

const BRIEF: &str = "respire:session:brief";
const LARGE: &str = "respire:session:large";
const COUNTER: &str = "respire:n";
const CHANNEL: &[u8] = b"respire:session:news";

/// How long the large value is.
const LENGTH: u32 = 100_000;

/// How many requests the pipeline makes; it leaves this number at its key.
const COUNT: u64 = 2000;

impl Session<'_, '_> {
    /// Requests and answers of each kind: stored and read, a time to live, numbers, an error,
    /// deleted, nothing.
    pub(crate) fn commands(&mut self) -> Result<(), Failure> {
        self.ask(&set(KEY, VALUE), is_done)?;
        self.ask(&get(KEY), |reply| is(reply, VALUE))?;
        self.ask(&set(BRIEF, 41).ex(60), is_done)?;
        self.ask(&ttl(BRIEF), |reply| reply.get().is_ok_and(|seconds: i64| (1..=60).contains(&seconds)))?;
        self.ask(&incr(BRIEF), |reply| is(reply, 42_i64))?;
        self.ask(&words(&["LPUSH", KEY, "no list"]), |reply| {
            reply.error().is_some_and(|error| error.code() == b"WRONGTYPE")
        })?;
        self.ask(&del(BRIEF), |reply| is(reply, 1_i64))?;
        self.ask(&get(BRIEF), |reply| is(reply, None::<&[u8]>))
    }

    /// A value that is made as it is sent, and never is in memory as a whole.
    pub(crate) fn send_large(&mut self) -> Result<(), Failure> {
        let deadline = self.server.now().saturating_add(2 * PATIENCE);
        let request = set(LARGE, Later(LENGTH.into()));
        self.server.submit_until(Some(deadline), Token(0), &request).map_err(|_| Failure::WrongAnswer)?;
        let (mut next, mut answer) = (0, None);
        while answer.is_none() {
            let piece: [u8; 64] = array::from_fn(|n| byte(next + n as u32));
            let taken = self.server.connection_mut().supply(&piece) as u32;
            next += taken;
            let is_owing = self.server.connection().owed() > 0;
            if is_owing && taken == 0 {
                // A turn would wait for the answer; this waits for room.
                let until = self.server.now().saturating_add(PATIENCE);
                let _ = self.server.transport_mut().wait(true, Some(until));
            }
            self.turn(is_owing.then_some(Duration::ZERO), &mut |event| match event {
                Event::Reply { reply, .. } => answer = Some(check(is_done(reply))),
                Event::Failed { .. } => answer = Some(Err(Failure::Lost)),
                _ => {}
            });
        }
        answer.unwrap_or(Err(Failure::Lost))?;
        self.ask(&strlen(LARGE), |reply| is(reply, i64::from(LENGTH)))
    }

    /// The same value again, looked at as it arrives.
    pub(crate) fn receive_large(&mut self) -> Result<(), Failure> {
        let (mut next, mut right) = (0, true);
        let other = self.server.fetch(
            &chunked(get(LARGE)),
            |bytes| {
                for received in bytes {
                    right &= *received == byte(next);
                    next += 1;
                }
            },
            |_| (),
        )?;
        check(right && next == LENGTH && other.is_none())
    }

    /// Each request waits for the answer to the one before.
    pub(crate) fn round_trips(&mut self) -> Result<(), Failure> {
        let request = get(KEY);
        for _ in 0..1000 {
            self.ask(&request, |reply| is(reply, VALUE))?;
        }
        Ok(())
    }

    /// No request waits for the answer to the one before, as long as there is room for it.
    pub(crate) fn pipeline(&mut self) -> Result<(), Failure> {
        self.server.call(&del(COUNTER), |_| (), |_| {})?;
        let (mut asked, mut most, mut tally) = (0, 0, Tally::new());
        while tally.answered < COUNT && tally.unknown + tally.not_sent == 0 {
            let taken = self.fill(COUNTER, asked, COUNT)?;
            asked += taken;
            most = most.max(self.server.connection().in_flight());
            // What is written makes room for more, so answers are waited for only if there was none.
            let patience = (taken > 0).then_some(Duration::ZERO);
            self.turn(patience, &mut |event| tally.take(event, |n, reply| is(reply, n as i64 + 1)));
        }
        host::report(c"requests in flight at most: ", most as u32);
        check(tally.right && asked == COUNT && tally.answered == COUNT)
    }

    /// Submits INCR for the numbers from `asked` on and below `end`, as there is room. Says how many.
    pub(crate) fn fill(&mut self, key: &str, asked: u64, end: u64) -> Result<u64, Failure> {
        for number in asked..end {
            match self.server.submit(Token(number), &incr(key)) {
                Ok(()) => {}
                Err(SubmitError::Full(_)) => return Ok(number - asked),
                Err(_) => return Err(Failure::Lost),
            }
        }
        Ok(end - asked)
    }

    /// A message comes while answers are awaited, and takes the place of none.
    pub(crate) fn message(&mut self) -> Result<(), Failure> {
        self.ask(&subscribe(CHANNEL), |reply| is(reply, (&b"subscribe"[..], CHANNEL, 1_i64)))?;
        let mut tally = Tally::new();
        self.fill(COUNTER, 0, 2)?;
        // One subscriber hears it: this connection.
        self.server.submit(Token(2), &publish(CHANNEL, VALUE)).map_err(|_| Failure::WrongAnswer)?;
        self.fill(COUNTER, 3, 5)?;
        while tally.answered < 5 && !self.server.connection().is_closed() {
            self.turn(None, &mut |event| {
                tally.take(event, |n, reply| {
                    is(
                        reply,
                        match n {
                            0 | 1 => 2001 + n as i64,
                            2 => 1,
                            _ => 2000 + n as i64,
                        },
                    )
                });
            });
        }
        check(tally.right && tally.messages == 1)?;
        self.ask(&unsubscribe(CHANNEL), |reply| is(reply, (&b"unsubscribe"[..], CHANNEL, 0_i64)))
    }
}

/// What became of requests whose tokens are their numbers, from 0 on.
pub(crate) struct Tally {
    pub(crate) answered: u64,
    pub(crate) unknown: u64,
    pub(crate) not_sent: u64,
    pub(crate) messages: u32,
    /// All answers came in order and were right; so were the messages.
    pub(crate) right: bool,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self { answered: 0, unknown: 0, not_sent: 0, messages: 0, right: true }
    }

    /// Counts an event; `is_right` looks at the answer to a request.
    pub(crate) fn take(&mut self, event: Event<'_>, is_right: fn(u64, Reply<'_>) -> bool) {
        match event {
            Event::Reply { token: Token(number), reply } => {
                self.right &= number == self.answered && is_right(number, reply);
                self.answered += 1;
            }
            Event::Failed { failure: Fate::NotSent, .. } => self.not_sent += 1,
            Event::Failed { .. } => self.unknown += 1,
            Event::Push(push) => {
                self.right &= is(push, (&b"message"[..], CHANNEL, VALUE));
                self.messages += 1;
            }
            _ => {}
        }
    }
}

/// The large value's byte at this place: all values are there, and line ends too.
fn byte(place: u32) -> u8 {
    (place % 251) as u8
}

/// Whether the answer is this value, and no error.
pub(crate) fn is<'r, T: FromReply<'r> + PartialEq>(reply: Reply<'r>, value: T) -> bool {
    reply.get().is_ok_and(|answer: T| answer == value)
}

pub(crate) fn is_done(reply: Reply<'_>) -> bool {
    reply.get::<Done>().is_ok()
}
