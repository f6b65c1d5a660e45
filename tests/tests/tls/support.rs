//! Certificates, a server with TLS, and a line to it that can be listened to and cut.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use respire::{ConnectError, Dialer, Error, Single, Tls};
use respire_tests::{Kind, Peer, Server};

/// Longer than anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Who signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = leaf(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages.clear();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("an authority").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn issue(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Pair { cert, key: key.serialize_pem() }
    }
}

/// For these names and addresses, valid today, to be a server with.
pub(crate) fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// To be a client with.
pub(crate) fn visitor(name: &str) -> CertificateParams {
    let mut params = leaf(&[name]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A folder of one test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("respire-tls-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and says where.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("writing");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A real server that has TLS on one port and none on another.
pub(crate) struct Secure {
    pub(crate) server: Server,
    pub(crate) port: u16,
    pub(crate) authority: Authority,
    pub(crate) folder: Folder,
}

/// One for `localhost` and `127.0.0.1`, unless there is no server here.
pub(crate) fn secure(more: &[&str]) -> Option<Secure> {
    if !Kind::Redis70.available_or_skip() {
        return None;
    }
    let authority = Authority::new("the authority");
    let folder = Folder::new();
    let pair = authority.issue(&leaf(&["localhost", "127.0.0.1"]));
    let ca = folder.put("ca.pem", &authority.pem);
    let (cert, key) = (folder.put("server.pem", &pair.cert), folder.put("server.key", &pair.key));
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("a port").port();
    drop(listener);
    let server = Server::builder(Kind::Redis70)
        .args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
        .arg("--tls-ca-cert-file")
        .arg(ca)
        .arg("--tls-cert-file")
        .arg(cert)
        .arg("--tls-key-file")
        .arg(key)
        .args(more)
        .start();
    Some(Secure { server, port, authority, folder })
}

impl Secure {
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }

    /// Trusts this server's authority.
    pub(crate) fn tls(&self) -> Tls {
        Tls::new().ca_pem(self.authority.pem.clone())
    }

    pub(crate) fn client(&self) -> Single {
        open(&self.tls(), &self.url())
    }

    /// Another certificate from now on.
    pub(crate) fn show(&self, pair: &Pair) {
        self.show_with("", pair);
    }

    /// The same with a password.
    pub(crate) fn show_with(&self, password: &str, pair: &Pair) {
        let cert = self.folder.put("next.pem", &pair.cert);
        let key = self.folder.put("next.key", &pair.key);
        let login = if password.is_empty() { String::new() } else { format!(":{password}@") };
        let plain = Single::open(&format!("redis://{login}{}", self.server.addr())).expect("without TLS");
        let request = respire::command::raw("CONFIG SET tls-cert-file")
            .arg(cert.to_str().expect("a path"))
            .arg("tls-key-file")
            .arg(key.to_str().expect("a path"));
        plain.send(request).wait().expect("another certificate");
    }
}

pub(crate) fn open(tls: &Tls, url: &str) -> Single {
    attempt(tls, url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

pub(crate) fn attempt(tls: &Tls, url: &str) -> Result<Single, Error> {
    Single::with_dialer(Dialer::tls(tls.clone()), url.parse().expect("a URL"))
}

/// Why there is no connection.
pub(crate) fn refused(tls: &Tls, url: &str) -> ConnectError {
    match attempt(tls, url) {
        Err(Error::Connect(error)) => error,
        other => panic!("{url}: {other:?}"),
    }
}

/// Both ways: sent by the client, sent by the server.
type Heard = Arc<Mutex<(Vec<u8>, Vec<u8>)>>;

/// A line to a server that is listened to.
pub(crate) struct Tap {
    peer: Peer,
    heard: Heard,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Tap {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self::with(server, |_, _| true)
    }

    /// What the server sends is shown to `meddle`, and the place where it stands. It may be changed; if there is to be
    /// nothing behind it, the line is cut.
    pub(crate) fn with(
        server: SocketAddr,
        meddle: impl Fn(usize, &mut Vec<u8>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (heard, open) = (Heard::default(), Arc::<Mutex<Vec<TcpStream>>>::default());
        let (theirs, streams, meddle) = (Arc::clone(&heard), Arc::clone(&open), Arc::new(meddle));
        let peer = Peer::new(move |_, client| {
            let there = TcpStream::connect(server).expect("the server");
            let copy = |stream: &TcpStream| stream.try_clone().expect("one more descriptor");
            streams.lock().unwrap().extend([copy(&client), copy(&there)]);
            let (from, to, heard) = (copy(&there), copy(&client), Arc::clone(&theirs));
            let meddle = Arc::clone(&meddle);
            let back = thread::spawn(move || {
                pass(from, to, |bytes| {
                    let mut heard = heard.lock().unwrap();
                    let goes_on = meddle(heard.1.len(), bytes);
                    heard.1.extend(&*bytes);
                    goes_on
                });
            });
            pass(client, there, |bytes| {
                theirs.lock().unwrap().0.extend(&*bytes);
                true
            });
            back.join().expect("the way back");
        });
        Self { peer, heard, open }
    }

    pub(crate) fn port(&self) -> u16 {
        self.peer.address().port()
    }

    pub(crate) fn url(&self) -> String {
        format!("rediss://localhost:{}", self.port())
    }

    /// What the client has sent.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.heard.lock().unwrap().0.clone()
    }

    /// How much the server has sent.
    pub(crate) fn answered(&self) -> usize {
        self.heard.lock().unwrap().1.len()
    }

    /// The end, as a network makes it: neither side has announced it.
    pub(crate) fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, hear: impl Fn(&mut Vec<u8>) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..n].to_vec();
        let goes_on = hear(&mut bytes);
        if to.write_all(&bytes).is_err() {
            break;
        }
        if !goes_on {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The records of TLS in what was sent: type and length.
pub(crate) fn records(mut bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        found.push((*kind, length));
        bytes = rest.get(length..).unwrap_or_default();
    }
    found
}
