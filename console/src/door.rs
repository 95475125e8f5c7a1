//! Who may look. Whoever shows a ticket, or signs in as staff, has a session: a cookie that nobody else can make, and a mark in every
//! form that no other site can know. Sessions are in memory: whoever starts the console again has everybody come in anew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contracts::tradewind::identity::v1::LogInRequest;
use tokio::time::Instant;
use tradewind_domain::Sensitive;

use crate::kept::Kept;
use crate::metrics;
use crate::secret::secret;
use crate::staff::{Next, Refused, SignedIn, Staff};
use crate::ticket::Ticket;
use crate::visitor::Visitor;

/// The most sessions at once: the one that has not been used for longest makes room.
const MOST: usize = 256;
/// The most of one account, of which likewise.
const MOST_OF_ONE: usize = 8;
/// How long one is good that is used.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// How long one is good that is not.
const IDLE: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whose tokens are to be followed by the next.
const ROUND: Duration = Duration::from_secs(3);

/// The sessions there are, and what begins one.
pub struct Door {
    way: Way,
    is_secure: bool,
    sessions: Mutex<HashMap<String, Session>>,
}

enum Way {
    /// Tickets and who shows them, as a map, so that how long it takes to find one says nothing of it.
    Tickets(HashMap<String, String>),
    Staff(Staff),
}

struct Session {
    who: String,
    name: Sensitive<String>,
    signed_in: Option<SignedIn>,
    /// Whether the next tokens are asked for at present: once at a time, for whoever shows a token again after a while has stolen it.
    is_followed: bool,
    mark: String,
    began: Instant,
    used: Instant,
    kept: Kept,
}

impl Session {
    fn is_in_time(&self, now: Instant) -> bool {
        now - self.began <= LONGEST && now - self.used <= IDLE
    }
}

impl Door {
    /// One that opens for that ticket; who shows it is called so.
    #[must_use]
    pub fn of(ticket: Ticket, who: impl Into<String>) -> Self {
        Self::by(Way::Tickets(HashMap::from([(ticket.0, who.into())])))
    }

    /// One at which staff sign in.
    #[must_use]
    pub fn for_staff(staff: Staff) -> Self {
        Self::by(Way::Staff(staff))
    }

    fn by(way: Way) -> Self {
        Self { way, is_secure: false, sessions: Mutex::default() }
    }

    /// The same where browsers are to keep sessions from whatever is not encrypted: everywhere but on this machine.
    #[must_use]
    pub fn secure(self) -> Self {
        Self { is_secure: true, ..self }
    }

    /// Whether cookies are for encrypted connections alone.
    pub(crate) const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Whether it is by a password that somebody comes in.
    pub(crate) const fn asks_for_a_password(&self) -> bool {
        matches!(self.way, Way::Staff(_))
    }

    /// The key of a new session, where the ticket is one.
    pub(crate) fn enter(&self, ticket: &str) -> Option<String> {
        let Way::Tickets(tickets) = &self.way else { return None };
        let who = tickets.get(ticket)?;
        Some(self.begin(who.clone(), who.clone(), None))
    }

    /// The key of a new session, where identity knows them as staff.
    pub(crate) async fn sign_in(&self, request: LogInRequest, from: IpAddr) -> Result<String, Refused> {
        let Way::Staff(staff) = &self.way else { return Err(Refused::Credentials) };
        let name = request.email.clone();
        let signed_in = staff.sign_in(request, from).await;
        metrics::signed_in(signed_in.as_ref().map_or_else(Refused::name, |_| "signed_in"));
        match signed_in {
            Ok(signed_in) => {
                let (who, session) = (signed_in.user.id.clone(), signed_in.user.session.clone());
                tracing::info!(who, session, %from, "signed in");
                Ok(self.begin(who, name, Some(signed_in)))
            }
            Err(refused) => {
                tracing::warn!(why = refused.name(), %from, "not signed in");
                Err(refused)
            }
        }
    }

    fn begin(&self, who: String, name: String, signed_in: Option<SignedIn>) -> String {
        let (key, mark, now) = (secret(), secret(), Instant::now());
        let kept = Kept::default();
        let session =
            Session { who, name: name.into(), signed_in, is_followed: false, mark, began: now, used: now, kept };
        let mut sessions = self.sessions();
        let own = sessions.values().filter(|other| other.who == session.who).count();
        let (has_many, is_full) = (own >= MOST_OF_ONE, sessions.len() >= MOST);
        let theirs = sessions.iter().filter(|(_, other)| !has_many || other.who == session.who);
        let oldest = theirs.min_by_key(|(_, other)| other.used).map(|(key, _)| key.clone());
        let gone = oldest.filter(|_| has_many || is_full).and_then(|key| sessions.remove(&key));
        sessions.insert(key.clone(), session);
        drop(sessions);
        gone.into_iter().for_each(|session| self.end(session));
        key
    }

    /// Whose session that key is of, where it is good. It is used then, if somebody does something: a page that asks again by itself
    /// is nobody.
    pub(crate) fn visitor(&self, key: &str, somebody: bool) -> Option<Visitor> {
        let (mut sessions, now) = (self.sessions(), Instant::now());
        let session = sessions.get_mut(key).filter(|session| self.is_good(session))?;
        if somebody {
            session.used = now;
        }
        Some(Visitor {
            who: session.who.clone(),
            name: session.name.clone(),
            user: session.signed_in.as_ref().map(|signed_in| Arc::clone(&signed_in.user)),
            mark: session.mark.clone(),
            key: key.to_owned(),
        })
    }

    /// Whether a session is still good, without its being used: a page that is left open keeps nobody in.
    pub(crate) fn is_open(&self, visitor: &Visitor) -> bool {
        self.sessions().get(&visitor.key).is_some_and(|session| self.is_good(session))
    }

    fn is_good(&self, session: &Session) -> bool {
        let is_believed = match (&self.way, &session.signed_in) {
            (Way::Staff(staff), Some(signed_in)) => staff.believes(signed_in),
            (Way::Tickets(_), None) => true,
            _ => false,
        };
        is_believed && session.is_in_time(Instant::now())
    }

    /// Ends a session.
    pub(crate) fn leave(&self, visitor: &Visitor) {
        self.forget(&visitor.key);
    }

    /// Ends the session of that key, if there is one.
    pub(crate) fn forget(&self, key: &str) {
        let session = self.sessions().remove(key);
        session.into_iter().for_each(|session| self.end(session));
    }

    fn end(&self, session: Session) {
        if let (Way::Staff(staff), Some(signed_in)) = (&self.way, session.signed_in) {
            tracing::info!(who = session.who, "signed out");
            staff.leave(signed_in);
        }
    }

    /// Has the next page of the session say so.
    pub(crate) fn note(&self, visitor: &Visitor, text: String) {
        self.with(visitor, |kept| kept.note(text));
    }

    /// What was to be said.
    pub(crate) fn notes(&self, visitor: &Visitor) -> Vec<String> {
        self.with(visitor, Kept::notes).unwrap_or_default()
    }

    /// Does something with what a session keeps, where there is one. What none of them is to keep any longer is gone then.
    pub(crate) fn with<R>(&self, visitor: &Visitor, then: impl FnOnce(&mut Kept) -> R) -> Option<R> {
        let (mut sessions, now) = (self.sessions(), Instant::now());
        sessions.values_mut().for_each(|session| session.kept.lapse(now));
        sessions.get_mut(&visitor.key).map(|session| then(&mut session.kept))
    }

    /// Keeps whoever has signed in signed in, for as long as the door is there; ends what nobody uses. Must be called within a tokio
    /// runtime.
    pub(crate) fn attend(self: &Arc<Self>) {
        let (door, counted) = (Arc::downgrade(self), Arc::downgrade(self));
        metrics::watch_sessions(move || counted.upgrade().map_or(0, |door| door.open()));
        tokio::spawn(async move {
            while let Some(door) = door.upgrade() {
                door.round();
                drop(door);
                tokio::time::sleep(ROUND).await;
            }
        });
    }

    fn open(&self) -> usize {
        self.sessions().values().filter(|session| self.is_good(session)).count()
    }

    /// Looks after every session once, and waits for none.
    fn round(self: &Arc<Self>) {
        let Way::Staff(staff) = &self.way else { return };
        let (mut over, mut due) = (Vec::new(), Vec::new());
        for (key, session) in &mut *self.sessions() {
            match &session.signed_in {
                Some(signed_in) if session.is_in_time(Instant::now()) && !staff.has_ended(signed_in) => {
                    if signed_in.is_due() && !session.is_followed {
                        session.is_followed = true;
                        due.push((key.clone(), signed_in.clone()));
                    }
                }
                _ => over.push(key.clone()),
            }
        }
        over.iter().for_each(|key| self.forget(key));
        for (key, signed_in) in due {
            tokio::spawn(Arc::clone(self).follow(staff.clone(), key, signed_in));
        }
    }

    /// Follows the tokens of a session by the next, or ends it where there are none.
    async fn follow(self: Arc<Self>, staff: Staff, key: String, signed_in: SignedIn) {
        let _followed = Followed(&self, &key);
        let next = staff.next(&signed_in).await;
        let mut sessions = self.sessions();
        let Some(session) = sessions.get_mut(&key) else {
            // They have left meanwhile.
            drop(sessions);
            if let Next::Stays(next) = next {
                staff.leave(next);
            }
            return;
        };
        match next {
            Next::Stays(next) => session.signed_in = Some(next),
            Next::Over => {
                drop(sessions);
                self.forget(&key);
            }
            Next::Unknown => {}
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session whose tokens are being followed, until that has come to an end, whichever.
struct Followed<'a>(&'a Door, &'a str);

impl Drop for Followed<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.0.sessions().get_mut(self.1) {
            session.is_followed = false;
        }
    }
}
