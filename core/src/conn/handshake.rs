//! The handshake: one batch, and a second one for servers that know no HELLO.
//!
//! First choice: `HELLO 3 [AUTH user password] [SETNAME name]`, then SELECT, the CLIENT commands and, at
//! the end, an ECHO that proves that no answer was lost or too many, in one write. Servers before Redis 6.0 answer HELLO with an error; then the second choice, which
//! was encoded along with the first and held back, is released: AUTH, CLIENT SETNAME, SELECT.
//! So the settings need not outlive the call that starts the connection. Authentication is always
//! the first thing in a batch: some servers do not answer a failing AUTH further behind.

use super::settings::{Protocol, Settings, Tracking};
use crate::command::{Command, Request};
use crate::flaw::flaw;
use crate::resp::{ArgSink, Digits, Kind, Reply};

/// Things to do, done in the order of their bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Steps(u16);

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Step {
    Hello,
    Auth,
    SetName,
    Select,
    NoEvict,
    NoTouch,
    Tracking,
    LibName,
    LibVer,
    Echo,
    /// The same at the end of the second choice, with the next number: the answer to the first may still come.
    EchoAgain,
}

impl Step {
    const ALL: [Self; 11] = [
        Self::Hello,
        Self::Auth,
        Self::SetName,
        Self::Select,
        Self::NoEvict,
        Self::NoTouch,
        Self::Tracking,
        Self::LibName,
        Self::LibVer,
        Self::Echo,
        Self::EchoAgain,
    ];
}

impl Steps {
    const NONE: Self = Self(0);

    fn when(self, step: Step, wanted: bool) -> Self {
        if wanted { Self(self.0 | 1 << step as u8) } else { self }
    }

    pub(super) fn first(self) -> Option<Step> {
        Step::ALL.into_iter().find(|&step| self.0 & (1 << step as u8) != 0)
    }

    const fn has(self, step: Step) -> bool {
        self.0 & (1 << step as u8) != 0
    }

    pub(super) const fn without(self, step: Step) -> Self {
        Self(self.0 & !(1 << step as u8))
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Step> {
        Step::ALL.into_iter().filter(move |&step| self.0 & (1 << step as u8) != 0)
    }
}

/// Where the handshake stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshake {
    /// Steps of the current batch that are not answered.
    pending: Steps,
    /// The batch that is held back; nothing once it is released or not needed.
    fallback: Option<Steps>,
    /// HELLO was answered by "unknown command": the rest of the batch does not count.
    hello_unknown: bool,
    protocol: Protocol,
    /// What the last step must bring back.
    nonce: u64,
}

/// What an answer means for the handshake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// More answers are owed.
    Pending,
    /// The second choice must be sent.
    FallBack,
    /// Done.
    Ready(Protocol),
    /// The server's answer ends it.
    Rejected,
    /// This is no answer to what was asked, so that all others would be one off.
    Stray,
}

impl Handshake {
    /// The batches for these settings: what to send, and what to hold back.
    pub(super) fn new(settings: &Settings<'_>) -> Self {
        let password = settings.password.is_some();
        let common = Steps::NONE
            .when(Step::Select, settings.db != 0)
            .when(Step::NoEvict, settings.no_evict)
            .when(Step::NoTouch, settings.no_touch)
            .when(Step::Echo, settings.nonce.is_some());
        let by_hand = common.when(Step::Auth, password).when(Step::SetName, settings.name.is_some());
        let again = by_hand.without(Step::Echo).when(Step::EchoAgain, settings.nonce.is_some());
        let identify = settings.library.is_some();
        let labels = |steps: Steps| steps.when(Step::LibName, identify).when(Step::LibVer, identify);
        let hello = common.when(Step::Hello, true).when(Step::Tracking, settings.tracking.is_some());
        let (pending, fallback, protocol) = match settings.protocol {
            // In RESP2 nobody would hear of a change.
            _ if settings.tracking.is_some() => (labels(hello), None, Protocol::Resp3),
            Some(Protocol::Resp2) => (labels(by_hand), None, Protocol::Resp2),
            Some(Protocol::Resp3) => (labels(hello), None, Protocol::Resp3),
            None => (labels(hello), Some(again), Protocol::Resp3),
        };
        Self { pending, fallback, hello_unknown: false, protocol, nonce: settings.nonce.unwrap_or_default() }
    }

    pub(super) const fn pending(&self) -> Steps {
        self.pending
    }

    pub(super) const fn fallback(&self) -> Option<Steps> {
        self.fallback
    }

    /// Whether nothing is left to do.
    pub(super) fn outcome(&mut self) -> Outcome {
        if self.pending != Steps::NONE {
            return Outcome::Pending;
        }
        match self.fallback.take() {
            Some(steps) if self.hello_unknown => {
                self.hello_unknown = false;
                self.nonce = self.nonce.wrapping_add(1);
                self.protocol = Protocol::Resp2;
                self.pending = steps;
                if steps == Steps::NONE { Outcome::Ready(self.protocol) } else { Outcome::FallBack }
            }
            _ => Outcome::Ready(self.protocol),
        }
    }

    /// Takes the answer to the oldest step: its kind, and its text if it is a status or an error.
    pub(super) fn answer(&mut self, kind: Kind, text: &[u8]) -> Outcome {
        let Some(step) = self.pending.first() else { return Outcome::Stray };
        self.pending = self.pending.without(step);
        if self.hello_unknown {
            return self.outcome();
        }
        flaw!(NonceIgnored => if matches!(step, Step::Echo | Step::EchoAgain) { return self.outcome() });
        match (step, kind) {
            (Step::Hello, Kind::Map) => {}
            // Proxies know the version and not the shape. In RESP2 nobody would hear of a change.
            (Step::Hello, Kind::Array) if !self.pending.has(Step::Tracking) => {
                self.protocol = Protocol::Resp2;
            }
            (Step::Hello, kind) if kind.is_error() && self.fallback.is_some() && is_unknown_hello(text) => {
                self.hello_unknown = true;
            }
            (Step::Echo | Step::EchoAgain, kind) if kind.is_error() && text.starts_with(b"NOAUTH") => {
                return Outcome::Rejected;
            }
            // These change nothing that matters, and an error is an answer as good as another.
            (Step::LibName | Step::LibVer | Step::Echo | Step::EchoAgain, kind)
                if kind.is_error() && !is_refusal(text) => {}
            (_, kind) if kind.is_error() => return Outcome::Rejected,
            (Step::Hello, _) => return Outcome::Stray,
            (Step::Echo | Step::EchoAgain, Kind::Bulk | Kind::Simple)
                if text == Digits::unsigned(self.nonce).as_bytes() => {}
            (Step::Echo | Step::EchoAgain, _) => return Outcome::Stray,
            _ if text == b"OK" => {}
            _ => return Outcome::Stray,
        }
        self.outcome()
    }
}

/// "ERR unknown command" of Redis 5 and of proxies that know no HELLO; "NOPROTO" of servers that
/// know it but not version 3.
fn is_unknown_hello(text: &[u8]) -> bool {
    let unknown = b"ERR unknown command";
    text.get(..unknown.len()).is_some_and(|start| start.eq_ignore_ascii_case(unknown))
        || text.starts_with(b"NOPROTO")
}

/// What a server says that will not talk to us at all, whatever the step.
fn is_refusal(text: &[u8]) -> bool {
    text.starts_with(b"ERR max number of clients") || text.starts_with(b"DENIED")
}

/// A step as a request.
pub(super) struct StepRequest<'a> {
    pub(super) step: Step,
    pub(super) settings: &'a Settings<'a>,
}

impl Request for StepRequest<'_> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        &Command::PROMPT
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        let number = match self.step {
            Step::Echo => self.settings.nonce.unwrap_or_default(),
            Step::EchoAgain => self.settings.nonce.unwrap_or_default().wrapping_add(1),
            _ => self.settings.db.into(),
        };
        let digits = Digits::unsigned(number);
        self.words(&digits).into_iter().flatten().for_each(|word| sink.arg(word));
    }
}

impl<'a> StepRequest<'a> {
    /// The words, with gaps. As values, for every visit of a request is code of its own.
    fn words(&self, number: &'a Digits) -> [Option<&'a [u8]>; 7] {
        let Settings { user, password, name, library, .. } = *self.settings;
        let word = |text: &'static str| Some(text.as_bytes());
        let text = |text: Option<&'a str>| Some(text.unwrap_or_default().as_bytes());
        let (login, named) = (password.is_some(), name.is_some());
        let when = |wanted: bool, text: &'static str| if wanted { word(text) } else { None };
        match self.step {
            Step::Hello => [
                word("HELLO"),
                word("3"),
                when(login, "AUTH"),
                if login { text(user.or(Some("default"))) } else { None },
                password.map(str::as_bytes),
                when(named, "SETNAME"),
                name.map(str::as_bytes),
            ],
            // Servers before Redis 6.0 know no users.
            Step::Auth => [word("AUTH"), user.map(str::as_bytes), text(password), None, None, None, None],
            Step::SetName => [word("CLIENT"), word("SETNAME"), text(name), None, None, None, None],
            Step::Select => [word("SELECT"), Some(number.as_bytes()), None, None, None, None, None],
            Step::Echo | Step::EchoAgain => {
                [word("ECHO"), Some(number.as_bytes()), None, None, None, None, None]
            }
            Step::NoEvict => [word("CLIENT"), word("NO-EVICT"), word("ON"), None, None, None, None],
            Step::NoTouch => [word("CLIENT"), word("NO-TOUCH"), word("ON"), None, None, None, None],
            Step::Tracking => {
                let [mode, own] = self.settings.tracking.map_or([""; 2], Tracking::words);
                let [mode, own] = [mode, own].map(|word| when(!word.is_empty(), word));
                [word("CLIENT"), word("TRACKING"), word("ON"), mode, own, None, None]
            }
            Step::LibName => self.label("LIB-NAME", library.map(|(name, _)| name)),
            Step::LibVer => self.label("LIB-VER", library.map(|(_, version)| version)),
        }
    }

    fn label(&self, attribute: &'static str, text: Option<&'a str>) -> [Option<&'a [u8]>; 7] {
        let [client, setinfo] = ["CLIENT", "SETINFO"].map(|word| Some(word.as_bytes()));
        let text = text.unwrap_or_default().as_bytes();
        [client, setinfo, Some(attribute.as_bytes()), Some(text), None, None, None]
    }
}
