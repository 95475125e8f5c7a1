//! The routes of the project's own contracts.

use prost_reflect::DescriptorPool;
use serde_json::{Value, json};
use tradewind_transcode::{Problem, Refusal, Routes};

fn routes() -> Routes {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let methods: Vec<_> = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
    Routes::of(methods).unwrap()
}

#[test]
fn the_contracts_declare_routes_that_make_messages() {
    let routes = routes();
    let found = routes.find("GET", "/v1/products/blue%2Dmug").unwrap();
    assert_eq!(found.route.method().full_name(), "tradewind.catalog.v1.CatalogService.GetProduct");
    let request = found.request("", b"").unwrap();
    assert_eq!(request.get_field_by_name("product_id").unwrap().as_str(), Some("blue-mug"));

    let found = routes.find("GET", "/v1/products").unwrap();
    let request = found.request("pageSize=3&page_token=a%2Fb+c", b"").unwrap();
    assert_eq!(request.get_field_by_name("page_size").unwrap().as_i32(), Some(3));
    assert_eq!(request.get_field_by_name("page_token").unwrap().as_str(), Some("a/b c"));
}

#[test]
fn a_refusal_names_the_parameter_and_what_is_wrong_with_it() {
    let routes = routes();
    let found = routes.find("GET", "/v1/products").unwrap();
    let refused = |query| found.request(query, b"").unwrap_err();
    let field = |path: &str, problem| Refusal::Field { path: path.to_owned(), problem };
    assert_eq!(refused("pageSize=3000000000"), field("pageSize", Problem::OutOfRange));
    assert_eq!(refused("page_size=many"), field("page_size", Problem::BadNumber));
    assert_eq!(refused("size=3"), field("size", Problem::UnknownField));
    assert_eq!(found.request("", b"{}").unwrap_err(), Refusal::UnexpectedBody);
    let allowed = vec!["GET".to_owned(), "POST".to_owned()];
    assert_eq!(routes.find("DELETE", "/v1/products").unwrap_err(), Refusal::MethodNotAllowed { allowed });
    assert_eq!(routes.find("GET", "/v1/product").unwrap_err(), Refusal::NoRoute);
}

#[test]
fn an_answer_is_written_as_protobuf_writes_json() {
    let routes = routes();
    let route = routes.find("GET", "/v1/products/mug").unwrap().route;
    let kind = route.method().output();
    let price = json!({"currency": "EUR", "minor": "1250"});
    let said = json!({"product": {"productId": "mug", "price": price, "createTime": "2024-05-01T00:00:00Z"}});
    let answer = prost_reflect::DynamicMessage::deserialize(kind, said.clone()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&route.answer(&answer).unwrap()).unwrap(), said);
}
