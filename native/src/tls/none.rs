//! A build without TLS: whoever asks for it is told so, and nothing goes out in the clear.

use std::io;

use respire_core::client::{Endpoint, Explained};

use crate::Dialer;
use crate::socket::Stream;

/// There is none.
#[derive(Clone)]
pub(crate) enum Client {}

impl Client {
    pub(crate) fn secure(&self, _: Stream) -> io::Result<Stream> {
        match *self {}
    }
}

impl Dialer {
    #[expect(clippy::unused_self, reason = "with TLS it is made as the dialer says")]
    pub(crate) fn secure(&self, endpoint: &Endpoint) -> io::Result<Option<Client>> {
        match endpoint {
            Endpoint::Tls { .. } => {
                let hint =
                    "build respire with the feature `tls`, or use redis:// in a network that is trusted";
                Err(io::Error::new(io::ErrorKind::Unsupported, Explained::new("this build has no TLS", hint)))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Cause, Error, Single};

    /// S0-SEC-01: without TLS nobody is spoken to, and nothing listens there anyway.
    #[test]
    fn who_asks_for_tls_is_told() {
        for url in ["rediss://127.0.0.1:1", "valkeys://:secret@127.0.0.1:1"] {
            let Err(Error::Connect(error)) = Single::open(url) else { panic!("{url}") };
            assert!(
                matches!(&error.cause, Cause::Transport(cause) if cause.kind() == std::io::ErrorKind::Unsupported)
            );
            let shown = error.to_string();
            assert!(
                shown.starts_with("cannot connect to 127.0.0.1:1: this build has no TLS; build "),
                "{shown}"
            );
        }
    }
}
