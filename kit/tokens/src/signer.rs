use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{DecodingKey, EncodingKey, crypto};
use ring::signature::KeyPair;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value};

use crate::{Algorithm, provider, signed};

/// A private key that signs tokens, Ed25519 or P-256. Its id is its thumbprint (RFC 7638), so that nobody has to give it one.
pub struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    public: Jwk,
    id: String,
}

/// Why a key cannot sign, or a token was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The text is no private key in PEM as PKCS #8.
    #[error("this is no private key in PEM (PKCS #8)")]
    NotPem,
    /// It is of neither kind that signs here.
    #[error("a key that signs tokens is of Ed25519 or P-256")]
    OtherKind,
    /// What makes signatures has failed.
    #[error("the token could not be signed")]
    Failed,
}

impl Signer {
    /// Reads a private key in PEM (PKCS #8).
    ///
    /// # Errors
    /// What is no such key.
    pub fn from_pem(pem: &str) -> Result<Self, SignerError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| SignerError::NotPem)?;
        Self::from_pkcs8(der.secret_pkcs8_der())
    }

    /// Reads one in DER.
    ///
    /// # Errors
    /// What is no such key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SignerError> {
        provider::install();
        let (algorithm, key, public) = if let Ok(pair) = provider::ed25519(der) {
            let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
            (Algorithm::Ed25519, EncodingKey::from_ed_der(der), public)
        } else if let Ok(pair) = provider::ecdsa(der) {
            let public = DecodingKey::from_ec_der(pair.public_key().as_ref());
            (Algorithm::Es256, EncodingKey::from_ec_der(der), public)
        } else {
            return Err(SignerError::OtherKind);
        };
        let public = Jwk::from_decoding_key(&public, None).map_err(|_| SignerError::OtherKind)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| SignerError::OtherKind)?;
        Ok(Self { algorithm, key, public, id })
    }

    /// What it signs by.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id of its key: `kid` in what it signs.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its public half as a JWK, to publish among others.
    ///
    /// # Errors
    /// Never, but that the library lets it.
    #[must_use]
    pub fn public(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut jwk)) = serde_json::to_value(&self.public) else { return Map::new() };
        for (name, value) in [("kid", self.id()), ("alg", self.algorithm.name()), ("use", "sig")] {
            jwk.insert(name.to_owned(), value.into());
        }
        jwk
    }

    /// A token of this kind (`typ`) that says this.
    ///
    /// # Errors
    /// When there is no randomness to sign with.
    pub fn sign(&self, kind: &str, claims: &Map<String, Value>) -> Result<String, SignerError> {
        signed::signed(self.algorithm, Some(&self.id), kind, claims, |text| {
            crypto::sign(text.as_bytes(), &self.key, self.algorithm.library()).map_err(|_| SignerError::Failed)
        })
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("algorithm", &self.algorithm).field("id", &self.id).finish_non_exhaustive()
    }
}
