//! What answers must say, as data: one function looks at them all.

use respire_core::conn::{Event, Failure, Token};
use respire_core::resp::Reply;
use respire_firmware::board::host;

use crate::parts::MESSAGE;

/// What an answer must say.
#[derive(Clone, Copy)]
pub(crate) enum Expect<'a> {
    /// Exactly these bytes.
    Bytes(&'a [u8]),
    /// A number that is no less than the first and no more than the second.
    Number(u32, u32),
    /// That there is nothing.
    Null,
    /// An error with this code.
    Error(&'a [u8]),
    /// Several values: these bytes, or numbers in digits.
    Values(&'a [&'a [u8]]),
}

/// What is said when something was stored.
pub(crate) const DONE: Expect<'static> = Expect::Bytes(b"OK");

/// This number and no other.
pub(crate) const fn number(n: u32) -> Expect<'static> {
    Expect::Number(n, n)
}

/// Whether it does. By accessors: what decodes an answer into types of Rust accepts more, and is larger.
pub(crate) fn is(reply: Reply<'_>, expected: Expect<'_>) -> bool {
    match expected {
        Expect::Bytes(bytes) => reply.as_bytes() == Some(bytes),
        Expect::Number(least, most) => {
            reply.as_bytes().and_then(host::number).is_some_and(|n| least <= n && n <= most)
        }
        Expect::Null => reply.is_null(),
        Expect::Error(code) => reply.error().is_some_and(|error| error.code() == code),
        Expect::Values(values) => reply.elements().is_some_and(|elements| {
            elements.map(|element| element.ok()?.as_bytes()).eq(values.iter().map(|&value| Some(value)))
        }),
    }
}

/// The token of a request whose answer [`Tally`] does not count.
pub(crate) const ASIDE: Token = Token(u64::MAX);

/// What became of requests whose tokens are their numbers, from 0 on.
pub(crate) struct Tally {
    pub(crate) answered: u32,
    pub(crate) unknown: u32,
    pub(crate) not_sent: u32,
    pub(crate) messages: u32,
    /// All answers came in order and were right; so were the messages.
    pub(crate) right: bool,
    /// What the answer to the request with this number must say.
    expected: fn(u32) -> Expect<'static>,
}

impl Tally {
    pub(crate) const fn new(expected: fn(u32) -> Expect<'static>) -> Self {
        Self { answered: 0, unknown: 0, not_sent: 0, messages: 0, right: true, expected }
    }

    /// Counts an event.
    pub(crate) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Reply { token: ASIDE, .. } => {}
            Event::Reply { token, reply } => {
                let expected = (self.expected)(self.answered);
                self.right &= token == Token(self.answered.into()) && is(reply, expected);
                self.answered += 1;
            }
            Event::Failed { failure: Failure::NotSent, .. } => self.not_sent += 1,
            Event::Failed { .. } => self.unknown += 1,
            Event::Push(push) => {
                self.right &= is(push, MESSAGE);
                self.messages += 1;
            }
            _ => {}
        }
    }
}
