//! One connection: two sockets and a lane for each direction.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

use super::lane::{Deed, Lane};
use super::log::What;
use super::script::{Script, Way};

/// How long a server may take to accept.
const DIAL_LIMIT: Duration = Duration::from_secs(2);

/// Writes in a row, in one direction.
const TURNS: usize = 64;

pub(super) struct Link {
    pub(super) number: usize,
    sides: Sides,
    requests: Direction,
    replies: Direction,
    state: State,
    notes: Vec<What>,
}

struct Sides {
    client: TcpStream,
    server: TcpStream,
}

struct Direction {
    lane: Lane,
    /// Everything was passed on.
    done: bool,
    /// How the side that it comes from broke.
    broken: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Cut: what comes is thrown away until both sides are gone.
    Draining {
        client: bool,
        server: bool,
    },
    Over,
}

impl Link {
    /// Connects to the server on behalf of a client.
    pub(super) fn open(
        number: usize,
        client: TcpStream,
        server: SocketAddr,
        script: &Script,
        registry: &Registry,
    ) -> io::Result<Self> {
        let server = std::net::TcpStream::connect_timeout(&server, DIAL_LIMIT)?;
        server.set_nonblocking(true)?;
        let mut sides = Sides { client, server: TcpStream::from_std(server) };
        for (i, stream) in [&mut sides.client, &mut sides.server].into_iter().enumerate() {
            stream.set_nodelay(true)?;
            registry.register(stream, Token(2 + 2 * number + i), Interest::READABLE | Interest::WRITABLE)?;
        }
        let direction =
            |way| Direction { lane: Lane::new(way, script.of(number, way)), done: false, broken: None };
        Ok(Self {
            number,
            sides,
            requests: direction(Way::Requests),
            replies: direction(Way::Replies),
            state: State::Open,
            notes: vec![What::Opened(true)],
        })
    }

    /// Whether it is to be dropped, and with it the sockets.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// What happened since it was last asked.
    pub(super) fn take_notes(&mut self) -> Vec<What> {
        std::mem::take(&mut self.notes)
    }

    /// Moves what can be moved. Says when there is more to do, if no socket will tell.
    pub(super) fn advance(&mut self, room: &mut [u8]) -> Option<Instant> {
        let mut until: Option<Instant> = None;
        for way in [Way::Requests, Way::Replies] {
            if self.state != State::Open {
                break;
            }
            match self.run(way, room) {
                Ok(None) => {}
                Ok(Some(time)) => until = Some(until.map_or(time, |other| other.min(time))),
                Err(error) => self.over(&error.to_string()),
            }
        }
        match self.state {
            State::Open if self.requests.done && self.replies.done => self.over("both sides have ended"),
            State::Open => return until,
            State::Draining { .. } => self.drain(room),
            State::Over => {}
        }
        None
    }

    /// One direction, as far as it goes.
    fn run(&mut self, way: Way, room: &mut [u8]) -> io::Result<Option<Instant>> {
        let Sides { client, server } = &mut self.sides;
        let (direction, from, to) = match way {
            Way::Requests => (&mut self.requests, client, server),
            Way::Replies => (&mut self.replies, server, client),
        };
        let lane = &mut direction.lane;
        // Others want to be served, too.
        for _ in 0..TURNS {
            let mut moved = false;
            while lane.wants_input() {
                let n = match attempt(|| from.read(room)) {
                    Ok(Some(n)) => n,
                    Ok(None) => break,
                    Err(error) => {
                        direction.broken = Some(error);
                        0
                    }
                };
                lane.receive(&room[..n]);
                if n == 0 {
                    lane.end();
                    self.notes.push(What::Finished(way));
                }
                moved = true;
            }
            let now = Instant::now();
            let deed = match lane.next(now) {
                Deed::Write(bytes) => attempt(|| to.write(bytes)).or(Err(Stop::Broken)),
                Deed::Listen => Ok(None),
                Deed::Rest(until) => Err(Stop::Rest(until)),
                Deed::End => Err(Stop::End),
                Deed::Cut => Err(Stop::Cut),
                Deed::Reset => Err(Stop::Reset),
            };
            if let Ok(Some(n)) = deed {
                lane.written(n, now);
                moved = true;
            }
            self.notes.append(&mut lane.notes);
            match deed {
                Ok(_) if moved => {}
                Ok(_) => return Ok(None),
                Err(Stop::Rest(until)) => return Ok(until),
                // What comes the other way may still be read.
                Err(Stop::Broken) => lane.give_up(),
                Err(Stop::End) if direction.broken.is_none() => {
                    if !direction.done {
                        end(to)?;
                        direction.done = true;
                    }
                    return Ok(None);
                }
                Err(Stop::End) => {
                    let error = direction.broken.take().map_or_else(String::new, |error| error.to_string());
                    return self.reset(&error).map(|()| None);
                }
                Err(Stop::Cut) => return self.cut().map(|()| None),
                Err(Stop::Reset) => return self.reset("reset").map(|()| None),
            }
        }
        Ok(Some(Instant::now()))
    }

    fn cut(&mut self) -> io::Result<()> {
        end(&self.sides.client)?;
        end(&self.sides.server)?;
        self.notes.push(What::Over("cut".to_owned()));
        self.state = State::Draining { client: true, server: true };
        Ok(())
    }

    /// Without linger, closing a socket is an abort.
    fn reset(&mut self, how: &str) -> io::Result<()> {
        for stream in [&self.sides.client, &self.sides.server] {
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
        }
        self.over(how);
        Ok(())
    }

    fn over(&mut self, how: &str) {
        self.notes.push(What::Over(how.to_owned()));
        self.state = State::Over;
    }

    /// Bytes that nobody reads would make an end by FIN one by RST.
    fn drain(&mut self, room: &mut [u8]) {
        let State::Draining { client, server } = &mut self.state else { return };
        for (waits, stream) in
            [(&mut *client, &mut self.sides.client), (&mut *server, &mut self.sides.server)]
        {
            while *waits {
                match attempt(|| stream.read(room)) {
                    Ok(Some(0)) | Err(_) => *waits = false,
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                }
            }
        }
        if !*client && !*server {
            self.state = State::Over;
        }
    }
}

/// Why a direction goes no further.
enum Stop {
    Rest(Option<Instant>),
    Broken,
    End,
    Cut,
    Reset,
}

/// Nothing more will be written. A peer that is gone already does not mind.
fn end(stream: &TcpStream) -> io::Result<()> {
    match stream.shutdown(Shutdown::Write) {
        Err(error) if error.kind() != ErrorKind::NotConnected => Err(error),
        _ => Ok(()),
    }
}

/// Would block is no error, and an interrupted call is made again.
fn attempt(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(n) => return Ok(Some(n)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
