/// Why a token is refused. None of it repeats what the token says: that may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has more than 8 KiB.
    #[error("the token has more than 8 KiB")]
    TooLarge,
    /// It is not three parts in base64url of which the first two are JSON objects, each name in them once.
    #[error("the token is not of the form header.claims.signature")]
    Malformed,
    /// Its header asks for what is not done here: extensions, nested or encrypted content, keys that it brings along.
    #[error("the token's header asks for something that is not supported")]
    Header,
    /// It is of another kind than is wanted.
    #[error("the token is of another kind")]
    Type,
    /// Nobody whom we trust has made it.
    #[error("the token is of no issuer that is trusted")]
    Issuer,
    /// Its issuer has no key of that id.
    #[error("the token is signed with a key that its issuer does not have")]
    UnknownKey,
    /// It names another algorithm than its key is for, or than its issuer may use.
    #[error("the token is signed by another algorithm than its key is for")]
    Algorithm,
    /// Its key has not signed it.
    #[error("the token's signature does not hold")]
    Signature,
    /// It is meant for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// A claim that has to be there is missing, or is not what it should be.
    #[error("the token's claim `{0}` is missing or not as it has to be")]
    Claim(&'static str),
    /// The certificate that it is signed with is not one of ours, its workload may not sign, or another workload brings it.
    #[error("the token is signed by nobody who may")]
    Signer,
}

impl Refusal {
    /// Its word for programs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "TOKEN_TOO_LARGE",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::Header => "TOKEN_HEADER",
            Self::Type => "TOKEN_TYPE",
            Self::Issuer => "TOKEN_ISSUER",
            Self::UnknownKey => "TOKEN_KEY_UNKNOWN",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Audience => "TOKEN_AUDIENCE",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::Claim(_) => "TOKEN_CLAIM",
            Self::Signer => "TOKEN_SIGNER",
        }
    }
}
