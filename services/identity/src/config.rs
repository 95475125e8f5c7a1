//! The service's own settings.

use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::RangeInclusive;
use std::time::Duration;

use tradewind_runtime::positive;

use crate::seals::Seals;
use crate::tokens::Algorithm;

tradewind_runtime::settings! {
    /// How people sign in, and for how long.
    pub(crate) struct Config {
        /// who issues access tokens, an URL: what verifies them has to be told the same
        issuer: String = "http://localhost:8080" => issuer,
        /// how long an access token is good, 1m to 1h
        token_lifetime: Duration = "10m" => within::<60, 3_600>,
        /// what signs them: Ed25519 or ES256; of keys that are made from now on
        signing_algorithm: Algorithm = "Ed25519" => str::parse,
        /// how long each key signs, 2d to 1y
        key_lifetime: Duration = "30d" => within::<172_800, 31_557_600>,
        /// keys that seal what signs in the database, each 32 bytes in base64, of which the first seals; empty for none
        signing_key_seals: Seals = "" => Seals::read,
        /// how long a code that is sent by mail is good, 1m to 1h
        code_lifetime: Duration = "10m" => within::<60, 3_600>,
        /// how long a password is good that is made for one use, 1m to 7d
        one_time_password_lifetime: Duration = "24h" => within::<60, 604_800>,
        /// how long somebody stays signed in who does nothing, 10m to 1y
        session_idle: Duration = "14d" => within::<600, 31_557_600>,
        /// how long somebody stays signed in at all, 10m to 1y
        session_lifetime: Duration = "90d" => within::<600, 31_557_600>,
        /// KiB of memory that one hash of a password takes
        hash_memory: NonZeroU32 = "19456" => memory,
        /// how often a hash goes over it
        hash_passes: NonZeroU32 = "2" => positive,
        /// hashes at a time; auto is all processors but one, and no more than 4
        hash_threads: NonZeroUsize = "auto" => threads,
        /// the most hashes that wait for their turn
        hash_waiting: NonZeroUsize = "64" => positive,
    }
}

/// Memory of one hash, in KiB: what argon2 takes at least, and what a process has for some of them.
const MEMORY: RangeInclusive<u32> = 8..=1_048_576;

fn issuer(text: &str) -> Result<String, String> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_url && is_plain { Ok(text.to_owned()) } else { Err("is not an http:// or https:// URL".to_owned()) }
}

fn within<const LEAST: u64, const MOST: u64>(text: &str) -> Result<Duration, String> {
    let duration = tradewind_runtime::duration(text)?;
    if (LEAST..=MOST).contains(&duration.as_secs()) {
        return Ok(duration);
    }
    Err(format!("must be from {LEAST}s to {MOST}s"))
}

fn memory(text: &str) -> Result<NonZeroU32, String> {
    let memory: NonZeroU32 = positive(text)?;
    if MEMORY.contains(&memory.get()) { Ok(memory) } else { Err("must be 8 to 1048576".to_owned()) }
}

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    if text != "auto" {
        return positive(text);
    }
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Ok(NonZeroUsize::new(processors.saturating_sub(1).min(4)).unwrap_or(NonZeroUsize::MIN))
}
