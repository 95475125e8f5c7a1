//! Which folder a local system can live in.

use std::path::PathBuf;

/// SQLite opens no path of 512 bytes or more, a suffix for its journals included. The longest file a system has below its
/// folder is `replay/data/notification.db`.
const LONGEST: usize = 440;

/// The folder as an absolute path that every process can be told, whatever its working directory.
///
/// # Errors
/// Tells why no system can live there.
pub(crate) fn folder(given: PathBuf) -> Result<PathBuf, String> {
    let path = std::path::absolute(given).map_err(|error| error.to_string())?;
    if path.to_str().is_none() {
        return Err(format!("{path:?} is not UTF-8, which settings and configuration files have to be"));
    }
    // Links are followed before a database is opened. What is not there yet is made where it says.
    let bytes = path.canonicalize().as_ref().unwrap_or(&path).as_os_str().len();
    if bytes > LONGEST {
        return Err(format!("is too long a path: {bytes} bytes, of which databases below it leave at most {LONGEST}"));
    }
    Ok(path)
}
