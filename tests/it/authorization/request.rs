//! Requests that are as they should be, so that what is said of them is said of who asks: built from the descriptors, with a valid
//! value for each field.

use prost_reflect::{DynamicMessage, MethodDescriptor, Value as Field};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What belongs to somebody.
#[derive(Clone, Debug)]
pub(super) struct Things {
    pub(super) account: String,
    pub(super) order: String,
    /// One that may be cancelled.
    pub(super) spare: String,
}

impl Things {
    /// Some that are not there.
    pub(super) fn missing() -> Self {
        let [account, order, spare] = [(); 3].map(|()| Uuid::now_v7().to_string());
        Self { account, order, spare }
    }

    /// A text without what tells them from others.
    pub(super) fn plain(&self, text: &str) -> String {
        [&self.account, &self.order, &self.spare].into_iter().fold(text.to_owned(), |text, id| text.replace(id, "ID"))
    }
}

/// What is the same for all requests.
pub(super) struct Means {
    /// A product that stays.
    pub(super) product: String,
    /// One that may be changed and retired.
    pub(super) changing: String,
    /// An account to sign in to, and its password, which is everybody's.
    pub(super) email: String,
    pub(super) password: String,
    /// A refresh token of it.
    pub(super) refresh_token: String,
    /// Where somebody is told of events by webhooks, and its URL: nobody is there.
    pub(super) endpoint: String,
    pub(super) url: String,
}

/// The fields that name somebody's things.
const NAMING: [&str; 4] = ["account_id", "customer_id", "number", "order_id"];
/// The fields that are left out: they say what else is wanted, or how much.
const LEFT_OUT: [&str; 24] = [
    "account",
    "expire_time",
    "after",
    "correct_counters",
    "days",
    "description",
    "device",
    "enabled",
    "event_id",
    "expected_total",
    "filter",
    "key",
    "kind",
    "min_age",
    "order_by",
    "page_size",
    "page_token",
    "settle_within",
    "span",
    "state",
    "status",
    "step",
    "time",
    "version",
];

/// Whether a request names somebody's things.
pub(super) fn names(method: &MethodDescriptor) -> bool {
    method.input().fields().any(|field| NAMING.contains(&field.name()))
}

/// A request of `method` about `things`; where there are none, it names none. What nobody outside can say says nothing.
pub(super) fn request(method: &MethodDescriptor, means: &Means, things: Option<&Things>) -> DynamicMessage {
    if routes(method).is_empty() {
        return DynamicMessage::new(method.input());
    }
    let mut all = Map::new();
    for field in method.input().fields() {
        let name = field.name();
        let value = if NAMING.contains(&name) {
            let Some(things) = things else { continue };
            match name {
                "order_id" if method.name() == "CancelOrder" => json!(things.spare),
                "order_id" => json!(things.order),
                "number" => json!(format!("INV-{}", things.order)),
                _ => json!(things.account),
            }
        } else if LEFT_OUT.contains(&name) {
            continue;
        } else {
            value(method.name(), name, means)
        };
        all.insert(name.to_owned(), value);
    }
    let text = Value::Object(all).to_string();
    DynamicMessage::deserialize(method.input(), &mut serde_json::Deserializer::from_str(&text))
        .unwrap_or_else(|error| panic!("{}: {error}: {text}", method.full_name()))
}

fn value(method: &str, field: &str, means: &Means) -> Value {
    let some = || Uuid::new_v4().simple().to_string();
    match (method, field) {
        ("LogIn", "email") => json!(means.email),
        (_, "email" | "new_email") => json!(format!("{}@example.com", some())),
        (_, "password" | "current_password" | "new_password") => json!(means.password),
        (_, "partner_id") => json!(format!("p-{}", &some()[..8])),
        (_, "scopes") => json!(["ordering.read"]),
        (_, "name") => json!("Ada"),
        (_, "code") => json!("12345678"),
        (_, "verification_id" | "reset_id" | "change_id") => json!(some()),
        ("LogOut", "refresh_token") => json!(some()),
        (_, "refresh_token") => json!(means.refresh_token),
        (_, "endpoint_id") => json!(means.endpoint),
        (_, "url") => json!(means.url),
        (_, "event_types") => json!(["tradewind.shipping.v1.ShipmentDelivered"]),
        (_, "failed_since_time") => json!("2026-01-01T00:00:00Z"),
        // One that is not over needs no provider, of whom there is none here.
        ("Reconcile", "start_time") => json!("2100-01-01T00:00:00Z"),
        ("Reconcile", "end_time") => json!("2100-01-02T00:00:00Z"),
        (_, "start_time") => json!("2026-01-01T00:00:00Z"),
        (_, "end_time") => json!("2026-01-02T00:00:00Z"),
        (_, "from_day") => json!("2026-01-01"),
        (_, "to_day") => json!("2026-01-02"),
        ("ListSales", "kind") => json!("SALES_KIND_PRODUCT"),
        (_, "difference_id" | "session_id" | "key_id") => json!(Uuid::now_v7().to_string()),
        (_, "role") => json!("ROLE_STAFF"),
        (_, "request_id") => json!(some()),
        ("GetProduct", "product_id") => json!(means.product),
        (_, "product_id") => json!(means.changing),
        (_, "product") => {
            let id = some();
            json!({ "productId": id, "sku": id, "name": "Assam", "price": { "currency": "GBP", "minor": "450" } })
        }
        (_, "price") => json!({ "currency": "GBP", "minor": "500" }),
        (_, "sku") => json!(means.product),
        (_, "location") => json!("hull"),
        (_, "quantity") => json!("1"),
        (_, "payment_token") => json!("tok_ok"),
        (_, "lines") => json!([{ "productId": means.product, "quantity": 1 }]),
        (_, "recipient") => json!({
            "name": "A. Customer",
            "email": "customer@example.com",
            "address": { "line1": "1 High Street", "city": "Leeds", "postalCode": "LS1 4AP", "country": "GB" },
        }),
        // An id or a text as most are. What is valid in another field, or that it may be left out, is said here.
        _ => json!("one"),
    }
}

/// A request over HTTP.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) verb: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) body: Option<String>,
}

/// The routes that a method declares: HTTP method, template and body.
pub(super) fn routes(method: &MethodDescriptor) -> Vec<(String, String, String)> {
    let http = method.parent_pool().get_extension_by_name("google.api.http").unwrap();
    let options = method.options();
    if !options.has_extension(&http) {
        return Vec::new();
    }
    let rule = options.get_extension(&http).as_message().unwrap().clone();
    let more = rule.get_field_by_name("additional_bindings").unwrap().into_owned();
    let more: Vec<DynamicMessage> =
        more.as_list().unwrap().iter().filter_map(|each| each.as_message().cloned()).collect();
    std::iter::once(rule).chain(more).map(|rule| route(&rule)).collect()
}

fn route(rule: &DynamicMessage) -> (String, String, String) {
    let body = rule.get_field_by_name("body").unwrap().as_str().unwrap().to_owned();
    let pattern = rule.fields().find(|(field, _)| field.containing_oneof().is_some());
    let (field, template) = pattern.unwrap();
    (field.name().to_uppercase(), template.as_str().unwrap().to_owned(), body)
}

/// The same request over HTTP, by the first of the method's routes that can say it.
pub(super) fn over_http(method: &MethodDescriptor, message: &DynamicMessage) -> Option<Http> {
    routes(method).into_iter().find_map(|(verb, template, body)| {
        let mut rest = message.clone();
        let mut path = String::new();
        let mut pieces = template.as_str();
        while let Some((before, (name, after))) =
            pieces.split_once('{').and_then(|(a, b)| Some((a, b.split_once('}')?)))
        {
            let said = rest.get_field_by_name(name).unwrap().as_str().unwrap().to_owned();
            if said.is_empty() {
                return None;
            }
            rest.clear_field_by_name(name);
            path.push_str(before);
            path.push_str(&said.replace(':', "%3A"));
            pieces = after;
        }
        path.push_str(pieces);
        let body = match body.as_str() {
            "" => None,
            "*" => Some(std::mem::replace(&mut rest, DynamicMessage::new(method.input()))),
            field => {
                let held = rest.get_field_by_name(field).unwrap().as_message().cloned();
                rest.clear_field_by_name(field);
                held
            }
        };
        let query: Vec<String> =
            rest.fields().map(|(field, value)| format!("{}={}", field.name(), scalar(value))).collect();
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let json = |message: DynamicMessage| serde_json::to_string(&message).unwrap();
        Some(Http { verb, path, body: body.map(json) })
    })
}

fn scalar(value: &Field) -> String {
    match value {
        Field::String(text) => text.clone(),
        // A time, as JSON writes it.
        Field::Message(message) => match serde_json::to_value(message) {
            Ok(Value::String(text)) => text,
            other => panic!("{other:?} is no text that a query can hold"),
        },
        other => panic!("{other:?} is no text that a query can hold"),
    }
}
