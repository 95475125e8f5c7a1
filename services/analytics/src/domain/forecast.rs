//! For how long stock lasts, if it is taken as it was lately.

/// From so many days on a line is drawn through them.
const TRENDED: i64 = 14;
/// No further is looked.
const HORIZON: i32 = 365;

/// What was taken in days that follow one another, of which the first is the one on which something was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many days there are; 0 where nothing was taken.
    pub days: i64,
    /// Units in all of them.
    pub units: i64,
    /// The same, each day's weighed by its number, from 0.
    pub weighed: i64,
}

/// What follows of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// Units a day.
    pub mean: f64,
    /// By how many units more a day than the day before.
    pub trend: f64,
    /// How it ends.
    pub outlook: Outlook,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing was taken.
    Unknown,
    /// Nothing is available.
    Out,
    /// The last unit goes after so many days.
    RunsOut(i32),
    /// Not within a year.
    Lasts,
}

/// For how long `available` units last: by the least-squares line through two weeks and more, or else by the mean. What falls is not
/// followed below half of the mean: a few slow days promise nothing.
#[must_use]
pub fn forecast(available: i64, taken: Taken) -> Forecast {
    if taken.days < 1 || taken.units < 1 {
        let outlook = if available > 0 { Outlook::Unknown } else { Outlook::Out };
        return Forecast { mean: 0.0, trend: 0.0, outlook };
    }
    let (days, units, weighed) = (number(taken.days), number(taken.units), number(taken.weighed));
    let (mean, middle) = (units / days, (days - 1.0) / 2.0);
    let trend =
        if taken.days < TRENDED { 0.0 } else { (weighed - middle * units) * 12.0 / (days * (days * days - 1.0)) };
    let last = mean + trend * (days - 1.0 - middle);
    let mut left = number(available);
    let goes = |ahead: &i32| {
        left -= (last + trend * f64::from(*ahead)).max(mean / 2.0);
        left <= 0.0
    };
    let outlook = match available {
        ..=0 => Outlook::Out,
        _ => (1..=HORIZON).find(goes).map_or(Outlook::Lasts, Outlook::RunsOut),
    };
    Forecast { mean, trend, outlook }
}

#[expect(clippy::cast_precision_loss, reason = "a forecast is no sum")]
fn number(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(days: &[i64]) -> Taken {
        let weighed = (0..).zip(days).map(|(number, units)| number * units).sum();
        Taken { days: i64::try_from(days.len()).unwrap(), units: days.iter().sum(), weighed }
    }

    #[test]
    fn what_is_taken_evenly_lasts_as_long_as_it_divides() {
        let found = forecast(35, taken(&[10; 20]));
        assert_eq!((found.mean, found.outlook), (10.0, Outlook::RunsOut(4)));
        assert!(found.trend.abs() < 1e-9);
        assert_eq!(forecast(30, taken(&[10; 3])).outlook, Outlook::RunsOut(3));
        assert_eq!(forecast(10_000, taken(&[10; 3])).outlook, Outlook::Lasts);
    }

    #[test]
    fn a_trend_is_followed_once_two_weeks_are_known() {
        let rising: Vec<i64> = (1..=20).collect();
        let found = forecast(66, taken(&rising));
        assert!((found.trend - 1.0).abs() < 1e-9, "{found:?}");
        // 21 + 22 + 23.
        assert_eq!(found.outlook, Outlook::RunsOut(3));
        assert_eq!(forecast(66, taken(&rising[..13])).trend, 0.0);
        let falling: Vec<i64> = (1..=20).rev().collect();
        // 5.25 a day: half of the mean.
        assert_eq!(forecast(66, taken(&falling)).outlook, Outlook::RunsOut(13));
        assert_eq!(forecast(2_000, taken(&falling)).outlook, Outlook::Lasts);
    }

    #[test]
    fn of_what_nobody_took_nothing_is_known() {
        assert_eq!(forecast(5, Taken::default()).outlook, Outlook::Unknown);
        assert_eq!(forecast(0, Taken::default()).outlook, Outlook::Out);
        assert_eq!(forecast(0, taken(&[1])).outlook, Outlook::Out);
        // More came back than was taken.
        assert_eq!(forecast(5, taken(&[1, -2])).outlook, Outlook::Unknown);
    }
}
