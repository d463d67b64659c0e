//! Commands and errors as numbers. They stand again in `pkg-templates/browser/src/numbers.ts` and `errors.ts`.

use keybound_core::{
    client::{ClientError, Command, Report, RetryReason},
    proof::build::BuildError,
};

pub(super) const fn command(command: Command) -> u32 {
    match command {
        Command::PassThrough => 0,
        Command::Return => 1,
        Command::AskToken { stale: false } => 2,
        Command::AskToken { stale: true } => 3,
        Command::Prepare => 4,
        Command::Send => 5,
        Command::ReadBody => 6,
        Command::StoreNonce => 7,
        Command::AdjustClock => 8,
        Command::Follow => 9,
        Command::Report(Report::Retry(RetryReason::UseDpopNonce)) => 10,
        Command::Report(Report::Retry(RetryReason::InvalidToken)) => 11,
        Command::Report(_) => 12,
        Command::Fail(failure) => error(failure),
        _ => error(ClientError::OutOfTurn),
    }
}

pub(super) const fn error(error: ClientError) -> u32 {
    match error {
        ClientError::OriginNotAllowed => 32,
        ClientError::InvalidUrl | ClientError::Proof(BuildError::Url(_)) => 33,
        ClientError::RedirectRefused => 34,
        ClientError::BodyNotReplayable => 35,
        ClientError::NonceRejected => 36,
        ClientError::NonceHidden => 37,
        ClientError::TokenDowngraded => 38,
        ClientError::TokenKeyMismatch => 39,
        ClientError::Proof(BuildError::AlgorithmMismatch) => 40,
        ClientError::Proof(BuildError::Method) => 42,
        ClientError::Proof(BuildError::AccessToken) => 43,
        ClientError::Proof(BuildError::Nonce) => 44,
        ClientError::Proof(BuildError::ClaimName) => 45,
        _ => 41,
    }
}
