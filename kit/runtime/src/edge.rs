//! A service at the edge: it keeps nothing, and answers whoever is outside by calling the others. What it answers, and in which
//! protocol, must not be here.

use std::net::SocketAddr;

use anyhow::Context as _;
use futures::FutureExt;
use tokio::task::JoinSet;
use tradewind_mesh::Identity;

use crate::{
    dependencies, ending,
    front::{Front, Open, Outlook},
    life::{Born, Life},
    readiness,
};

/// Opens the front.
///
/// # Errors
/// Why it cannot be.
pub(crate) async fn bind(open: Open, outlook: Outlook) -> anyhow::Result<(SocketAddr, Life)> {
    let identity = outlook.identity.clone();
    let front = open(outlook).await?;
    Ok((front.address, Box::new(move |born| live(front, identity, born).boxed())))
}

/// Neighbours that are away make nobody at the edge unready: all its replicas would be so at once, and nobody told why.
async fn live(front: Front, identity: Identity, born: Born) -> anyhow::Result<()> {
    born.tell_started("http", front.address);
    let Born { settings, reports, stop, .. } = born;
    tokio::spawn(readiness::watch(vec![dependencies::certified(identity)], reports, stop.clone()));
    let mut tasks = JoinSet::new();
    let time = settings.grace.saturating_sub(ending::for_spans(settings.grace));
    let serving = (front.serve)(stop.clone(), time);
    tasks.spawn(async move { serving.await.context("front") });
    ending::finish(tasks, &stop, settings.grace).await
}
