//! What can be pushed.

use respire_core::command::{AnyRequest, Args, Request, Retry, words};
use respire_core::resp::Encoder;

/// What a request touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Touches {
    Nothing,
    Key(&'static str),
    Anything,
}

impl Touches {
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => false,
            (Self::Key(one), Self::Key(two)) => one == two,
            _ => true,
        }
    }
}

/// What can be pushed.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) words: Vec<String>,
    pub(crate) touches: Touches,
    pub(crate) retry: Retry,
    /// A script may say anything.
    pub(crate) script: bool,
}

impl Kind {
    pub(crate) fn new(dice: u8, len: u8) -> Self {
        let key = ["a", "b", "c"][usize::from(dice / 8) % 3];
        let value = "v".repeat(usize::from(len));
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let one = Touches::Key(key);
        let (words, touches, retry): (_, _, _) = match dice % 8 {
            0 | 1 => (words(&["SET", key, &value]), one, Retry::LastWriteWins),
            2 | 3 => (words(&["INCR", key]), one, Retry::Accumulating),
            4 => (words(&["get", key]), one, Retry::ReadOnly),
            5 => (words(&["MSET", key, &value, "c", "1"]), Touches::Anything, Retry::LastWriteWins),
            6 => (words(&["ECHO", &value]), Touches::Nothing, Retry::Always),
            _ => (words(&["EVAL", "return 1", "0"]), Touches::Anything, Retry::Never),
        };
        Self { words, touches, retry, script: dice % 8 == 7 }
    }

    pub(crate) fn with<R>(&self, act: impl FnOnce(&dyn AnyRequest) -> R) -> R {
        act(&words(&self.words))
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut bytes = vec![0; 400];
        let mut encoder = Encoder::new(&mut bytes);
        words(&self.words).visit(&mut encoder);
        let len = encoder.finish().len();
        bytes.truncate(len);
        assert_eq!(Retry::of(Args::new(&bytes)), self.retry);
        bytes
    }
}
