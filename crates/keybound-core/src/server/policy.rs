//! Which constraint a resource server asks for, and what follows for what a token carries.

use crate::server::{confirmation::Confirmation, reason::Reason};

/// The scheme under which the token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `DPoP` (RFC 9449 §7.1).
    Dpop,
    /// `Bearer` (RFC 6750 §2.1); also that of certificate-bound tokens (RFC 8705 §3).
    Bearer,
}

/// The constraint that is asked for where one is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// A DPoP key.
    Dpop,
    /// A client certificate.
    Mtls,
    /// Either of them.
    #[default]
    Either,
}

/// Whose tokens must carry a constraint, where one is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequiredFor {
    /// Every client's.
    #[default]
    AllClients,
    /// Those of public clients; a confidential client's may be plain bearer tokens.
    PublicClients,
}

/// What a client is to its authorization server (RFC 6749 §2.1). One that is not known counts as public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientType {
    /// It cannot keep a secret, or nobody knows.
    #[default]
    Public,
    /// It authenticates at the token endpoint.
    Confidential,
}

/// The policy of a resource server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConstraintPolicy {
    /// The constraint asked for.
    pub mechanism: Mechanism,
    /// Whether tokens without that constraint are refused. A `cnf` that is present is enforced in any case.
    pub required: bool,
    /// Whose tokens, where it is required.
    pub required_for: RequiredFor,
}

impl Default for ConstraintPolicy {
    fn default() -> Self {
        Self { mechanism: Mechanism::Either, required: true, required_for: RequiredFor::AllClients }
    }
}

/// What a request must show for its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The proof's key must be the token's.
    pub key: bool,
    /// The connection's certificate must be the token's.
    pub certificate: bool,
}

/// A cell of the table: what follows for a token and a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The request must show this.
    Show(Demand),
    /// From a confidential client the request must show this; a public client's is refused.
    ByClient(Demand, Reason),
}

impl Cell {
    /// What the request must show, now that the client's type is known.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub const fn for_client(self, client: ClientType) -> Result<Demand, Reason> {
        match (self, client) {
            (Self::Show(demand), _) | (Self::ByClient(demand, _), ClientType::Confidential) => Ok(demand),
            (Self::ByClient(_, reason), ClientType::Public) => Err(reason),
        }
    }
}

/// What the token carries, without its values: the rows of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    Nothing,
    Key,
    Certificate,
    Both,
}

impl ConstraintPolicy {
    /// What a request must show, or why no request with this token and scheme is accepted.
    ///
    /// | token carries | as `Bearer` | as `DPoP` |
    /// |---|---|---|
    /// | nothing | nothing to show; refused where a constraint is required | refused: bound to no key |
    /// | `jkt` | refused: a bound token never passes as a bearer token (RFC 9449 §7.2) | the key |
    /// | `x5t#S256` | the certificate (RFC 8705 §3) | refused: not bound to the proof's key (RFC 9449 §7.1) |
    /// | both | refused, as for `jkt` | the key and the certificate |
    ///
    /// Where a constraint is required, a token must moreover carry the one that is asked for:
    /// `jkt` for DPoP, `x5t#S256` for mutual TLS, any for either. Where it is required of public
    /// clients only, the client's type decides about tokens that do not.
    ///
    /// A `cnf` that is malformed, or of which no member is known, has no row: no [`Confirmation`] can be
    /// made of it.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn cell(&self, scheme: Scheme, confirmation: &Confirmation) -> Result<Cell, Reason> {
        let carries = match confirmation {
            Confirmation::None => Carries::Nothing,
            Confirmation::Key { .. } => Carries::Key,
            Confirmation::Certificate { .. } => Carries::Certificate,
            Confirmation::Both { .. } => Carries::Both,
        };
        let demand = match (carries, scheme) {
            (Carries::Nothing, Scheme::Bearer) => Demand { key: false, certificate: false },
            (Carries::Nothing, Scheme::Dpop) => return Err(Reason::TokenNotBound),
            (Carries::Key | Carries::Both, Scheme::Bearer) => {
                return Err(Reason::DpopTokenAsBearer);
            }
            (Carries::Key, Scheme::Dpop) => Demand { key: true, certificate: false },
            (Carries::Certificate, Scheme::Bearer) => Demand { key: false, certificate: true },
            (Carries::Certificate, Scheme::Dpop) => return Err(Reason::TokenNotDpopBound),
            (Carries::Both, Scheme::Dpop) => Demand { key: true, certificate: true },
        };
        let lacking = match (self.mechanism, demand.key, demand.certificate) {
            (Mechanism::Dpop, false, _) => Reason::TokenNotDpopBound,
            (Mechanism::Mtls, _, false) => Reason::TokenNotCertificateBound,
            (Mechanism::Either, false, false) => Reason::TokenNotBound,
            _ => return Ok(Cell::Show(demand)),
        };
        match (self.required, self.required_for) {
            (false, _) => Ok(Cell::Show(demand)),
            (true, RequiredFor::AllClients) => Err(lacking),
            (true, RequiredFor::PublicClients) => Ok(Cell::ByClient(demand, lacking)),
        }
    }

    /// Whether a challenge names this scheme: whether a client that follows it can be accepted with the
    /// constraint that is asked for, or without any where that is allowed. (A token that carries another
    /// constraint than that may be accepted too, and nobody is invited to get one.)
    #[must_use]
    pub const fn takes(&self, scheme: Scheme) -> bool {
        match (self.mechanism, scheme) {
            (Mechanism::Dpop, Scheme::Bearer) => {
                !(self.required && matches!(self.required_for, RequiredFor::AllClients))
            }
            (Mechanism::Mtls, Scheme::Dpop) => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
