//! Names that lead to several addresses: some of many in turn, or two families of which one is not served.

use std::io;
use std::sync::PoisonError;

use super::*;

/// Pauses between calls where minutes pass: 40 calls a second are enough for what a name leads to.
const SELDOM: Range<u64> = 100..300;

/// A network whose one name leads where it is told.
#[derive(Clone)]
struct Named {
    net: Net,
    answer: Arc<Mutex<Answer>>,
    dialled: Arc<Mutex<BTreeMap<SocketAddr, usize>>>,
}

type Answer = Box<dyn FnMut() -> Vec<SocketAddr> + Send>;

impl Named {
    fn of(addresses: &[SocketAddr], answer: impl FnMut() -> Vec<SocketAddr> + Send + 'static) -> Self {
        let host = |address: &SocketAddr| {
            let mood = watch::Sender::new(Mood::Answers(Duration::from_millis(5)));
            (*address, Host { mood, asked: AtomicUsize::new(0) })
        };
        let hosts = Arc::new(addresses.iter().map(host).collect());
        let net = Net { hosts, generation: Arc::new(watch::Sender::new(1)) };
        Self { net, answer: Arc::new(Mutex::new(Box::new(answer))), dialled: Arc::default() }
    }

    fn leads(&self, answer: impl FnMut() -> Vec<SocketAddr> + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn peer(&self) -> Arc<Peer> {
        let named = self.clone();
        Arc::new(Peer::new("catalog", "catalog:1", move |_| Ok(Arc::new(named.clone()))).unwrap())
    }

    fn dialled(&self, address: SocketAddr) -> usize {
        self.dialled.lock().unwrap().get(&address).copied().unwrap_or_default()
    }
}

impl Dial for Named {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, Result<Line, String>> {
        *self.dialled.lock().unwrap_or_else(PoisonError::into_inner).entry(address).or_default() += 1;
        self.net.dial(address)
    }

    fn lookup<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let told = (self.answer.lock().unwrap())();
        Box::pin(async move { Ok(told) })
    }

    fn generation(&self) -> watch::Receiver<u64> {
        self.net.generation()
    }
}

fn channel(peer: &Arc<Peer>) -> Channel {
    Channel::new(peer.clone(), "catalog:1".parse().unwrap(), Policy::new(&CONTRACT), Behalf::default())
}

fn addresses(count: u16) -> Vec<SocketAddr> {
    (1..=count).map(|port| SocketAddr::from(([10, 0, 0, 1], port))).collect()
}

#[test]
fn a_name_that_tells_some_of_many_in_turn_leads_to_all_of_them_and_none_is_made_twice() {
    simulate(|| async {
        let (all, mut turn) = (addresses(20), 0);
        let told = all.clone();
        let named = Named::of(&all, move || {
            turn += 1;
            told.iter().cycle().skip(turn * 8).take(8).copied().collect()
        });
        let peer = named.peer();
        let channel = channel(&peer);
        let seen = calling_every(SELDOM, &channel, SAFE, Instant::now() + SECOND * 120).await;
        assert_eq!((seen.failed, peer.known().len()), (0, 20));
        let numbers: Vec<_> = peer.known().iter().map(|endpoint| endpoint.number).collect();
        assert!(numbers.iter().all(|number| *number < 20), "{numbers:?}");
        let asked = all.iter().map(|address| named.net.hosts[address].asked()).min().unwrap();
        assert!(asked > 0, "each has its share");

        let few = all[..3].to_vec();
        named.leads(move || few.clone());
        let seen = calling_every(SELDOM, &channel, SAFE, Instant::now() + SECOND * 60).await;
        assert_eq!((seen.failed, peer.known().len()), (0, 3));
    });
}

#[test]
fn an_address_of_another_family_where_nobody_listens_costs_no_call_and_is_seldom_tried() {
    simulate(|| async {
        let (six, four): (SocketAddr, SocketAddr) = ("[::1]:1".parse().unwrap(), "127.0.0.1:1".parse().unwrap());
        let named = Named::of(&[six, four], move || vec![six, four]);
        named.net.hosts[&six].is(Mood::Refuses);
        let peer = named.peer();
        let channel = channel(&peer);
        let seen = calling_every(SELDOM, &channel, SAFE, Instant::now() + SECOND * 180).await;
        assert_eq!(seen.failed, 0);
        assert!(named.dialled(six) <= 40, "dialled {} times in three minutes", named.dialled(six));
        assert_eq!(peer.known().iter().map(|endpoint| endpoint.address).collect::<Vec<_>>(), [four]);

        // Whoever listened there listens here now.
        named.net.hosts[&six].is(Mood::Answers(Duration::from_millis(5)));
        named.net.hosts[&four].is(Mood::Refuses);
        sleep(SECOND * 5).await;
        let seen = calling(&channel, SAFE, Instant::now() + SECOND * 20).await;
        assert_eq!(seen.failed, 0);
    });
}
