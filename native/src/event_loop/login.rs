//! What new connections are told.

use respire_core::conn::Settings;

use crate::Url;

/// Who knows what a new connection is to say in its handshake. It is asked anew for each, so a password that has
/// changed is used from the next one on.
///
/// ```
/// use respire::Login;
/// use respire::conn::Settings;
///
/// /// A password that somebody else writes into a file.
/// struct FromFile(String);
///
/// impl Login for FromFile {
///     fn settings(&mut self) -> Settings<'_> {
///         if let Ok(password) = std::fs::read_to_string("/run/secrets/redis") {
///             self.0 = password;
///         }
///         Settings { user: Some("app"), password: Some(self.0.trim()), ..Settings::NONE }
///     }
/// }
/// ```
pub trait Login {
    /// For the connection that is being opened.
    fn settings(&mut self) -> Settings<'_>;
}

impl Login for Url {
    fn settings(&mut self) -> Settings<'_> {
        Self::settings(self)
    }
}

impl Login for Settings<'static> {
    fn settings(&mut self) -> Settings<'_> {
        *self
    }
}
