//! How many tests ran: read from what the runners print last.

use std::iter::Sum;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Tally {
    pub const ONE_PASSED: Tally = Tally { passed: 1, failed: 0, skipped: 0 };
    pub const ONE_FAILED: Tally = Tally { passed: 0, failed: 1, skipped: 0 };
    pub const ONE_SKIPPED: Tally = Tally { passed: 0, failed: 0, skipped: 1 };

    /// Skipped tests did not run.
    pub fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |sum, tally| Tally {
            passed: sum.passed + tally.passed,
            failed: sum.failed + tally.failed,
            skipped: sum.skipped + tally.skipped,
        })
    }
}

/// `12 passed, 0 failed`, and `, 3 skipped` if any were.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// A runner's way to close. None: its closing lines are not there, so nobody knows what ran.
pub type Counter = fn(&str) -> Option<Tally>;

/// `test result: ok. 12 passed; 0 failed; 1 ignored; ...`, one line for each binary and for the doc tests.
pub fn cargo_test(output: &str) -> Option<Tally> {
    let results: Vec<Tally> = plain_lines(output)
        .filter_map(|line| {
            let (_, counts) = line.split_once("test result: ")?.1.split_once(". ")?;
            Some(Tally {
                passed: before(counts, " passed")?,
                failed: before(counts, " failed")?,
                skipped: before(counts, " ignored")?,
            })
        })
        .collect();
    (!results.is_empty()).then(|| results.into_iter().sum())
}

/// `# pass 12` (tap) or `ℹ pass 12` (spec). A cancelled test did not pass.
pub fn node_test(output: &str) -> Option<Tally> {
    let count = |word: &str| {
        plain_lines(output)
            .filter_map(|line| {
                line.strip_prefix("# ")
                    .or(line.strip_prefix("ℹ "))?
                    .strip_prefix(word)?
                    .strip_prefix(' ')?
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
            .last()
    };
    Some(Tally {
        passed: count("pass")?,
        failed: count("fail")? + count("cancelled")?,
        skipped: count("skipped")? + count("todo")?,
    })
}

/// `12 passed, 0 failed, 3 skipped`, alone on a line.
pub fn plain(output: &str) -> Option<Tally> {
    plain_lines(output).filter_map(|line| plain_line(&line)).last()
}

fn plain_line(line: &str) -> Option<Tally> {
    let mut parts = line.trim().split(", ");
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    let skipped = match parts.next() {
        Some(part) => part.strip_suffix(" skipped")?.parse().ok()?,
        None => 0,
    };
    Some(Tally { passed, failed, skipped })
}

/// The number that stands before `word`.
fn before(text: &str, word: &str) -> Option<u64> {
    text.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok())
}

fn plain_lines(output: &str) -> impl Iterator<Item = String> + '_ {
    output.lines().map(|line| console::strip_ansi_codes(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_test_binaries_add_up() {
        let output = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                      noise\n\
                      test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        assert_eq!(cargo_test(output), Some(Tally { passed: 15, failed: 2, skipped: 1 }));
    }

    #[test]
    fn node_counts_in_either_reporter_and_cancelled_is_failed() {
        let tail = |sign: &str| {
            ["tests 7", "pass 3", "fail 1", "cancelled 1", "skipped 1", "todo 1"]
                .map(|line| format!("{sign} {line}\n"))
                .concat()
        };
        let expected = Some(Tally { passed: 3, failed: 2, skipped: 2 });
        assert_eq!(node_test(&tail("#")), expected);
        assert_eq!(node_test(&tail("ℹ")), expected);
    }

    #[test]
    fn the_plain_line_counts_with_and_without_skips() {
        assert_eq!(plain("x\n4 passed, 0 failed\n"), Some(Tally { passed: 4, failed: 0, skipped: 0 }));
        assert_eq!(plain("4 passed, 1 failed, 2 skipped"), Some(Tally { passed: 4, failed: 1, skipped: 2 }));
    }

    #[test]
    fn output_without_closing_lines_counts_as_unknown() {
        for counter in [cargo_test, node_test, plain] {
            assert_eq!(counter("all fine, honestly\n"), None);
        }
    }
}
