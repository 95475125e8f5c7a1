//! `tradewind identity`: the first account of the shop's own people, and the keys that say who is signed in.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use contracts::tradewind::identity::v1::{CreateStaffAccountRequest, ReplaceKeysRequest};

use crate::Global;
use crate::clients::Clients;
use crate::output::{moment, print_json, say};

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
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::Admin { email, name, password_file } => admin(&global, email, name, password_file).await?,
        Command::ReplaceKeys => replace_keys(&global).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn replace_keys(global: &Global) -> Result<()> {
    let replaced = Clients::asked(global)?.identity()?.replace_keys(ReplaceKeysRequest {}).await?.into_inner();
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
    let made = Clients::asked(global)?.identity()?.create_staff_account(request).await?.into_inner();
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
