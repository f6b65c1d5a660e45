//! Standard input, read while the server is listened to.

#[cfg(not(target_os = "wasi"))]
pub(super) use thread::Input;
#[cfg(target_os = "wasi")]
pub(super) use wait::Input;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

#[cfg(not(target_os = "wasi"))]
mod thread {
    use std::io::{self, Read};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
    use std::time::Duration;

    use super::CHUNK;

    /// A thread of its own reads, a few chunks ahead.
    pub(in crate::cli::pipe) struct Input(Receiver<io::Result<Vec<u8>>>);

    impl Input {
        pub(in crate::cli::pipe) fn open() -> Self {
            let (sender, chunks) = sync_channel(2);
            std::thread::spawn(move || {
                let mut stdin = io::stdin().lock();
                loop {
                    let mut chunk = vec![0; CHUNK];
                    let read = stdin.read(&mut chunk).map(|n| {
                        chunk.truncate(n);
                        chunk
                    });
                    let last = read.as_ref().map_or(true, Vec::is_empty);
                    if sender.send(read).is_err() || last {
                        return;
                    }
                }
            });
            Self(chunks)
        }

        /// The next bytes; empty at the end, `None` if there are none for so long.
        pub(in crate::cli::pipe) fn next(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
            match self.0.recv_timeout(patience) {
                Ok(chunk) => chunk.map(Some),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(Vec::new())),
            }
        }
    }
}

#[cfg(target_os = "wasi")]
mod wait {
    use std::io;
    use std::time::Duration;

    use wasi::cli::stdin::get_stdin;
    use wasi::clocks::monotonic_clock::subscribe_duration;
    use wasi::io::poll::{Pollable, poll};
    use wasi::io::streams::{InputStream, StreamError};

    use super::CHUNK;

    /// A component has no threads, but can wait for input and time at once.
    pub(in crate::cli::pipe) struct Input {
        // Must go before the stream.
        readable: Pollable,
        stream: InputStream,
    }

    impl Input {
        pub(in crate::cli::pipe) fn open() -> Self {
            let stream = get_stdin();
            Self { readable: stream.subscribe(), stream }
        }

        /// The next bytes; empty at the end, `None` if there are none for so long.
        pub(in crate::cli::pipe) fn next(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
            let timer = subscribe_duration(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX));
            poll(&[&self.readable, &timer]);
            match self.stream.read(CHUNK as u64) {
                Ok(bytes) if bytes.is_empty() => Ok(None),
                Ok(bytes) => Ok(Some(bytes)),
                Err(StreamError::Closed) => Ok(Some(Vec::new())),
                Err(StreamError::LastOperationFailed(error)) => {
                    Err(io::Error::other(error.to_debug_string()))
                }
            }
        }
    }
}
