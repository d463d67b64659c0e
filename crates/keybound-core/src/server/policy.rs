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

/// The policy of a resource server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConstraintPolicy {
    /// The constraint asked for.
    pub mechanism: Mechanism,
    /// Whether tokens without that constraint are refused. A `cnf` that is present is enforced in any case.
    pub required: bool,
}

impl Default for ConstraintPolicy {
    fn default() -> Self {
        Self { mechanism: Mechanism::Either, required: true }
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
    /// `jkt` for DPoP, `x5t#S256` for mutual TLS, any for either.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub fn demand(&self, scheme: Scheme, confirmation: &Confirmation) -> Result<Demand, Reason> {
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
        if !self.required {
            return Ok(demand);
        }
        match (self.mechanism, demand.key, demand.certificate) {
            (Mechanism::Dpop, false, _) => Err(Reason::TokenNotDpopBound),
            (Mechanism::Mtls, _, false) => Err(Reason::TokenNotCertificateBound),
            (Mechanism::Either, false, false) => Err(Reason::TokenNotBound),
            _ => Ok(demand),
        }
    }

    /// Whether a challenge names this scheme: whether a token presented under it can be accepted.
    #[must_use]
    pub const fn takes(&self, scheme: Scheme) -> bool {
        match (self.mechanism, scheme) {
            (Mechanism::Dpop, Scheme::Bearer) => !self.required,
            (Mechanism::Mtls, Scheme::Dpop) => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thumbprint::Thumbprint;

    const A: Thumbprint = Thumbprint::from_bytes([1; 32]);

    /// The rules once more, as sentences instead of a table.
    fn by_sentences(policy: ConstraintPolicy, scheme: Scheme, confirmation: &Confirmation) -> Option<(bool, bool)> {
        let jkt = confirmation.jkt().is_some();
        let x5t = confirmation.x5t_s256().is_some();
        // The DPoP scheme is for tokens bound to a DPoP key, and such tokens are for that scheme only.
        if jkt != (scheme == Scheme::Dpop) {
            return None;
        }
        let wanted = match policy.mechanism {
            Mechanism::Dpop => jkt,
            Mechanism::Mtls => x5t,
            Mechanism::Either => jkt || x5t,
        };
        if policy.required && !wanted {
            return None;
        }
        Some((jkt, x5t))
    }

    #[test]
    fn every_cell_of_the_table_is_as_the_sentences_say() {
        let confirmations = [
            Confirmation::None,
            Confirmation::Key { jkt: A },
            Confirmation::Certificate { x5t_s256: A },
            Confirmation::Both { jkt: A, x5t_s256: A },
        ];
        for mechanism in [Mechanism::Dpop, Mechanism::Mtls, Mechanism::Either] {
            for required in [false, true] {
                for scheme in [Scheme::Dpop, Scheme::Bearer] {
                    for confirmation in &confirmations {
                        let policy = ConstraintPolicy { mechanism, required };
                        let cell = policy.demand(scheme, confirmation);
                        assert_eq!(
                            cell.ok().map(|demand| (demand.key, demand.certificate)),
                            by_sentences(policy, scheme, confirmation),
                            "{policy:?} {scheme:?} {confirmation:?}"
                        );
                        // What is accepted is always demanded in full.
                        if let Ok(demand) = cell {
                            assert_eq!(demand.key, confirmation.jkt().is_some());
                            assert_eq!(demand.certificate, confirmation.x5t_s256().is_some());
                        }
                    }
                }
            }
        }
    }
}
