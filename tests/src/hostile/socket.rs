//! An adversary behind a socket.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::sleep;

use super::{Adversary, Attack, Cut, Cutter, Spoken};

/// Plays an attack on a connection until the client ends it.
///
/// # Errors
/// The client ended it before everything was said, or its socket is broken.
pub fn serve(mut stream: TcpStream, attack: &'static Attack, spoken: Spoken, cut: Cut) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut adversary = Adversary::new(attack, spoken);
    let mut cutter = Cutter::new(cut);
    let (mut request, mut room) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        while let (n @ 1.., pause) = adversary.say(&mut room) {
            if !pause.is_zero() {
                sleep(pause);
            }
            let mut rest = &room[..n];
            while !rest.is_empty() {
                let piece = cutter.piece(rest);
                stream.write_all(&rest[..piece])?;
                rest = &rest[piece..];
            }
        }
        if adversary.closes() {
            // An end, not a reset: what the client has sent is read.
            stream.shutdown(Shutdown::Write)?;
            while stream.read(&mut request)? > 0 {}
            return Ok(());
        }
        match stream.read(&mut request)? {
            0 => return Ok(()),
            n => adversary.receive(&request[..n]),
        }
    }
}
