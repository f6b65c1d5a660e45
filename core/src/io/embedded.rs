//! embedded-io's blocking traits as a [`Socket`], feature `embedded-io`.

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::Socket;

/// A transport that says when it is ready. Never blocks.
#[derive(Debug)]
pub struct Ready<T>(pub T);

/// A transport that only blocks. A turn of [`pump`](super::pump) then waits for bytes: call it only
/// while an answer is owed.
#[derive(Debug)]
pub struct Blocking<T>(pub T);

impl<T: Read + ReadReady + Write + WriteReady> Socket for Ready<T> {
    type Error = T::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, T::Error> {
        if self.0.read_ready()? { self.0.read(buffer).map(Some) } else { Ok(None) }
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, T::Error> {
        if self.0.write_ready()? { self.0.write(bytes).map(Some) } else { Ok(None) }
    }
}

impl<T: Read + Write> Socket for Blocking<T> {
    type Error = T::Error;

    fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, T::Error> {
        self.0.read(buffer).map(Some)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, T::Error> {
        let n = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(Some(n))
    }
}
