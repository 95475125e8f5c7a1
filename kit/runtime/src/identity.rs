//! Loads who this process is and refuses to be somebody else.

use tradewind_mesh::{CredentialError, Identity};

use crate::settings::{Settings, SettingsError};

/// Loads the identity from the files of the settings.
///
/// # Errors
/// Credentials that cannot be used, or that name another service or trust domain.
pub(crate) fn load(name: &str, settings: &Settings) -> Result<Identity, SettingsError> {
    let files = &settings.identity;
    let identity = Identity::load(files.clone()).map_err(|error| {
        let key = match &error {
            CredentialError::File { path, .. } | CredentialError::Credential { path, .. } if *path == files.ca => "ca",
            CredentialError::File { path, .. } | CredentialError::Credential { path, .. } if *path == files.key => {
                "key"
            }
            _ => "cert",
        };
        SettingsError::of(key, error)
    })?;
    let id = identity.spiffe_id();
    let path = files.cert.display();
    if id.trust_domain() != settings.trust_domain {
        let ours = &settings.trust_domain;
        return Err(SettingsError::of(
            "trust_domain",
            format!("{ours:?} is not the trust domain of {id}, which {path} is for"),
        ));
    }
    if id.name() != name {
        return Err(SettingsError::of("cert", format!("{path} is for {id}, this is {name}")));
    }
    Ok(identity)
}
