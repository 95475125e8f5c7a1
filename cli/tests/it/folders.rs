//! Any folder will do, whatever it is called, or is refused in a line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::program::{Folder, complained, printed, tradewind};

/// What a URL decodes or ends at, a configuration file quotes or expands, and a shell would not let through.
const NAME: &str = "x%41 ?a=b&c#d \"e\" 'f' \\n \\x41 $HOME {g} é이\t\nh";

#[test]
fn a_folder_is_the_one_that_was_named_whatever_its_name() {
    let folder = Folder::called(NAME);
    let output = folder.tradewind(&["demo", "--only", "nobody delivers"]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", printed(&output), complained(&output));
    for file in ["pki/ca.pem", "demo/data/ordering.db", "demo/data/nats", "demo/data/outside", "demo/logs/nats.log"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
    let beside: Vec<_> =
        folder.path().parent().unwrap().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, [NAME]);
}

#[test]
fn a_folder_that_cannot_be_is_refused_before_anything_is_made() {
    let home = Folder::new();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = |name: &[u8]| home.path().join(OsStr::from_bytes(name));
    for (folder, why) in [
        (below(b"\xff\xfe"), "is not UTF-8"),
        (home.path().join("below/".repeat(100)), "at most 440"),
        (file.join("below"), "Not a directory"),
    ] {
        let output = tradewind(&folder, &["pki", "init"]).output().unwrap();
        assert!(matches!(output.status.code(), Some(1 | 2)), "{}", complained(&output));
        assert!(complained(&output).contains(why), "{why}: {}", complained(&output));
    }
    assert_eq!(home.path().read_dir().unwrap().count(), 1);
}

#[test]
fn a_service_run_by_hand_takes_what_no_setting_says_from_the_folder() {
    let folder = Folder::called("a shop");
    let complaint = || {
        let output = folder.tradewind(&["service", "catalog"]).current_dir("/").output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", complained(&output));
        complained(&output)
    };
    let expected = format!("{:?} cannot be read", folder.path().join("pki/ca.pem"));
    assert!(complaint().contains(&expected), "{}", complaint());
}
