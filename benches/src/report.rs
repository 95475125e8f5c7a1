//! What was measured, each figure beside what it is held against.

use serde::Serialize;

/// One figure.
#[derive(Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// In which database, where one was involved.
    pub(crate) on: Option<&'static str>,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What it has to be.
    #[serde(flatten)]
    pub(crate) target: Option<Target>,
}

/// A figure as a multiple of another, and the bound that this has to keep.
#[derive(Serialize)]
pub(crate) struct Target {
    pub(crate) ratio: f64,
    /// How much more than the other it is.
    pub(crate) more: f64,
    pub(crate) to: &'static str,
    #[serde(flatten)]
    pub(crate) bound: Bound,
    pub(crate) met: bool,
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// Of what there is more, in the figure's unit.
    MoreAtMost(f64),
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, on: Option<&'static str>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), on, value, unit, target: None }
    }

    /// The figure held against another one.
    pub(crate) fn against(mut self, other: f64, to: &'static str, bound: Bound) -> Self {
        let (ratio, more) = (self.value / other, self.value - other);
        let met = match bound {
            Bound::AtLeast(least) => ratio >= least,
            Bound::AtMost(most) => ratio <= most,
            Bound::MoreAtMost(most) => more <= most,
        };
        self.target = Some(Target { ratio, more, to, bound, met });
        self
    }

    /// One line of the table.
    pub(crate) fn line(&self) -> String {
        let Self { what, on, value, unit, target } = self;
        let decimals = if *value < 100.0 { 2 } else { 0 };
        let line = format!("{what:<48} {:<12} {value:>10.decimals$} {unit:<14}", on.unwrap_or_default());
        let Some(Target { ratio, more, to, bound, met }) = target else { return line.trim_end().to_owned() };
        let compared = match bound {
            Bound::AtLeast(least) => format!("{ratio:>7.3} of {to} (at least {least})"),
            Bound::AtMost(most) => format!("{ratio:>7.3} of {to} (at most {most})"),
            Bound::MoreAtMost(most) => format!("{more:>+7.1} to {to} (at most {most:+})"),
        };
        format!("{line} {compared}: {}", if *met { "ok" } else { "MISSED" })
    }
}
