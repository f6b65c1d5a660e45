//! One story told again and again, and each time another call fails: the first, the second, up to the last.

use alloc::format;
use alloc::string::String;
use core::fmt;

use super::Options;
use super::play::World;

/// What a driver does that may fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Call {
    /// A read fails: the connection is reset, and what was not read is lost.
    Read,
    /// A read finds the end of the stream; what was not read is lost.
    End,
    /// A write fails: the connection is reset, and what was sent before may be executed.
    Write,
    /// Nobody accepts the connection.
    Connect,
    /// A timer fires late.
    Timer,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Read, Self::End, Self::Write, Self::Connect, Self::Timer];
}

/// What came of all the stories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swept {
    /// How many stories in which a call failed, for each kind of call in the order of [`Call::ALL`].
    pub cases: [u64; Call::ALL.len()],
    /// What must not be, if anything, and which call had failed.
    pub wrong: Option<String>,
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = self.wrong.as_deref().unwrap_or("nothing wrong");
        write!(f, "{} cases: {wrong}", self.cases.iter().sum::<u64>())
    }
}

/// Plays `options` with the first call of a kind failing, then the second, until the story has no more
/// of them; so for each kind. Ends with the first that goes wrong.
#[must_use]
pub fn sweep(options: &Options) -> Swept {
    let mut swept = Swept { cases: [0; Call::ALL.len()], wrong: None };
    for (call, cases) in Call::ALL.into_iter().zip(&mut swept.cases) {
        for n in 1.. {
            let (report, _, calls) =
                World::new(options, 0, Calls { fails: Some((call, n)), ..Calls::default() }).play();
            if let Some(wrong) = report.wrong {
                swept.wrong = Some(format!("{options}, {call:?} {n} fails: {wrong}"));
                return swept;
            }
            if calls.count(call) < n {
                break;
            }
            *cases += 1;
        }
    }
    swept
}

/// The calls of a story, counted, and which of them fails.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calls {
    fails: Option<(Call, u64)>,
    counts: [u64; Call::ALL.len()],
}

impl Calls {
    /// Counts a call, and says whether it is the one that fails.
    pub(super) fn fails(&mut self, call: Call) -> bool {
        let Some(count) = self.counts.get_mut(call as usize) else { return false };
        *count += 1;
        self.fails == Some((call, *count))
    }

    fn count(&self, call: Call) -> u64 {
        self.counts.get(call as usize).copied().unwrap_or(0)
    }
}
