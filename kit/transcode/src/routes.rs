//! The routes that methods declare by `google.api.http`, and what a request on one of them says.

use std::fmt;
use std::sync::Arc;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, Value};

use crate::fields::FieldPath;
use crate::json;
use crate::matcher::{Conflict, Matcher};
use crate::query::bind_query;
use crate::refusal::{Problem, Refusal};
use crate::template::{Template, TemplateError};
use crate::wire::Tables;

/// The routes of methods.
#[derive(Debug, Default)]
pub struct Routes {
    matcher: Matcher<Arc<Route>>,
}

/// One HTTP request that a method answers.
pub struct Route {
    method: MethodDescriptor,
    declared: Declared,
    variables: Vec<FieldPath>,
    body: Body,
    answer: Option<FieldDescriptor>,
    /// Of the whole answer.
    tables: Tables,
}

/// What a method's option says of one request, before it is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The HTTP method, in capitals.
    pub method: String,
    /// The template of the path.
    pub template: String,
    /// The field that the body holds, `*` for the whole request; empty for no body.
    pub body: String,
    /// The field that is the answer's body; empty for the whole answer.
    pub response_body: String,
}

enum Body {
    None,
    Whole,
    Field(FieldPath, FieldDescriptor),
}

/// Why a method's option makes no route.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It has no HTTP method and path, or its bindings have bindings.
    #[error("{method}: the option names no method and path, or its bindings have bindings")]
    Incomplete {
        /// The full name of the method.
        method: String,
    },
    /// The template is none.
    #[error("{method}: {template}: {error}")]
    Template {
        /// The full name of the method.
        method: String,
        /// As it is declared.
        template: String,
        /// What is wrong.
        error: TemplateError,
    },
    /// A variable or a body names a field that cannot be there.
    #[error("{method}: {refusal}")]
    Field {
        /// The full name of the method.
        method: String,
        /// Which, and why.
        refusal: Refusal,
    },
    /// Two routes take the same requests.
    #[error(transparent)]
    Conflict(#[from] Conflict),
}

/// A route that takes a request, and what its path holds.
#[derive(Debug)]
pub struct Found<'a> {
    /// The route.
    pub route: &'a Arc<Route>,
    captures: Vec<String>,
}

impl Routes {
    /// The routes of these methods. Those without the option have none.
    ///
    /// # Errors
    /// Where a method's option makes no route, or two take the same requests.
    pub fn of(methods: impl IntoIterator<Item = MethodDescriptor>) -> Result<Self, RouteError> {
        let mut routes = Self::default();
        for method in methods {
            for declared in declared(&method)? {
                routes.add(&method, declared)?;
            }
        }
        Ok(routes)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// As [`Routes::of`].
    pub fn add(&mut self, method: &MethodDescriptor, declared: Declared) -> Result<(), RouteError> {
        let name = method.full_name().to_owned();
        let template = Template::parse(&declared.template).map_err(|error| RouteError::Template {
            method: name.clone(),
            template: declared.template.clone(),
            error,
        })?;
        let http = declared.method.clone();
        let route = Route::new(method, declared, &template);
        let route = route.map_err(|refusal| RouteError::Field { method: name, refusal })?;
        Ok(self.matcher.insert(&http, template, Arc::new(route))?)
    }

    /// Finds the route of a request, by its method and its path as it was sent, without the query.
    ///
    /// # Errors
    /// Where there is none, none with that method, or the path is malformed.
    pub fn find(&self, method: &str, path: &str) -> Result<Found<'_>, Refusal> {
        let found = self.matcher.find(method, path)?;
        Ok(Found { route: found.value, captures: found.captures.into_iter().map(|(_, text)| text).collect() })
    }

    /// All routes, the most exact first.
    pub fn all(&self) -> impl Iterator<Item = &Route> {
        self.matcher.values().map(AsRef::as_ref)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.method.full_name()).field(&self.declared).finish()
    }
}

impl Route {
    fn new(method: &MethodDescriptor, declared: Declared, template: &Template) -> Result<Self, Refusal> {
        let (input, output) = (method.input(), method.output());
        let variable = |text: &str| {
            let field = FieldPath::new(&input, text)?;
            if field.is_repeated() {
                return Err(Problem::RepeatedFieldInPath.at(text));
            }
            field.bindable().map(|()| field)
        };
        let variables = template.variables().iter().map(|at| variable(&at.field)).collect::<Result<_, _>>()?;
        let body = match declared.body.as_str() {
            "" => Body::None,
            "*" => Body::Whole,
            name => Body::Field(FieldPath::new(&input, name)?, field(&input, name)?),
        };
        let answer = Some(declared.response_body.as_str()).filter(|name| !name.is_empty());
        let answer = answer.map(|name| field(&output, name)).transpose()?;
        let tables = Tables::of(&output);
        Ok(Self { method: method.clone(), declared, variables, body, answer, tables })
    }

    /// The method that answers.
    #[must_use]
    pub fn method(&self) -> &MethodDescriptor {
        &self.method
    }

    /// What the contract says.
    #[must_use]
    pub fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Writes an answer as JSON.
    ///
    /// # Errors
    /// Where it has none: a time beyond the year 9999, say.
    pub fn answer(&self, message: &DynamicMessage) -> Result<Vec<u8>, Refusal> {
        json::write(message, self.answer.as_ref())
    }

    /// The same of an answer as it comes from whoever answers.
    ///
    /// # Errors
    /// As [`Route::answer`], and where it is no such message.
    pub fn answer_of(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        if self.answer.is_none()
            && let Some(json) = self.tables.json(message)
        {
            return Ok(json);
        }
        let message = DynamicMessage::decode(self.method.output(), message).map_err(|_| Refusal::Answer)?;
        self.answer(&message)
    }
}

impl Found<'_> {
    /// The message that the request is: its body first, then what the path holds, then the query. An empty body says nothing.
    ///
    /// # Errors
    /// Where a part of it cannot be what the contract asks for.
    pub fn request(&self, query: &str, body: &[u8]) -> Result<DynamicMessage, Refusal> {
        let route = self.route;
        let mut bound = route.variables.clone();
        let mut message = match &route.body {
            Body::None if !body.is_empty() => return Err(Refusal::UnexpectedBody),
            Body::Whole if !query.is_empty() => return Err(Refusal::UnexpectedParameters),
            Body::Whole if !body.is_empty() => json::read(route.method.input(), body)?,
            Body::Field(path, field) => {
                bound.push(path.clone());
                if body.is_empty() { DynamicMessage::new(route.method.input()) } else { json::read_field(field, body)? }
            }
            Body::None | Body::Whole => DynamicMessage::new(route.method.input()),
        };
        for (field, text) in route.variables.iter().zip(&self.captures) {
            field.set(&mut message, text)?;
        }
        bind_query(&mut message, query, &bound)?;
        Ok(message)
    }
}

fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, Refusal> {
    message.get_field_by_name(name).ok_or_else(|| Problem::UnknownField.at(name))
}

/// What a method's option says.
fn declared(method: &MethodDescriptor) -> Result<Vec<Declared>, RouteError> {
    let Some(extension) = method.parent_pool().get_extension_by_name("google.api.http") else { return Ok(Vec::new()) };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Ok(Vec::new());
    }
    let incomplete = || RouteError::Incomplete { method: method.full_name().to_owned() };
    let option = options.get_extension(&extension);
    let rule = option.as_message().ok_or_else(incomplete)?;
    let mut all = vec![one(rule).ok_or_else(incomplete)?];
    for additional in bindings(rule) {
        if !bindings(&additional).is_empty() {
            return Err(incomplete());
        }
        all.push(one(&additional).ok_or_else(incomplete)?);
    }
    Ok(all)
}

fn bindings(rule: &DynamicMessage) -> Vec<DynamicMessage> {
    let list = rule.get_field_by_name("additional_bindings");
    let list = list.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(|value| value.as_message().cloned()).collect()
}

fn one(rule: &DynamicMessage) -> Option<Declared> {
    let known = ["get", "put", "post", "delete", "patch"].into_iter().find(|name| rule.has_field_by_name(name));
    let (method, template) = if let Some(name) = known {
        (name.to_uppercase(), text(rule, name))
    } else {
        let custom = rule.has_field_by_name("custom").then(|| rule.get_field_by_name("custom"))??;
        let custom = custom.as_message()?;
        (text(custom, "kind"), text(custom, "path"))
    };
    let (body, response_body) = (text(rule, "body"), text(rule, "response_body"));
    (!method.is_empty()).then_some(Declared { method, template, body, response_body })
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
