//! Connects to the port named on the command line, greets the server, stores a value and reads it back.
//!
//! Exit status: 0, or one of [`Failure`].
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use respire_core::command::{Request, get, ping, set};
use respire_core::conn::{Config, Connection, Event, Protocol, Settings, Token};
use respire_core::io::pump;
use respire_core::resp::{Done, Limits, Reply};
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

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::new();
    static mut RECEIVE: [u8; 96] = [0; 96];
    static mut TRANSMIT: [u8; 128] = [0; 128];

    let mut sockets = NO_SOCKET;
    let mut net = Net::start(Clock::start(), MEMORY, &mut sockets);
    let result = session(&mut net, RECEIVE, TRANSMIT);
    let (received, transmitted) = net.frames();
    host::report(c"uptime in milliseconds: ", (net.now().as_micros() / 1000) as u32);
    host::report(c"frames received: ", received);
    host::report(c"frames sent: ", transmitted);
    host::report(c"deepest stack in bytes: ", stack::deepest() as u32);
    host::exit(result.err().map_or(0, |failure| failure as u8))
}

fn session(net: &mut Net<'_>, receive: &mut [u8], transmit: &mut [u8]) -> Result<(), Failure> {
    let port = host::argument().ok_or(Failure::NoPort)?;
    net.connect(port, PATIENCE).map_err(|_| Failure::CannotConnect)?;

    let config =
        Config { limits: Limits::DEVICE, handshake_timeout: PATIENCE, reply_timeout: Some(PATIENCE) };
    let mut server = Server { net, connection: Connection::new(receive, transmit, config) };
    server.greet()?;
    server.ask(&ping(), |reply| reply.get() == Ok("PONG"))?;
    server.ask(&set("respire:ping", "from the board"), |reply| reply.get::<Done>().is_ok())?;
    server.ask(&get("respire:ping"), |reply| reply.get() == Ok(Some("from the board")))?;
    server.net.close();
    Ok(())
}

/// A connection, and the network it runs over.
struct Server<'a, 'm> {
    net: &'a mut Net<'m>,
    connection: Connection<&'a mut [u8], 4>,
}

impl Server<'_, '_> {
    /// Shakes hands, in RESP3.
    fn greet(&mut self) -> Result<(), Failure> {
        let settings = Settings { protocol: Some(Protocol::Resp3), ..Settings::default() };
        self.connection.start(self.net.now(), &settings).map_err(|_| Failure::WrongAnswer)?;
        self.drive(&mut |event| matches!(event, Event::Ready { .. }).then_some(Ok(())))
    }

    /// Sends one request and waits for its answer, which must be `right`.
    fn ask(&mut self, request: &impl Request, right: fn(Reply<'_>) -> bool) -> Result<(), Failure> {
        let now = self.net.now();
        self.connection.submit(now, Token(0), request).map_err(|_| Failure::Lost)?;
        self.drive(&mut |event| match event {
            Event::Reply { reply, .. } => Some(right(reply).then_some(()).ok_or(Failure::WrongAnswer)),
            Event::Failed { .. } => Some(Err(Failure::Lost)),
            _ => None,
        })
    }

    /// Moves bytes, and sleeps in between, until `found` has its answer.
    fn drive(
        &mut self,
        found: &mut dyn FnMut(Event<'_>) -> Option<Result<(), Failure>>,
    ) -> Result<(), Failure> {
        loop {
            // Before the events are polled: a connection that is over has one more, and no deadline.
            self.connection.handle_timeout(self.net.now());
            let mut answer = None;
            let turn = pump(&mut self.connection, self.net, |event| {
                let closed = matches!(event, Event::Closed(_)).then_some(Err(Failure::Lost));
                answer = answer.or_else(|| found(event)).or(closed);
            });
            if let Some(answer) = answer {
                return answer;
            }
            let turn = turn.map_err(|_| Failure::Lost)?;
            if !turn.may_read {
                let patience = self.connection.patience(self.net.now());
                self.net.wait(turn.wants_write, patience).map_err(|_| Failure::Lost)?;
            }
        }
    }
}
