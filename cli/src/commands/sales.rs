//! `tradewind sales` and `tradewind funnel`: what was sold, and how far orders have come.

mod show;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use contracts::tradewind::analytics::v1::{
    GetFunnelRequest, GetStepTimesRequest, ListSalesRequest, SalesKind, SalesSpan,
};
use serde_json::json;

use crate::Global;
use crate::clients;
use crate::output::{document, json as as_json, more, print_json, say};

/// Which days; orders belong to the one on which they were placed.
#[derive(clap::Args)]
pub(crate) struct Days {
    /// The first day, as 2026-11-01; 29 days before the last one where it is absent.
    #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
    from: String,
    /// The last day, which is among them; today where it is absent.
    #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
    to: String,
}

#[derive(clap::Args)]
pub(crate) struct Sales {
    /// What sales are told apart by: nothing where it is absent.
    #[arg(long, default_value = "nothing", hide_default_value = true)]
    by: By,
    /// For how long a sum is. A week or month of which a day is asked for is told whole.
    #[arg(long, default_value = "day")]
    per: Per,
    /// Only this product, country (GB) or cohort (2026-11), whichever sales are told apart by.
    #[arg(long, default_value = "", hide_default_value = true)]
    only: String,
    #[command(flatten)]
    days: Days,
    /// The most to show, up to 1000.
    #[arg(long, default_value_t = 100)]
    page_size: i32,
    /// Where the page before ended.
    #[arg(long, default_value = "", hide_default_value = true)]
    page_token: String,
}

#[derive(clap::Args)]
pub(crate) struct Funnel {
    #[command(flatten)]
    days: Days,
}

/// What sales are told apart by.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    /// Nothing: all together.
    Nothing,
    /// What was sold.
    Product,
    /// The country that the parcel goes to.
    Country,
    /// The month in which the customer placed their first order.
    Cohort,
}

/// For how long a sum is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Per {
    /// A day of UTC.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
}

impl From<By> for SalesKind {
    fn from(by: By) -> Self {
        match by {
            By::Nothing => Self::All,
            By::Product => Self::Product,
            By::Country => Self::Country,
            By::Cohort => Self::Cohort,
        }
    }
}

impl From<Per> for SalesSpan {
    fn from(per: Per) -> Self {
        match per {
            Per::Day => Self::Day,
            Per::Week => Self::Week,
            Per::Month => Self::Month,
        }
    }
}

pub(crate) async fn run(
    global: Global,
    Sales { by, per, only, days, page_size, page_token }: Sales,
) -> Result<ExitCode> {
    let request = ListSalesRequest {
        from_day: days.from,
        to_day: days.to,
        span: SalesSpan::from(per).into(),
        kind: SalesKind::from(by).into(),
        key: only,
        page_size,
        page_token,
        ..Default::default()
    };
    let found = clients::asked(&global)?.sales()?.list_sales(request).await?.into_inner();
    if global.json {
        print_json(&found)?;
    } else {
        show::sales(&found).iter().try_for_each(|line| say!("{line}"))?;
        more(&found.next_page_token)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn funnel(global: Global, Funnel { days }: Funnel) -> Result<ExitCode> {
    let mut sales = clients::asked(&global)?.sales()?;
    let Days { from: from_day, to: to_day } = days;
    let request = GetFunnelRequest { from_day: from_day.clone(), to_day: to_day.clone(), ..Default::default() };
    let funnel = sales.get_funnel(request).await?.into_inner();
    let request = GetStepTimesRequest { from_day, to_day, ..Default::default() };
    let times = sales.get_step_times(request).await?.into_inner();
    if global.json {
        let mut facts = as_json(&funnel)?;
        facts["stepTimes"] = as_json(&times)?["steps"].take();
        document(&json!(facts))?;
    } else {
        show::funnel(&funnel.steps, &times.steps).iter().try_for_each(|line| say!("{line}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
