//! What is offered, as OpenAPI 3.1 has it: made once, of descriptors and the comments in the contracts.

mod answers;
mod operation;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tradewind_transcode::Declared;
use tradewind_transcode::schema::{Comments, Schemas};

use crate::methods::Methods;

/// The document.
pub(crate) fn document(methods: &Methods) -> Value {
    let (mut schemas, mut paths, mut tags) = (Schemas::default(), Map::new(), Vec::new());
    let mut routes: BTreeMap<&str, u32> = BTreeMap::new();
    for (route, method) in methods.routes() {
        let Declared { method: http, template, .. } = route.declared();
        let Some(path) = operation::path(template) else { continue };
        let mut operation = operation::of(route, method, &mut schemas);
        let number = routes.entry(method.path.as_str()).and_modify(|number| *number += 1).or_insert(1);
        if *number > 1 {
            operation["operationId"] =
                format!("{}_{number}", operation["operationId"].as_str().unwrap_or_default()).into();
        }
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[http.to_lowercase()] = operation;
        let service = method.descriptor.parent_service();
        let tag = json!({ "name": service.name(), "description": Comments::of_service(service) });
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.sort_by_key(|tag| tag["name"].to_string());
    let mut schemas = schemas.all();
    schemas.insert("Error".to_owned(), answers::error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tradewind",
            "version": tradewind_runtime::VERSION,
            "description": "Everything that may be called from outside. The same methods are there in gRPC and gRPC-Web.",
            "license": { "name": "Apache 2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": answers::shared(),
            "headers": answers::headers(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "x-api-key",
                    "description": "A partner's key, for what its scopes name.",
                },
            },
        },
    })
}
