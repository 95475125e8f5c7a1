//! What can be done about something: each is a form on a page, and a call to the service whose it is, which notes who asked for it.

use anyhow::{Context, Result};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use contracts::tradewind::consumer::v1::{
    DiscardParkedEventRequest, Outcome, PauseConsumerRequest, RebuildProjectionRequest, ReplayParkedStreamRequest,
    ResumeConsumerRequest, TriedEvent,
};
use contracts::tradewind::mesh::v1::{ClearFaultsRequest, SetFaultRequest};
use contracts::tradewind::ordering::v1::CancelOrderRequest;
use contracts::tradewind::payment::v1::ResolveDifferenceRequest;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use shop::Clients;
use uuid::Uuid;

use crate::Desk;
use crate::frame;
use crate::live::Look;
use crate::reason::Reason;
use crate::visitor::Visitor;

/// What is asked for. Forms are text, and so is this; what is wrong with it the service says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(crate) enum Act {
    Replay {
        service: String,
        consumer: String,
        source: String,
        stream: String,
    },
    Discard {
        service: String,
        consumer: String,
        source: String,
        stream: String,
        position: String,
        reason: Reason,
    },
    Pause {
        service: String,
        consumer: String,
        reason: String,
    },
    Resume {
        service: String,
        consumer: String,
    },
    Rebuild {
        service: String,
        projection: String,
        reason: String,
    },
    Cancel {
        order_id: String,
    },
    Fault {
        service: String,
        method: String,
        peer: String,
        percent: String,
        latency: String,
        abort: String,
        lasts: String,
    },
    Clear {
        service: String,
        number: String,
    },
    Resolve {
        difference_id: String,
        note: String,
    },
}

impl Act {
    /// Does it; what came of it.
    ///
    /// # Errors
    /// What the service refuses, and what is no number or time where one is needed.
    pub(crate) async fn done(&self, shop: &Clients) -> Result<String> {
        match self.clone() {
            Self::Replay { service, consumer, source, stream } => {
                let request = ReplayParkedStreamRequest { consumer, source, stream: stream.clone(), dry_run: false };
                let answer = shop.consumers_of(&service)?.replay_parked_stream(request).await?.into_inner();
                told(&service, &stream, &answer.events, answer.remaining)
            }
            Self::Discard { service, consumer, source, stream, position, reason } => {
                let position = position.parse().context("the position is no number")?;
                let (of, reason) = (stream.clone(), reason.into());
                let request = DiscardParkedEventRequest { consumer, source, stream, position, reason, dry_run: false };
                let answer = shop.consumers_of(&service)?.discard_parked_event(request).await?.into_inner();
                told(&service, &of, &answer.events, answer.remaining)
            }
            Self::Pause { service, consumer, reason } => {
                let text = format!("{consumer} of {service} is paused.");
                shop.consumers_of(&service)?.pause_consumer(PauseConsumerRequest { consumer, reason }).await?;
                Ok(text)
            }
            Self::Resume { service, consumer } => {
                let text = format!("{consumer} of {service} reads on.");
                shop.consumers_of(&service)?.resume_consumer(ResumeConsumerRequest { consumer }).await?;
                Ok(text)
            }
            Self::Rebuild { service, projection, reason } => {
                let text = format!("{projection} of {service} is built anew, beside the one that is read.");
                let request = RebuildProjectionRequest { projection, reason };
                shop.consumers_of(&service)?.rebuild_projection(request).await?;
                Ok(text)
            }
            Self::Cancel { order_id } => {
                shop.ordering()?.cancel_order(CancelOrderRequest { order_id: order_id.clone() }).await?;
                Ok(format!("Order {order_id} is to be cancelled."))
            }
            Self::Fault { service, method, peer, percent, latency, abort, lasts } => {
                let time = |text: &str| -> Result<Option<prost_types::Duration>> {
                    if text.trim().is_empty() {
                        return Ok(None);
                    }
                    let time =
                        humantime::parse_duration(text.trim()).with_context(|| format!("{text:?} is no time"))?;
                    Ok(Some(time.try_into()?))
                };
                let percent = Some(percent.trim().parse().context("the percentage is no number")?);
                let (latency, lasts) = (time(&latency)?, time(&lasts)?);
                let method = shop::methods::target(method.trim())?;
                let (peer, abort) = (peer.trim().to_owned(), abort.trim().to_owned());
                let endpoint = String::new();
                let text = format!("{service} has a fault in {method}.");
                let request = SetFaultRequest { method, peer, endpoint, percent, latency, abort, lasts };
                shop.mesh_of(&service)?.set_fault(request).await?;
                Ok(text)
            }
            Self::Clear { service, number } => {
                let numbers = vec![number.parse().context("the fault's number is none")?];
                shop.mesh_of(&service)?.clear_faults(ClearFaultsRequest { numbers }).await?;
                Ok(format!("Fault {number} of {service} is over."))
            }
            Self::Resolve { difference_id, note } => {
                let request_id = Uuid::new_v4().to_string();
                let request = ResolveDifferenceRequest { request_id, difference_id, note };
                shop.ledger()?.resolve_difference(request).await?;
                Ok("The difference is resolved.".to_owned())
            }
        }
    }

    /// What it is called where nobody can take it back, and no reason is asked for that has somebody think: it is shown before it is
    /// done.
    pub(crate) const fn asks_first(&self) -> Option<&'static str> {
        match self {
            Self::Cancel { .. } => Some("Cancel the order"),
            _ => None,
        }
    }

    /// What it is, in a few words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Replay { service, stream, .. } => format!("{service}: try {stream} again"),
            Self::Discard { service, stream, position, .. } => format!("{service}: give up {position} of {stream}"),
            Self::Pause { service, consumer, .. } => format!("{service}: pause {consumer}"),
            Self::Resume { service, consumer } => format!("{service}: let {consumer} read on"),
            Self::Rebuild { service, projection, .. } => format!("{service}: build {projection} anew"),
            Self::Cancel { order_id } => format!("cancel {order_id}"),
            Self::Fault { service, method, .. } => format!("{service}: put a fault into {method}"),
            Self::Clear { service, number } => format!("{service}: end fault {number}"),
            Self::Resolve { difference_id, .. } => format!("resolve {difference_id}"),
        }
    }

    /// Of which service it is asked, and which of its readers it is about.
    pub(crate) fn of(&self) -> (&str, &str) {
        match self {
            Self::Replay { service, consumer, .. }
            | Self::Discard { service, consumer, .. }
            | Self::Pause { service, consumer, .. }
            | Self::Resume { service, consumer } => (service, consumer),
            Self::Rebuild { service, .. } | Self::Fault { service, .. } | Self::Clear { service, .. } => (service, ""),
            Self::Cancel { .. } => ("ordering", ""),
            Self::Resolve { .. } => ("payment", ""),
        }
    }

    /// The form that asks for it. Of its fields, those that `ask` names are asked for, each with its label; the others are said.
    pub(crate) fn form(&self, look: &Look, label: &str, ask: &[(&str, &str)]) -> Markup {
        let fields = serde_json::to_value(self).ok();
        let fields = fields.iter().flat_map(|fields| fields.as_object().into_iter().flatten());
        let fields: Vec<_> = fields.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        let label_of = |name: &str| ask.iter().find(|(asked, _)| *asked == name).map(|(_, label)| *label);
        html! {
            form.act method="post" action="/console/do" {
                (frame::mark(&look.visitor))
                input type="hidden" name="back" value=(look.here);
                @for (name, value) in fields {
                    @if let Some(label) = label_of(name) {
                        label { (label) " " input name=(name) value=(value); }
                    } @else {
                        input type="hidden" name=(name) value=(value);
                    }
                }
                button title=(self.words()) { (label) }
            }
        }
    }
}

/// What came of a stream's events.
fn told(service: &str, stream: &str, tried: &[TriedEvent], remaining: u64) -> Result<String> {
    let failed = tried.iter().find(|event| event.outcome() == Outcome::Failed);
    if let Some(TriedEvent { r#type, reason, error, .. }) = failed {
        anyhow::bail!("{service} cannot handle {} of {stream}: {reason}: {error}", crate::words::short(r#type));
    }
    let handled = tried.iter().filter(|event| event.outcome() != Outcome::Unspecified).count();
    Ok(match remaining {
        0 => format!("{service} is through with {stream}: {handled} events."),
        _ => format!("{service} has come {handled} events further in {stream}; {remaining} are left."),
    })
}

/// What every form brings.
#[derive(Deserialize)]
pub(crate) struct Marked {
    #[serde(default)]
    pub(crate) mark: String,
}

/// Refuses a form that does not come from one of the session's pages.
pub(crate) fn refused(mark: &str, visitor: &Visitor) -> Option<Response> {
    (mark != visitor.mark).then(|| (StatusCode::FORBIDDEN, "this form is not of the session").into_response())
}

/// A path of the console, whatever a form says.
pub(crate) fn inside(back: &str) -> String {
    let stays = |back: &&str| {
        let rest = back.strip_prefix("/console");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            && back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    Some(back).filter(stays).unwrap_or("/console").to_owned()
}

/// Does it. It goes on, and is told of, where the browser goes away.
pub(crate) async fn done(act: Act, desk: Desk, visitor: Visitor) {
    if let Err(error) = tokio::spawn(tell(act, desk, visitor)).await {
        tracing::error!(%error, "an act came to nothing");
    }
}

/// Does it; what came of it the next page tells, and the log.
async fn tell(act: Act, desk: Desk, visitor: Visitor) {
    let text = match act.done(&desk.shop_for(&visitor)).await {
        Ok(text) => {
            tracing::info!(who = visitor.who, act = act.words(), "done");
            text
        }
        Err(error) => {
            tracing::warn!(who = visitor.who, act = act.words(), error = shop::explain_error(&error), "not done");
            format!("Not done: {}", shop::explain_error(&error))
        }
    };
    desk.door.note(&visitor, text);
}
