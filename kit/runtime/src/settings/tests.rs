#![allow(clippy::unwrap_used)]

use std::{ffi::OsString, num::NonZeroU16, path::Path};

use super::*;

crate::settings! {
    #[derive(Debug, PartialEq)]
    struct Harbour {
        /// ships at once
        berths: NonZeroU16 = "3" => super::positive,
        /// where the pilots are
        pilot_url: String = "http://127.0.0.1:7300" => |text| Ok(text.to_owned()),
        /// how long high water lasts
        tide: Duration = "60s" => super::duration,
    }
}

fn about() -> About {
    let (folder, settings) = (FOLDER.into(), Harbour::table());
    About {
        name: "harbour",
        purpose: "",
        is_edge: false,
        has_broker: true,
        grpc_port: 7101,
        admin_port: 7201,
        folder,
        settings,
    }
}

/// Reads settings from variables (and the file they may name), with credentials that exist.
fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let exists = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let credentials = [("TRADEWIND_CA", exists), ("TRADEWIND_CERT", exists), ("TRADEWIND_KEY", exists)];
    let variables =
        credentials.iter().chain(variables).map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let settings = Sources::from_variables(variables).and_then(|sources| Settings::read(&about(), &sources));
    let settings = settings.map_err(|mistake| mistake.to_string())?;
    settings.own.all::<Harbour>().map_err(|mistake| mistake.to_string())?;
    Ok(settings)
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harbour.toml");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn defaults_suffice_where_the_credentials_are() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.grpc_addr, "127.0.0.1:7101".parse().unwrap());
    assert_eq!(settings.database_url.expose(), "sqlite://.tradewind/data/harbour.db");
    assert_eq!(settings.grace, Duration::from_secs(10));
    let own: Harbour = settings.own.all().unwrap();
    assert_eq!((own.berths.get(), own.tide), (3, Duration::from_secs(60)));
    assert_eq!(own.pilot_url, "http://127.0.0.1:7300");
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default() {
    let (_folder, path) =
        file("grace = \"3s\"\nworkers = 4\nberths = 7\ntide = \"2m\"\n[peers]\nlighthouse = \"light:7100\"\n");
    let settings = read(&[("TRADEWIND_CONFIG", &path), ("TRADEWIND_GRACE", "5s"), ("TRADEWIND_BERTHS", "9")]).unwrap();
    assert_eq!((settings.grace, settings.workers), (Duration::from_secs(5), 4));
    assert_eq!(settings.peers.get("lighthouse").map(String::as_str), Some("light:7100"));
    let own: Harbour = settings.own.all().unwrap();
    assert_eq!((own.berths.get(), own.tide), (9, Duration::from_secs(120)));
}

#[test]
fn every_mistake_names_its_variable() {
    for (name, value, told) in [
        ("TRADEWIND_GRPC_ADDR", "abc", r#""abc" is not an address:port"#),
        ("TRADEWIND_ADMIN_ADDR", "localhost", r#""localhost" is not an address:port"#),
        (
            "TRADEWIND_KEY",
            "/nowhere/x.key",
            r#""/nowhere/x.key" cannot be read: No such file or directory (os error 2)"#,
        ),
        ("TRADEWIND_DATABASE_URL", "mysql://u:secret@h/d", "the database URL is not a sqlite:// or postgres:// URL"),
        ("TRADEWIND_PARTITIONS", "17", r#""17" is not a number of partitions from 1 to 16"#),
        (
            "TRADEWIND_NATS_URL",
            "localhost:4222",
            "the broker's URL is not a nats:// or tls:// URL, with %40 for an @ in a password and so on",
        ),
        ("TRADEWIND_PEERS", "catalog", r#""catalog" is not name=host:port"#),
        ("TRADEWIND_INSTANCE", "a b", r#""a b" is not a name (letters, digits, '.', '-', '_')"#),
        ("TRADEWIND_LOG_FORMAT", "xml", r#""xml" is not json, pretty or auto"#),
        ("TRADEWIND_GRACE", "soon", r#""soon" is not a duration such as 10s or 1m 30s"#),
        ("TRADEWIND_WORKERS", "0", r#""0" is not a number of threads from 1 to 512"#),
        ("TRADEWIND_OTLP_SIGNALS", "traces,spans", r#""spans" is none of traces, metrics and logs"#),
        ("TRADEWIND_TRACE_RATIO", "2", r#""2" is not a number from 0 to 1"#),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", r#"is not an http:// or https:// URL"#),
        ("TRADEWIND_BERTHS", "many", r#""many" is not a number of 1 or more"#),
        ("TRADEWIND_TIDE", "high", r#""high" is not a duration such as 10s or 1m 30s"#),
    ] {
        assert_eq!(read(&[(name, value)]).unwrap_err(), format!("{name}: {told}"));
    }
}

#[test]
fn the_policy_is_in_shadow_only_where_that_is_said_exactly() {
    assert!(!read(&[]).unwrap().policy_shadow);
    let said = |text: &str| read(&[("TRADEWIND_POLICY_SHADOW", text)]);
    assert!(said("true").unwrap().policy_shadow);
    assert!(!said("false").unwrap().policy_shadow);
    for text in ["", "True", "TRUE", "yes", "on", "1", "t", " true", "true "] {
        let told = format!("TRADEWIND_POLICY_SHADOW: {text:?} is neither true nor false");
        assert_eq!(said(text).unwrap_err(), told);
    }
    for (text, shadow) in [("policy_shadow = true", true), ("policy_shadow = false", false)] {
        let (_folder, path) = file(text);
        assert_eq!(read(&[("TRADEWIND_CONFIG", &path)]).unwrap().policy_shadow, shadow);
    }
    let (_folder, path) = file("policy_shadow = 1");
    assert!(read(&[("TRADEWIND_CONFIG", &path)]).is_err());
}

#[test]
fn a_value_may_be_in_a_file_of_its_own() {
    let (_folder, path) = file("postgres://u:secret@h/d\n");
    let settings = read(&[("TRADEWIND_DATABASE_URL_FILE", &path)]).unwrap();
    assert_eq!(settings.database_url.expose(), "postgres://u:secret@h/d");
    let (_folder, path) = file("9");
    assert_eq!(read(&[("TRADEWIND_BERTHS_FILE", &path)]).unwrap().own.all::<Harbour>().unwrap().berths.get(), 9);

    let told = read(&[("TRADEWIND_BERTHS_FILE", &path), ("TRADEWIND_BERTHS", "7")]).unwrap_err();
    assert_eq!(told, "TRADEWIND_BERTHS_FILE: TRADEWIND_BERTHS is set, too");
    let told = read(&[("TRADEWIND_BERTHS_FILE", "/nowhere")]).unwrap_err();
    assert!(told.starts_with("TRADEWIND_BERTHS_FILE: \"/nowhere\" cannot be read: "), "{told}");
}

#[test]
fn a_peer_may_be_at_several_addresses() {
    let settings = read(&[("TRADEWIND_PEERS", "pier=a:1, light=l:1,pier=b:2")]).unwrap();
    assert_eq!(settings.peers["pier"], "a:1,b:2");
    assert_eq!(settings.peers["light"], "l:1");
    let (_folder, path) = file("[peers]\npier = \"a:1,b:2\"\n");
    assert_eq!(read(&[("TRADEWIND_CONFIG", &path)]).unwrap().peers["pier"], "a:1,b:2");
    assert!(read(&[("TRADEWIND_PEERS", "pier=a:1,b:2")]).is_err(), "whose the second is must be said");
}

#[test]
fn how_often_a_workload_calls_may_be_limited() {
    assert_eq!(read(&[]).unwrap().rate_limits.to_string(), "");
    let limited = read(&[("TRADEWIND_RATE_LIMITS", "operator=50, *=2000")]).unwrap();
    assert_eq!(limited.rate_limits.to_string(), "operator=50,*=2000");
    let told = read(&[("TRADEWIND_RATE_LIMITS", "operator=often")]).unwrap_err();
    assert!(told.starts_with("TRADEWIND_RATE_LIMITS: `often` is not a number of calls a second"), "{told}");
}

#[test]
fn a_mistake_in_the_file_names_key_and_file() {
    for (text, told) in [
        ("grpc_adr = \"127.0.0.1:1\"", "grpc_adr in {path}: is not a setting of this service"),
        ("grpc_addr = \"abc\"", "grpc_addr in {path}: \"abc\" is not an address:port"),
        ("berths = \"many\"", "berths in {path}: \"many\" is not a number of 1 or more"),
        ("grace = [1]", "grace in {path}: is not a single value"),
        ("berths = [1]", "berths in {path}: is not a single value"),
    ] {
        let (_folder, path) = file(text);
        assert_eq!(read(&[("TRADEWIND_CONFIG", &path)]).unwrap_err(), told.replace("{path}", &path));
    }
    let (_folder, path) = file("= 3");
    let told = read(&[("TRADEWIND_CONFIG", &path)]).unwrap_err();
    assert!(told.starts_with(&format!("TRADEWIND_CONFIG: {path:?} is not TOML: ")) && !told.contains('\n'), "{told}");
    let told = read(&[("TRADEWIND_CONFIG", "/nowhere.toml")]).unwrap_err();
    assert!(told.starts_with("TRADEWIND_CONFIG: \"/nowhere.toml\" cannot be read: "), "{told}");
}

#[test]
fn a_replica_keeps_its_name_where_no_other_can_have_it() {
    let postgres = ("TRADEWIND_DATABASE_URL", "postgres://h/d");
    assert_eq!(read(&[]).unwrap().instance("harbour").as_deref(), Some("harbour"));
    assert_eq!(read(&[postgres]).unwrap().instance("harbour"), None);
    let named = read(&[postgres, ("TRADEWIND_INSTANCE", "harbour-0")]).unwrap();
    assert_eq!(named.instance("harbour").as_deref(), Some("harbour@harbour-0"));
}

#[test]
fn variables_of_others_are_left_alone() {
    assert!(read(&[("TRADEWIND_CATALOG_SERVICE_HOST", "10.0.0.7"), ("TRADEWINDS", "1")]).is_ok());
}

#[test]
fn a_password_in_a_url_is_never_shown() {
    let settings =
        read(&[("TRADEWIND_DATABASE_URL", "postgres://u:secret@h/d"), ("TRADEWIND_PILOT_URL", "secret")]).unwrap();
    assert!(!format!("{settings:?} {:?}", settings.own).contains("secret"));
}

#[test]
fn a_mistake_in_a_url_or_beside_it_repeats_no_password() {
    for (name, value) in [
        ("TRADEWIND_DATABASE_URL", "postgres://u:12#secret@h/d"),
        ("TRADEWIND_DATABASE_URL", "postgres://u:secret@h:port/d"),
        ("TRADEWIND_NATS_URL", "tls://u:12/secret@h"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://u:secret@h"),
    ] {
        let told = read(&[(name, value)]).unwrap_err();
        assert!(told.starts_with(name) && !told.contains("secret"), "{told}");
    }
    let (_folder, path) = file("grace = \"10s\"\ndatabase_url = \"postgres://u:secret@h/d\n");
    let told = read(&[("TRADEWIND_CONFIG", &path)]).unwrap_err();
    assert!(told.contains("line 2") && !told.contains("secret"), "{told}");
}

#[test]
fn settings_made_by_a_test_are_checked_too() {
    let identity = IdentityFiles { ca: Path::new("a").into(), cert: Path::new("b").into(), key: Path::new("c").into() };
    let settings = Settings::in_process(identity, "sqlite::memory:", "nats://127.0.0.1:1").with("berts", "3");
    let mistake = settings.own.all::<Harbour>().unwrap_err();
    assert_eq!(mistake.to_string(), "TRADEWIND_BERTS: is not a setting of this service");
}
