//! The smallest program: stores a value on the server at the port of the command line, and reads it back.
//!
//! Exit status: 0, or one of [`Failure`].
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use respire_core::command::{AnyRequest, get, ping, set};
use respire_core::conn::{Config, Connection, Protocol, Settings};
use respire_core::io::Driver;
use respire_core::resp::{Done, Reply};
use respire_core::time::Duration;
use respire_firmware::board::clock::Clock;
use respire_firmware::board::{host, stack};
use respire_firmware::net::{Memory, NO_SOCKET, Net};

/// How long the server may take to accept us, and again for each answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What can go wrong, with its exit status.
#[derive(Clone, Copy)]
enum Failure {
    /// The command line does not end with a port.
    NoPort = 2,
    /// Nobody listens, or nobody answers.
    CannotConnect = 20,
    /// The connection ended, or an answer did not come in time.
    Lost = 21,
    /// The server said something else than it should.
    WrongAnswer = 22,
}

type Server<'m> = Driver<Net<'m>, &'m mut [u8], 1>;

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut RECEIVE: [u8; 96] = [0; 96];
    static mut TRANSMIT: [u8; 128] = [0; 128];

    let mut sockets = NO_SOCKET;
    let net = Net::start(Clock::start(), MEMORY, &mut sockets);
    let config = Config { handshake_timeout: PATIENCE, reply_timeout: Some(PATIENCE), ..Config::DEVICE };
    let mut server = Driver::new(Connection::new(&mut RECEIVE[..], &mut TRANSMIT[..], config), net);
    let result = session(&mut server);

    let net = server.transport();
    let (received, transmitted) = net.frames();
    host::report(c"uptime, ms: ", net.uptime());
    host::report(c"frames received: ", received);
    host::report(c"frames sent: ", transmitted);
    host::report(c"deepest stack in bytes: ", stack::deepest() as u32);
    host::exit(result.err().map_or(0, |failure| failure as u8))
}

fn session(server: &mut Server<'_>) -> Result<(), Failure> {
    let mut line = [0; 128];
    let port = host::argument(&mut line)
        .and_then(host::number)
        .and_then(|port| port.try_into().ok())
        .ok_or(Failure::NoPort)?;
    server.transport_mut().connect(port, PATIENCE).map_err(|_| Failure::CannotConnect)?;
    let settings = Settings { protocol: Some(Protocol::Resp3), ..Settings::default() };
    server.start(&settings).map_err(|_| Failure::Lost)?;

    ask(server, &ping(), |reply| reply.get() == Ok("PONG"))?;
    ask(server, &set("respire:ping", "from the board"), |reply| reply.get::<Done>().is_ok())?;
    ask(server, &get("respire:ping"), |reply| reply.get() == Ok(Some("from the board")))?;
    server.transport_mut().close();
    Ok(())
}

/// Sends one request and waits for its answer, which must be `right`.
fn ask(
    server: &mut Server<'_>,
    request: &dyn AnyRequest,
    right: fn(Reply<'_>) -> bool,
) -> Result<(), Failure> {
    let is_right = server.call(request, right, |_push| {}).map_err(|_| Failure::Lost)?;
    is_right.then_some(()).ok_or(Failure::WrongAnswer)
}
