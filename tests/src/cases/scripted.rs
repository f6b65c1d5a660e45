//! A peer that replies with whatever bytes it is told, for replies no server can be made to give.
//!
//! `RAW bytes` is answered with these bytes, `HELLO` like a server would, `CLOSE` by closing the
//! connection, and anything else with `+OK`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Starts the peer, which serves until the test process ends.
pub(super) fn start() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binding the scripted peer");
    let addr = listener.local_addr().expect("a bound address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    addr
}

/// Answers commands until the client is gone.
fn serve(stream: TcpStream) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let words = command(&mut stream)?;
        let name = words.first()?.to_ascii_uppercase();
        let reply: &[u8] = match &name[..] {
            b"RAW" => words.get(1)?,
            b"HELLO" => b"%3\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n+proto\r\n:3\r\n",
            b"CLOSE" => return None,
            _ => b"+OK\r\n",
        };
        stream.get_mut().write_all(reply).ok()?;
    }
}

/// Reads a command sent as an array of bulk strings.
fn command(stream: &mut impl BufRead) -> Option<Vec<Vec<u8>>> {
    let count = number(stream)?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; number(stream)?];
            stream.read_exact(&mut word).ok()?;
            stream.read_exact(&mut [0; 2]).ok()?;
            Some(word)
        })
        .collect()
}

/// The number in a line such as `*3` or `$5`.
fn number(stream: &mut impl BufRead) -> Option<usize> {
    let mut line = String::new();
    stream.by_ref().take(32).read_line(&mut line).ok()?;
    line.get(1..)?.trim_end().parse().ok()
}
