//! What applications ask for: every kind of request, each with a token of its own.

use super::Random;
use super::server::{LARGE, SHAPES};
use crate::resp::Digits;

/// A request, without its token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) word: Word,
    pub(super) number: u64,
    /// To be answered in parts.
    pub(super) chunked: bool,
    /// So many bytes are supplied later.
    pub(super) later: Option<u64>,
}

/// The name of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Echo,
    Get,
    Set,
    Swap,
    Count,
    Eval,
    EvalSha,
    Multi,
    Exec,
    Discard,
    Watch,
    Subscribe,
    Unsubscribe,
    Wait,
    Reset,
    Quit,
}

impl Word {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "ECHO",
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Swap => "GETSET",
            Self::Count => "HINCRBY",
            Self::Eval => "EVAL",
            Self::EvalSha => "EVALSHA",
            Self::Multi => "MULTI",
            Self::Exec => "EXEC",
            Self::Discard => "DISCARD",
            Self::Watch => "WATCH",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Wait => "BLPOP",
            Self::Reset => "RESET",
            Self::Quit => "QUIT",
        }
    }
}

impl Plan {
    pub(super) const fn new(word: Word) -> Self {
        Self { word, number: 0, chunked: false, later: None }
    }

    /// One that may stand inside a transaction.
    pub(super) fn data(random: &mut Random) -> Self {
        let number = random.below(4);
        match random.below(16) {
            0..=3 => Self::new(Word::Echo),
            4 => Self { number, ..Self::new(Word::Get) },
            5 => Self { number, ..Self::new(Word::Set) },
            6 => Self { number, ..Self::new(Word::Swap) },
            7..=8 => Self::new(Word::Count),
            9 => Self { number: random.below(SHAPES), ..Self::new(Word::EvalSha) },
            _ => Self { number: random.below(SHAPES), ..Self::new(Word::Eval) },
        }
    }

    /// Any.
    pub(super) fn any(random: &mut Random, subscribes: bool) -> Self {
        let mut plan = match random.below(64) {
            0 => Self { number: 1 + random.below(20), ..Self::new(Word::Wait) },
            1 => Self::new(Word::Watch),
            2..=5 => Self::new(Word::Multi),
            6..=8 => Self { number: LARGE + random.below(900), ..Self::new(Word::Eval) },
            9..=11 if subscribes => Self::new(Word::Subscribe),
            12 if subscribes => Self::new(Word::Unsubscribe),
            13..=15 => {
                Self { later: Some(random.below(400)), number: random.below(4), ..Self::new(Word::Set) }
            }
            _ => Self::data(random),
        };
        plan.chunked = matches!(plan.word, Word::Echo | Word::Eval | Word::Get) && random.one_in(4);
        plan
    }

    /// Its words, with the token last.
    pub(super) fn words<'a>(&self, digits: &'a Digits, token: &'a [u8]) -> ([&'a [u8]; 3], usize) {
        let name = self.word.name().as_bytes();
        match self.word {
            Word::Get | Word::Set | Word::Swap | Word::Eval | Word::EvalSha | Word::Wait => {
                ([name, digits.as_bytes(), token], 3)
            }
            _ => ([name, token, b""], 2),
        }
    }
}
