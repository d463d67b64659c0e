//! How far the server's clock is from ours.

/// Differences up to this many seconds say nothing: `Date` has whole seconds, and answers take time.
const TOLERANCE: i64 = 5;

/// Larger ones (a year) say that the server's clock is wrong, or absent: with ours this wrong there is no TLS.
const PLAUSIBLE: u64 = 366 * 86_400;

/// How many seconds the server's clock is ahead, as far as an answer proves it: its `Date` was
/// written after the request left (`sent`) and before the answer was there (`received`). Zero if
/// it lies in between, or nearly, or if it cannot be true.
pub(super) const fn offset(sent: i64, received: i64, date: i64) -> i64 {
    let behind = date.saturating_sub(sent);
    let ahead = date.saturating_sub(received);
    let offset = if ahead > TOLERANCE {
        ahead
    } else if behind < -TOLERANCE {
        behind
    } else {
        0
    };
    if offset.unsigned_abs() > PLAUSIBLE { 0 } else { offset }
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn a_slow_answer_is_no_skew() {
        assert_eq!(offset(1000, 1060, 1000), 0);
        assert_eq!(offset(1000, 1060, 1060), 0);
        assert_eq!(offset(1000, 1000, 995), 0);
    }

    #[test]
    fn what_no_delay_explains_is_skew() {
        assert_eq!(offset(1000, 1001, 1301), 300);
        assert_eq!(offset(1000, 1060, 700), -300);
        assert_eq!(offset(i64::MIN, i64::MAX, 0), 0);
    }

    #[test]
    fn a_server_without_a_clock_moves_nothing() {
        let now = 1_780_000_000;
        for absurd in [0, 253_402_300_799, -62_135_596_800, i64::MIN, i64::MAX] {
            assert_eq!(offset(now, now, absurd), 0, "{absurd}");
        }
        // A wrong month is one that people set.
        assert_eq!(offset(now, now, now + 31 * 86_400), 31 * 86_400);
    }
}
