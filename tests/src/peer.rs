//! A peer whose every byte the test decides.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use respire_core::testing::Responder;

/// A thread for every connection to a port of the loopback.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: AtomicBool,
    accepted: AtomicUsize,
}

impl Peer {
    /// Serves connection number `n`, from 0 on, by `serve(n, stream)`; the stream is closed then.
    /// Nothing on it blocks for more than twenty seconds.
    pub fn new(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binding a loopback port");
        let address = listener.local_addr().expect("a bound port");
        let state = Arc::new(State::default());
        let (shared, serve) = (Arc::clone(&state), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let limit = Some(Duration::from_secs(20));
                stream.set_read_timeout(limit).expect("a limit for reads");
                stream.set_write_timeout(limit).expect("a limit for writes");
                stream.set_nodelay(true).expect("no delay");
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(number, stream));
            }
        });
        Self { address, state }
    }

    /// Sends these bytes at once, and nothing more; keeps the connection until the other side ends it.
    pub fn says(bytes: &'static [u8]) -> Self {
        Self::new(move |_, mut stream| {
            let _ = stream.write_all(bytes);
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    /// Answers a RESP2 handshake, which is two requests without any option, then runs `serve`.
    pub fn after_handshake(serve: impl Fn(usize, Requests) + Send + Sync + 'static) -> Self {
        Self::new(move |number, stream| {
            let mut requests = Requests::new(stream);
            for _ in 0..2 {
                if requests.next().is_none() {
                    return;
                }
                requests.answer(b"+OK\r\n");
            }
            serve(number, requests);
        })
    }

    /// The in-memory server, a fresh one for every connection, in pieces of at most `piece` bytes.
    pub fn responder(piece: usize, make: impl Fn() -> Responder + Send + Sync + 'static) -> Self {
        Self::new(move |_, mut stream| {
            let mut server = make();
            let now = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            let client = server.connect(now());
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                server.receive(now(), client, &buffer[..n]);
                let output = server.output(client).to_vec();
                for piece in output.chunks(piece) {
                    if stream.write_all(piece).is_err() {
                        return;
                    }
                }
                server.sent(client, output.len());
                if server.wants_close(client) {
                    return;
                }
            }
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for a handshake of the peer's choice.
    pub fn url(&self) -> String {
        format!("redis://{}?connect_timeout=500ms&timeout=500ms", self.address)
    }

    /// The URL for [`after_handshake`](Self::after_handshake).
    pub fn resp2(&self) -> String {
        format!("{}&protocol=2", self.url())
    }

    /// How many connections there were.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// The requests of one connection.
#[derive(Debug)]
pub struct Requests {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
}

impl Requests {
    fn new(stream: TcpStream) -> Self {
        let reader = BufReader::new(stream.try_clone().expect("a second handle"));
        Self { reader, stream }
    }

    /// Answers so many requests, each with OK. Whether all were asked and answered.
    pub fn confirm(&mut self, count: usize) -> bool {
        (0..count).all(|_| self.next().is_some() && self.answer(b"+OK\r\n"))
    }

    /// The words of the next request; nothing once the client is gone.
    #[expect(clippy::should_implement_trait, reason = "its words are read one by one, not iterated")]
    pub fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        let count = self.header(b'*')?;
        (0..count)
            .map(|_| {
                let mut word = vec![0; self.header(b'$')? + 2];
                self.reader.read_exact(&mut word).ok()?;
                word.truncate(word.len() - 2);
                Some(word)
            })
            .collect()
    }

    /// Sends bytes, as far as the client wants them.
    pub fn answer(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The stream alone; what was read ahead is gone.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Waits until the client ends the connection.
    pub fn wait_for_end(&mut self) {
        let _ = self.reader.read_to_end(&mut Vec::new());
    }

    fn header(&mut self, kind: u8) -> Option<usize> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).ok()?;
        let digits = line.strip_prefix(&[kind])?.strip_suffix(b"\r\n")?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}
