//! The authority and every certificate are replaced while everybody calls, and nobody notices.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::{Code, Status};
use tradewind_mesh::pki::{self, Rotated, Stage, due, rotate};
use tradewind_mesh::{Identity, IdentityFiles, Server, SpiffeId};

use crate::echo::{Echo, ONCE, SAY, ask};
use crate::spoiled::is_let_in;
use crate::world::{DOMAIN, channel, counted, credentials, eventually, policy};

const CALLERS: u64 = 64;
/// So short that every connection is replaced several times.
const AGE: Duration = Duration::from_secs(4);

/// Serves from what is in `dir` until `stop`.
async fn serve(dir: &Path, stop: &CancellationToken) -> (Identity, SocketAddr) {
    let identity = Identity::load(IdentityFiles::in_dir(dir, "echo")).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let server = Server::bind(any, identity.clone(), policy(), "echo").await.unwrap().draining_after(AGE);
    let address = server.local_addr();
    tokio::spawn(server.serve(Routes::new(Echo::default()), stop.clone(), Duration::from_secs(10)));
    (identity, address)
}

/// What `name` had in `dir`, in a folder that nothing changes any more, with the bundle of now.
fn left_behind(dir: &Path, pair: [Vec<u8>; 2]) -> (TempDir, IdentityFiles) {
    let folder = tempfile::tempdir().unwrap();
    let files = IdentityFiles::in_dir(folder.path(), "operator");
    fs::copy(dir.join("ca.pem"), &files.ca).unwrap();
    let [cert, key] = pair;
    fs::write(&files.cert, cert).unwrap();
    fs::write(&files.key, key).unwrap();
    (folder, files)
}

fn pair(dir: &Path, name: &str) -> [Vec<u8>; 2] {
    ["pem", "key"].map(|end| fs::read(dir.join(name).with_extension(end)).unwrap())
}

/// What each of a process's generations trusts, and whether its certificate is another than `first`.
fn in_use(identity: &Identity, first: &str) -> (usize, bool) {
    let now = identity.generations().pop().unwrap();
    (now.authorities.len(), now.certificate != first)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn authority_and_certificates_are_rotated_while_64_call_and_no_call_fails() {
    let refused = || counted("grpc.server.tls.handshakes", "reason", "unknown_ca");
    let refused_before = refused();
    let dir = credentials();
    let (stop, hang_up) = (CancellationToken::new(), CancellationToken::new());
    let (server, address) = serve(dir.path(), &stop).await;
    let client = Identity::load(IdentityFiles::in_dir(dir.path(), "operator")).unwrap();
    let first = [&server, &client].map(|identity| identity.generations().remove(0).certificate);
    let before = pair(dir.path(), "operator");

    let calls = Arc::new(AtomicU64::new(0));
    let failed: Arc<Mutex<Vec<Status>>> = Arc::default();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let channel = channel(client.clone(), "echo", address);
        let (calls, failed, hang_up) = (calls.clone(), failed.clone(), hang_up.clone());
        callers.spawn(async move {
            while !hang_up.is_cancelled() {
                // What is never sent again once it may have been begun.
                match ask(&channel, ONCE, "hello").await {
                    Ok(_) => drop(calls.fetch_add(1, Ordering::Relaxed)),
                    Err(status) => failed.lock().unwrap().push(status),
                }
                // Leaves something of a small machine to the rest.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    let called = async || {
        let goal = calls.load(Ordering::Relaxed) + 10 * CALLERS;
        eventually("everybody goes on calling", async || calls.load(Ordering::Relaxed) >= goal).await;
        let failed = failed.lock().unwrap();
        assert!(
            failed.is_empty(),
            "{} of {} calls failed: {:?}",
            failed.len(),
            calls.load(Ordering::Relaxed),
            failed[0]
        );
    };
    let reached = async |what: &str, expected: (usize, bool)| {
        eventually(what, async || in_use(&server, &first[0]) == expected && in_use(&client, &first[1]) == expected)
            .await;
        called().await;
    };
    called().await;

    rotate(dir.path(), Stage::Trust).unwrap();
    reached("everybody trusts both", (2, false)).await;
    // Somebody who is not told of what follows, and has a connection.
    let (_folder, files) = left_behind(dir.path(), before);
    let behind = Identity::load(files).unwrap();
    let old = channel(behind.clone(), "echo", address);
    ask(&old, SAY, "hello").await.unwrap();

    rotate(dir.path(), Stage::Issue).unwrap();
    reached("everybody has a certificate of the new one", (2, true)).await;
    ask(&old, SAY, "hello").await.expect("the old one is still trusted");

    rotate(dir.path(), Stage::Retire).unwrap();
    reached("nobody trusts the old one", (1, true)).await;
    let mut config = behind.client_config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    assert!(!is_let_in(config, address).await, "the old chain opens no connection");
    eventually("the connection that it had has ended", async || {
        let answer = ask(&old, SAY, "hello").await;
        answer.is_err_and(|refused| refused.code() == Code::Unavailable)
    })
    .await;
    eventually("it is counted why", async || refused() > refused_before).await;
    eventually("nothing lives under what was before", async || server.generations().len() == 1).await;

    called().await;
    hang_up.cancel();
    callers.join_all().await;
    assert!(failed.lock().unwrap().is_empty(), "{failed:?}");
    stop.cancel();
}

#[tokio::test]
async fn a_server_of_the_old_chain_is_refused_after_the_overlap() {
    let (dir, old) = (credentials(), tempfile::tempdir().unwrap());
    for file in fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), old.path().join(file.file_name())).unwrap();
    }
    let stop = CancellationToken::new();
    let (_server, address) = serve(old.path(), &stop).await;
    let client = || Identity::load(IdentityFiles::in_dir(dir.path(), "gateway")).unwrap();
    ask(&channel(client(), "echo", address), SAY, "hello").await.unwrap();
    for stage in [Stage::Trust, Stage::Issue, Stage::Retire] {
        rotate(dir.path(), stage).unwrap();
    }
    let refused = ask(&channel(client(), "echo", address), SAY, "hello").await.unwrap_err();
    assert!(refused.message().contains("is of none of the trusted authorities"), "{refused}");
    stop.cancel();
}

/// Every file below a folder, by its name.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn changed(done: &Rotated) -> Vec<&str> {
    done.changed.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect()
}

#[test]
fn each_stage_may_be_repeated_and_says_what_it_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let hosts = vec!["nats.shop.svc".to_owned(), "10.1.2.3".to_owned()];
    pki::init(dir, &["echo"], DOMAIN).unwrap();
    let nats = SpiffeId::new(DOMAIN, "nats").unwrap();
    pki::issue_with(dir, &nats, &hosts, Duration::from_secs(3600)).unwrap();
    let twice = |stage| {
        assert_eq!(due(dir).unwrap(), stage);
        let first = rotate(dir, stage).unwrap();
        let after = files(dir);
        assert!(rotate(dir, stage).unwrap().changed.is_empty(), "{stage:?}");
        assert_eq!(files(dir), after, "{stage:?}");
        first
    };
    let old = fs::read_to_string(dir.join("ca.pem")).unwrap();
    assert_eq!(changed(&twice(Stage::Trust)), ["new.pem", "ca.pem"]);
    assert!(fs::read_to_string(dir.join("ca.pem")).unwrap().starts_with(old.trim()));
    assert_eq!(changed(&twice(Stage::Issue)), ["ca.key", "echo.pem", "nats.pem"]);
    assert_eq!(changed(&twice(Stage::Retire)), ["ca.pem"]);
    assert_eq!(due(dir).unwrap(), Stage::Trust, "nothing is left of it");
    assert!(!dir.join("rotation").exists());
    assert!(!fs::read_to_string(dir.join("ca.pem")).unwrap().contains(old.lines().nth(1).unwrap()));

    let made = pki::init(dir, &["echo"], DOMAIN).unwrap().made;
    assert!(made.is_empty(), "what was issued is good: {made:?}");
    let text = fs::read(dir.join("nats.pem")).unwrap();
    let leaf = CertificateDer::from_pem_slice(&text).unwrap();
    let leaf = ParsedCertificate::try_from(&leaf).unwrap();
    for host in hosts {
        verify_server_name(&leaf, &ServerName::try_from(host).unwrap()).unwrap();
    }
}

#[test]
fn a_stage_out_of_turn_changes_nothing() {
    let dir = credentials();
    let refused = |stage: Stage, why: &str| {
        let before = files(dir.path());
        let told = rotate(dir.path(), stage).unwrap_err().to_string();
        assert!(told.contains("too early") && told.contains(why) && !told.contains('\n'), "{told}");
        assert_eq!(files(dir.path()), before);
    };
    refused(Stage::Issue, "no other authority has been made");
    rotate(dir.path(), Stage::Trust).unwrap();
    refused(Stage::Retire, "has not issued for console, echo, gateway");
    rotate(dir.path(), Stage::Issue).unwrap();
    pki::renew(dir.path(), "echo").unwrap();
    rotate(dir.path(), Stage::Retire).expect("what is renewed meanwhile is of the new authority");
}

/// Cut off at any point, the folder is one that a repetition mends: each of these is what a kill leaves.
#[test]
fn a_rotation_goes_on_where_it_was_cut_off() {
    let dir = credentials();
    let dir = dir.path();
    let folder = dir.join("rotation");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("new.key"), "half a").unwrap();
    assert_eq!(due(dir).unwrap(), Stage::Trust);
    let bundle = fs::read(dir.join("ca.pem")).unwrap();
    rotate(dir, Stage::Trust).unwrap();
    let both = fs::read(dir.join("ca.pem")).unwrap();
    fs::write(dir.join("ca.pem"), &bundle).unwrap();
    assert_eq!(due(dir).unwrap(), Stage::Trust, "the bundle was not written");
    rotate(dir, Stage::Trust).unwrap();
    assert_eq!(fs::read(dir.join("ca.pem")).unwrap(), both, "the same authority is added");

    let (echo, gateway) = (pair(dir, "echo"), pair(dir, "gateway"));
    rotate(dir, Stage::Issue).unwrap();
    // One was not reached, of the other only the key was written.
    fs::write(dir.join("echo.pem"), &echo[0]).unwrap();
    fs::write(dir.join("echo.key"), &echo[1]).unwrap();
    fs::write(dir.join("gateway.pem"), &gateway[0]).unwrap();
    assert_eq!(due(dir).unwrap(), Stage::Issue);
    assert_eq!(changed(&rotate(dir, Stage::Issue).unwrap()), ["echo.pem", "gateway.pem"]);

    let rotation = ["old.pem", "new.pem", "new.key"].map(|file| fs::read(folder.join(file)).unwrap());
    rotate(dir, Stage::Retire).unwrap();
    fs::create_dir(&folder).unwrap();
    for (file, content) in ["old.pem", "new.pem", "new.key"].iter().zip(&rotation) {
        fs::write(folder.join(file), content).unwrap();
    }
    assert_eq!(due(dir).unwrap(), Stage::Retire, "the folder was not removed");
    rotate(dir, Stage::Retire).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("new.key"), &rotation[2]).unwrap();
    rotate(dir, Stage::Retire).unwrap();
    assert!(!folder.exists());
    Identity::load(IdentityFiles::in_dir(dir, "echo")).unwrap();
}

#[test]
fn what_is_lost_of_a_rotation_is_named_and_nothing_is_changed() {
    for lost in ["rotation/new.key", "rotation/old.pem", "ca.key", "echo.pem"] {
        let dir = credentials();
        if lost.starts_with("rotation") {
            rotate(dir.path(), Stage::Trust).unwrap();
        }
        fs::write(dir.path().join(lost), "").unwrap();
        let before = files(dir.path());
        let told = rotate(dir.path(), Stage::Trust).unwrap_err().to_string();
        assert!(told.contains(&format!("{lost}: ")) && !told.contains('\n'), "{lost}: {told}");
        assert_eq!(files(dir.path()), before, "{lost}");
    }
}
