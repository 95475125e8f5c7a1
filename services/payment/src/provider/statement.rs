//! The provider's list of what moved money, a page at a time.

use std::ops::Range;

use contracts::tradewind::payment::v1::Movement;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tradewind_domain::Reference;
use tradewind_runtime::outside::Party;

use super::receipt;
use crate::app::{NoAnswer, Receipt, Statement, StatementPage};
use crate::domain::Said;

/// The lines of a page: so many have room in what is kept of an answer.
const LINES: usize = 100;

impl Statement for Party {
    async fn page(&self, time: &Range<OffsetDateTime>, after: Option<&str>) -> Result<StatementPage, NoAnswer> {
        let text = |time: OffsetDateTime| {
            time.format(&Rfc3339).map_err(|_| NoAnswer::Unreadable("a time that cannot be asked for"))
        };
        let (since, until, limit) = (text(time.start)?, text(time.end)?, LINES.to_string());
        let mut query = vec![("since", since.as_str()), ("until", &until), ("limit", &limit)];
        query.extend(after.map(|after| ("after", after)));
        let page: PageView = self.get(&["card", "balance_transactions"], &query).await?;
        page.read(time)
    }
}

#[derive(Deserialize)]
pub(super) struct PageView {
    transactions: Vec<TransactionView>,
    has_more: bool,
}

#[derive(Deserialize)]
struct TransactionView {
    id: String,
    #[serde(rename = "type")]
    kind: KindView,
    #[serde(default)]
    order_id: String,
    amount_minor: i64,
    currency: String,
    #[serde(with = "time::serde::rfc3339")]
    created: OffsetDateTime,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindView {
    Charge,
    Refund,
    /// Fees and payouts are no business of payments.
    #[serde(other)]
    Other,
}

impl PageView {
    /// The page, where every line can be told from others and moved within this time. What moved nothing is left out.
    pub(super) fn read(self, time: &Range<OffsetDateTime>) -> Result<StatementPage, NoAnswer> {
        if self.transactions.len() > LINES {
            return Err(NoAnswer::Unreadable("a page that is too long"));
        }
        let next = self.transactions.last().filter(|_| self.has_more).map(|line| line.id.clone());
        if self.has_more && next.is_none() {
            return Err(NoAnswer::Unreadable("a page without a line, and more to follow"));
        }
        let lines = self.transactions.into_iter().filter_map(|line| line.read(time).transpose());
        Ok(StatementPage { lines: lines.collect::<Result<_, _>>()?, next })
    }
}

impl TransactionView {
    fn read(self, time: &Range<OffsetDateTime>) -> Result<Option<Said>, NoAnswer> {
        let Receipt { amount, id } = receipt(&self.id, self.amount_minor, &self.currency)?;
        let id = id.ok_or(NoAnswer::Unreadable("a line without an id"))?;
        if !time.contains(&self.created) {
            return Err(NoAnswer::Unreadable("a line of another time"));
        }
        let movement = match self.kind {
            KindView::Charge => Movement::Charge,
            KindView::Refund => Movement::Refund,
            KindView::Other => return Ok(None),
        };
        let order_id = Reference::read(&self.order_id).map(String::from).unwrap_or_default();
        Ok((amount.minor != 0).then(|| Said { id: id.into(), movement, order_id, amount, time: self.created }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::Duration;

    use super::*;

    fn line(id: &str, more: &str) -> String {
        format!(r#"{{"id":"{id}","amount_minor":9,"currency":"gbp","created":"1970-01-01T00:00:05Z",{more}}}"#)
    }

    fn page(lines: &[String], has_more: bool) -> Result<StatementPage, NoAnswer> {
        let text = format!(r#"{{"transactions":[{}],"has_more":{has_more}}}"#, lines.join(","));
        let time = OffsetDateTime::UNIX_EPOCH..OffsetDateTime::UNIX_EPOCH + Duration::MINUTE;
        serde_json::from_str::<PageView>(&text).unwrap().read(&time)
    }

    fn charge(id: &str) -> String {
        line(id, r#""type":"charge","order_id":"o""#)
    }

    #[test]
    fn a_page_is_read_and_says_where_the_next_begins() {
        let lines = [charge("txn_1"), line("txn_2", r#""type":"payout""#), line("txn_3", r#""type":"refund""#)];
        let read = page(&lines, true).unwrap();
        let said: Vec<_> = read.lines.iter().map(|line| (line.id.as_str(), line.movement, &*line.order_id)).collect();
        assert_eq!(said, [("txn_1", Movement::Charge, "o"), ("txn_3", Movement::Refund, "")]);
        assert_eq!((read.lines[0].amount.currency.as_str(), read.next.as_deref()), ("GBP", Some("txn_3")));
        assert_eq!(page(&lines, false).unwrap().next, None);
    }

    #[test]
    fn what_cannot_be_told_apart_or_is_of_another_time_is_no_statement() {
        let unreadable = |what| Err(NoAnswer::Unreadable(what));
        assert_eq!(page(&[], true), unreadable("a page without a line, and more to follow"));
        assert_eq!(page(&[charge("")], false), unreadable("a line without an id"));
        let old = charge("txn_1").replace("1970", "1969");
        assert_eq!(page(&[old], false), unreadable("a line of another time"));
        assert_eq!(page(&[charge("txn_1").replace("gbp", "pound")], false), unreadable("a currency that is none"));
        assert_eq!(page(&vec![charge("txn_1"); 101], false), unreadable("a page that is too long"));
    }
}
