//! The in-memory responder behind a real socket, on a thread of its own.

use crate::cli::output::complain;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::SystemTime;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use respire_core::testing::{ClientId, Responder};

/// Starts it on a free port of the loopback interface; it runs until the process ends.
pub(super) fn start() -> io::Result<SocketAddr> {
    let mut server = Server::bind()?;
    let address = server.listener.local_addr()?;
    std::thread::Builder::new().name("demo server".to_owned()).spawn(move || {
        if let Err(error) = server.run() {
            complain!("demo server: {error}");
        }
    })?;
    Ok(address)
}

const LISTENER: Token = Token(0);

struct Server {
    poll: Poll,
    listener: TcpListener,
    responder: Responder,
    streams: HashMap<Token, (TcpStream, ClientId)>,
    next: usize,
    chunk: Vec<u8>,
}

impl Server {
    fn bind() -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            responder: Responder::new(),
            streams: HashMap::new(),
            next: 1,
            chunk: vec![0; 64 << 10],
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(64);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    token => self.read(token),
                }
            }
            self.write();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let token = Token(self.next);
            self.next += 1;
            stream.set_nodelay(true)?;
            self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            self.streams.insert(token, (stream, self.responder.connect(now())));
        }
    }

    /// Reads until there is nothing more; what that means shows when it is written.
    fn read(&mut self, token: Token) {
        while let Some((stream, client)) = self.streams.get_mut(&token) {
            match stream.read(&mut self.chunk) {
                Ok(0) => self.drop(token),
                Ok(n) => self.responder.receive(now(), *client, &self.chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.drop(token),
            }
        }
    }

    /// Writes what every client is owed, as far as its socket takes it.
    fn write(&mut self) {
        let mut gone = Vec::new();
        for (&token, (stream, client)) in &mut self.streams {
            loop {
                let output = self.responder.output(*client);
                if output.is_empty() {
                    if self.responder.wants_close(*client) {
                        gone.push(token);
                    }
                    break;
                }
                match stream.write(output) {
                    Ok(n) => self.responder.sent(*client, n),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => {
                        gone.push(token);
                        break;
                    }
                }
            }
        }
        gone.into_iter().for_each(|token| self.drop(token));
    }

    fn drop(&mut self, token: Token) {
        if let Some((_, client)) = self.streams.remove(&token) {
            self.responder.disconnect(client);
        }
    }
}

/// Time since 1970, as the responder counts expiry.
fn now() -> std::time::Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
