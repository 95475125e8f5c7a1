//! URLs of databases as they come.

#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn what_cannot_be_read_is_refused_without_being_repeated() {
    for url in [
        "postgres://u:se#cret@h/d",
        "postgres://u:se/cret@h/d",
        "postgres://u:se?cret@h/d",
        "postgres://u:12#secret@h/d",
        "postgres://u:12?secret=x@h/d",
        "postgres://u:se@cret@h/d",
        "postgres://u:secret@h:notaport/d",
        "postgres://u:secret@h:99999/d",
        "postgres://u:secret@h/d?sslmode=secret",
        "postgres://h/d?pasword=secret",
        "postgres://u:%ffsecret@h/d",
        "postgres://u:secret@[h/d",
        "mysql://u:secret@h/d",
        "sqlite://",
        "sqlite:///srv/%ffsecret.db",
        "sqlite:%3Amemory%3A",
        "sqlite:///srv/a.db?mode=secret",
        "sqlite:///srv/a.db?immutable=secret",
    ] {
        let told = check_database_url(url).unwrap_err();
        assert_eq!((told.kind, told.reason), (ErrorKind::Invalid, "DATABASE_URL_INVALID"), "{url}");
        assert!(!told.message.contains("cret"), "{told}");
    }
    for url in [
        "postgres://u:s%40cret@h:5432/d?sslmode=require",
        "postgresql://h/d?options[jit]=off",
        "sqlite::memory:",
        "sqlite:a.db?mode=rwc",
    ] {
        check_database_url(url).unwrap();
    }
}

/// As they are handed out and passed round, with names and passwords of nobody.
#[test]
fn urls_as_they_are_handed_out_are_taken_or_refused_by_name() {
    let ends = |url: &str| match check_database_url(url) {
        Ok(()) => {
            let (left, names) = driver_url(url);
            left.parse::<PgConnectOptions>().unwrap();
            names.join(" ")
        }
        Err(error) => error.message,
    };
    for (url, expected) in [
        ("postgresql://a:b@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require", ""),
        ("postgresql://a:b@ep-cool-1.aws.neon.tech/neondb?sslmode=require&channel_binding=prefer", "channel_binding"),
        ("postgres://a:b@db-do.example.com:25060/defaultdb?sslmode=require", ""),
        ("postgres://postgres.ref:b@aws-0-eu.pooler.supabase.com:5432/postgres", ""),
        ("postgres://a:b@db.rds.amazonaws.com:5432/d?sslmode=verify-full&sslrootcert=/certs/global-bundle.pem", ""),
        ("postgres://a:b@db.rds.amazonaws.com/d?sslmode=verify-full&sslrootcert=system", "sslrootcert"),
        ("postgres://a%40srv:b@srv.postgres.database.azure.com:5432/postgres?sslmode=require", ""),
        (
            "postgres://a:b@h/d?connect_timeout=10&application_name=x&keepalives=1&keepalives_idle=30",
            "connect_timeout keepalives keepalives_idle",
        ),
        ("postgres://a:b@h/d?target_session_attrs=read-write&gssencmode=disable", "target_session_attrs gssencmode"),
        (
            "postgres://a:b@h/d?load_balance_hosts=disable&sslcompression=0&tcp_user_timeout=5",
            "load_balance_hosts sslcompression tcp_user_timeout",
        ),
        (
            "postgres://a:b@h/d?client_encoding=utf8&ssl_min_protocol_version=TLSv1.2",
            "client_encoding ssl_min_protocol_version",
        ),
        ("postgres://a:b@h/d?schema=public&connection_limit=1", "schema connection_limit"),
        ("postgres://a:b@cockroach.example.com:26257/d?sslmode=verify-full&options=--cluster%3Dx-1", ""),
        ("postgres://a:b@localhost/d?host=/cloudsql/project:region:instance", ""),
    ] {
        assert_eq!(ends(url), expected, "{url}");
    }
    for (url, part) in [
        ("postgresql://a:b@ep-cool-1.aws.neon.tech/d?sslmode=require&channel_binding=require", "channel_binding"),
        ("postgres://a:b@h/d?target_session_attrs=read-only", "target_session_attrs"),
        ("postgres://a:b@h/d?target_session_attrs=prefer-standby", "target_session_attrs"),
        ("postgres://a:b@h/d?gssencmode=require", "gssencmode"),
        ("postgres://a:b@h/d?ssl_min_protocol_version=TLSv1.3", "ssl_min_protocol_version"),
        ("postgres://a:b@h/d?require_auth=scram-sha-256", "require_auth"),
        ("postgres://h/d?passfile=/home/a/.pgpass", "passfile"),
        ("postgres://a:b@h:6543/postgres?pgbouncer=true", "pgbouncer"),
        ("postgres://a:b@h/d?ssl=true", "sslmode=verify-full"),
        ("postgres://a:b@h/d?client_encoding=LATIN1", "client_encoding"),
        ("postgres://a:b@h1:5432,h2:5432/d?target_session_attrs=read-write", "more than one server"),
        ("postgres://a:b@h1,h2/d", "more than one server"),
        ("postgres://a:b@h/d?workaround=pooler", "none of"),
    ] {
        let told = check_database_url(url).unwrap_err().message;
        assert!(told.contains(part), "{url}: {told}");
    }
}

#[test]
fn a_server_elsewhere_is_verified_unless_the_url_says_otherwise() {
    let mode = |url: &str| format!("{:?}", verified(url.parse().unwrap(), url).get_ssl_mode());
    for url in ["postgres://db.example.org/d", "postgres://u:p@10.0.0.7:5432/d", "postgres://localhost.example.org/d"] {
        assert_eq!(mode(url), "VerifyFull", "{url}");
    }
    for url in
        ["postgres://localhost/d", "postgres://127.0.0.1:5433/d", "postgres://[::1]/d", "postgres:///d?host=/run/pg"]
    {
        assert_eq!(mode(url), "Prefer", "{url}");
    }
    assert_eq!(mode("postgres://db.example.org/d?sslmode=disable"), "Disable");
}
