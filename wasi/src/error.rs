//! How sockets of WASI fail.

use alloc::string::String;
use core::fmt;

use respire_core::client::Fault;
use wasi::io::streams::StreamError;
use wasi::sockets::network::ErrorCode;

/// How dialling, or a stream, failed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportError {
    /// The host refused an operation on a socket, or the name lookup.
    Code(ErrorCode),
    /// A stream broke: the host's description, which differs between hosts.
    Stream(String),
    /// The peer takes no more bytes.
    Closed,
    /// The name has no address.
    NoAddress,
    /// WASI has no Unix sockets.
    NoUnixSockets,
    /// There is no TLS here.
    NoTls,
}

impl From<ErrorCode> for TransportError {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StreamError> for TransportError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Closed => Self::Closed,
            StreamError::LastOperationFailed(error) => Self::Stream(error.to_debug_string()),
        }
    }
}

impl Fault for TransportError {
    fn copy(&self) -> Self {
        self.clone()
    }

    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(code) => words(*code),
            Self::Stream(text) => text.split(" (os error").next().unwrap_or(text),
            Self::Closed => "Broken pipe",
            Self::NoAddress => "the name has no address",
            Self::NoUnixSockets => "WASI has no Unix sockets",
            Self::NoTls => "there is no TLS on WASI",
        })
    }

    fn hint(&self, named: bool) -> &'static str {
        match self {
            Self::Code(ErrorCode::AccessDenied | ErrorCode::PermanentResolverFailure) => {
                "the network is the host's to grant"
            }
            Self::Code(ErrorCode::ConnectionRefused) => {
                "no server listens there: start one, or name its host and port"
            }
            Self::Code(ErrorCode::Timeout) => {
                "nothing answers there: is the address right, is a firewall between?"
            }
            Self::NoUnixSockets => "name a host and a port",
            Self::NoTls => "use redis:// in a network that is trusted, or a TLS tunnel on this machine",
            Self::Code(_) | Self::NoAddress if !named => "is the host's name right?",
            Self::Code(ErrorCode::ConnectionReset | ErrorCode::ConnectionAborted)
            | Self::Closed
            | Self::Stream(_) => "is it a Redis or Valkey server, and does it expect TLS?",
            Self::Code(_) | Self::NoAddress => "is the server reachable from here?",
        }
    }
}

/// As POSIX systems say it.
const fn words(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::AccessDenied => {
            "the host denies the network: run the component with \
             wasmtime run -S inherit-network,allow-ip-name-lookup"
        }
        ErrorCode::NotSupported => "Operation not supported",
        ErrorCode::InvalidArgument => "Invalid argument",
        ErrorCode::OutOfMemory => "Cannot allocate memory",
        ErrorCode::Timeout => "Connection timed out",
        ErrorCode::InvalidState => "Transport endpoint is not connected",
        ErrorCode::NewSocketLimit => "Too many open files",
        ErrorCode::AddressNotBindable => "Cannot assign requested address",
        ErrorCode::AddressInUse => "Address already in use",
        ErrorCode::RemoteUnreachable => "Network is unreachable",
        ErrorCode::ConnectionRefused => "Connection refused",
        ErrorCode::ConnectionReset => "Connection reset by peer",
        ErrorCode::ConnectionAborted => "Software caused connection abort",
        ErrorCode::NameUnresolvable => "Name or service not known",
        ErrorCode::TemporaryResolverFailure => "Temporary failure in name resolution",
        // Also what a host says that does not look names up.
        ErrorCode::PermanentResolverFailure => {
            "the name was not looked up: the host grants it with \
             wasmtime run -S inherit-network,allow-ip-name-lookup"
        }
        _ => "Unknown error",
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words(f)
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportError({self})")
    }
}

impl core::error::Error for TransportError {}
