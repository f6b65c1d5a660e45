//! All that a device may ask of a server, over one connection in fixed memory.
//!
//! The last word of the command line is where to connect: `PORT`, or `USER:PASSWORD@PORT`. Each part
//! prints one line. In the last one the connection is lost, and another takes its place: whoever runs
//! this has five seconds to kill it, else it leaves by itself.
//!
//! Exit status: 0, or one of [`Failure`].
#![no_std]
#![no_main]

mod answer;
mod lost;
mod parts;

use core::ffi::CStr;

use cortex_m_rt::entry;
use respire_core::command::AnyRequest;
use respire_core::conn::{
    CloseReason, Config, Connection, Event, Failure as Fate, Protocol, Settings, Token,
};
use respire_core::io::{CallError, Driver, StartError};
use respire_core::time::Duration;
use respire_firmware::board::clock::Clock;
use respire_firmware::board::{host, stack};
use respire_firmware::net::{Memory, NO_SOCKET, Net};

use crate::answer::{Expect, is};

/// How long the server may take to accept us, and again for each answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many requests may wait for their answers.
const IN_FLIGHT: usize = 20;

/// Whatever we receive goes through this, a value of 100,000 bytes too.
const RECEIVE: usize = 96;
/// And whatever we send.
const TRANSMIT: usize = 384;

/// What can go wrong, with its exit status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// The command line does not say where to connect, or with a login that is too long.
    NoPort = 2,
    /// Nobody listens, or nobody answers.
    CannotConnect = 20,
    /// The connection ended, or an answer did not come in time.
    Lost = 21,
    /// The server said something else than it should.
    WrongAnswer = 22,
    /// The server does not take the login.
    Rejected = 23,
    /// After the connection was lost, none of several attempts made another.
    NotBack = 24,
}

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut RECEIVED: [u8; RECEIVE] = [0; RECEIVE];
    static mut TRANSMITTED: [u8; TRANSMIT] = [0; TRANSMIT];

    let mut sockets = NO_SOCKET;
    let net = Net::start(Clock::start(), MEMORY, &mut sockets);
    let config = Config { handshake_timeout: PATIENCE, reply_timeout: Some(PATIENCE), ..Config::DEVICE };
    let mut server = Driver::new(Connection::new(&mut RECEIVED[..], &mut TRANSMITTED[..], config), net);
    let mut line = [0; 128];
    let result = match host::argument(&mut line).and_then(Address::parse) {
        Some(address) => Session { server: &mut server, address }.run(),
        None => Err(Failure::NoPort),
    };

    let net = server.transport();
    let (received, transmitted) = net.frames();
    host::report(c"uptime, ms: ", net.uptime());
    host::report(c"frames received: ", received);
    host::report(c"frames sent: ", transmitted);
    host::report(c"connection in bytes: ", (size_of_val(server.connection()) + RECEIVE + TRANSMIT) as u32);
    host::report(c"statics in bytes: ", stack::statics() as u32);
    host::report(c"deepest stack in bytes: ", stack::deepest() as u32);
    host::exit(result.err().map_or(0, |failure| failure as u8))
}

/// One part of a session.
type Part<S> = fn(&mut S) -> Result<(), Failure>;

/// A server to talk to, and where it is.
struct Session<'s, 'm> {
    server: &'s mut Driver<Net<'m>, &'m mut [u8], IN_FLIGHT>,
    address: Address<'s>,
}

impl Session<'_, '_> {
    /// The parts, with what is printed before the milliseconds that each took.
    const PARTS: [(&'static CStr, Part<Self>); 8] = [
        (c"handshake, ms: ", Self::connect),
        (c"commands of all sorts, ms: ", Self::commands),
        (c"100000 bytes sent in chunks, ms: ", Self::send_large),
        (c"100000 bytes received in chunks, ms: ", Self::receive_large),
        (c"1000 GET one by one, ms: ", Self::round_trips),
        (c"2000 INCR with 20 in flight, ms: ", Self::pipeline),
        (c"a message between answers, ms: ", Self::message),
        (c"a lost connection, ms: ", Self::lose),
    ];

    /// Does one part after the other, and leaves.
    fn run(&mut self) -> Result<(), Failure> {
        for (label, part) in Self::PARTS {
            let start = self.server.transport().uptime();
            part(self)?;
            host::report(label, self.server.transport().uptime().wrapping_sub(start));
        }
        self.server.transport_mut().close();
        Ok(())
    }

    /// Connects, and introduces us with the name `respire-board`.
    fn connect(&mut self) -> Result<(), Failure> {
        let Address { port, user, password } = self.address;
        self.server.transport_mut().connect(port, PATIENCE).map_err(|_| Failure::CannotConnect)?;
        let name = Some("respire-board");
        let settings =
            Settings { protocol: Some(Protocol::Resp3), user, password, name, ..Settings::default() };
        match self.server.start(&settings) {
            Ok(()) => return Ok(()),
            Err(StartError::Full(_)) => return Err(Failure::NoPort),
            Err(_) => {}
        }
        match self.server.connection().close_reason() {
            // ERR says that there are too many clients: another time there may be fewer.
            Some(CloseReason::Rejected(error)) if error.code() != b"ERR" => Err(Failure::Rejected),
            _ => Err(Failure::Lost),
        }
    }

    /// Sends one request, whose answer will be told by a turn.
    fn submit(&mut self, token: Token, request: &dyn AnyRequest) -> Result<(), Failure> {
        self.server.submit(token, request).map_err(|_| Failure::WrongAnswer)
    }

    /// Sends one request and waits for its answer, which must be as `expected`.
    fn ask(&mut self, request: &dyn AnyRequest, expected: Expect<'_>) -> Result<(), Failure> {
        check(self.server.call(request, |reply| is(reply, expected), |_push| {})?)
    }

    /// What was said must be right, and there must be someone who says it.
    fn check(&self, right: bool) -> Result<(), Failure> {
        if self.server.connection().is_closed() { Err(Failure::Lost) } else { check(right) }
    }

    /// One turn of the driver. Compiled once, whoever listens.
    fn turn(&mut self, on_event: &mut dyn FnMut(Event<'_>)) {
        self.server.turn(None, on_event);
    }
}

/// What was said must be right.
fn check(right: bool) -> Result<(), Failure> {
    if right { Ok(()) } else { Err(Failure::WrongAnswer) }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(Fate::Unknown | Fate::NotSent) => Self::Lost,
            _ => Self::WrongAnswer,
        }
    }
}

/// A port of the host, and who we are there.
#[derive(Clone, Copy)]
struct Address<'a> {
    port: u16,
    user: Option<&'a str>,
    password: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// `PORT`, or `USER:PASSWORD@PORT`.
    fn parse(word: &'a [u8]) -> Option<Self> {
        let (login, port) = match word.iter().rposition(|&byte| byte == b'@') {
            Some(at) => (Some(word.get(..at)?), word.get(at + 1..)?),
            None => (None, word),
        };
        let port = host::number(port)?.try_into().ok()?;
        let Some(login) = login else { return Some(Self { port, user: None, password: None }) };
        let colon = login.iter().position(|&byte| byte == b':')?;
        let (user, password) = (login.get(..colon)?, login.get(colon + 1..)?);
        Some(Self { port, user: Some(host::text(user)?), password: Some(host::text(password)?) })
    }
}
