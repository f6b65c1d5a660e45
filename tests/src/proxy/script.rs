//! What is done to connections, and where: a script is a list of steps, and a text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a [`Proxy`](super::Proxy) does, step by step. Without any step it only passes bytes on.
///
/// Places are counted in frames of each direction's own stream, from 0 on, the handshake included:
/// with RESP3 the first request is `HELLO`. Among replies every frame counts, pushes too.
///
/// As text each step is a line, so that a script can be printed and [parsed](str::parse) again:
///
/// ```
/// use respire_tests::proxy::{Act, At, Script};
///
/// let script = Script::new().requests(At::Within(2, 7), Act::Cut);
/// assert_eq!(script.to_string(), "* requests within 2:7 cut\n");
/// assert_eq!("* requests within 2:7 cut".parse(), Ok(script));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: Vec<Step>,
    /// Which connection the next step is for.
    connection: Option<usize>,
}

/// One thing that is done once, on one connection or on each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The number of the connection, from 0 on; `None` for each.
    pub connection: Option<usize>,
    /// In which direction.
    pub way: Way,
    /// Where in its stream.
    pub at: At,
    /// What.
    pub act: Act,
}

/// A direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Way {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Replies,
}

/// A place in a stream of frames. What lies behind its frame, because that is shorter, is at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// Before anything, as soon as there is a connection.
    Start,
    /// When the first byte of this frame is about to be passed on.
    Before(u64),
    /// When so many bytes of this frame were passed on.
    Within(u64, usize),
    /// When the last byte of this frame was passed on.
    After(u64),
}

/// What is done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// This direction rests so long, then goes on.
    Wait(Duration),
    /// This direction rests for ever.
    Stall,
    /// From here on, at most so many bytes in one write, and a pause after each.
    Pace(usize, Duration),
    /// The connection ends, for both sides in an orderly way: by FIN. What is on its way is lost.
    Cut,
    /// The connection ends, for both sides by RST.
    Reset,
    /// These bytes come first.
    Inject(Vec<u8>),
    /// The rest of this frame is not passed on.
    Drop,
    /// What follows of this frame is passed on twice.
    Repeat,
    /// In the next byte, this bit (0 to 7) is the other way.
    Flip(u8),
}

impl Script {
    /// Nothing is done.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The steps that follow are for this connection only.
    #[must_use]
    pub fn connection(mut self, number: usize) -> Self {
        self.connection = Some(number);
        self
    }

    /// Adds a step among requests.
    #[must_use]
    pub fn requests(self, at: At, act: Act) -> Self {
        self.step(Way::Requests, at, act)
    }

    /// Adds a step among replies.
    #[must_use]
    pub fn replies(self, at: At, act: Act) -> Self {
        self.step(Way::Replies, at, act)
    }

    /// Adds a step.
    #[must_use]
    pub fn step(mut self, way: Way, at: At, act: Act) -> Self {
        self.steps.push(Step { connection: self.connection, way, at, act });
        self
    }

    /// The steps, in the order in which they were added.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is to be done in one direction of one connection, in the order of places.
    pub(super) fn of(&self, connection: usize, way: Way) -> Vec<Step> {
        let meant =
            |step: &&Step| step.way == way && step.connection.is_none_or(|number| number == connection);
        let mut steps: Vec<Step> = self.steps.iter().filter(meant).cloned().collect();
        steps.sort_by_key(|step| step.at.order());
        for step in &mut steps {
            step.connection = Some(connection);
        }
        steps
    }
}

/// Scripts that do the same.
impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        self.steps == other.steps
    }
}

impl Eq for Script {}

impl FromIterator<Step> for Script {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self { steps: steps.into_iter().collect(), connection: None }
    }
}

impl At {
    /// Frame, and byte in it.
    fn order(self) -> (Option<u64>, usize) {
        match self {
            Self::Start => (None, 0),
            Self::Before(frame) => (Some(frame), 0),
            Self::Within(frame, byte) => (Some(frame), byte),
            Self::After(frame) => (Some(frame), usize::MAX),
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.connection {
            Some(number) => write!(f, "{number}")?,
            None => write!(f, "*")?,
        }
        write!(f, " {} {} {}", self.way, self.at, self.act)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::Replies => "replies",
        })
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Before(frame) => write!(f, "before {frame}"),
            Self::Within(frame, byte) => write!(f, "within {frame}:{byte}"),
            Self::After(frame) => write!(f, "after {frame}"),
        }
    }
}

impl fmt::Display for Act {
    /// Times are in microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait(time) => write!(f, "wait {}", time.as_micros()),
            Self::Stall => f.write_str("stall"),
            Self::Pace(size, pause) => write!(f, "pace {size} {}", pause.as_micros()),
            Self::Cut => f.write_str("cut"),
            Self::Reset => f.write_str("reset"),
            Self::Inject(bytes) => write!(f, "inject {}", bytes.escape_ascii()),
            Self::Drop => f.write_str("drop"),
            Self::Repeat => f.write_str("repeat"),
            Self::Flip(bit) => write!(f, "flip {bit}"),
        }
    }
}

/// A line of a script that says nothing known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptError(pub String);

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a step: {}", self.0)
    }
}

impl std::error::Error for ScriptError {}

impl FromStr for Script {
    type Err = ScriptError;

    fn from_str(text: &str) -> Result<Self, ScriptError> {
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
        lines.map(|line| step(line).ok_or_else(|| ScriptError(line.to_owned()))).collect()
    }
}

fn step(line: &str) -> Option<Step> {
    let (connection, rest) = line.split_once(' ')?;
    let connection = if connection == "*" { None } else { Some(connection.parse().ok()?) };
    let (way, rest) = rest.split_once(' ')?;
    let way = match way {
        "requests" => Way::Requests,
        "replies" => Way::Replies,
        _ => return None,
    };
    let (word, mut rest) = rest.split_once(' ')?;
    let mut next = || {
        let (word, behind) = rest.split_once(' ')?;
        rest = behind;
        Some(word)
    };
    let at = match word {
        "start" => At::Start,
        "before" => At::Before(next()?.parse().ok()?),
        "after" => At::After(next()?.parse().ok()?),
        "within" => {
            let (frame, byte) = next()?.split_once(':')?;
            At::Within(frame.parse().ok()?, byte.parse().ok()?)
        }
        _ => return None,
    };
    Some(Step { connection, way, at, act: act(rest)? })
}

fn act(text: &str) -> Option<Act> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let micros = |text: &str| text.trim().parse().ok().map(Duration::from_micros);
    Some(match word {
        "wait" => Act::Wait(micros(rest)?),
        "stall" => Act::Stall,
        "pace" => {
            let (size, pause) = rest.split_once(' ')?;
            Act::Pace(size.parse().ok()?, micros(pause)?)
        }
        "cut" => Act::Cut,
        "reset" => Act::Reset,
        "inject" => Act::Inject(unescape(rest)?),
        "drop" => Act::Drop,
        "repeat" => Act::Repeat,
        "flip" => Act::Flip(rest.trim().parse().ok().filter(|bit| *bit < 8)?),
        _ => return None,
    })
}

/// What [`escape_ascii`](slice::escape_ascii) made of bytes.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let (&kind, behind) = rest.split_first()?;
        rest = behind;
        bytes.push(match kind {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                rest = behind;
                u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_its_text() {
        let ms = Duration::from_millis;
        let all = [
            Act::Wait(ms(3)),
            Act::Stall,
            Act::Pace(7, ms(1)),
            Act::Cut,
            Act::Reset,
            Act::Inject((0..=255).collect()),
            Act::Drop,
            Act::Repeat,
            Act::Flip(7),
        ];
        let places = [At::Start, At::Before(0), At::Within(1, 20), At::After(3)];
        let mut script = Script::new().requests(At::Start, Act::Cut);
        for (i, act) in all.into_iter().enumerate() {
            script = if i % 2 == 0 { script.connection(i) } else { script };
            script = script.requests(places[i % 4], act.clone()).replies(places[(i + 1) % 4], act);
        }
        assert_eq!(script.to_string().parse(), Ok(script.clone()));
        assert_eq!(script.steps().len(), 19);
        for wrong in [
            "0 requests",
            "x requests start cut",
            "0 up start cut",
            "0 replies at 1 cut",
            "0 replies start flip 8",
        ] {
            assert_eq!(wrong.parse::<Script>(), Err(ScriptError(wrong.to_owned())));
        }
    }

    #[test]
    fn steps_stand_in_the_order_of_places() {
        let script = Script::new()
            .replies(At::After(1), Act::Cut)
            .replies(At::Before(2), Act::Drop)
            .connection(1)
            .replies(At::Within(1, 9), Act::Stall)
            .replies(At::Start, Act::Repeat);
        let acts =
            |number| script.of(number, Way::Replies).into_iter().map(|step| step.act).collect::<Vec<_>>();
        assert_eq!(acts(0), [Act::Cut, Act::Drop]);
        assert_eq!(acts(1), [Act::Repeat, Act::Stall, Act::Cut, Act::Drop]);
        assert!(script.of(1, Way::Requests).is_empty());
    }
}
