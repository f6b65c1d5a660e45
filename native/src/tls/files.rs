//! Certificates and keys: where they are, and what was read there.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::refusal::unusable;

/// Where PEM text is.
#[derive(Clone)]
pub(super) enum Source {
    File(PathBuf),
    /// Files with something else in them are passed over.
    Folder(PathBuf),
    Bytes(Arc<[u8]>),
}

/// Who we are.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) cert: Source,
    pub(super) key: Source,
}

/// What was read at one dial.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) authorities: Vec<Text>,
    pub(super) identity: Option<(Text, Text)>,
}

/// PEM text, and where it comes from.
#[derive(PartialEq, Eq)]
pub(super) struct Text {
    name: String,
    bytes: Vec<u8>,
}

impl Contents {
    pub(super) fn read(authorities: &[Source], identity: Option<&Identity>) -> io::Result<Self> {
        let mut texts = Vec::new();
        for source in authorities {
            match source {
                Source::Folder(path) => texts.extend(folder(path)?),
                source => texts.push(source.read()?),
            }
        }
        let identity =
            identity.map(|identity| Ok::<_, io::Error>((identity.cert.read()?, identity.key.read()?)));
        Ok(Self { authorities: texts, identity: identity.transpose()? })
    }
}

impl Source {
    fn read(&self) -> io::Result<Text> {
        match self {
            Self::File(path) | Self::Folder(path) => file(path),
            Self::Bytes(bytes) => Ok(Text { name: "the PEM text".to_owned(), bytes: bytes.to_vec() }),
        }
    }
}

impl Text {
    /// Every certificate in it.
    pub(super) fn certificates(&self) -> io::Result<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(found) if found.is_empty() => Err(self.is_unusable("there is no PEM certificate")),
            Ok(found) => Ok(found),
            Err(error) => Err(self.is_unusable(error)),
        }
    }

    /// The first key in it.
    pub(super) fn key(&self) -> io::Result<PrivateKeyDer<'static>> {
        // What is wrong with it is said without a byte of it.
        PrivateKeyDer::from_pem_slice(&self.bytes)
            .map_err(|_| self.is_unusable("there is no PEM key without a password"))
    }

    pub(super) fn is_unusable(&self, error: impl fmt::Display) -> io::Error {
        unusable(io::ErrorKind::InvalidInput, format!("{}: {error}", self.name))
    }
}

fn file(path: &Path) -> io::Result<Text> {
    let name = path.display().to_string();
    match fs::read(path) {
        Ok(bytes) => Ok(Text { name, bytes }),
        Err(error) => Err(unusable(error.kind(), format!("{name}: {error}"))),
    }
}

fn folder(path: &Path) -> io::Result<Vec<Text>> {
    let failed = |error: io::Error| unusable(error.kind(), format!("{}: {error}", path.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    // The same order each time, to be compared.
    paths.sort();
    let texts = paths.iter().filter_map(|path| file(path).ok());
    let found: Vec<Text> = texts.filter(|text| text.certificates().is_ok()).collect();
    if found.is_empty() {
        let text = format!("{}: there is no file with a PEM certificate", path.display());
        return Err(unusable(io::ErrorKind::InvalidInput, text));
    }
    Ok(found)
}

/// Shows where, not what.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Folder(path) => path.fmt(f),
            Self::Bytes(_) => f.write_str("PEM"),
        }
    }
}
