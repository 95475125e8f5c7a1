//! `tradewind ledger`: what payments have moved, and whether the provider agrees.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use contracts::tradewind::payment::v1::{
    Account, Difference, DifferenceKind, DifferenceState, GetBalanceRequest, LedgerEntry, ListDifferencesRequest,
    ListEntriesRequest, Movement, ReconcileRequest, ResolveDifferenceRequest,
};
use prost_types::Timestamp;

use crate::Global;
use crate::clients;
use crate::commands::order::new_request_id;
use crate::output::{moment, money, more, print_json, say, word};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show the balance of every account in each currency; those of one currency sum to 0.
    Balance,
    /// Show entries by time.
    Entries {
        /// Only those of this order.
        #[arg(long, default_value = "")]
        order: String,
        /// Only those that debit or credit this account.
        #[arg(long)]
        account: Option<AccountName>,
        /// Only those recorded then or later, e.g. 2026-11-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
        /// Only those recorded before.
        #[arg(long, value_name = "TIME")]
        until: Option<Timestamp>,
        #[command(flatten)]
        page: Page,
    },
    /// Compare a period with the card provider's statement, and record what differs. Exits 1 where something new does.
    ///
    /// Comparing a period again records no difference twice. What is on one side alone is LATE as long as it is younger than
    /// the service's SETTLE_TOLERANCE: it settles itself once both sides have it, and is missing when that is over.
    Reconcile {
        /// The period's beginning, e.g. 2026-11-01T00:00:00Z.
        #[arg(long, value_name = "TIME")]
        since: Timestamp,
        /// The period's end, which is not in it: not in the future, and at most 31 days later.
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
    },
    /// Show what the ledger and the card provider's statement do not agree on, by the time at which it was found.
    Differences {
        /// Which of them.
        #[arg(long, default_value = "open")]
        state: State,
        #[command(flatten)]
        page: Page,
    },
    /// Say that a difference is settled, and how.
    Resolve {
        /// The difference, as `differences` shows it.
        difference_id: String,
        /// How it was settled, for whoever wonders later: at most 500 characters.
        #[arg(long)]
        note: String,
        /// Makes a repetition harmless; a new one where absent.
        #[arg(long)]
        request_id: Option<String>,
    },
}

/// Which page of a list.
#[derive(clap::Args)]
pub(crate) struct Page {
    /// The most to show, up to 1000.
    #[arg(long, default_value_t = 100)]
    pub(crate) page_size: i32,
    /// Where the page before ended.
    #[arg(long, default_value = "")]
    pub(crate) page_token: String,
}

/// An account of the ledger.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AccountName {
    /// What the provider holds for the shop.
    Clearing,
    /// What customers owe or are owed.
    Customer,
    /// What was sold.
    Revenue,
    /// What is given back of it.
    Refunds,
}

/// Which differences.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum State {
    /// Those that nobody has settled.
    Open,
    /// Those that are settled.
    Resolved,
    /// Both.
    All,
}

impl From<AccountName> for Account {
    fn from(name: AccountName) -> Self {
        match name {
            AccountName::Clearing => Self::ProviderClearing,
            AccountName::Customer => Self::Customer,
            AccountName::Revenue => Self::Revenue,
            AccountName::Refunds => Self::Refunds,
        }
    }
}

impl From<State> for DifferenceState {
    fn from(state: State) -> Self {
        match state {
            State::Open => Self::Open,
            State::Resolved => Self::Resolved,
            State::All => Self::Unspecified,
        }
    }
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let (mut ledger, json) = (clients::asked(&global)?.ledger()?, global.json);
    match command {
        Command::Balance => {
            let response = ledger.get_balance(GetBalanceRequest {}).await?.into_inner();
            if json {
                print_json(&response)?;
            } else {
                for balance in &response.balances {
                    say!("{:<20} {:>20}", account(balance.account), money(balance.amount.as_ref()))?;
                }
            }
        }
        Command::Entries { order, account, since, until, page } => {
            let request = ListEntriesRequest {
                order_id: order,
                account: account.map_or(Account::Unspecified, Account::from).into(),
                start_time: since,
                end_time: until,
                page_size: page.page_size,
                page_token: page.page_token,
            };
            let response = ledger.list_entries(request).await?.into_inner();
            if json {
                print_json(&response)?;
            } else {
                response.entries.iter().try_for_each(entry)?;
                more(&response.next_page_token)?;
            }
        }
        Command::Reconcile { since, until } => {
            let request = ReconcileRequest { start_time: Some(since), end_time: Some(until) };
            let response = ledger.reconcile(request).await?.into_inner();
            if json {
                print_json(&response)?;
            } else {
                response.found.iter().try_for_each(difference)?;
                let (lines, entries, found) = (response.lines, response.entries, response.found.len());
                say!("statement {lines}  ledger {entries}  new differences {found}  settled {}", response.settled)?;
                if response.more {
                    say!("more differs than one comparison records: run it again")?;
                }
            }
            return Ok(if response.found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Command::Differences { state, page: Page { page_size, page_token } } => {
            let request = ListDifferencesRequest { state: DifferenceState::from(state).into(), page_size, page_token };
            let response = ledger.list_differences(request).await?.into_inner();
            if json {
                print_json(&response)?;
            } else {
                response.differences.iter().try_for_each(difference)?;
                more(&response.next_page_token)?;
            }
        }
        Command::Resolve { difference_id, note, request_id } => {
            let request_id = request_id.unwrap_or_else(new_request_id);
            let request = ResolveDifferenceRequest { request_id, difference_id, note };
            let response = ledger.resolve_difference(request).await?.into_inner();
            if json { print_json(&response)? } else { response.difference.iter().try_for_each(difference)? }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn account(number: i32) -> std::borrow::Cow<'static, str> {
    word(number, Account::as_str_name, "ACCOUNT_")
}

fn entry(entry: &LedgerEntry) -> Result<()> {
    let LedgerEntry { order_id, debit, credit, reference, .. } = entry;
    let (time, debit, credit) = (moment(entry.time.as_ref()), account(*debit), account(*credit));
    let amount = money(entry.amount.as_ref());
    say!("{time:<28} {order_id}  debit {debit:<18} credit {credit:<18} {amount:>16}  {reference}")
}

fn difference(difference: &Difference) -> Result<()> {
    let Difference { difference_id, order_id, line_id, note, resolved_by, .. } = difference;
    let kind = word(difference.kind, DifferenceKind::as_str_name, "DIFFERENCE_KIND_");
    let movement = word(difference.movement, Movement::as_str_name, "MOVEMENT_");
    let (here, there) = (money(difference.here.as_ref()), money(difference.there.as_ref()));
    say!("{difference_id}  {kind:<17} {movement:<7} order {order_id}  line {line_id}  here {here}  there {there}")?;
    match &difference.resolved_time {
        None => Ok(()),
        time => say!("  resolved {} by {resolved_by}: {note}", moment(time.as_ref())),
    }
}
