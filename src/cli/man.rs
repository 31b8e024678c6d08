use std::fs;
use std::path::PathBuf;

use clap_mangen::Man;

use super::output::Output;
use super::{CommandError, Outcome, command};

/// Write the manual page, or one for each command
#[derive(clap::Args, Debug)]
pub(crate) struct ManArgs {
    /// Write partnerctl.1 and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(out: &Output, args: &ManArgs) -> Result<Outcome, CommandError> {
    let failed = |source| CommandError::failed("writing the manual", source);
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        Man::new(command()).render(&mut page).map_err(failed)?;
        out.result(|to| to.write_all(&page))?;
        return Ok(Outcome::Done);
    };
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command(), folder).map_err(failed)?;
    out.narrate(&format!("manual pages in {}", folder.display()));
    Ok(Outcome::Done)
}
