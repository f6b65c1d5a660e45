//! The tool on a terminal of its own, typed at by a test that waits for what it shows.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use respire_tests::respire_path;

/// How long anything may take to be shown.
const PATIENCE: Duration = Duration::from_secs(10);

/// A terminal, made by `script` of util-linux.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    pieces: Receiver<Vec<u8>>,
    shown: Vec<u8>,
    /// Where the next search starts: what was waited for once is not found again.
    seen: usize,
    home: PathBuf,
}

impl Terminal {
    /// Runs `respire` with these arguments, and then `after` on the same terminal.
    pub(crate) fn open(arguments: &str, after: &str) -> Self {
        let home = std::env::temp_dir().join(format!(
            "respire-terminal-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&home).expect("a home of its own");
        let line = format!("'{}' {arguments}; {after}", respire_path().display());
        let mut child = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("HOME", &home)
            .env("TERM", "dumb-no-escapes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script, of util-linux");
        let keys = child.stdin.take().expect("piped");
        let mut output = child.stdout.take().expect("piped");
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut piece) {
                if sender.send(piece[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, pieces, shown: Vec::new(), seen: 0, home }
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let newline = if line.starts_with('\x03') { "" } else { "\r" };
        write!(self.keys, "{line}{newline}").expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// Waits until `text` is shown behind what was waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let start = Instant::now();
        loop {
            let news = &self.shown[self.seen..];
            if let Some(at) = news.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.seen += at + text.len();
                return;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.shown.extend(piece.into_iter().filter(|&byte| byte != b'\r')),
                Err(_) => panic!("{text:?} was not shown: {}", String::from_utf8_lossy(&self.shown)),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}
