//! The names of everything that is said of a part of a trace, and of metrics that the conventions have names for, in one place: those of
//! OpenTelemetry's semantic conventions, of the release that [`SCHEMA`] names, and ours only where those have none. One that the
//! conventions give up does not compile any more.

use opentelemetry_semantic_conventions::{attribute as conventions, metric};

/// The conventions that are followed.
pub const SCHEMA: &str = opentelemetry_semantic_conventions::SCHEMA_URL;

pub const SERVICE_NAME: &str = opentelemetry_semantic_conventions::resource::SERVICE_NAME;
pub const SERVICE_NAMESPACE: &str = opentelemetry_semantic_conventions::resource::SERVICE_NAMESPACE;
pub const SERVICE_VERSION: &str = opentelemetry_semantic_conventions::resource::SERVICE_VERSION;
pub const SERVICE_INSTANCE_ID: &str = opentelemetry_semantic_conventions::resource::SERVICE_INSTANCE_ID;

/// Why it failed, as one of few values.
pub const ERROR_TYPE: &str = conventions::ERROR_TYPE;

/// Who is called.
pub const SERVER_ADDRESS: &str = conventions::SERVER_ADDRESS;
/// On which port.
pub const SERVER_PORT: &str = conventions::SERVER_PORT;

/// `grpc`.
pub const RPC_SYSTEM_NAME: &str = conventions::RPC_SYSTEM_NAME;
/// `package.Service/Method`.
pub const RPC_METHOD: &str = conventions::RPC_METHOD;
/// gRPC's code by its name.
pub const RPC_RESPONSE_STATUS_CODE: &str = conventions::RPC_RESPONSE_STATUS_CODE;
/// The workload that calls.
pub const CALLER: &str = "tradewind.caller";
/// Whom it is for.
pub const ENDUSER_ID: &str = conventions::ENDUSER_ID;

pub const HTTP_REQUEST_METHOD: &str = conventions::HTTP_REQUEST_METHOD;
pub const HTTP_ROUTE: &str = conventions::HTTP_ROUTE;
pub const HTTP_RESPONSE_STATUS_CODE: &str = conventions::HTTP_RESPONSE_STATUS_CODE;
pub const URL_SCHEME: &str = conventions::URL_SCHEME;
/// The id by which a request is asked about.
pub const REQUEST_ID: &str = "tradewind.request.id";

/// `nats`.
pub const MESSAGING_SYSTEM: &str = conventions::MESSAGING_SYSTEM;
/// `send` or `process`.
pub const MESSAGING_OPERATION_NAME: &str = conventions::MESSAGING_OPERATION_NAME;
pub const MESSAGING_OPERATION_TYPE: &str = conventions::MESSAGING_OPERATION_TYPE;
/// The subject without what differs from one event to the next.
pub const MESSAGING_DESTINATION_NAME: &str = conventions::MESSAGING_DESTINATION_NAME;
/// The partition of the log.
pub const MESSAGING_DESTINATION_PARTITION_ID: &str = conventions::MESSAGING_DESTINATION_PARTITION_ID;
/// The consumer.
pub const MESSAGING_CONSUMER_GROUP_NAME: &str = conventions::MESSAGING_CONSUMER_GROUP_NAME;
/// The event's id.
pub const MESSAGING_MESSAGE_ID: &str = conventions::MESSAGING_MESSAGE_ID;
/// What the event is about: its correlation.
pub const MESSAGING_MESSAGE_CONVERSATION_ID: &str = conventions::MESSAGING_MESSAGE_CONVERSATION_ID;
/// How many events are in the message.
pub const MESSAGING_BATCH_MESSAGE_COUNT: &str = conventions::MESSAGING_BATCH_MESSAGE_COUNT;
/// The event's full protobuf name.
pub const CLOUDEVENTS_EVENT_TYPE: &str = conventions::CLOUDEVENTS_EVENT_TYPE;
/// The event's stream.
pub const CLOUDEVENTS_EVENT_SUBJECT: &str = conventions::CLOUDEVENTS_EVENT_SUBJECT;
/// The event's position in its partition.
pub const POSITION: &str = "tradewind.position";
/// What reacts.
pub const REACTION: &str = "tradewind.reaction";

/// `sqlite` or `postgresql`.
pub const DB_SYSTEM_NAME: &str = conventions::DB_SYSTEM_NAME;
/// The context whose database it is.
pub const DB_NAMESPACE: &str = conventions::DB_NAMESPACE;
pub const DB_OPERATION_NAME: &str = conventions::DB_OPERATION_NAME;

/// How many connections to the database there are.
pub const DB_CLIENT_CONNECTION_COUNT: &str = metric::DB_CLIENT_CONNECTION_COUNT;
/// How many may be in use at once.
pub const DB_CLIENT_CONNECTION_MAX: &str = metric::DB_CLIENT_CONNECTION_MAX;
/// How long one is waited for.
pub const DB_CLIENT_CONNECTION_WAIT_TIME: &str = metric::DB_CLIENT_CONNECTION_WAIT_TIME;
/// What they are for: `transactions`, `reads` or `vital`.
pub const DB_CLIENT_CONNECTION_POOL_NAME: &str = conventions::DB_CLIENT_CONNECTION_POOL_NAME;
/// `used` or `idle`.
pub const DB_CLIENT_CONNECTION_STATE: &str = conventions::DB_CLIENT_CONNECTION_STATE;

/// What kind of call to the outside it is.
pub const INTENT: &str = "tradewind.intent";
/// What is asked for.
pub const INTENT_ACTION: &str = "tradewind.intent.action";
/// For what, the same on each attempt.
pub const INTENT_KEY: &str = "tradewind.intent.key";
/// Which attempt it is.
pub const INTENT_ATTEMPT: &str = "tradewind.intent.attempt";
/// The deadline that fires.
pub const TIMER: &str = "tradewind.timer";
/// For what it fires.
pub const TIMER_KEY: &str = "tradewind.timer.key";
