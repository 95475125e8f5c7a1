//! Tokens that go with calls inside: certificates of a real authority, and everybody around who might sign.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::string::Ia5String;
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use rustls::pki_types::UnixTime;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tradewind_workload::{Identity, IdentityFiles, SpiffeId, pki};

use crate::signed::{encoded, signed};
use crate::{Algorithm, Checker, Minted, Minter, Refusal, User};

const DOMAIN: &str = "tradewind.test";
const KIND: &str = "tw-user+jwt";

struct World {
    dir: TempDir,
    now: u64,
}

impl World {
    fn new() -> Self {
        Self::of(DOMAIN)
    }

    fn of(domain: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        pki::init(dir.path(), &["gateway", "ordering", "catalog"], domain).unwrap();
        Self { dir, now: UnixTime::now().as_secs() }
    }

    fn files(&self, name: &str) -> IdentityFiles {
        IdentityFiles::in_dir(self.dir.path(), name)
    }

    fn identity(&self, name: &str) -> Identity {
        Identity::load(self.files(name)).unwrap()
    }

    fn minter(&self, name: &str) -> Minter {
        Minter::new(self.identity(name))
    }

    fn checker(&self) -> Checker {
        Checker::new(self.identity("ordering"), "ordering", ["gateway"])
    }

    fn minted(&self) -> Minted {
        self.minter("gateway").mint(&ada(), "ordering", self.now).unwrap()
    }

    /// A token with these claims instead, signed by `name`'s key.
    fn signed(&self, name: &str, kind: &str, algorithm: Algorithm, changes: Value) -> Minted {
        let by = self.identity(name).credentials();
        let mut claims = json!({
            "iss": by.id().to_string(), "aud": "ordering", "sub": "u-1", "roles": [], "iat": self.now, "exp": self.now + 60,
        });
        let members: &mut Map<_, _> = claims.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            if value == "absent" {
                members.remove(name)
            } else {
                members.insert(name.clone(), value.clone())
            };
        }
        let sign = |text: &str| by.sign(text.as_bytes()).map(encoded);
        let token = signed(algorithm, None, kind, members, sign).unwrap();
        Minted { token: token.into(), chain: chain(&self.identity(name)).into() }
    }
}

fn of(name: &str) -> SpiffeId {
    SpiffeId::new(DOMAIN, name).unwrap()
}

fn chain(identity: &Identity) -> String {
    identity.credentials().chain().iter().map(encoded).collect::<Vec<_>>().join(".")
}

fn ada() -> User {
    User { id: "u-1".to_owned(), roles: vec!["staff".to_owned()], session: Some("s-1".to_owned()), scopes: None }
}

/// Replaces the credentials of `name` by such with a key of another kind.
fn with_key(dir: &Path, name: &str, key: &KeyPair) {
    let read = |file: &str| fs::read_to_string(dir.join(file)).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&read("ca.pem"), KeyPair::from_pem(&read("ca.key")).unwrap()).unwrap();
    let mut params = CertificateParams::default();
    let id = Ia5String::try_from(SpiffeId::new(DOMAIN, name).unwrap().to_string()).unwrap();
    params.subject_alt_names = vec![SanType::URI(id)];
    let files = IdentityFiles::in_dir(dir, name);
    fs::write(files.cert, params.signed_by(key, &issuer).unwrap().pem()).unwrap();
    fs::write(files.key, key.serialize_pem()).unwrap();
}

#[test]
fn a_service_learns_from_the_gateways_token_whom_a_call_is_for() {
    for kind in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let world = World::new();
        with_key(world.dir.path(), "gateway", &KeyPair::generate_for(kind).unwrap());
        let (checker, minter) = (world.checker(), world.minter("gateway"));
        // An ECDSA signature is of two numbers that may begin with zeros: one in a hundred does.
        for number in 0..200 {
            let user = User { id: format!("u-{number}"), ..ada() };
            let Minted { token, chain } = minter.mint(&user, "ordering", world.now).unwrap();
            assert_eq!(*checker.check(&of("gateway"), &token, &chain, world.now).unwrap(), user, "{kind:?}");
        }
    }
}

#[test]
fn whoever_is_bound_to_scopes_is_so_inside() {
    let world = World::new();
    let (checker, minter) = (world.checker(), world.minter("gateway"));
    for (scopes, read, none) in [
        (None, true, true),
        (Some(vec![]), false, false),
        (Some(vec!["ordering.read".to_owned(), "ordering.write".to_owned()]), true, false),
        (Some(vec!["ordering.write".to_owned()]), false, false),
    ] {
        let user = User { scopes, ..ada() };
        let Minted { token, chain } = minter.mint(&user, "ordering", world.now).unwrap();
        let known = checker.check(&of("gateway"), &token, &chain, world.now).unwrap();
        assert_eq!(*known, user);
        assert_eq!((known.may(Some("ordering.read")), known.may(None)), (read, none), "{user:?}");
    }
}

#[test]
fn a_token_is_for_one_service_and_one_minute() {
    let world = World::new();
    let (checker, minter) = (world.checker(), world.minter("gateway"));
    let Minted { token, chain } = minter.mint(&ada(), "catalog", world.now).unwrap();
    assert_eq!(checker.check(&of("gateway"), &token, &chain, world.now).unwrap_err(), Refusal::Audience);
    let Minted { token, chain } = minter.mint(&ada(), "ordering", world.now).unwrap();
    let at =
        |seconds: u64| checker.check(&of("gateway"), &token, &chain, world.now + seconds).map(|user| user.id.clone());
    assert_eq!((at(0), at(89), at(90)), (Ok("u-1".to_owned()), Ok("u-1".to_owned()), Err(Refusal::Expired)));
    let early = world.checker().check(&of("gateway"), &token, &chain, world.now - 31);
    assert_eq!(early.unwrap_err(), Refusal::NotYetValid);
}

#[test]
fn nobody_signs_but_the_gateway_of_our_trust_domain() {
    let world = World::new();
    let checker = world.checker();
    let check = |minted: &Minted| {
        checker.check(&of("gateway"), &minted.token, &minted.chain, world.now).map(|user| user.id.clone())
    };
    let catalog = world.minter("catalog").mint(&ada(), "ordering", world.now).unwrap();
    assert_eq!(check(&catalog), Err(Refusal::Signer), "another workload");
    let foreign = World::of("elsewhere.test").minted();
    assert_eq!(check(&foreign), Err(Refusal::Signer), "another trust domain");
    let other = World::new().minted();
    assert_eq!(check(&other), Err(Refusal::Signer), "another authority");
    let gateway = world.minted();
    assert_eq!(check(&gateway), Ok("u-1".to_owned()));
    let mixed = Minted { token: catalog.token, chain: gateway.chain.clone() };
    assert_eq!(check(&mixed), Err(Refusal::Signature), "the gateway's certificates with what another has signed");
    let known = Minted { token: gateway.token.clone(), chain: foreign.chain };
    assert_eq!(check(&known), Err(Refusal::Signer), "a token that is known with certificates that are not its own");
    let as_gateway =
        world.signed("catalog", KIND, Algorithm::Es256, json!({ "iss": "spiffe://tradewind.test/svc/gateway" }));
    assert_eq!(check(&as_gateway), Err(Refusal::Signer));
}

#[test]
fn a_token_is_brought_by_whoever_has_signed_it_and_by_nobody_else() {
    let world = World::new();
    let signers = ["gateway", "catalog"];
    let checker = Checker::new(world.identity("ordering"), "ordering", signers);
    let elsewhere = SpiffeId::new("elsewhere.test", "gateway").unwrap();
    // Before it is known, and then again.
    for _ in 0..2 {
        for signer in signers {
            let Minted { token, chain } = world.minter(signer).mint(&ada(), "ordering", world.now).unwrap();
            for peer in [of("gateway"), of("catalog"), of("ordering"), elsewhere.clone()] {
                let told = checker.check(&peer, &token, &chain, world.now).map(|user| user.id.clone());
                let expected = if peer == of(signer) { Ok("u-1".to_owned()) } else { Err(Refusal::Signer) };
                assert_eq!(told, expected, "{peer} brings what {signer} has signed");
            }
        }
    }
}

#[test]
fn certificates_that_cannot_be_read_are_nobodys() {
    let world = World::new();
    let (checker, minted) = (world.checker(), world.minted());
    let why = |chain: &str| checker.check(&of("gateway"), &minted.token, chain, world.now).unwrap_err();
    assert_eq!((why(""), why("AAAA")), (Refusal::Signer, Refusal::Signer));
    assert_eq!((why("@"), why(&format!(".{}", minted.chain))), (Refusal::Malformed, Refusal::Signer));
    assert_eq!(why(&["AAAA"; 5].join(".")), Refusal::TooLarge);
    assert_eq!(why(&"A".repeat(13 << 10)), Refusal::TooLarge);
}

#[test]
fn what_the_gateway_would_not_say_is_refused_even_if_it_is_signed() {
    let world = World::new();
    let checker = world.checker();
    let why = |kind: &str, algorithm: Algorithm, changes: Value| {
        let Minted { token, chain } = world.signed("gateway", kind, algorithm, changes);
        checker.check(&of("gateway"), &token, &chain, world.now).map(|_| ()).unwrap_err()
    };
    let of = |changes: Value| why(KIND, Algorithm::Es256, changes);
    assert_eq!(why("at+jwt", Algorithm::Es256, json!({})), Refusal::Type, "a person's own token");
    assert_eq!(why(KIND, Algorithm::Ed25519, json!({})), Refusal::Algorithm);
    assert_eq!(of(json!({ "iss": "https://issuer.example" })), Refusal::Issuer);
    assert_eq!(of(json!({ "sub": "absent" })), Refusal::Claim("sub"));
    assert_eq!(of(json!({ "iat": "absent" })), Refusal::Claim("iat"));
    assert_eq!(of(json!({ "exp": "absent" })), Refusal::Claim("exp"));
    assert_eq!(of(json!({ "exp": world.now + 61 })), Refusal::Claim("exp"), "longer than a minute");
    assert_eq!(of(json!({ "iat": world.now + 31, "exp": world.now + 60 })), Refusal::NotYetValid);
    for odd in [json!(null), json!([]), json!(["ordering.read"]), json!(1)] {
        assert_eq!(of(json!({ "scope": odd })), Refusal::Claim("scope"), "{odd} binds to nothing");
    }
}

#[test]
fn a_certificate_that_has_expired_signs_nothing_more() {
    let world = World::new();
    pki::issue(world.dir.path(), &SpiffeId::new(DOMAIN, "gateway").unwrap(), Duration::from_secs(120)).unwrap();
    let (checker, minter) = (world.checker(), world.minter("gateway"));
    let at = |now: u64| {
        let Minted { token, chain } = minter.mint(&ada(), "ordering", now).unwrap();
        checker.check(&of("gateway"), &token, &chain, now).map(|user| user.id.clone())
    };
    assert_eq!((at(world.now), at(world.now + 200)), (Ok("u-1".to_owned()), Err(Refusal::Signer)));
}

#[test]
fn what_was_good_is_not_when_its_authority_is_trusted_no_more() {
    let (world, other) = (World::new(), World::new());
    let identity = world.identity("ordering");
    let checker = Checker::new(identity.clone(), "ordering", ["gateway"]);
    let Minted { token, chain } = world.minted();
    assert!(checker.check(&of("gateway"), &token, &chain, world.now).is_ok());
    let (from, to) = (other.files("ordering"), world.files("ordering"));
    for (from, to) in [(from.ca, to.ca), (from.cert, to.cert), (from.key, to.key)] {
        fs::copy(from, to).unwrap();
    }
    assert!(identity.reload().unwrap());
    assert_eq!(checker.check(&of("gateway"), &token, &chain, world.now).unwrap_err(), Refusal::Signer);
}

#[test]
fn a_token_serves_for_half_its_time_and_for_nobody_else() {
    let world = World::new();
    let identity = world.identity("gateway");
    let minter = Minter::new(identity.clone());
    let mint = |user: &User, service: &str, now: u64| minter.mint(user, service, now).unwrap();
    let first = mint(&ada(), "ordering", world.now);
    assert_eq!(mint(&ada(), "ordering", world.now + 29), first);
    for (what, other) in [
        ("later", mint(&ada(), "catalog", world.now)),
        ("another user", mint(&User { id: "u-2".to_owned(), ..ada() }, "ordering", world.now)),
        ("without the role", mint(&User { roles: Vec::new(), ..ada() }, "ordering", world.now)),
        ("bound to scopes", mint(&User { scopes: Some(Vec::new()), ..ada() }, "ordering", world.now)),
        ("another session", mint(&User { session: None, ..ada() }, "ordering", world.now)),
        ("half a minute later", mint(&ada(), "ordering", world.now + 30)),
        ("before it was made", mint(&ada(), "ordering", world.now - 1)),
    ] {
        assert_ne!(other.token, first.token, "{what}");
        assert_eq!(other.chain, first.chain, "{what}");
    }
    pki::renew(world.dir.path(), "gateway").unwrap();
    assert!(identity.reload().unwrap());
    let renewed = mint(&ada(), "ordering", world.now);
    assert!(renewed.token != first.token && renewed.chain != first.chain, "a key signs no longer than it is in use");
    assert!(world.checker().check(&of("gateway"), &renewed.token, &renewed.chain, world.now).is_ok());
}
