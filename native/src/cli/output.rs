//! Standard output, buffered, and quiet about a reader that went away.

use std::io::{self, Write};

/// A line on standard error. If that is closed there is nobody left to tell.
macro_rules! complain {
    ($($arg:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($arg)*);
    }};
}

pub(in crate::cli) use complain;

/// What is printed but not yet written.
pub(super) struct Output {
    pending: Vec<u8>,
    stdout: io::Stdout,
}

/// The status of a process that a closed pipe ended, as a shell shows it.
const CLOSED_PIPE: i32 = 141;

impl Output {
    pub(super) fn stdout() -> Self {
        Self { pending: Vec::new(), stdout: io::stdout() }
    }

    /// Room to print into.
    pub(super) const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    pub(super) fn line(&mut self, text: &str) {
        self.pending.extend_from_slice(text.as_bytes());
        self.pending.push(b'\n');
    }

    /// Writes when much has been printed.
    pub(super) fn settle(&mut self) {
        if self.pending.len() > 32 << 10 {
            self.flush();
        }
    }

    /// Writes all. If nobody reads any more, the process ends quietly.
    pub(super) fn flush(&mut self) {
        let mut stdout = self.stdout.lock();
        let written = stdout.write_all(&self.pending).and_then(|()| stdout.flush());
        self.pending.clear();
        if written.is_err() {
            std::process::exit(CLOSED_PIPE);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.flush();
    }
}
