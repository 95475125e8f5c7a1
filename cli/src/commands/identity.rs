//! `tradewind identity`: the first account of the shop's own people, the keys that say who is signed in, and those of partners.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use contracts::tradewind::identity::v1::{
    CreatePartnerKeyRequest, CreateStaffAccountRequest, ListPartnerKeysRequest, PartnerKey, ReplaceKeysRequest,
    RevokePartnerKeyRequest,
};
use prost_types::Timestamp;

use crate::Global;
use crate::clients;
use crate::output::{moment, more, print_json, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make an account with the role staff.
    ///
    /// Nobody has to confirm its address. Without a password it gets one that is good for one sign-in within a day, at which
    /// another has to be given; it is printed once and kept nowhere.
    Admin {
        /// The address its owner signs in with.
        #[arg(long)]
        email: String,
        /// What they are called.
        #[arg(long, default_value = "")]
        name: String,
        /// A file with the password that the account is to have, on its first line.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Replace every key that access tokens are signed with, for when somebody may have seen one.
    ///
    /// Whoever is signed in stays so, and gets another access token. Those of before are good until whoever verifies them
    /// has looked at the keys again.
    ReplaceKeys,
    /// Keys by which partners' programs call.
    #[command(subcommand)]
    Key(Key),
}

#[derive(clap::Subcommand)]
pub(crate) enum Key {
    /// Make a key; it is printed once and kept nowhere.
    ///
    /// Who shows it is the customer that is named partner: and PARTNER, and may do what the scopes name and nothing else.
    Create {
        /// Whose it is to be: lower-case letters, digits and hyphens.
        #[arg(long)]
        partner: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may be used for, as in ordering.read; may be given several times.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// How long it is good; until it is revoked where this is not given.
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        expires_in: Option<Duration>,
    },
    /// List keys that have not been revoked.
    List {
        /// Only those of this partner.
        #[arg(long, default_value = "")]
        partner: String,
        /// Where the page begins, as the one before says.
        #[arg(long, default_value = "")]
        page_token: String,
    },
    /// Make a key good for nothing, within half a minute.
    Revoke {
        /// The key's id.
        key: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::Admin { email, name, password_file } => admin(&global, email, name, password_file).await?,
        Command::ReplaceKeys => replace_keys(&global).await?,
        Command::Key(key) => of_partner(&global, key).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn replace_keys(global: &Global) -> Result<()> {
    let replaced = clients::asked(global)?.identity()?.replace_keys(ReplaceKeysRequest {}).await?.into_inner();
    if global.json {
        return print_json(&replaced);
    }
    replaced.keys.iter().try_for_each(|key| say!("{} {} signs from now on, and no other", key.alg, key.kid))
}

async fn admin(global: &Global, email: String, name: String, password_file: Option<PathBuf>) -> Result<()> {
    let password = match password_file {
        Some(path) => {
            let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            let password = text.lines().next().unwrap_or_default().to_owned();
            ensure!(!password.is_empty(), "{} has no password on its first line", path.display());
            password
        }
        None => String::new(),
    };
    let request = CreateStaffAccountRequest { email: email.clone(), name, password };
    let made = clients::asked(global)?.identity()?.create_staff_account(request).await?.into_inner();
    if global.json {
        return print_json(&made);
    }
    let account_id = made.account.as_ref().map(|account| account.account_id.as_str()).unwrap_or_default();
    say!("account {account_id} of {email} is staff")?;
    if !made.one_time_password.is_empty() {
        say!(
            "password for one sign-in until {}: {}",
            moment(made.password_expire_time.as_ref()),
            made.one_time_password
        )?;
        say!("whoever signs in with it gives another one as new_password")?;
    }
    Ok(())
}

async fn of_partner(global: &Global, key: Key) -> Result<()> {
    let mut identity = clients::asked(global)?.identity()?;
    match key {
        Key::Create { partner, name, scopes, expires_in } => {
            let expire_time = expires_in.map(after);
            let request = CreatePartnerKeyRequest { partner_id: partner, name, scopes, expire_time };
            let made = identity.create_partner_key(request).await?.into_inner();
            if global.json {
                return print_json(&made);
            }
            made.partner_key.as_ref().map_or(Ok(()), tell)?;
            say!("{}", made.key)
        }
        Key::List { partner, page_token } => {
            let request = ListPartnerKeysRequest { page_size: 0, page_token, partner_id: partner };
            let listed = identity.list_partner_keys(request).await?.into_inner();
            if global.json {
                return print_json(&listed);
            }
            listed.partner_keys.iter().try_for_each(tell)?;
            more(&listed.next_page_token)
        }
        Key::Revoke { key } => {
            let revoked = identity.revoke_partner_key(RevokePartnerKeyRequest { key_id: key.clone() }).await?;
            if global.json {
                return print_json(&revoked.into_inner());
            }
            say!("key {key} is good for half a minute more at most")
        }
    }
}

/// When so much time has passed.
#[expect(clippy::disallowed_methods, reason = "the command line has no clock but the machine's")]
fn after(time: Duration) -> Timestamp {
    (SystemTime::now() + time).into()
}

fn tell(key: &PartnerKey) -> Result<()> {
    let (used, until) = (moment(key.use_time.as_ref()), moment(key.expire_time.as_ref()));
    let scopes = key.scopes.join(" ");
    say!("{} {} ({scopes}) used {used}, until {until}: {}", key.key_id, key.partner_id, key.name)
}
