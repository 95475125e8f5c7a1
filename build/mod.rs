//! What `build.rs` makes of the options in `proto/`, and refuses. The tests of the contracts hold it against contracts that are wrong.

mod asked;
mod events;
mod methods;
mod options;
mod reactions;
mod redacted;
mod shown;

use std::error::Error;

use protox::prost_reflect::DescriptorPool;

/// Code by the name of its file, and the messages that get their `Debug` there, by full name.
pub(crate) struct Code {
    pub(crate) files: [(&'static str, String); 4],
    pub(crate) redacted: Vec<String>,
}

/// Makes the code of everything that `pool` declares.
///
/// # Errors
/// What it may not declare.
pub(crate) fn code(pool: &DescriptorPool) -> Result<Code, Box<dyn Error>> {
    let redacted = redacted::messages(pool);
    Ok(Code {
        files: [
            ("redacted.rs", redacted::code(&redacted)),
            ("asked.rs", asked::code(pool)),
            ("reactions.rs", reactions::code(pool)?),
            ("tables.rs", methods::code(pool)? + &events::code(pool)?),
        ],
        redacted: redacted.iter().map(|message| message.full_name().to_owned()).collect(),
    })
}
