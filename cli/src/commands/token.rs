//! `tradewind token`: signs in at the front door, and prints the access token that goes along with requests.

use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use contracts::tradewind::identity::v1::CreateStaffAccountRequest;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Global;
use crate::clients;
use crate::front::{Front, Refusal};
use crate::local::Layout;
use crate::output::{complain, document, say};
use crate::people::{self, SignedIn};

/// The longest file that can hold a password.
const LONGEST: u64 = 4096;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The address to sign in with.
    #[arg(long, required_unless_present = "demo")]
    email: Option<String>,
    /// A file with the password on its first line; - is standard input.
    #[arg(long, value_name = "FILE", default_value = "-", conflicts_with = "demo")]
    password_file: PathBuf,
    /// A file with the password that the account is to have from now on, where the present one was made for one use.
    #[arg(long, value_name = "FILE", conflicts_with = "demo")]
    new_password_file: Option<PathBuf>,
    /// Sign in as somebody made up, whom the shop that `tradewind up` runs is given if it has none.
    #[arg(long, value_name = "WHO", conflicts_with = "email")]
    demo: Option<Who>,
    /// Where the gateway answers [the one that `tradewind up` runs].
    #[arg(long, env = "TRADEWIND_GATEWAY", value_name = "URL")]
    gateway: Option<String>,
}

/// Somebody made up.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Who {
    /// Buys, and sees what is their own.
    Customer,
    /// Works for the shop, and sees everything.
    Staff,
}

/// What is kept of somebody made up, in the folder of the shop that they are for.
#[derive(Serialize, Deserialize)]
struct Person {
    email: String,
    password: String,
}

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let layout = Layout::standard(&global.dir);
    let front = Front::at(&args.gateway.clone().unwrap_or_else(|| layout.gateway_url()))?;
    let signed_in = match (args.demo, &args.email) {
        (Some(who), _) => made_up(&global, &layout, &front, who).await?,
        (None, Some(email)) => sign_in(&front, email, &args).await?,
        (None, None) => bail!("whose token is it to be? --email, or --demo customer"),
    };
    if global.json {
        document(&signed_in.answer)?
    } else {
        say!("{}", signed_in.access_token)?
    }
    Ok(ExitCode::SUCCESS)
}

async fn sign_in(front: &Front, email: &str, args: &Args) -> Result<SignedIn> {
    let mut request = json!({ "email": email, "password": password(&args.password_file)? });
    if let Some(path) = &args.new_password_file {
        request["newPassword"] = password(path)?.into();
    }
    let hint = |reason: &str| match reason {
        "NEW_PASSWORD_REQUIRED" => Some("that password was made for one use; --new-password-file gives the next one"),
        "CREDENTIALS_INVALID" => Some("no account has this address and this password, or it is locked"),
        _ => None,
    };
    match front.post("/v1/sessions", &request).await {
        Ok(answer) => SignedIn::of(answer),
        Err(error) => Err(match error.downcast_ref::<Refusal>().and_then(|refusal| hint(&refusal.reason)) {
            Some(hint) => error.context(hint),
            None => error,
        }),
    }
}

/// The first line of a file, or of standard input.
fn password(path: &Path) -> Result<String> {
    let is_input = path == Path::new("-");
    let (shown, mut text) =
        (if is_input { "standard input".into() } else { path.display().to_string() }, String::new());
    if is_input {
        let input = std::io::stdin();
        ensure!(
            !input.is_terminal(),
            "where is the password? --password-file names a file, or pipe it in: whoever types it here shows it"
        );
        input.lock().take(LONGEST).read_to_string(&mut text).context("standard input cannot be read")?;
    } else {
        let file = fs::File::open(path).with_context(|| format!("{shown} cannot be read"))?;
        file.take(LONGEST).read_to_string(&mut text).with_context(|| format!("{shown} cannot be read"))?;
    }
    let password = text.lines().next().unwrap_or_default().to_owned();
    ensure!(!password.is_empty(), "{shown} has no password on its first line");
    Ok(password)
}

/// Signs in as somebody made up, whom the shop gets where it does not know them.
async fn made_up(global: &Global, layout: &Layout, front: &Front, who: Who) -> Result<SignedIn> {
    let path = layout.state().join(match who {
        Who::Customer => "demo-customer.json",
        Who::Staff => "demo-staff.json",
    });
    if let Some(Person { email, password }) = kept(&path)? {
        match people::sign_in(front, &email, &password).await {
            Err(error) if is_unknown(&error) => {}
            answer => return answer,
        }
    }
    // Both are made anew, so that nobody is told a code or a password of somebody else's.
    let (unique, secret) = (uuid::Uuid::now_v7().simple(), uuid::Uuid::new_v4().simple());
    let kind = if matches!(who, Who::Staff) { "staff" } else { "customer" };
    let person = Person { email: format!("{kind}-{unique}@demo.example"), password: secret.to_string() };
    match who {
        Who::Customer => {
            people::sign_up(front, &layout.outside_url(), &person.email, &person.password).await?;
        }
        Who::Staff => {
            let request = CreateStaffAccountRequest {
                email: person.email.clone(),
                name: "Demo".to_owned(),
                password: person.password.clone(),
            };
            clients::asked(global)?.identity()?.create_staff_account(request).await?;
        }
    }
    complain(&format!("tradewind: made {}; its password is in {}", person.email, path.display()));
    keep(&path, &person)?;
    people::sign_in(front, &person.email, &person.password).await
}

/// The shop has begun anew since, or somebody has locked or erased the account.
fn is_unknown(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.reason == "CREDENTIALS_INVALID")
}

fn kept(path: &Path) -> Result<Option<Person>> {
    match fs::read(path) {
        Ok(text) => {
            let person = serde_json::from_slice(&text);
            Ok(Some(person.with_context(|| format!("{} is damaged; remove it", path.display()))?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// For its owner's eyes alone.
fn keep(path: &Path, person: &Person) -> Result<()> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|file| serde_json::to_writer_pretty(file, person).map_err(Into::into));
    written.with_context(|| format!("cannot write {}", path.display()))
}
