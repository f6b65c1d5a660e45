//! TLS by rustls: [`Tls`] says how, and is asked anew for each connection.
//!
//! | room | what it does |
//! |---|---|
//! | `files` | certificates and keys from files and bytes, read again at each dial |
//! | `build` | from those to rustls' own configuration |
//! | `stream` | a stream that encrypts, over one that does not |
//! | `anyone` | the verifier that lets everyone in |
//! | `refusal` | what went wrong, and what to do about it |

mod anyone;
mod build;
mod files;
mod refusal;
mod stream;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use respire_core::client::Endpoint;
use respire_core::config;
use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use crate::Dialer;
use crate::socket::Stream;
use build::Built;
use files::{Identity, Source};
pub(crate) use stream::Secured;

/// How TLS is made: whom to trust, and who we are. The server is always verified: its certificate must be valid now, for
/// the host that was asked for, and of an authority that is trusted.
///
/// Files are read when a connection is dialled, and again at the next: one that has changed is used from then on. If one
/// cannot be read any more, or its key does not fit, the last that were good are used, with a warning through the `log`
/// facade (feature `log`); at the first dial it is an error. TLS 1.2 and 1.3 are spoken, by the ring provider of rustls
/// unless another is named; whatever a process has installed as its own provider is left alone. Clones share what was
/// read.
///
/// ```no_run
/// use respire::{Dialer, Single, Tls};
///
/// let tls = Tls::new().ca_file("/etc/redis/ca.crt").client_cert("/etc/redis/app.crt", "/etc/redis/app.key");
/// let client = Single::with_dialer(Dialer::tls(tls), "rediss://redis.internal:6380".parse()?)?;
/// # Ok::<(), respire::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Tls {
    /// Whom to trust; empty: the authorities of the system.
    authorities: Vec<Source>,
    identity: Option<Identity>,
    server_name: Option<String>,
    provider: Option<Arc<CryptoProvider>>,
    config: Option<Arc<ClientConfig>>,
    accepts_anyone: bool,
    /// What came of the last dial.
    built: Arc<Mutex<Option<Built>>>,
}

impl Tls {
    /// Trusts the authorities that this system trusts. They are read once for the whole process; the variables
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
    pub fn new() -> Self {
        Self::default()
    }

    /// As the options `tls.*` of a configuration say; `None`: there is to be no TLS.
    pub fn configured(options: &config::Tls<'_>) -> Option<Self> {
        let mut tls = options.status.then(Self::new)?;
        if let Some(path) = options.ca {
            tls = tls.ca_file(path);
        }
        if let (Some(cert), Some(key)) = (options.cert, options.key) {
            tls = tls.client_cert(cert, key);
        }
        Some(match options.server_name {
            Some(name) => tls.server_name(name),
            None => tls,
        })
    }

    /// Trusts the authorities in a file of PEM certificates, and those of other calls of this sort; no longer the
    /// system's.
    #[must_use]
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        self.trust(Source::File(path.into()))
    }

    /// The same with every file of a folder that holds such certificates.
    #[must_use]
    pub fn ca_dir(self, path: impl Into<PathBuf>) -> Self {
        self.trust(Source::Folder(path.into()))
    }

    /// The same with the certificates themselves.
    #[must_use]
    pub fn ca_pem(self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust(Source::Bytes(pem.into().into()))
    }

    /// Shows the server a certificate of ours, if it asks for one (mutual TLS): a PEM file with the certificate and, behind
    /// it, those that lead to its authority, and one with its key.
    #[must_use]
    pub fn client_cert(self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.identify(Source::File(cert.into()), Source::File(key.into()))
    }

    /// The same with the certificates and the key themselves.
    #[must_use]
    pub fn client_cert_pem(self, cert: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identify(Source::Bytes(cert.into().into()), Source::Bytes(key.into().into()))
    }

    /// Who the server must prove to be, a name or an address, instead of the host that was asked for. A name is also what
    /// it is told to be asked for (SNI).
    #[must_use]
    pub fn server_name(self, name: impl Into<String>) -> Self {
        Self { server_name: Some(name.into()), ..self }
    }

    /// Cryptography by another provider.
    #[must_use]
    pub fn provider(self, provider: Arc<CryptoProvider>) -> Self {
        Self { provider: Some(provider), built: Arc::default(), ..self }
    }

    /// A configuration of rustls as it is: of everything else that was said here only the server's name counts.
    #[must_use]
    pub fn config(self, config: Arc<ClientConfig>) -> Self {
        Self { config: Some(config), built: Arc::default(), ..self }
    }

    /// Lets anyone be the server, who then reads every password and may answer whatever he likes. For tests. Each dial
    /// says so through the `log` facade (feature `log`).
    #[must_use]
    pub fn dangerous_accept_any_certificate(self) -> Self {
        Self { accepts_anyone: true, built: Arc::default(), ..self }
    }

    /// What rustls found wrong with a server, if that is why a connection did not come about or has ended.
    pub fn error(error: &io::Error) -> Option<&rustls::Error> {
        refusal::found(error)
    }

    fn trust(mut self, source: Source) -> Self {
        self.authorities.push(source);
        Self { built: Arc::default(), ..self }
    }

    fn identify(self, cert: Source, key: Source) -> Self {
        Self { identity: Some(Identity { cert, key }), built: Arc::default(), ..self }
    }

    /// For connections to this host.
    fn client(&self, host: &str) -> io::Result<Client> {
        let name = self.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| refusal::no_name(name))?;
        Ok(Client { config: self.config_of_today()?, name })
    }
}

/// Shows no key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", &self.authorities)
            .field("identity", &self.identity)
            .field("server_name", &self.server_name)
            .field("accepts_anyone", &self.accepts_anyone)
            .finish_non_exhaustive()
    }
}

/// What connections to one host are made with.
#[derive(Clone)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Client {
    pub(crate) fn secure(&self, stream: Stream) -> io::Result<Stream> {
        let secured = Secured::new(stream, Arc::clone(&self.config), self.name.clone())?;
        Ok(Stream::Tls(Box::new(secured)))
    }
}

impl Dialer {
    /// What TLS to this endpoint is made with, if there is to be any.
    pub(crate) fn secure(&self, endpoint: &Endpoint) -> io::Result<Option<Client>> {
        static USUAL: OnceLock<Tls> = OnceLock::new();
        match (endpoint, &self.tls) {
            (Endpoint::Tls { host, .. } | Endpoint::Tcp { host, .. }, Some(tls)) => {
                tls.client(host).map(Some)
            }
            (Endpoint::Tls { host, .. }, None) => USUAL.get_or_init(Tls::new).client(host).map(Some),
            (Endpoint::Tcp { .. }, None) | (Endpoint::Unix(_), _) => Ok(None),
        }
    }
}
