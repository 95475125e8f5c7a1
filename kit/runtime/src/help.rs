//! What a service binary answers to its arguments. It takes none but `--help`, `--version` and `--health`: everything else is a setting.

use std::{
    ffi::OsString,
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{
    MISCONFIGURED, complain, health,
    settings::{About, common},
};

/// Variables that other programs know by these names, too.
const OTHERS: [(&str, &str); 3] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "where traces, metrics and logs are exported to (OTLP over gRPC), if set"),
    ("PGSSLMODE", "how a PostgreSQL server elsewhere is verified, where the URL does not say [verify-full]"),
    ("PGSSLROOTCERT", "file with the authority of that server, where the URL names none [those of the web]"),
];

/// Answers the arguments; `None` means that there are none and the service is to run.
pub(crate) fn answer(about: &About, arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let argument = arguments.into_iter().next()?;
    let text = match argument.to_str() {
        Some("--help" | "-h") => help(about),
        Some("--health") => return Some(health::answer(about)),
        Some("--version" | "-V") => format!("{} {}\n", about.name, crate::VERSION),
        _ => {
            let name = about.name;
            complain(&format!(
                "{name}: {argument:?} is not an argument of this program; {name} --help shows its settings"
            ));
            return Some(ExitCode::from(MISCONFIGURED));
        }
    };
    // A reader that went away has seen enough.
    drop(io::stdout().write_all(text.as_bytes()));
    Some(ExitCode::SUCCESS)
}

fn help(about: &About) -> String {
    let name = about.name;
    let mut text = format!("{name} {}", crate::VERSION);
    if !about.purpose.is_empty() {
        text += &format!(": {}", about.purpose);
    }
    text += &format!(
        "\n\nUsage: {name} [--help | --version | --health]\n\n\
         --health asks the running service of the same settings whether it is ready: exit code 0, else 1 and why not.\n\n\
         Settings are environment variables, or keys of the TOML file named by TRADEWIND_CONFIG\n\
         (there in lower case and without TRADEWIND_); a variable wins over the file. A secret is better in a file\n\
         of its own: TRADEWIND_DATABASE_URL_FILE names one with the value of TRADEWIND_DATABASE_URL, and so for all.\n\n"
    );
    let mut settings = common(about);
    settings.extend(about.settings.iter().cloned());
    let lengths = settings.iter().map(|setting| setting.key.len() + "TRADEWIND_".len());
    let width = lengths.chain(OTHERS.map(|(variable, _)| variable.len())).max().unwrap_or_default();
    for setting in settings {
        let variable = format!("TRADEWIND_{}", setting.key.to_ascii_uppercase());
        let default = if setting.default.is_empty() { String::new() } else { format!(" [{}]", setting.default) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {variable:width$}  {}{default}", setting.meaning);
    }
    for (variable, meaning) in OTHERS {
        let _ = writeln!(text, "  {variable:width$}  {meaning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{FOLDER, Setting};

    #[test]
    fn help_names_every_setting_with_its_meaning_and_default() {
        let about = About {
            name: "harbour",
            purpose: "keeps ships",
            is_edge: false,
            has_broker: true,
            grpc_port: 7101,
            admin_port: 7201,
            folder: FOLDER.into(),
            settings: vec![Setting { key: "berths".into(), meaning: "ships at once".into(), default: "3".into() }],
        };
        let text = help(&about);
        assert!(text.starts_with("harbour "), "{text}");
        assert!(text.contains(": keeps ships\n"), "{text}");
        assert!(
            text.contains("  TRADEWIND_GRPC_ADDR          address:port of the gRPC server (mTLS) [127.0.0.1:7101]\n"),
            "{text}"
        );
        assert!(text.contains("  TRADEWIND_BERTHS             ships at once [3]\n"), "{text}");
    }
}
