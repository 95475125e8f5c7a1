use jsonwebtoken::Algorithm as Library;

/// What signatures are made with. No algorithm with a shared secret, and none but the ones that somebody here signs with or an
/// issuer outside is likely to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 9864), which was `EdDSA` before.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSA, PKCS #1 v1.5, with SHA-256: for issuers outside. Nobody here signs with it.
    Rs256,
}

impl Algorithm {
    /// The one of that name in a header or a key.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Ed25519" | "EdDSA" => Self::Ed25519,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "RS256" => Self::Rs256,
            _ => return None,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) const fn library(self) -> Library {
        match self {
            Self::Ed25519 => Library::EdDSA,
            Self::Es256 => Library::ES256,
            Self::Es384 => Library::ES384,
            Self::Rs256 => Library::RS256,
        }
    }
}
