//! Every fuzz target for a short time: enough to run all seeds and to notice what is wrong near them.

use super::report::Report;
use crate::fuzz;
use anyhow::Result;

const SECONDS: u64 = 3;
/// The whole decision has the most to find.
const DECISION_SECONDS: u64 = 20;

pub fn run(report: &mut Report) -> Result<()> {
    fuzz::build()?;
    for target in fuzz::targets()? {
        let seconds = if target == "decision" { DECISION_SECONDS } else { SECONDS };
        report.check(&format!("fuzz target {target}"), |step| fuzz::fuzz(&target, seconds, step).map(drop));
    }
    Ok(())
}
