//! What went wrong with TLS, as errors of `std` that say what to do about it.

use std::error::Error as _;
use std::io::{Error, ErrorKind};

use respire_core::client::Explained;
use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// rustls ended it, or the peer did and said why.
pub(super) fn refusal(error: rustls::Error) -> Error {
    let hint = hint(&error);
    Error::new(ErrorKind::InvalidData, Explained::new(error, hint))
}

/// What was in it.
pub(super) fn found(error: &Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<Explained>()?.source()?.downcast_ref()
}

const fn hint(error: &rustls::Error) -> &'static str {
    use rustls::Error as E;
    match error {
        E::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => {
                "its authority is not trusted here: name the file of the right one (Tls::ca_file, --cacert)"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is another host's: use its name in the URL, or say which one is meant (Tls::server_name, --sni)"
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "it is not valid now: is the clock right, was it to be renewed?"
            }
            _ => "the server needs another certificate",
        },
        E::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::HandshakeFailure,
        ) => "the server wants a certificate that it trusts (Tls::client_cert, --cert and --key)",
        E::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "this is no TLS server: is it the right port? without TLS the URL is redis://"
        }
        _ => "do both sides have a version of TLS in common, and is it the right port?",
    }
}

/// The end came unannounced: anybody on the way can make one, at any byte.
pub(super) fn cut() -> Error {
    let hint = "the connection was cut on its way, or the server crashed";
    Error::new(
        ErrorKind::UnexpectedEof,
        Explained::new("the connection was cut: TLS did not announce its end", hint),
    )
}

/// The same while the two are still shaking hands.
pub(super) fn ended() -> Error {
    Error::new(
        ErrorKind::UnexpectedEof,
        Explained::new("the connection was closed in the TLS handshake", PLAIN),
    )
}

/// The peer did not even end it.
pub(super) fn broken(error: Error) -> Error {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Error::new(error.kind(), Explained::new(error, PLAIN))
        }
        _ => error,
    }
}

/// Nothing came, and time is up.
pub(super) fn late() -> Error {
    Error::new(ErrorKind::TimedOut, Explained::new("no answer to the TLS handshake", PLAIN))
}

const PLAIN: &str = "does this port speak TLS? without it the URL is redis://";

/// A certificate or key of ours that is of no use.
pub(super) fn unusable(kind: ErrorKind, text: String) -> Error {
    Error::new(
        kind,
        Explained::new(text, "the files for TLS must be there, and hold PEM text that fits together"),
    )
}

/// What is neither a name nor an address.
pub(super) fn no_name(name: &str) -> Error {
    let text = format!("{name:?} is no name that a certificate can be for");
    Error::new(
        ErrorKind::InvalidInput,
        Explained::new(text, "say which one is meant (Tls::server_name, --sni)"),
    )
}

/// The system trusts nobody, or does not say whom.
pub(super) fn no_system(error: Option<&rustls_native_certs::Error>) -> Error {
    let text = error.map_or_else(
        || "this system has no certificate authorities".to_owned(),
        |error| format!("the system's certificate authorities cannot be read: {error}"),
    );
    Error::new(ErrorKind::InvalidInput, Explained::new(text, "name the file of one (Tls::ca_file, --cacert)"))
}
