//! How the path of an SQLite file is written in a database URL, and read from one.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What stands for itself: everything else would end the path, or be decoded into another one.
const WRITTEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL of the SQLite file at `path`, whatever characters that has.
#[must_use]
pub fn sqlite_url(path: &Path) -> String {
    format!("sqlite://{}", percent_encode(path.as_os_str().as_encoded_bytes(), WRITTEN))
}

/// The file that an SQLite URL names; `None` for one in memory, or when `url` is another database's.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))?;
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() || path == ":memory:" {
        return None;
    }
    percent_decode_str(path).decode_utf8().ok().map(|path| PathBuf::from(path.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_out_of_its_url_as_it_went_in() {
        for path in
            ["/srv/x%41/a.db", "/a b/c?d#e/f\"g'h\\i.db", "/new\nline/$HOME/{}/é이.db", "rel/./x.db", "/100%/a+b.db"]
        {
            let url = sqlite_url(Path::new(path));
            assert_eq!(sqlite_file(&url).as_deref(), Some(Path::new(path)), "{url}");
            assert!(url.is_ascii() && !url.contains(['?', '#', ' ']), "{url}");
        }
        assert_eq!(sqlite_url(Path::new("/var/lib/bank-1_a~.db")), "sqlite:///var/lib/bank-1_a~.db");
        assert_eq!(sqlite_file("sqlite:a%20b.db?mode=ro"), Some(PathBuf::from("a b.db")));
        for none in ["sqlite::memory:", "sqlite://", "postgres://h/d", "sqlite://%ff"] {
            assert_eq!(sqlite_file(none), None, "{none}");
        }
    }
}
