use serde_json::{Map, Value};

use crate::Refusal;

/// The most bytes of a subject, an issuer or a token's own id.
const LONGEST: usize = 512;
/// The most audiences, and the most roles.
const MANY: usize = 64;

/// What a token says that has been verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// Who has made it.
    pub issuer: String,
    /// Of whom it speaks.
    pub subject: String,
    /// For whom it is meant, one of whom verified it.
    pub audience: Vec<String>,
    /// When its time is over, in seconds since 1970.
    pub expires: u64,
    /// When it was made, where it says so.
    pub issued: Option<u64>,
    /// Its own name, where it has one.
    pub id: Option<String>,
    /// The session that it is of (`sid`), where it is of one.
    pub session: Option<String>,
    /// What the subject may be (`roles`). None where they are not a list of texts.
    pub roles: Vec<String>,
    /// All that is claimed, the above included.
    pub all: Map<String, Value>,
}

impl Claims {
    /// Reads what is claimed, without judging it.
    ///
    /// # Errors
    /// A claim that is missing or of another type than it has to be.
    pub(crate) fn read(all: Map<String, Value>) -> Result<Self, Refusal> {
        Ok(Self {
            issuer: text(&all, "iss")?.ok_or(Refusal::Claim("iss"))?,
            subject: text(&all, "sub")?.ok_or(Refusal::Claim("sub"))?,
            audience: audience(&all)?,
            expires: time(&all, "exp")?.ok_or(Refusal::Claim("exp"))?,
            issued: time(&all, "iat")?,
            id: text(&all, "jti")?,
            session: text(&all, "sid")?,
            roles: roles(&all),
            all,
        })
    }

    /// Whether this is the time that it is for, give or take `leeway` seconds.
    ///
    /// # Errors
    /// When it is over, or to come.
    pub(crate) fn is_now(&self, now: u64, leeway: u64) -> Result<(), Refusal> {
        if self.expires.saturating_add(leeway) <= now {
            return Err(Refusal::Expired);
        }
        let begins = [self.issued, time(&self.all, "nbf")?];
        if begins.into_iter().flatten().any(|from| from > now.saturating_add(leeway)) {
            return Err(Refusal::NotYetValid);
        }
        Ok(())
    }

    /// Whether it is meant for `who`.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn is_for(&self, who: &str) -> Result<(), Refusal> {
        if self.audience.iter().any(|one| one == who) { Ok(()) } else { Err(Refusal::Audience) }
    }
}

/// The issuer that is claimed, to find the keys by.
pub(crate) fn issuer(all: &Map<String, Value>) -> Result<&str, Refusal> {
    all.get("iss").and_then(Value::as_str).ok_or(Refusal::Issuer)
}

/// A text that says something and can be written to a log.
fn text(all: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Refusal> {
    match all.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_name(text) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::Claim(name)),
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

fn audience(all: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let wrong = Refusal::Claim("aud");
    match all.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) if many.len() <= MANY => {
            many.iter().map(|one| one.as_str().map(str::to_owned).ok_or(wrong)).collect()
        }
        _ => Err(wrong),
    }
}

fn roles(all: &Map<String, Value>) -> Vec<String> {
    let Some(Value::Array(roles)) = all.get("roles") else { return Vec::new() };
    let texts = roles.iter().map(|role| role.as_str().filter(|role| is_name(role)).map(str::to_owned));
    if roles.len() > MANY { Vec::new() } else { texts.collect::<Option<_>>().unwrap_or_default() }
}

/// A moment, in whole seconds since 1970; parts of a second are left out.
fn time(all: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, Refusal> {
    // Up to here a fraction tells whole numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some(value) = all.get(name) else { return Ok(None) };
    let whole = value.as_u64().filter(|seconds| i64::try_from(*seconds).is_ok());
    let fraction = || value.as_f64().filter(|seconds| value.is_f64() && (0.0..EXACT).contains(seconds));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 2^53")]
    let read = whole.or_else(|| fraction().map(|seconds| seconds as u64));
    read.map(Some).ok_or(Refusal::Claim(name))
}
