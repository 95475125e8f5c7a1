//! Metrics as text, in both forms that scrapers ask for: Prometheus' own, and OpenMetrics, which has exemplars.
//!
//! The format is that of <https://prometheus.io/docs/specs/om/open_metrics_spec/>, version 1.0.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::time::UNIX_EPOCH;

use prometheus::proto::{Histogram, LabelPair, Metric, MetricFamily, MetricType};
use tradewind_telemetry::{Exemplar, Series, exemplars};

/// What a scraper is told that it gets.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The form that a scraper asks for by `Accept`: whether it is OpenMetrics. One that takes both prefers that.
pub(crate) fn is_asked_for(accept: &str) -> bool {
    accept
        .split(',')
        .any(|range| range.split(';').next().is_some_and(|kind| kind.trim() == "application/openmetrics-text"))
}

/// Writes the families, each histogram's buckets with the exemplars that there are.
pub(crate) fn text(families: &[MetricFamily]) -> Result<String, fmt::Error> {
    let examples = Examples::now();
    let mut text = String::new();
    for family in families {
        let kind = family.get_field_type();
        let name = family.name();
        let of_all = if kind == MetricType::COUNTER { name.strip_suffix("_total").unwrap_or(name) } else { name };
        writeln!(text, "# HELP {of_all} {}", Escaped(family.help()))?;
        writeln!(text, "# TYPE {of_all} {}", type_of(kind))?;
        for metric in family.get_metric() {
            match kind {
                MetricType::COUNTER => {
                    sample(&mut text, (of_all, "_total"), metric.get_label(), None, metric.get_counter().get_value())?;
                    text.push('\n');
                }
                MetricType::HISTOGRAM => histogram(&mut text, of_all, metric, &examples)?,
                _ => {
                    sample(&mut text, (of_all, ""), metric.get_label(), None, metric.get_gauge().get_value())?;
                    text.push('\n');
                }
            }
        }
    }
    text.push_str("# EOF\n");
    Ok(text)
}

fn type_of(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ => "gauge",
    }
}

fn histogram(text: &mut String, name: &str, metric: &Metric, examples: &Examples) -> fmt::Result {
    let labels = metric.get_label();
    let histogram: &Histogram = metric.get_histogram();
    let of_it = examples.of(name, labels);
    let mut below = f64::NEG_INFINITY;
    let mut has_last = false;
    for bucket in histogram.get_bucket() {
        let bound = bucket.upper_bound();
        #[expect(clippy::cast_precision_loss, reason = "a count below 2^53")]
        bucket_line(text, name, labels, bound, bucket.cumulative_count() as f64, within(of_it, below, bound))?;
        has_last |= bound == f64::INFINITY;
        below = bound;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count below 2^53")]
    let count = histogram.get_sample_count() as f64;
    if !has_last {
        bucket_line(text, name, labels, f64::INFINITY, count, within(of_it, below, f64::INFINITY))?;
    }
    sample(text, (name, "_count"), labels, None, count)?;
    text.push('\n');
    sample(text, (name, "_sum"), labels, None, histogram.get_sample_sum())?;
    text.push('\n');
    Ok(())
}

fn bucket_line(
    text: &mut String,
    name: &str,
    labels: &[LabelPair],
    bound: f64,
    count: f64,
    example: Option<&Exemplar>,
) -> fmt::Result {
    sample(text, (name, "_bucket"), labels, Some(bound), count)?;
    if let Some(Exemplar { value, time, trace, span }) = example {
        let at = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        write!(text, " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {value:?} {at:.3}")?;
    }
    text.push('\n');
    Ok(())
}

/// The newest of a bucket's.
fn within(of_it: &[Exemplar], below: f64, bound: f64) -> Option<&Exemplar> {
    of_it
        .iter()
        .filter(|exemplar| exemplar.value > below && exemplar.value <= bound)
        .max_by_key(|exemplar| exemplar.time)
}

fn sample(
    text: &mut String,
    (name, suffix): (&str, &str),
    labels: &[LabelPair],
    bound: Option<f64>,
    value: f64,
) -> fmt::Result {
    write!(text, "{name}{suffix}")?;
    let mut open = "{";
    for label in labels {
        write!(text, "{open}{}=\"{}\"", label.name(), Escaped(label.value()))?;
        open = ",";
    }
    if let Some(bound) = bound {
        write!(text, "{open}le=\"{}\"", Number(bound))?;
        open = ",";
    }
    if open == "," {
        text.push('}');
    }
    write!(text, " {}", Number(value))
}

/// A number as the format writes it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value == f64::INFINITY => f.write_str("+Inf"),
            value if value == f64::NEG_INFINITY => f.write_str("-Inf"),
            value if value.is_nan() => f.write_str("NaN"),
            value => write!(f, "{value:?}"),
        }
    }
}

/// Text as the format quotes it.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// The exemplars of all series, by what their metrics are called in text.
struct Examples(HashMap<(String, BTreeMap<String, String>), Vec<Exemplar>>);

impl Examples {
    fn now() -> Self {
        let plain = |name: &str| name.replace('.', "_");
        let all = exemplars().into_iter().map(|(Series { name, labels }, kept)| {
            let labels = labels.into_iter().map(|(name, value)| (plain(&name), value)).collect();
            // All of them are of seconds.
            ((format!("{}_seconds", plain(name)), labels), kept)
        });
        Self(all.collect())
    }

    fn of(&self, name: &str, labels: &[LabelPair]) -> &[Exemplar] {
        if self.0.is_empty() {
            return &[];
        }
        let labels = labels.iter().map(|label| (label.name().to_owned(), label.value().to_owned())).collect();
        self.0.get(&(name.to_owned(), labels)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
