//! From certificates to rustls' own configuration, made anew when they have changed.

use std::io;
use std::sync::{Arc, OnceLock, PoisonError};

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

use super::Tls;
use super::anyone::Anyone;
use super::files::Contents;
use super::refusal::{no_system, unusable};

/// What was made, and what of.
pub(super) struct Built {
    contents: Contents,
    config: Arc<ClientConfig>,
}

impl Tls {
    /// As the files are now; as they were, if they are of no use any more.
    pub(super) fn config_of_today(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = &self.config {
            return Ok(Arc::clone(config));
        }
        if self.accepts_anyone {
            warn("TLS: no certificate is verified; anyone may read what is sent and answer it");
        }
        // What is in there is whole at any time.
        let mut last = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let today = match Contents::read(&self.authorities, self.identity.as_ref()) {
            Ok(contents) => match &*last {
                Some(last) if last.contents == contents => return Ok(Arc::clone(&last.config)),
                _ => self.build(&contents).map(|config| Built { contents, config }),
            },
            Err(error) => Err(error),
        };
        match (today, &*last) {
            (Ok(today), _) => Ok(Arc::clone(&last.insert(today).config)),
            (Err(error), Some(last)) => {
                warn(&format!("TLS: {error}; going on with what was read before"));
                Ok(Arc::clone(&last.config))
            }
            (Err(error), None) => Err(error),
        }
    }

    fn build(&self, contents: &Contents) -> io::Result<Arc<ClientConfig>> {
        let provider = self.provider.clone().unwrap_or_else(usual_provider);
        let algorithms = provider.signature_verification_algorithms;
        let wrong = |error: rustls::Error| unusable(io::ErrorKind::InvalidInput, error.to_string());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(wrong)?;
        let builder = if self.accepts_anyone {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone { algorithms }))
        } else if contents.authorities.is_empty() {
            builder.with_root_certificates(of_the_system()?)
        } else {
            builder.with_root_certificates(roots(contents)?)
        };
        let config = match &contents.identity {
            Some((cert, key)) => {
                let config = builder.with_client_auth_cert(cert.certificates()?, key.key()?);
                config.map_err(|error| cert.is_unusable(error))?
            }
            None => builder.with_no_client_auth(),
        };
        Ok(Arc::new(config))
    }
}

fn roots(contents: &Contents) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for text in &contents.authorities {
        for certificate in text.certificates()? {
            roots.add(certificate).map_err(|error| text.is_unusable(error))?;
        }
    }
    Ok(roots)
}

/// What the system trusts, but for what rustls cannot read.
fn of_the_system() -> io::Result<Arc<RootCertStore>> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(Arc::clone(roots));
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(no_system(found.errors.first()));
    }
    Ok(Arc::clone(ROOTS.get_or_init(|| Arc::new(roots))))
}

fn usual_provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn warn(text: &str) {
    #[cfg(feature = "log")]
    log::warn!(target: "respire", "{text}");
    #[cfg(not(feature = "log"))]
    let _ = text;
}

#[cfg(all(test, feature = "log"))]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use super::*;

    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Logger;

    impl log::Log for Logger {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            if record.level() == log::Level::Warn {
                SAID.lock().unwrap().push(record.args().to_string());
            }
        }

        fn flush(&self) {}
    }

    /// S3-CONF-03: what is dangerous is said each time, and what is of no use any more is said with its name.
    #[test]
    fn warnings_are_told() {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
        let path = std::env::temp_dir().join(format!("respire-tls-warns-{}", std::process::id()));
        fs::write(&path, "authorities").unwrap();
        let tls = Tls::new().ca_file(&path).dangerous_accept_any_certificate();
        let first = tls.config_of_today().unwrap();
        assert_eq!(SAID.lock().unwrap().len(), 1);
        fs::remove_file(&path).unwrap();
        assert!(Arc::ptr_eq(&first, &tls.config_of_today().unwrap()));
        let said = SAID.lock().unwrap();
        assert!(said[..2].iter().all(|text| text.starts_with("TLS: no certificate is verified")), "{said:?}");
        assert!(
            said[2].contains("respire-tls-warns") && said[2].ends_with("going on with what was read before")
        );
    }
}
