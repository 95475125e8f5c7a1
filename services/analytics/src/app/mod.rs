//! What this context does: keep what orders wait for, tell it, measure it; keep what was sold, and tell it.

mod engine;
mod flows;
mod forecast_stock;
mod get_funnel;
mod list_sales;
mod list_stuck_flows;
mod measure_flows;
mod sales;
#[cfg(test)]
mod sales_tests;
#[cfg(test)]
mod tests;

pub use engine::Sales;
pub use flows::flows;
pub(crate) use forecast_stock::{AskedForecast, forecast_stock};
pub(crate) use get_funnel::{AskedDays, get_funnel, get_step_times};
pub(crate) use list_sales::{AskedSales, list_sales};
pub(crate) use list_stuck_flows::{Asked, list_stuck_flows};
pub use measure_flows::measure_flows;
