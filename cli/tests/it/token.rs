//! A token for programs: the program signs in at a gateway before identity, and nobody else is there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;
use tradewind_mesh::IdentityFiles;
use tradewind_runtime::{Running, Settings};

use crate::stage::Stage;

struct Door {
    stage: Stage,
    url: String,
    _gateway: Running,
}

impl Door {
    fn open() -> Self {
        let stage = Stage::of(identity::service());
        let files = IdentityFiles::in_dir(&stage.folder().join("pki"), "gateway");
        let settings = Settings::in_process(files, "", "nats://127.0.0.1:1")
            .with_peer("identity", stage.address().to_string())
            .with("http_addr", "127.0.0.1:0");
        let gateway = stage.runtime.block_on(gateway::service().start(settings)).unwrap();
        let url = format!("http://{}", gateway.grpc_addr());
        let answers = tradewind_testing::eventually(Duration::from_secs(20), "identity answers", async || {
            let keys = tradewind_runtime::direct().build().unwrap().get(format!("{url}/.well-known/jwks.json"));
            let answer = keys.send().await.map_err(|error| error.to_string())?;
            answer.status().is_success().then_some(()).ok_or_else(|| answer.status().to_string())
        });
        stage.runtime.block_on(answers);
        Self { stage, url, _gateway: gateway }
    }

    /// The arguments of `tradewind token`, and these.
    fn token<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["token", "--gateway", self.url.as_str()], more].concat()
    }

    /// The status of a request with a token.
    fn status(&self, path: &str, token: &str) -> u16 {
        let request = tradewind_runtime::direct().build().unwrap().get(format!("{}{path}", self.url));
        self.stage.runtime.block_on(request.bearer_auth(token).send()).unwrap().status().as_u16()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.stage.folder().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[test]
fn whoever_has_a_password_gets_a_token_and_nothing_else_is_printed() {
    let door = Door::open();
    let (first, second) = (door.file("first", "correct horse battery\n"), door.file("second", "brass kettle drum\n"));
    let made = door.stage.json(&["identity", "admin", "--email", "ada@example.com"]);
    let once = door.file("once", made["oneTimePassword"].as_str().unwrap());
    let ada = |file: &str| -> Vec<String> {
        ["--email", "ada@example.com", "--password-file", file].map(str::to_owned).into()
    };
    let run = |arguments: Vec<String>, more: &[&str]| -> Vec<String> {
        let words: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        door.token(&words).into_iter().map(str::to_owned).collect()
    };
    let fails = |arguments: Vec<String>| door.stage.fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    let told = fails(run(ada(&once), &[]));
    assert!(told.contains("--new-password-file") && told.contains("NEW_PASSWORD_REQUIRED"), "{told}");
    let arguments = run(ada(&once), &["--new-password-file", &first]);
    let token = door.stage.succeeds(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((token.lines().count(), token.matches('.').count()), (1, 2), "a JWT and no more");
    assert_eq!(door.status("/v1/accounts", token.trim()), 200, "who has it is staff");

    let told = fails(run(ada(&second), &[]));
    assert!(told.contains("no account has this address and this password") && told.contains("401"), "{told}");
    let arguments = run(ada(&first), &[]);
    let all = door.stage.json(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(all["tokens"]["refreshToken"].is_string() && all["tokens"]["expireTime"].is_string(), "{all}");
}

#[test]
fn somebody_made_up_works_for_the_shop_and_stays_the_same() {
    let door = Door::open();
    let arguments = door.token(&["--demo", "staff"]);
    let subject = |all: &Value| all["tokens"]["accountId"].as_str().unwrap().to_owned();
    let first = door.stage.json(&arguments);
    assert_eq!(subject(&door.stage.json(&arguments)), subject(&first));
    assert_eq!(door.status("/v1/accounts", first["tokens"]["accessToken"].as_str().unwrap()), 200);
    let kept = door.stage.folder().join("demo-staff.json");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    // A shop that has begun anew knows nobody.
    fs::write(&kept, r#"{"email": "nobody@demo.example", "password": "seven green kettles"}"#).unwrap();
    assert_ne!(subject(&door.stage.json(&arguments)), subject(&first));
}

#[test]
fn what_keeps_a_token_away_is_said() {
    let stage = Stage::of(identity::service());
    let password = stage.folder().join("password");
    fs::write(&password, "correct horse battery").unwrap();
    let file = password.display().to_string();
    let token = |url: &str, file: &str| {
        stage.fails(&["token", "--email", "ada@example.com", "--password-file", file, "--gateway", url], 1)
    };
    let away = token("http://127.0.0.1:1", &file);
    assert!(away.contains("nobody answers at http://127.0.0.1:1/; does the shop run there?"), "{away}");
    let heard = token("http://shop.example.org", &file);
    assert!(heard.contains("passwords and tokens go to https:// alone, or to this machine"), "{heard}");
    let missing = token("http://127.0.0.1:1", "nowhere");
    assert!(missing.contains("nowhere cannot be read"), "{missing}");
    fs::write(&password, "\n").unwrap();
    let empty = token("http://127.0.0.1:1", &file);
    assert!(empty.contains("has no password on its first line"), "{empty}");
    let nobody = stage.fails(&["token"], 2);
    assert!(nobody.contains("--email"), "{nobody}");
}
