//! `tradewind customer`: what is stored of a customer, and its end.

use std::process::ExitCode;

use anyhow::{Result, bail};
use contracts::tradewind::documents::v1::ListDocumentsRequest;
use contracts::tradewind::eventlog::v1::ReadKeyRequest;
use contracts::tradewind::identity::v1::{EraseAccountRequest, GetAccountRequest, ListSessionsRequest};
use contracts::tradewind::notification::v1::ListNotificationsRequest;
use contracts::tradewind::ordering::v1::{EraseCustomerRequest, ListOrdersRequest};
use serde_json::json;
use supervisor::services;
use tonic::Code;
use uuid::Uuid;

use crate::Global;
use crate::clients;
use crate::output::{dynamic_json, json, json_line, moment, say};
use shop::Clients;

/// Orders that are asked for at a time.
const PAGE: i32 = 100;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write down all that is stored of a customer, as JSON, a line each: their account, their orders, what every service has recorded of
    /// them, messages and documents.
    ///
    /// It fails where a service does not answer, so what ends well is all there is. Whoever is erased has orders without a name.
    Export {
        /// The customer, as orders name them, or the id of an account.
        customer: String,
    },
    /// Have a customer forgotten: who receives their orders, and by which cards those were paid. It cannot be undone.
    ///
    /// Their account is erased, if they have one. Orders that are delivered or cancelled are forgotten within a minute or two, each other
    /// once it is. What was ordered and what it cost stay. Repeating it changes nothing.
    Erase {
        /// The customer, as orders name them, or the id of an account.
        customer: String,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    match command {
        Command::Export { customer } => export(&shop, customer).await?,
        Command::Erase { customer, yes } => {
            if !yes {
                bail!("nothing is done: what is erased does not come back; --yes says that this is meant");
            }
            let request = EraseCustomerRequest { customer_id: customer.clone() };
            shop.ordering()?.erase_customer(request).await?;
            erase_account(&shop, &customer).await?;
            if global.json {
                crate::output::document(&json!({ "customer_id": customer, "erasing": true }))?;
            } else {
                say!("{customer} is being forgotten; `tradewind customer export` shows what is left")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Erases the account of that id, if there is one.
async fn erase_account(shop: &Clients, id: &str) -> Result<()> {
    if Uuid::try_parse(id).is_err() {
        return Ok(());
    }
    let request = EraseAccountRequest { account_id: id.to_owned(), ..EraseAccountRequest::default() };
    match shop.identity()?.erase_account(request).await {
        Err(refused) if refused.code() != Code::NotFound => Err(refused.into()),
        _ => Ok(()),
    }
}

async fn export(shop: &Clients, customer_id: String) -> Result<()> {
    account(shop, &customer_id).await?;
    recorded(shop, &customer_id).await?;
    let mut request = ListOrdersRequest { page_size: PAGE, customer_id, ..ListOrdersRequest::default() };
    loop {
        let page = shop.ordering()?.list_orders(request.clone()).await?.into_inner();
        for order in &page.orders {
            json_line(&json!({ "order": json(order)? }))?;
            recorded(shop, &order.order_id).await?;
            told(shop, &order.order_id).await?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(());
        }
    }
}

/// Writes what every service has recorded about a key.
async fn recorded(shop: &Clients, key: &str) -> Result<()> {
    for service in services::names() {
        let mut log = shop.log_of(service)?;
        let mut request = ReadKeyRequest { key: key.to_owned(), ..ReadKeyRequest::default() };
        loop {
            let page = log.read_key(request.clone()).await?.into_inner();
            for event in page.events {
                let said = dynamic_json(&event.r#type, &event.payload)?;
                let time = moment(event.time.as_ref());
                json_line(&json!({ "service": service, "event": event.r#type, "time": time, "said": said }))?;
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Writes what is kept of an account and of where it is signed in, if there is one of that id.
async fn account(shop: &Clients, id: &str) -> Result<()> {
    if Uuid::try_parse(id).is_err() {
        return Ok(());
    }
    let mut identity = shop.identity()?;
    let account = match identity.get_account(GetAccountRequest { account_id: id.to_owned() }).await {
        Ok(answer) => answer.into_inner().account.unwrap_or_default(),
        Err(refused) if refused.code() == Code::NotFound => return Ok(()),
        Err(refused) => return Err(refused.into()),
    };
    json_line(&json!({ "account": json(&account)? }))?;
    let request = ListSessionsRequest { account_id: id.to_owned() };
    for session in identity.list_sessions(request).await?.into_inner().sessions {
        json_line(&json!({ "session": json(&session)? }))?;
    }
    Ok(())
}

/// Writes which messages were sent about an order, and which documents it has.
async fn told(shop: &Clients, order_id: &str) -> Result<()> {
    let mut request = ListNotificationsRequest { order_id: order_id.to_owned(), ..ListNotificationsRequest::default() };
    loop {
        let page = shop.notification()?.list_notifications(request.clone()).await?.into_inner();
        for message in &page.notifications {
            json_line(&json!({ "message": json(message)? }))?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let request = ListDocumentsRequest { order_id: order_id.to_owned() };
    for document in shop.documents()?.list_documents(request).await?.into_inner().documents {
        json_line(&json!({ "document": json(&document)? }))?;
    }
    Ok(())
}
