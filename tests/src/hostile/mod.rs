//! A hostile server for clients of RESP: thirty classes of attacks as data, and who plays them.
//!
//! Each [`Attack`] says what a server sends instead of an answer and what must come of it in a client
//! that can be trusted. The [`Adversary`] plays one over bytes: it shakes hands as a server does,
//! answers `ECHO` and `PING` truly, so that callers around the attack can tell their answers from
//! those of others, and says the attack to any other command. [`serve`] is the same behind a socket,
//! and the program `hostile` serves one attack on a port, for any client:
//!
//! ```sh
//! cargo run -p respire-tests --bin hostile -- --list
//! cargo run -p respire-tests --bin hostile -- nested-push --port 7777 --protocol 3
//! ```

mod adversary;
mod attack;
mod cut;
mod lengths;
mod limits;
mod lines;
mod order;
mod shapes;
mod socket;
mod values;

pub use adversary::{Adversary, Spoken};
pub use attack::{Ask, Attack, Found, Manner, Outcome, Room, Says};
pub use cut::{Cut, Cutter};
pub use socket::serve;

/// How many classes there are, numbered from 1.
pub const CLASSES: u8 = 30;

/// What each class is, from 1 on.
#[rustfmt::skip]
pub const TITLES: [&str; CLASSES as usize] = [
    "lengths that no 64-bit number holds",
    "lengths near 2^63",
    "lengths that wrap in 32 bits",
    "counts without end, counts that wrap when doubled",
    "negative lengths",
    "numbers in other spellings",
    "nulls of the other protocol",
    "nesting without end",
    "replies of very many values",
    "small on the wire, large in memory",
    "attributes everywhere",
    "streamed types",
    "broken line ends",
    "strings that do not end where they say",
    "lines without end",
    "text that is no text",
    "malformed doubles, booleans, verbatim strings and big numbers",
    "other protocols",
    "more answers than requests",
    "floods of pushes",
    "pushes inside other values",
    "another shape than the caller expects",
    "pieces that tempt to start again",
    "one byte in a while",
    "more than anybody would skip",
    "answers to those who left",
    "keys that cannot be hashed, keys that collide",
    "the same key twice",
    "errors that write to the terminal or the log",
    "lines that make a pattern backtrack",
];

/// Every attack, by class.
pub fn attacks() -> impl Iterator<Item = &'static Attack> {
    let tables = [lengths::TABLE, limits::TABLE, shapes::TABLE, lines::TABLE, order::TABLE, values::TABLE];
    let mut all: Vec<_> = tables.into_iter().flatten().collect();
    all.sort_by_key(|attack| attack.class);
    all.into_iter()
}

/// The attack of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Attack> {
    attacks().find(|attack| attack.name == name)
}
