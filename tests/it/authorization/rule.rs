//! Who may do what, said once: what comes of a call by its method's audience and owner, by who asks, and by whose the object is.

use contracts::tables::{Method, Owner};
use contracts::tradewind::options::v1::Audience;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asking {
    /// Nobody has signed in.
    Nobody,
    /// A customer.
    Customer,
    /// Another one.
    Another,
    /// Somebody who has signed in and whose role was taken away: a customer who owns nothing.
    Former,
    /// A partner's program, with a key for orders.
    Partner,
    /// Somebody with the role.
    Staff,
}

/// What the partner's key is for.
pub(super) const SCOPES: [&str; 2] = ["ordering.read", "ordering.write"];

impl Asking {
    pub(super) const ALL: [Self; 6] =
        [Self::Nobody, Self::Customer, Self::Another, Self::Former, Self::Partner, Self::Staff];
}

/// Whose the object is that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Object {
    /// The customer's.
    Customers,
    /// Another customer's.
    Anothers,
    /// The partner's.
    Partners,
    /// There is no such object.
    Missing,
    /// None is named.
    Unsaid,
}

impl Object {
    const fn is_of(self, who: Asking) -> bool {
        matches!(
            (self, who),
            (Self::Customers, Asking::Customer)
                | (Self::Anothers, Asking::Another)
                | (Self::Partners, Asking::Partner)
                | (Self::Unsaid, _)
        )
    }
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is no such method for anybody outside.
    Absent,
    /// It is for those who have signed in.
    NotSignedIn,
    /// It is for staff.
    RoleMissing,
    /// The key is for something else.
    ScopeMissing,
    /// It is for the customer who is named.
    NotYours,
    /// The object is told to be missing, whether it is or not.
    AsMissing,
    /// The service answers, whatever it has to say then.
    Answered,
}

/// The rule.
pub(super) fn outcome(method: &Method, who: Asking, object: Object) -> Outcome {
    let Method { audience, owner, scope, callers, .. } = *method;
    match (audience, who) {
        (Audience::Unspecified | Audience::Internal, _) => Outcome::Absent,
        // The console's alone.
        _ if !callers.contains(&"gateway") => Outcome::Absent,
        (Audience::Public, _) | (Audience::Customer | Audience::Staff, Asking::Staff) => Outcome::Answered,
        (Audience::Customer | Audience::Staff, Asking::Nobody) => Outcome::NotSignedIn,
        (Audience::Staff, _) => Outcome::RoleMissing,
        (Audience::Customer, Asking::Partner) if !scope.is_some_and(|scope| SCOPES.contains(&scope)) => {
            Outcome::ScopeMissing
        }
        (Audience::Customer, _) if object.is_of(who) => Outcome::Answered,
        (Audience::Customer, _) if owner.is_some_and(|owner| owner.is_object) => Outcome::AsMissing,
        (Audience::Customer, _) => Outcome::NotYours,
    }
}

/// The table, as `docs/authorization.md` has it.
pub(super) fn document<'a>(methods: impl IntoIterator<Item = (&'a Method, String)>) -> String {
    let mut text = HEAD.to_owned();
    for (method, route) in methods {
        let Method { path, audience, owner, callers, .. } = *method;
        let name = path.trim_start_matches("/tradewind.").replace("/", ".");
        let whose = match owner {
            None => String::new(),
            Some(Owner { field, is_object: true, .. }) => format!("whose `{field}` is"),
            Some(Owner { field, .. }) => format!("`{field}`"),
        };
        let says = |who, object| cell(outcome(method, who, object));
        let cells = [
            format!("`{name}`"),
            route,
            audience.as_str_name().trim_start_matches("AUDIENCE_").to_owned(),
            whose,
            says(Asking::Nobody, Object::Customers).to_owned(),
            says(Asking::Customer, Object::Customers).to_owned(),
            says(Asking::Another, Object::Customers).to_owned(),
            says(Asking::Another, Object::Missing).to_owned(),
            says(Asking::Former, Object::Customers).to_owned(),
            says(Asking::Partner, Object::Partners).to_owned(),
            says(Asking::Partner, Object::Customers).to_owned(),
            says(Asking::Staff, Object::Customers).to_owned(),
            at_the_console(audience, callers).to_owned(),
        ];
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// What comes of it where the console asks for somebody of the staff.
fn at_the_console(audience: Audience, callers: &[&str]) -> &'static str {
    let is_for_people = !matches!(audience, Audience::Unspecified | Audience::Internal);
    if is_for_people && callers.contains(&"console") { "yes" } else { "absent" }
}

const fn cell(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Absent => "absent",
        Outcome::NotSignedIn => "401",
        Outcome::RoleMissing | Outcome::ScopeMissing | Outcome::NotYours => "403",
        Outcome::AsMissing => "404",
        Outcome::Answered => "yes",
    }
}

const HEAD: &str = "\
# Who may do what

Made from the contracts by `tests/it/authorization.rs`, which tries every cell over REST, gRPC-Web and gRPC through the gateway, and
again behind it, at the service itself. `UPDATE_GOLDEN=1` writes it anew. The rule is in `tests/it/authorization/rule.rs`; why it is
so, in [ADR 37](adr/0037-who-comes-through-the-front-door.md).

| cell | means | over REST | over gRPC |
| --- | --- | --- | --- |
| yes | the service answers, with what it has to say of the request | as it says | as it says |
| 401 | nobody has signed in | 401 `NOT_SIGNED_IN` | `UNAUTHENTICATED` |
| 403, of `STAFF` | the role is missing | 403 `ROLE_MISSING` | `PERMISSION_DENIED` |
| 403, of `CUSTOMER` | another customer is named, whether there is one or not | 403 `OTHER_CUSTOMER` | `PERMISSION_DENIED` |
| 403, with a key, own | the key is not for what the method does | 403 `SCOPE_MISSING` | `PERMISSION_DENIED` |
| 404 | the object is another's: the answer is the one for an object that does not exist, to the byte | 404 | `NOT_FOUND` |
| absent | there is no such method outside; behind the gateway it is `CALLER_NOT_ALLOWED` | 404 `NO_ROUTE` | `UNIMPLEMENTED` |

The last column is what the console does for somebody of the staff. It speaks for nobody else: for a customer it is refused everywhere, with
`ROLE_MISSING`, and for nobody with `NOT_SIGNED_IN` (`kit/mesh/tests/it/denials.rs`,
[ADR 68](adr/0068-staff-sign-in-to-the-console-at-the-edge.md)).

Where a method names the customer and a request leaves that empty, it is for whoever asks. Staff see what is anybody's. A customer
whose role was taken away is a customer. The key is a partner's, for `ordering.read` and `ordering.write`. What is refused has changed nothing.

Fields are decided with their message: a method gives and takes all of its fields or none. What differs by who asks is a method of
its own: `GetProfile` for its owner, `GetAccount` for staff.

| method | route | for | whose | anonymous | customer, own | customer, another's | customer, none there | without the role | key, own | key, another's | staff | staff, at the console |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";
