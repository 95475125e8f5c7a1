//! `tradewind product`: what can be ordered.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::catalog::v1::{
    CreateProductRequest, GetProductRequest, ListProductsRequest, Product, RepriceProductRequest, RetireProductRequest,
};

use crate::Global;
use crate::clients;
use crate::commands::order::{new_request_id, parse_money};
use crate::output::{money, more, print_json, say};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List a new product for sale.
    Create {
        /// Its id: a-z, 0-9 and -.
        product_id: String,
        /// Price of one unit in minor units, with its currency: GBP:1250 is GBP 12.50.
        #[arg(long, value_parser = parse_money)]
        price: contracts::tradewind::money::v1::Money,
        /// What the warehouse calls it; the id in upper case where absent.
        #[arg(long)]
        sku: Option<String>,
        /// Its name; the id where absent.
        #[arg(long)]
        name: Option<String>,
        /// Makes a repetition harmless; a new one where absent.
        #[arg(long)]
        request_id: Option<String>,
    },
    /// Change a product's price.
    Reprice {
        /// The product.
        product_id: String,
        /// Its new price, e.g. GBP:1300.
        #[arg(long, value_parser = parse_money)]
        price: contracts::tradewind::money::v1::Money,
    },
    /// Take a product off sale.
    Retire {
        /// The product.
        product_id: String,
    },
    /// Show one product.
    Get {
        /// The product.
        product_id: String,
    },
    /// Show products by id.
    List {
        /// The most to show, up to 1000.
        #[arg(long, default_value_t = 100)]
        page_size: i32,
        /// Where the page before ended.
        #[arg(long, default_value = "")]
        page_token: String,
    },
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    let mut catalog = clients::asked(&global)?.catalog()?;
    match command {
        Command::Create { product_id, price, sku, name, request_id } => {
            let product = Product {
                sku: sku.unwrap_or_else(|| product_id.to_ascii_uppercase()),
                name: name.unwrap_or_else(|| product_id.clone()),
                product_id,
                price: Some(price),
                ..Product::default()
            };
            let request_id = request_id.unwrap_or_else(new_request_id);
            let request = CreateProductRequest { request_id, product: Some(product) };
            let response = catalog.create_product(request).await?.into_inner();
            if global.json { print_json(&response)? } else { response.product.iter().try_for_each(show)? }
        }
        Command::Reprice { product_id, price } => {
            let request = RepriceProductRequest { request_id: new_request_id(), product_id, price: Some(price) };
            let response = catalog.reprice_product(request).await?.into_inner();
            if global.json { print_json(&response)? } else { response.product.iter().try_for_each(show)? }
        }
        Command::Retire { product_id } => {
            let request = RetireProductRequest { request_id: new_request_id(), product_id };
            let response = catalog.retire_product(request).await?.into_inner();
            if global.json { print_json(&response)? } else { response.product.iter().try_for_each(show)? }
        }
        Command::Get { product_id } => {
            let response = catalog.get_product(GetProductRequest { product_id }).await?.into_inner();
            if global.json { print_json(&response)? } else { response.product.iter().try_for_each(show)? }
        }
        Command::List { page_size, page_token } => {
            let response = catalog.list_products(ListProductsRequest { page_size, page_token }).await?.into_inner();
            if global.json {
                print_json(&response)?;
            } else {
                response.products.iter().try_for_each(show)?;
                more(&response.next_page_token)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(Product { product_id, sku, name, price, retired, .. }: &Product) -> Result<()> {
    let off = if *retired { "  off sale" } else { "" };
    say!("{product_id:<24} {:>14}  sku {sku:<20} {name}{off}", money(price.as_ref()))
}
