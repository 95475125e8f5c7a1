//! Certificates are issued, shown and replaced by command, and a mistake changes nothing.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::program::{Folder, complained, printed};

/// Runs `tradewind pki …` in the folder.
fn pki(folder: &Folder, arguments: &[&str]) -> Output {
    folder.tradewind(&[&["pki"], arguments].concat()).output().unwrap()
}

fn done(folder: &Folder, arguments: &[&str]) -> String {
    let output = pki(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", complained(&output));
    printed(&output)
}

/// What it complains of, in one line.
fn refused(folder: &Folder, arguments: &[&str]) -> String {
    let output = pki(folder, arguments);
    let complaint = complained(&output);
    assert!(!output.status.success() && complaint.trim_end().lines().count() == 1, "{arguments:?}: {complaint}");
    complaint
}

fn shown(folder: &Folder) -> Vec<Value> {
    let output = pki(folder, &["show", "--json"]);
    let document: Value = serde_json::from_str(&printed(&output)).unwrap();
    assert_eq!(document["good"], output.status.success());
    document["certificates"].as_array().unwrap().clone()
}

fn one<'a>(shown: &'a [Value], name: &str) -> &'a Value {
    shown.iter().find(|one| one["name"] == name).unwrap()
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| (path.display().to_string(), fs::read(path).unwrap_or_default());
    let mut all: Vec<_> = entries.map(read).collect();
    all.sort();
    all
}

#[test]
fn every_certificate_is_shown_with_what_is_wrong_with_it() {
    let folder = Folder::new();
    assert!(refused(&folder, &["show"]).contains("`tradewind pki init` makes"));
    done(&folder, &["init"]);
    let all = shown(&folder);
    let (ca, ordering) = (one(&all, "ca"), one(&all, "ordering"));
    assert_eq!((&ca["role"], &ordering["role"]), (&"issues".into(), &"workload".into()));
    assert_eq!(ordering["id"], "spiffe://tradewind.local/svc/ordering");
    assert_eq!(ordering["issuer"], ca["id"]);
    assert!(ordering["days_left"].as_i64().unwrap() >= 364 && ordering["fingerprint"].as_str().unwrap().len() == 64);
    let text = done(&folder, &["show"]);
    assert_eq!(text.lines().count(), all.len() + 1, "{text}");
    assert!(text.contains("good, issues") && text.contains("spiffe://tradewind.local/svc/payment"), "{text}");

    let dir = folder.path().join("pki");
    fs::copy(dir.join("payment.key"), dir.join("ordering.key")).unwrap();
    for end in ["pem", "key"] {
        fs::copy(dir.join("catalog").with_extension(end), dir.join("shipping").with_extension(end)).unwrap();
    }
    fs::remove_file(dir.join("inventory.key")).unwrap();
    fs::write(dir.join("notification.pem"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
    let all = shown(&folder);
    for (name, reason) in [
        ("ordering", "wrong_key"),
        ("shipping", "other_service"),
        ("inventory", "unreadable"),
        ("notification", "unreadable"),
    ] {
        assert_eq!(one(&all, name)["reason"], reason, "{name}");
    }
    let output = pki(&folder, &["show"]);
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    assert!(text.contains("ordering.key: is not the key of the certificate"), "{text}");
}

#[test]
fn what_another_issuer_has_laid_down_is_shown_too() {
    let folder = Folder::new();
    done(&folder, &["init"]);
    let (dir, mounted) = (folder.path().join("pki"), folder.path().join("tls"));
    fs::create_dir(&mounted).unwrap();
    for (from, to) in [("ca.pem", "ca.crt"), ("payment.pem", "tls.crt"), ("payment.key", "tls.key")] {
        fs::copy(dir.join(from), mounted.join(to)).unwrap();
    }
    let text = done(&folder, &["show", mounted.to_str().unwrap()]);
    assert!(text.contains("tls ") && text.contains("svc/payment"), "{text}");
    assert!(text.contains("good, trusted"), "it has no key for the authority: {text}");
}

#[test]
fn a_further_workload_is_issued_once_and_renewed_with_the_names_it_has() {
    let folder = Folder::new();
    assert!(refused(&folder, &["issue", "mine"]).contains("`tradewind pki init` makes it"));
    done(&folder, &["init"]);
    done(&folder, &["issue", "mine", "--host", "mine.shop", "--host", "10.0.0.7", "--validity", "30d"]);
    let before = shown(&folder);
    let dir = folder.path().join("pki");
    let kept = files(&dir);
    for (arguments, why) in [
        (&["issue", "mine"][..], "`tradewind pki renew mine`"),
        (&["issue", "ca"], "`tradewind pki rotate`"),
        (&["issue", "../x"], "is not of the form"),
        (&["issue", "Mine"], "is not of the form"),
        (&["issue", "other", "--host", "no host"], "host"),
        (&["issue", "other", "--validity", "0s"], "between a second and ten years"),
        (&["renew", "ca"], "`tradewind pki rotate`"),
        (&["renew", "nobody"], "`tradewind pki issue nobody`"),
    ] {
        let complaint = refused(&folder, arguments);
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
        assert_eq!(files(&dir), kept, "{arguments:?}");
    }
    done(&folder, &["renew", "mine"]);
    let after = shown(&folder);
    assert_ne!(one(&before, "mine")["fingerprint"], one(&after, "mine")["fingerprint"]);
    assert!((29..=30).contains(&one(&after, "mine")["days_left"].as_i64().unwrap()));
}

#[test]
fn what_a_reader_may_read_is_in_its_certificate_and_the_broker_hears_of_it() {
    const ID: &str = "spiffe://tradewind.local/reader/reporting/ordering/payment";
    let folder = Folder::new();
    done(&folder, &["init"]);
    for (arguments, why) in [
        (&["issue", "reporting", "--reads", "sales"][..], "there is no context \"sales\"; there are analytics, "),
        (&["issue", "reporting", "--reads", "ordering,"], "there is no context \"\""),
        (&["issue", "ordering", "--reads", "ordering"], "`tradewind pki renew ordering`"),
    ] {
        let complaint = refused(&folder, arguments);
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
    }
    let users = |arguments: &[&str]| {
        let output = folder.tradewind(&[&["broker", "config"], arguments].concat()).output().unwrap();
        serde_json::from_str::<Value>(&printed(&output)).unwrap()["authorization"]["users"].as_array().unwrap().clone()
    };
    let before = users(&[]);
    done(&folder, &["issue", "reporting", "--reads", "payment,ordering"]);
    done(&folder, &["renew", "reporting"]);
    assert_eq!(one(&shown(&folder), "reporting")["id"], ID);
    let after = users(&["--reader", "elsewhere=catalog"]);
    let new: Vec<_> = after.iter().filter(|user| !before.contains(user)).map(|user| user["user"].clone()).collect();
    assert_eq!(new, ["spiffe://tradewind.local/reader/elsewhere/catalog", ID], "by their names");
    let another = folder.tradewind(&["broker", "config", "--reader", "reporting=catalog"]).output().unwrap();
    assert!(complained(&another).contains("2 readers are called reporting"), "{}", complained(&another));
    std::fs::write(folder.path().join("pki/half.pem"), "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    let half = folder.tradewind(&["broker", "config"]).output().unwrap();
    assert!(complained(&half).contains("it cannot be read whose certificate"), "{}", complained(&half));
    let stranger = folder.tradewind(&["broker", "config", "--reader", "elsewhere=sales"]).output().unwrap();
    assert!(complained(&stranger).contains("there is no context"), "{}", complained(&stranger));
}

#[test]
fn the_authority_is_replaced_stage_by_stage_or_in_one_go() {
    let folder = Folder::new();
    assert!(refused(&folder, &["rotate"]).contains("there is no authority to replace"));
    done(&folder, &["init"]);
    let authority = |at: usize| {
        let all = shown(&folder);
        all.iter().filter(|one| one["name"] == "ca").nth(at).map(|one| one["fingerprint"].clone())
    };
    let first = authority(0);
    assert!(refused(&folder, &["rotate", "--stage", "issue"]).contains("too early"));
    assert!(done(&folder, &["rotate"]).contains("`tradewind pki rotate --stage issue`"));
    assert!(refused(&folder, &["rotate", "--stage", "retire"]).contains("too early"));
    assert!(done(&folder, &["rotate", "--stage", "trust"]).contains("had been done already"));
    assert!(done(&folder, &["rotate"]).contains("`tradewind pki rotate --stage retire`"));
    assert!(done(&folder, &["rotate"]).starts_with("retire: "));
    assert!(authority(0) != first && authority(1).is_none());

    let second = authority(0);
    done(&folder, &["rotate"]);
    let told = done(&folder, &["rotate", "--after", "10ms", "--json"]);
    let stages: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(stages.iter().map(|one| &one["stage"]).collect::<Vec<_>>(), ["issue", "retire"], "what was left");
    assert!(authority(0) != second && authority(1).is_none());
    assert!(pki(&folder, &["show"]).status.success());
}

/// Copies for others hold nothing that can issue, at no stage.
#[test]
fn what_is_published_during_a_rotation_has_no_authoritys_key() {
    let folder = Folder::new();
    done(&folder, &["init"]);
    done(&folder, &["rotate"]);
    let to = folder.path().join("published");
    done(&folder, &["init", "--publish", to.to_str().unwrap()]);
    let dir = folder.path().join("pki");
    let secrets = [dir.join("ca.key"), dir.join("rotation/new.key")].map(|file| fs::read(file).unwrap());
    let published = files(&to);
    assert!(published.len() > 10 && published.iter().all(|(_, content)| !secrets.contains(content)));
    assert_eq!(fs::read(to.join("ca.pem")).unwrap(), fs::read(dir.join("ca.pem")).unwrap());
}
