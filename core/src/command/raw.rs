//! Commands without a row.

use super::{Arg, Argument, Command, Key, Request};
use crate::resp::{ArgSink, Encoder, Reply, copy};

/// A command by its name, with arguments to follow. A name of several words, such as
/// `CONFIG GET`, is sent as several.
///
/// ```
/// use respire_core::command::{raw, Request};
/// let request = raw("JSON.SET").key("doc").arg("$").arg("[1,2]").typed::<bool>();
/// ```
pub const fn raw(name: &str) -> Raw<Name<'_>> {
    Raw(Name(name))
}

/// A command as a list of words, its name first.
///
/// ```
/// use respire_core::command::words;
/// let request = words(&["SET", "k", "v"]);
/// ```
pub const fn words<T: AsRef<[u8]>>(words: &[T]) -> Words<'_, T> {
    Words(words)
}

/// See [`raw`].
#[derive(Clone, Copy)]
#[must_use = "a request does nothing until it is sent"]
pub struct Raw<A>(A);

/// See [`words`].
#[derive(Clone, Copy)]
#[must_use = "a request does nothing until it is sent"]
pub struct Words<'a, T>(&'a [T]);

/// The name of a raw command.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(&'a str);

/// What came before, and one argument more.
#[derive(Clone, Copy, Debug)]
pub struct Then<A, B>(A, B);

impl<A> Raw<A> {
    /// Adds an argument.
    pub fn arg<'a>(self, arg: impl Into<Arg<'a>>) -> Raw<Then<A, Arg<'a>>> {
        Raw(Then(self.0, arg.into()))
    }

    /// Adds a key.
    pub fn key<'a>(self, key: impl Into<Key<'a>>) -> Raw<Then<A, Key<'a>>> {
        Raw(Then(self.0, key.into()))
    }

    /// Adds whatever arguments `args` stands for: [`Keys`](super::Keys), [`Pairs`](super::Pairs).
    pub fn with<B: Argument>(self, args: B) -> Raw<Then<A, B>> {
        Raw(Then(self.0, args))
    }
}

impl Argument for Name<'_> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.split_ascii_whitespace().for_each(|word| sink.arg(word.as_bytes()));
    }
}

impl<A: Argument, B: Argument> Argument for Then<A, B> {
    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.visit(sink);
        self.1.visit(sink);
    }
}

impl<A: Argument> Request for Raw<A> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        lookup(self)
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.0.visit(sink);
    }
}

#[cfg(feature = "alloc")]
impl<A: Argument> super::OwnedReply for Raw<A> {
    type Owned = crate::resp::Value;
}

impl<T: AsRef<[u8]>> Request for Words<'_, T> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        let word = |at: usize| self.0.get(at).map_or(&[][..], AsRef::as_ref);
        Command::lookup(word(0), word(1))
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        // A password after AUTH is hidden by whoever shows words; here nothing is shown.
        self.0.iter().for_each(|word| sink.arg(word.as_ref()));
    }
}

#[cfg(feature = "alloc")]
impl<T: AsRef<[u8]>> super::OwnedReply for Words<'_, T> {
    type Owned = crate::resp::Value;
}

impl<T> core::fmt::Debug for Words<'_, T> {
    /// How many words there are, and none of them: one may be a password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Words").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

impl<A: Argument> core::fmt::Debug for Raw<A> {
    /// How many words there are, and none of them: one may be a password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut measure = Encoder::new(&mut []);
        self.0.visit(&mut measure);
        f.debug_struct("Raw").field("len", &measure.finish().args()).finish_non_exhaustive()
    }
}

/// Finds the row by the first two arguments.
fn lookup<R: Request>(request: &R) -> &'static Command {
    /// Keeps the start of the first two words: no name in the table is longer.
    #[derive(Default)]
    struct Front {
        words: [[u8; 16]; 2],
        lens: [usize; 2],
        seen: usize,
    }

    impl ArgSink for Front {
        fn arg(&mut self, bytes: &[u8]) {
            if let (Some(word), Some(len)) = (self.words.get_mut(self.seen), self.lens.get_mut(self.seen))
                && bytes.len() <= word.len()
            {
                copy(word, bytes);
                *len = bytes.len();
            }
            self.seen += 1;
        }
    }

    let mut front = Front::default();
    request.visit(&mut front);
    let [first, second] = &front.words;
    let [a, b] = front.lens;
    Command::lookup(first.get(..a).unwrap_or_default(), second.get(..b).unwrap_or_default())
}
