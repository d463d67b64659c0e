//! How far the server's clock is from ours.

/// Differences up to this many seconds say nothing: `Date` has whole seconds, and answers take time.
const TOLERANCE: i64 = 5;

/// How many seconds the server's clock is ahead, as far as an answer proves it: its `Date` was
/// written after the request left (`sent`) and before the answer was there (`received`). Zero if
/// it lies in between, or nearly.
pub(super) const fn offset(sent: i64, received: i64, date: i64) -> i64 {
    let behind = date.saturating_sub(sent);
    let ahead = date.saturating_sub(received);
    if ahead > TOLERANCE {
        ahead
    } else if behind < -TOLERANCE {
        behind
    } else {
        0
    }
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
        assert_eq!(offset(0, 0, i64::MIN), i64::MIN);
    }
}
