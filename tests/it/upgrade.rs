//! A rolling upgrade: replicas of this build and of a later one side by side.

use std::process::Command;

use crate::later;
use crate::programs::run;

#[test]
fn this_build_and_a_later_one_serve_side_by_side_and_every_order_settles() {
    let later = later::build(&["chaos"]).join("chaos");
    let folder = tradewind_testing::scratch();
    let said = run(Command::new(env!("CARGO_BIN_EXE_chaos"))
        .args(["--upgrade".as_ref(), later.as_os_str()])
        .args(["--json".as_ref(), folder.path().join("upgrade.json").as_os_str()])
        .args(["--logs".as_ref(), folder.path().as_os_str()]));
    assert!(said.as_ref().is_ok_and(|said| said.ends_with("everything holds\n")), "{said:?}");
}
