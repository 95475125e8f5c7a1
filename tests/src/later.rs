//! A later build, made from a copy of these sources with one additive field, one new type of event and one migration. Its
//! dependencies are those of this build.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{project, run, target};

/// What is compiled, and nothing that a build leaves behind.
const SOURCES: [&str; 15] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "build",
    "proto",
    "released",
    "kit",
    "services",
    "outside",
    "books",
    "shop",
    "console",
    "cli",
    "tests",
    "benches",
];

/// Of each file of the later build that differs, what is replaced by what. An order tells where it was placed, and that it was
/// screened.
const CHANGES: [(&str, &[(&str, &str)]); 9] = [
    // Cargo tells crates apart by it.
    ("Cargo.toml", &[("[workspace.package]\nversion = \"", "[workspace.package]\nversion = \"1")]),
    (
        "proto/tradewind/ordering/v1/events.proto",
        &[
            ("message OrderPlaced {\n", "message OrderPlaced {\n  // Where it was placed.\n  string channel = 99;\n"),
            (
                "// Every unit is reserved; the payment is due.\n",
                "// Nothing spoke against an order.\n\
                 message OrderScreened {\n  option (tradewind.options.v1.event) = {owner: \"ordering\" aggregate: \"order\"};\n  \
                 // The order.\n  string order_id = 1;\n}\n\n\
                 // Every unit is reserved; the payment is due.\n",
            ),
        ],
    ),
    (
        "proto/tradewind/ordering/v1/service.proto",
        &[(
            "    // Every unit is reserved.\n    OrderStockConfirmed",
            "    // Nothing spoke against it.\n    OrderScreened screened = 99;\n    \
             // Every unit is reserved.\n    OrderStockConfirmed",
        )],
    ),
    (
        "services/ordering/src/app/list_order_events.rs",
        &[(
            "        OrderEvent::Placed(event) => Contract::Placed(event),\n",
            "        OrderEvent::Placed(event) => Contract::Placed(event),\n        \
             OrderEvent::Screened(event) => Contract::Screened(event),\n",
        )],
    ),
    (
        "services/ordering/src/app/decide.rs",
        &[(
            "        | OrderEvent::Erased(_) => None,\n",
            "        | OrderEvent::Erased(_)\n        | OrderEvent::Screened(_) => None,\n",
        )],
    ),
    (
        "services/ordering/src/domain/event.rs",
        &[
            ("OrderErased, ", "OrderErased, OrderScreened, "),
            (
                "        Placed(OrderPlaced),\n",
                "        Placed(OrderPlaced),\n        Screened(OrderScreened): informative,\n",
            ),
        ],
    ),
    (
        "services/ordering/src/store/migrations.rs",
        &[
            ("    all\n}\n", "    all.push(Box::new(AddChannel));\n    all\n}\n"),
            (
                "struct CreatePriceListAndOrderList;\n",
                "struct AddChannel;\n\n\
                 impl MigrationName for AddChannel {\n    fn name(&self) -> &str {\n        \
                 \"ordering_0099_add_channel\"\n    }\n}\n\n\
                 #[async_trait::async_trait]\nimpl MigrationTrait for AddChannel {\n    \
                 async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {\n        \
                 let channel = sea_orm_migration::schema::text_null(\"channel\");\n        \
                 schema.alter_table(Table::alter().table(\"order_list_2\").add_column(channel.clone()).take()).await?;\n        \
                 schema.alter_table(Table::alter().table(\"order_list\").add_column(channel).take()).await\n    }\n}\n\n\
                 struct CreatePriceListAndOrderList;\n",
            ),
        ],
    ),
    (
        "services/ordering/src/domain/order.rs",
        &[(
            "            OrderEvent::Delivered(_) => {\n",
            "            OrderEvent::Screened(_) => {}\n            OrderEvent::Delivered(_) => {\n",
        )],
    ),
    (
        "services/ordering/src/domain/decide.rs",
        &[
            ("OrderErased, ", "OrderErased, OrderScreened, "),
            (
                "Command::Place(place) => Ok(vec![accept(*place)?.into()]),\n",
                "Command::Place(place) => {\n                let placed = accept(*place)?;\n                \
                 let screened = OrderScreened { order_id: placed.order_id.clone() };\n                \
                 Ok(vec![placed.into(), screened.into()])\n            }\n",
            ),
            ("    Ok(OrderPlaced {\n", "    Ok(OrderPlaced {\n        channel: \"web\".to_owned(),\n"),
        ],
    ),
];

/// Builds programs of the later build; returns the folder that they are in.
pub fn build(programs: &[&str]) -> PathBuf {
    // Beside the folder of this build, which holds what both are made of.
    let target = target();
    let (sources, built) = (target.join("later/sources"), target.join("later/built"));
    std::fs::create_dir_all(&sources).unwrap();
    for source in SOURCES {
        copy(&project("."), Path::new(source), &sources);
    }
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells this test about itself would be news to the build scripts of dependencies, which would run again.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            cargo.env_remove(name);
        }
    }
    run(cargo
        .args(["build", "--quiet", "--offline", "--workspace"])
        .args(programs.iter().flat_map(|program| ["--bin", program]))
        .current_dir(&sources)
        .env("CARGO_TARGET_DIR", &built)
        .env("CARGO_BUILD_BUILD_DIR", &target))
    .unwrap_or_else(|error| panic!("the later build cannot be made: {error}"));
    built.join("debug")
}

/// Makes a file or folder the same but for the changes of the later build; what is so already is left alone, lest it be built
/// again.
fn copy(from: &Path, path: &Path, to: &Path) {
    let (source, copied) = (from.join(path), to.join(path));
    if source.is_dir() {
        std::fs::create_dir_all(&copied).unwrap();
        for name in names(&copied).difference(&names(&source)) {
            let gone = copied.join(name);
            if gone.is_dir() { std::fs::remove_dir_all(gone) } else { std::fs::remove_file(gone) }.unwrap();
        }
        for name in names(&source) {
            copy(from, &path.join(name), to);
        }
        return;
    }
    let mut content = std::fs::read(&source).unwrap();
    if let Some((_, changes)) = CHANGES.iter().find(|(changed, _)| path == Path::new(changed)) {
        content = changes.iter().fold(String::from_utf8(content).unwrap(), changed).into_bytes();
    }
    if std::fs::read(&copied).ok().as_ref() != Some(&content) {
        std::fs::write(&copied, content).unwrap();
    }
}

fn names(folder: &Path) -> BTreeSet<OsString> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

fn changed(text: String, (before, after): &(&str, &str)) -> String {
    assert_eq!(text.matches(before).count(), 1, "the later build changes this, which is not there once: {before}");
    text.replace(before, after)
}
