//! An account from its registration to its erasure, as far as its events tell. What names its owner, and what opens it, is in its
//! row alone.

use contracts::tradewind::identity::v1::{
    AccountLocked, AccountUnlocked, CustomerErased, CustomerRegistered, CustomerUpdated, EmailChanged, PasswordChanged,
    Person, RoleGranted, RoleRevoked,
};
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

use super::{Role, Roles};

tradewind_domain::events! {
    /// What can happen to an account.
    pub enum AccountEvent {
        Registered(CustomerRegistered),
        Updated(CustomerUpdated): informative,
        Erased(CustomerErased),
        RoleGranted(RoleGranted),
        RoleRevoked(RoleRevoked),
        Locked(AccountLocked),
        Unlocked(AccountUnlocked),
        PasswordChanged(PasswordChanged): informative,
        EmailChanged(EmailChanged): informative,
    }
}

/// Whom a message goes to, and what names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Teller {
    /// Names the message.
    pub message_id: String,
    /// Who is told.
    pub person: Person,
}

/// What can be asked of an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Makes it, under this id.
    Register(String),
    /// Its profile says something else.
    Update,
    /// Its password is another.
    ChangePassword(Teller),
    /// Its address is another; who reads the old one is told.
    ChangeEmail(Teller),
    /// Gives it a role.
    Grant(Role),
    /// Takes a role from it.
    Revoke(Role),
    /// Lets nobody sign in.
    Lock,
    /// Lets its owner sign in again.
    Unlock,
    /// Ends it.
    Erase,
}

/// Why an account can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is no such account, or it was erased.
    #[error("there is no account with this id")]
    NotFound,
    /// There is one.
    #[error("there is an account with this id already")]
    Exists,
}

impl DomainError for AccountError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::Exists => ErrorKind::AlreadyExists,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound => "ACCOUNT_NOT_FOUND",
            Self::Exists => "ACCOUNT_EXISTS",
        }
    }
}

/// An account; `Default` is one that was never made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    customer_id: String,
    roles: Roles,
    locked: bool,
    erased: bool,
}

impl Aggregate for Account {
    const NAME: &'static str = "account";
    type Command = Command;
    type Event = AccountEvent;
    type Error = AccountError;

    fn decide(&self, command: Command) -> Result<Vec<AccountEvent>, AccountError> {
        if let Command::Register(customer_id) = command {
            let is_new = self.customer_id.is_empty();
            return if is_new {
                Ok(vec![CustomerRegistered { customer_id }.into()])
            } else {
                Err(AccountError::Exists)
            };
        }
        if self.customer_id.is_empty() || self.erased {
            return Err(AccountError::NotFound);
        }
        let (customer_id, had) = (self.customer_id.clone(), |role| self.roles.contains(role));
        let role = |role: Role| role.name().to_owned();
        Ok(match command {
            Command::Register(_) => Vec::new(),
            Command::Update => vec![CustomerUpdated { customer_id }.into()],
            Command::ChangePassword(Teller { message_id, person }) => {
                vec![PasswordChanged { customer_id, message_id, person: Some(person) }.into()]
            }
            Command::ChangeEmail(Teller { message_id, person }) => {
                vec![EmailChanged { customer_id, message_id, person: Some(person) }.into()]
            }
            Command::Grant(given) if !had(given) => vec![RoleGranted { customer_id, role: role(given) }.into()],
            Command::Revoke(taken) if had(taken) => vec![RoleRevoked { customer_id, role: role(taken) }.into()],
            Command::Lock if !self.locked => vec![AccountLocked { customer_id }.into()],
            Command::Unlock if self.locked => vec![AccountUnlocked { customer_id }.into()],
            Command::Grant(_) | Command::Revoke(_) | Command::Lock | Command::Unlock => Vec::new(),
            Command::Erase => vec![CustomerErased { customer_id }.into()],
        })
    }

    fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::Registered(registered) => self.customer_id.clone_from(&registered.customer_id),
            AccountEvent::Updated(_) | AccountEvent::PasswordChanged(_) | AccountEvent::EmailChanged(_) => {}
            AccountEvent::Erased(_) => self.erased = true,
            AccountEvent::RoleGranted(granted) => {
                Role::named(&granted.role).into_iter().for_each(|role| self.roles.insert(role))
            }
            AccountEvent::RoleRevoked(revoked) => {
                Role::named(&revoked.role).into_iter().for_each(|role| self.roles.remove(role))
            }
            AccountEvent::Locked(_) => self.locked = true,
            AccountEvent::Unlocked(_) => self.locked = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_testing::scenario::given;

    fn id() -> String {
        "c-1".to_owned()
    }

    fn registered() -> AccountEvent {
        CustomerRegistered { customer_id: id() }.into()
    }

    fn granted() -> AccountEvent {
        RoleGranted { customer_id: id(), role: "staff".to_owned() }.into()
    }

    fn locked() -> AccountEvent {
        AccountLocked { customer_id: id() }.into()
    }

    fn erased() -> AccountEvent {
        CustomerErased { customer_id: id() }.into()
    }

    #[test]
    fn is_registered_once() {
        let register = || Command::Register(id());
        given::<Account>([]).when(register()).then([registered()]).when(register()).then_refused("ACCOUNT_EXISTS");
        given::<Account>([registered(), erased()]).when(register()).then_refused("ACCOUNT_EXISTS");
    }

    #[test]
    fn has_a_role_until_it_is_taken() {
        let revoked = RoleRevoked { customer_id: id(), role: "staff".to_owned() };
        given::<Account>([registered()])
            .when(Command::Grant(Role::Staff))
            .then([granted()])
            .when(Command::Grant(Role::Staff))
            .then([])
            .when(Command::Revoke(Role::Staff))
            .then([revoked.into()])
            .when(Command::Revoke(Role::Staff))
            .then([]);
    }

    #[test]
    fn is_locked_until_it_is_unlocked() {
        let unlocked = AccountUnlocked { customer_id: id() };
        given::<Account>([registered()]).when(Command::Lock).then([locked()]).when(Command::Lock).then([]);
        let account = || given::<Account>([registered(), locked()]);
        account().when(Command::Unlock).then([unlocked.into()]).when(Command::Unlock).then([]);
    }

    #[test]
    fn says_whom_to_tell_of_another_password() {
        let person = Person { name: "Ada".to_owned(), email: "ada@example.com".to_owned() };
        let teller = Teller { message_id: "m-1".to_owned(), person: person.clone() };
        let changed = PasswordChanged { customer_id: id(), message_id: "m-1".to_owned(), person: Some(person) };
        given::<Account>([registered()]).when(Command::ChangePassword(teller)).then([changed.into()]);
    }

    #[test]
    fn nothing_happens_to_what_is_not_there_or_is_erased() {
        for command in [Command::Update, Command::Grant(Role::Staff), Command::Lock, Command::Unlock, Command::Erase] {
            given::<Account>([]).when(command.clone()).then_refused("ACCOUNT_NOT_FOUND");
            given::<Account>([registered(), granted(), erased()]).when(command).then_refused("ACCOUNT_NOT_FOUND");
        }
    }

    #[test]
    fn what_releases_have_written_is_folded() {
        let golden = include_str!("../../../../released/golden.txt");
        assert!(tradewind_testing::fold_released::<Account>(golden) > 0);
    }
}
