//! Who may look. Whoever shows a ticket, or signs in as staff, has a session: a cookie that nobody else can make, and a mark in every
//! form that no other site can know. Sessions are in memory: whoever starts the console again has everybody come in anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// The most sessions at once: the one that has not been used for longest makes room.
const MOST: usize = 256;
/// How long one is good that is used.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long one is good that is not.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// The most notes that wait to be shown.
const MOST_NOTES: usize = 20;

/// What opens the door without a name, for whoever started the console: a secret of 244 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket(String);

impl Ticket {
    /// Another one each time.
    #[must_use]
    pub fn new() -> Self {
        Self(secret())
    }

    /// The path that shows it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/console/enter?ticket={}", self.0)
    }
}

impl Default for Ticket {
    fn default() -> Self {
        Self::new()
    }
}

/// The sessions there are.
pub struct Door {
    /// As the key of a map, so that how long it takes to find it says nothing of it.
    tickets: HashMap<String, String>,
    sessions: Mutex<HashMap<String, Session>>,
}

struct Session {
    who: String,
    mark: String,
    began: Instant,
    used: Instant,
    notes: Vec<String>,
}

/// Somebody who may look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// As whom they are told of.
    pub(crate) who: String,
    /// What their forms bring back.
    pub(crate) mark: String,
    key: String,
}

impl Door {
    /// One that opens for that ticket; who shows it is called so.
    #[must_use]
    pub fn of(ticket: Ticket, who: impl Into<String>) -> Self {
        Self { tickets: HashMap::from([(ticket.0, who.into())]), sessions: Mutex::default() }
    }

    /// The key of a new session, where the ticket is one.
    pub(crate) fn enter(&self, ticket: &str) -> Option<String> {
        let who = self.tickets.get(ticket)?;
        Some(self.begin(who))
    }

    fn begin(&self, who: &str) -> String {
        let (key, now) = (secret(), Instant::now());
        let session = Session { who: who.to_owned(), mark: secret(), began: now, used: now, notes: Vec::new() };
        let mut sessions = self.sessions();
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| key.clone());
            oldest.map(|key| sessions.remove(&key));
        }
        sessions.insert(key.clone(), session);
        key
    }

    /// Whose session that key is of, where it is good; it is used then.
    pub(crate) fn visitor(&self, key: &str) -> Option<Visitor> {
        let (mut sessions, now) = (self.sessions(), Instant::now());
        let session = sessions.get_mut(key)?;
        if now - session.began > LONGEST || now - session.used > IDLE {
            sessions.remove(key);
            return None;
        }
        session.used = now;
        Some(Visitor { who: session.who.clone(), mark: session.mark.clone(), key: key.to_owned() })
    }

    /// Whether a session is still good, without its being used: a page that is left open keeps nobody in.
    pub(crate) fn is_open(&self, visitor: &Visitor) -> bool {
        let now = Instant::now();
        let sessions = self.sessions();
        sessions.get(&visitor.key).is_some_and(|session| now - session.began <= LONGEST && now - session.used <= IDLE)
    }

    /// Ends a session.
    pub(crate) fn leave(&self, visitor: &Visitor) {
        self.sessions().remove(&visitor.key);
    }

    /// Has the next page of the session say so.
    pub(crate) fn note(&self, visitor: &Visitor, text: String) {
        if let Some(session) = self.sessions().get_mut(&visitor.key)
            && session.notes.len() < MOST_NOTES
        {
            session.notes.push(text);
        }
    }

    /// What was to be said.
    pub(crate) fn notes(&self, visitor: &Visitor) -> Vec<String> {
        self.sessions().get_mut(&visitor.key).map(|session| std::mem::take(&mut session.notes)).unwrap_or_default()
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
