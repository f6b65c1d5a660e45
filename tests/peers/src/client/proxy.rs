//! Distance: what clients send arrives later.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How much longer a request is on its way. Replies are passed on at once.
pub(crate) const DELAY: Duration = Duration::from_millis(1);

/// Passes connections on to a server until this program ends. What came together goes together.
///
/// # Errors
/// There is no port.
pub(crate) fn start(server: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            // A connection that fails ends for its client, who says so.
            let _ = connect(client, server);
        }
    });
    Ok(address)
}

fn connect(client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    pass(client.try_clone()?, server.try_clone()?, DELAY);
    pass(server, client, Duration::ZERO);
    Ok(())
}

/// One way of a connection: a thread that reads and one that waits and writes.
fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (arrive, leave) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            if arrive.send((Instant::now() + delay, buffer[..len].to_vec())).is_err() {
                break;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in leave {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_later_and_replies_come_back() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(start(server.local_addr().unwrap()).unwrap()).unwrap();
        let (mut accepted, _) = server.accept().unwrap();
        let began = Instant::now();
        client.write_all(b"ping").unwrap();
        let mut bytes = [0; 4];
        accepted.read_exact(&mut bytes).unwrap();
        assert!(began.elapsed() >= DELAY, "{:?}", began.elapsed());
        accepted.write_all(b"pong").unwrap();
        drop(accepted);
        let mut told = String::new();
        client.read_to_string(&mut told).unwrap();
        assert_eq!((&bytes, told.as_str()), (b"ping", "pong"));
    }
}
