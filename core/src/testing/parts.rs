//! Answers that are told in parts, put together again.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::conn::{Part, Token};
use crate::resp::{Kind, ServerError};

/// An answer of which the last part has not come.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) token: Token,
    /// What was told so far, as [`Reply`](crate::resp::Reply)'s `Debug` would, and `end` for each end.
    text: String,
    string: Option<Chunks>,
    /// Values still to come at each level that is open, where that is known.
    open: Vec<Option<u64>>,
}

#[derive(Debug)]
struct Chunks {
    kind: Kind,
    all: Vec<u8>,
    total: Option<u64>,
}

impl Parts {
    pub(crate) const fn new(token: Token) -> Self {
        Self { token, text: String::new(), string: None, open: Vec::new() }
    }

    /// Adds a part. The whole text once it is the last; an error if the parts make no sense.
    pub(crate) fn add(&mut self, token: Token, part: Part<'_>, last: bool) -> Result<Option<String>, String> {
        if token != self.token || !self.take(part) {
            return Err(format!("{part:?} behind {self:?}"));
        }
        if last != (self.open.is_empty() && self.string.is_none()) {
            return Err(format!("last is {last} at {part:?} behind {self:?}"));
        }
        Ok(last.then(|| core::mem::take(&mut self.text)))
    }

    fn take(&mut self, part: Part<'_>) -> bool {
        if !matches!(part, Part::Chunk { .. }) && self.string.is_some() {
            return false;
        }
        match part {
            Part::Begin { kind, len } => {
                let name = kind.name().rsplit(' ').next().unwrap_or_default();
                let len_or = |len: u64| format!("{name}({len})");
                self.say(&len.map_or_else(|| format!("{name}(streamed)"), len_or));
                let counted = self.count();
                self.open.push(len);
                counted
            }
            Part::Value(reply) => {
                self.say(&format!("{reply:?}"));
                self.count() && !self.open.is_empty()
            }
            Part::End => {
                self.say("end");
                matches!(self.open.pop(), Some(None | Some(0)))
            }
            Part::Chunk { kind, bytes, left } => self.chunk(kind, bytes, left),
        }
    }

    fn chunk(&mut self, kind: Kind, bytes: &[u8], left: Option<u64>) -> bool {
        let first = self.string.is_none();
        let mut string = self.string.take().unwrap_or(Chunks { kind, all: Vec::new(), total: None });
        string.all.extend_from_slice(bytes);
        let total = left.map(|left| left + string.all.len() as u64);
        let last = left == Some(0);
        let fits = first || string.kind == kind && (total == string.total || last && string.total.is_none());
        if !fits || bytes.is_empty() && !last {
            return false;
        }
        string.total = total;
        if !last {
            self.string = Some(string);
            return true;
        }
        let all = string.all.as_slice();
        let text = match kind {
            Kind::Error | Kind::BulkError => format!("{:?}", ServerError::new(all)),
            Kind::BigNumber => format!("{}", all.escape_ascii()),
            _ => format!("\"{}\"", all.escape_ascii()),
        };
        self.say(&text);
        self.count()
    }

    fn say(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text += text;
    }

    /// Counts a value at the innermost level.
    fn count(&mut self) -> bool {
        match self.open.last_mut() {
            Some(Some(left)) => match left.checked_sub(1) {
                Some(fewer) => {
                    *left = fewer;
                    true
                }
                None => false,
            },
            _ => true,
        }
    }
}
