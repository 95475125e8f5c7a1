//! A contract of two contexts, small enough to test the mesh with.

use std::time::Duration;

use contracts::Contract;
use contracts::reactions::Reaction;
use contracts::tables::{Content, Field, Form, Method, Owner};
use contracts::tradewind::options::v1::{Audience, Criticality, RetryClass, Role};

use crate::echo::{
    BARE, BRIEF, COUNT, FOLLOW, MINE, NAMED, ONCE, OPEN, REPORT, SAY, STAFFED, STREAM, THING, VITAL, WATCH,
};

pub(crate) const READ_LOG: &str = "/tradewind.eventlog.v1.EventLogService/ReadLog";
pub(crate) const READ_KEY: &str = "/tradewind.eventlog.v1.EventLogService/ReadKey";

pub(crate) static CONTRACT: Contract = Contract {
    contexts: &["echo", "reader"],
    methods: &[
        Method {
            callers: &["gateway", "operator"],
            timeout: Duration::from_secs(10),
            retry: RetryClass::Safe,
            ..of(SAY)
        },
        Method {
            callers: &["gateway"],
            timeout: Duration::from_millis(200),
            retry: RetryClass::WithRequestId,
            ..of(BRIEF)
        },
        Method { callers: &["gateway"], retry: RetryClass::WithRequestId, request: &REQUEST_ID, ..of(NAMED) },
        Method { callers: &["gateway"], timeout: Duration::from_millis(200), response_streams: true, ..of(STREAM) },
        Method { callers: &["gateway"], timeout: Duration::from_secs(60), response_streams: true, ..of(WATCH) },
        Method { callers: &["operator"], ..of(COUNT) },
        Method { callers: &["operator"], timeout: Duration::from_secs(30), ..of(ONCE) },
        Method {
            callers: &["operator"],
            timeout: Duration::from_secs(60),
            criticality: Criticality::Sheddable,
            ..of(REPORT)
        },
        Method {
            callers: &["operator"],
            timeout: Duration::from_secs(60),
            criticality: Criticality::Critical,
            ..of(VITAL)
        },
        of(BARE),
        Method { callers: PEOPLE, audience: Audience::Public, ..of(OPEN) },
        Method {
            callers: PEOPLE,
            audience: Audience::Customer,
            owner: Some(OWNER),
            scope: Some("echo.read"),
            ..of(MINE)
        },
        Method {
            callers: PEOPLE,
            audience: Audience::Customer,
            owner: Some(OBJECT),
            scope: Some("echo.read"),
            ..of(THING)
        },
        Method {
            callers: PEOPLE,
            audience: Audience::Customer,
            owner: Some(OBJECT),
            response_streams: true,
            ..of(FOLLOW)
        },
        Method { callers: PEOPLE, audience: Audience::Staff, ..of(STAFFED) },
        Method { callers: &["operator"], ..of(READ_LOG) },
        Method { callers: &["operator"], ..of(READ_KEY) },
    ],
    reactions: &[Reaction {
        context: "reader",
        reader: "reader",
        event: "tradewind.echo.v1.Said",
        name: "note_on_said",
        role: Role::Observe,
        undo: None,
    }],
};

/// Who calls what is for people: those at the edge for them, and workloads for themselves.
const PEOPLE: &[&str] = &["gateway", "console", "operator", "reader"];
/// The text holds the customer.
const OWNER: Owner = Owner { tag: 1, field: "value", is_object: false };
/// It names an object.
const OBJECT: Owner = Owner { is_object: true, ..OWNER };

/// A message whose only field is a text, as the well-known `StringValue`.
static VALUE: Form = Form { fields: &[Field { name: "value", ..TEXT }] };
/// The same on the wire, where that field says which request it is.
static REQUEST_ID: Form = Form { fields: &[Field { name: "request_id", ..TEXT }] };

const TEXT: Field = Field { tag: 1, name: "", repeated: false, content: Content::Text { most: 512 } };

/// A method of which nothing is said.
const fn of(path: &'static str) -> Method {
    Method {
        path,
        callers: &[],
        audience: Audience::Internal,
        owner: None,
        scope: None,
        timeout: Duration::from_secs(5),
        criticality: Criticality::Default,
        retry: RetryClass::Never,
        hedge_after: None,
        request_streams: false,
        response_streams: false,
        request: &VALUE,
    }
}
