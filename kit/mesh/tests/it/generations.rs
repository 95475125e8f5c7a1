//! What goes on under which credentials, told by the process that has them.

use tradewind_mesh::pki;

use crate::echo::{SAY, ask};
use crate::world::{World, eventually};

#[tokio::test]
async fn connections_and_calls_are_counted_by_the_credentials_they_came_under() {
    let world = World::start().await;
    let server = &world.identity;
    let mut changed = server.changed();
    let before = world.channel("gateway");
    for _ in 0..3 {
        ask(&before, SAY, "before").await.unwrap();
    }
    let first = server.generations().remove(0);
    assert_eq!((first.number, first.connections, first.calls), (1, 1, 3));
    assert_eq!(first.authorities.len(), 1);

    pki::renew(world.dir.path(), "echo").unwrap();
    changed.changed().await.unwrap();
    assert_eq!((*changed.borrow(), server.generation()), (2, 2));
    ask(&world.channel("operator"), SAY, "after").await.unwrap();
    let [old, new] = server.generations().try_into().unwrap();
    assert_eq!((old.number, old.connections), (1, 1));
    assert_eq!((new.number, new.calls), (2, 1));
    assert_ne!(old.certificate, new.certificate);
    assert_eq!(old.authorities, new.authorities);

    drop(before);
    eventually("what nothing goes on under is not told of", async || {
        server.generations().iter().all(|one| one.number == 2)
    })
    .await;
}
