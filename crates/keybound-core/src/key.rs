//! Public keys as JWKs (RFC 7517, RFC 7518 §6, RFC 8037), checked for shape, and their thumbprints (RFC 7638).

use alloc::{string::String, vec::Vec};

use crate::{
    algorithm::{Algorithm, KeyType},
    base64url,
    json::{self, Object, Value},
    sha256,
    thumbprint::Thumbprint,
};

/// Why a JWK was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not one JSON object.
    NotAnObject,
    /// `kty` or `crv` is missing or none that keybound knows.
    UnsupportedType,
    /// A member of a private or symmetric key is there (RFC 9449 §4.3 check 7).
    PrivateMember,
    /// A required member is missing or not canonical base64url.
    MalformedMember,
    /// A coordinate does not have the full length of its curve (RFC 7518 §6.2.1.2).
    CoordinateLength,
    /// A coordinate is not below the field prime, or an Ed25519 point is of small order (RFC 8725 §3.4).
    InvalidPoint,
    /// An RSA modulus is even or not within 2048 to 8192 bits (RFC 7518 §3.3).
    RsaModulus,
    /// An RSA exponent is even, below 3 or above 32 bits.
    RsaExponent,
    /// An RSA number has leading zero octets (RFC 7518 §6.3.1).
    RsaLeadingZero,
    /// `use`, `key_ops` or `alg` says that the key is for something else (RFC 7517 §4.2-4.4).
    Usage,
}

/// The smallest and largest RSA modulus, in bits.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// Members that only private or symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key whose shape was checked: coordinates of full length and below the field prime, an
/// RSA modulus of 2048 to 8192 bits in minimal octets with an odd exponent of at most 32 bits, an
/// Ed25519 point in canonical form and not of small order. So one key has one spelling and one thumbprint.
///
/// Not checked: that an EC point is on its curve. Whoever imports the key for a signature check does that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    material: Material,
    thumbprint: Thumbprint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Ec { key_type: KeyType, x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ed25519 { x: [u8; 32] },
}

/// The numbers of a public key, big-endian (Ed25519: the 32 octets of RFC 8032 §5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyParts<'a> {
    /// A point on P-256, P-384 or P-521: 32, 48 or 66 octets a coordinate.
    Ec {
        /// The curve.
        key_type: KeyType,
        /// The x coordinate.
        x: &'a [u8],
        /// The y coordinate.
        y: &'a [u8],
    },
    /// An RSA modulus and exponent, in minimal octets.
    Rsa {
        /// The modulus.
        n: &'a [u8],
        /// The public exponent.
        e: &'a [u8],
    },
    /// An Ed25519 point.
    Ed25519 {
        /// The encoded point.
        x: &'a [u8; 32],
    },
}

impl PublicKey {
    /// Reads a JWK.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk = Object::parse(text.as_bytes()).map_err(|_| KeyError::NotAnObject)?;
        Self::from_jwk_object(&jwk)
    }

    /// Reads a JWK that stands within another JSON text. Members that are not known are ignored.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_jwk_object(jwk: &Object<'_>) -> Result<Self, KeyError> {
        if jwk.iter().any(|(name, _)| PRIVATE_MEMBERS.contains(&name)) {
            return Err(KeyError::PrivateMember);
        }
        check_usage(jwk)?;
        let kty = jwk.get("kty").and_then(Value::as_str).ok_or(KeyError::UnsupportedType)?;
        let crv = jwk.get("crv").and_then(Value::as_str);
        match (kty, crv) {
            ("EC", Some(crv)) => {
                let key_type = match crv {
                    "P-256" => KeyType::P256,
                    "P-384" => KeyType::P384,
                    "P-521" => KeyType::P521,
                    _ => return Err(KeyError::UnsupportedType),
                };
                let (x, y) = (member(jwk, "x")?, member(jwk, "y")?);
                Self::from_parts(KeyParts::Ec { key_type, x: &x, y: &y })
            }
            ("RSA", _) => {
                let (n, e) = (member(jwk, "n")?, member(jwk, "e")?);
                Self::from_parts(KeyParts::Rsa { n: &n, e: &e })
            }
            ("OKP", Some("Ed25519")) => {
                let x = member(jwk, "x")?;
                let x = <&[u8; 32]>::try_from(x.as_slice()).map_err(|_| KeyError::CoordinateLength)?;
                Self::from_parts(KeyParts::Ed25519 { x })
            }
            _ => Err(KeyError::UnsupportedType),
        }
    }

    /// Makes a key of its numbers, with the same checks.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_parts(parts: KeyParts<'_>) -> Result<Self, KeyError> {
        let material = match parts {
            KeyParts::Ec { key_type, x, y } => {
                let prime = field_prime(key_type).ok_or(KeyError::UnsupportedType)?;
                if x.len() != prime.len() || y.len() != prime.len() {
                    return Err(KeyError::CoordinateLength);
                }
                // Big-endian and of one length: octets compare as numbers do.
                if x >= prime || y >= prime {
                    return Err(KeyError::InvalidPoint);
                }
                Material::Ec { key_type, x: x.to_vec(), y: y.to_vec() }
            }
            KeyParts::Rsa { n, e } => {
                check_rsa(n, e)?;
                Material::Rsa { n: n.to_vec(), e: e.to_vec() }
            }
            KeyParts::Ed25519 { x } => {
                check_ed25519(x)?;
                Material::Ed25519 { x: *x }
            }
        };
        let thumbprint = Thumbprint::from_bytes(sha256::digest(to_jwk(&material).as_bytes()));
        Ok(Self { material, thumbprint })
    }

    /// The kind of key.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        match self.material {
            Material::Ec { key_type, .. } => key_type,
            Material::Rsa { .. } => KeyType::Rsa,
            Material::Ed25519 { .. } => KeyType::Ed25519,
        }
    }

    /// The numbers.
    #[must_use]
    pub fn parts(&self) -> KeyParts<'_> {
        match &self.material {
            Material::Ec { key_type, x, y } => KeyParts::Ec { key_type: *key_type, x, y },
            Material::Rsa { n, e } => KeyParts::Rsa { n, e },
            Material::Ed25519 { x } => KeyParts::Ed25519 { x },
        }
    }

    /// The SHA-256 thumbprint (RFC 7638 §3), the `jkt` of a confirmation.
    #[must_use]
    pub const fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The JWK with its required members only, in lexicographic order and without white space: the
    /// text that the thumbprint hashes (RFC 7638 §3.2).
    #[must_use]
    pub fn to_jwk(&self) -> String {
        to_jwk(&self.material)
    }

    /// The length in octets that every signature of this key and algorithm has.
    #[must_use]
    pub fn signature_len(&self, algorithm: Algorithm) -> usize {
        match (&self.material, algorithm.signature_len()) {
            (Material::Rsa { n, .. }, _) => n.len(),
            (_, Some(len)) => len,
            (_, None) => 0,
        }
    }
}

/// Whether the JWK's own `alg`, if it has one, allows this algorithm (RFC 7517 §4.4). The two names
/// of Ed25519 are one algorithm (RFC 9864 §2.2).
#[must_use]
pub fn jwk_allows(jwk: &Object<'_>, algorithm: Algorithm) -> bool {
    match jwk.get("alg") {
        None => true,
        Some(value) => value.as_str().and_then(Algorithm::from_name).is_some_and(|named| {
            named == algorithm || (named.key_type() == KeyType::Ed25519 && algorithm.key_type() == KeyType::Ed25519)
        }),
    }
}

/// `use` and `key_ops` must not say that the key is for something else than checking signatures.
fn check_usage(jwk: &Object<'_>) -> Result<(), KeyError> {
    if let Some(usage) = jwk.get("use")
        && usage.as_str() != Some("sig")
    {
        return Err(KeyError::Usage);
    }
    if let Some(operations) = jwk.get("key_ops") {
        let operations = operations.as_array().ok_or(KeyError::Usage)?;
        if !operations.iter().any(|operation| operation.as_str() == Some("verify")) {
            return Err(KeyError::Usage);
        }
    }
    Ok(())
}

fn member(jwk: &Object<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(KeyError::MalformedMember)?;
    if text.is_empty() {
        return Err(KeyError::MalformedMember);
    }
    base64url::decode(text).map_err(|_| KeyError::MalformedMember)
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    let (Some(first), Some(last)) = (n.first(), n.last()) else {
        return Err(KeyError::RsaModulus);
    };
    if *first == 0 || e.first() == Some(&0) {
        return Err(KeyError::RsaLeadingZero);
    }
    let bits = n.len().saturating_mul(8).saturating_sub(first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) || last & 1 == 0 {
        return Err(KeyError::RsaModulus);
    }
    if e.is_empty() || e.len() > 4 {
        return Err(KeyError::RsaExponent);
    }
    let exponent = e.iter().fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
    if exponent < 3 || exponent & 1 == 0 {
        return Err(KeyError::RsaExponent);
    }
    Ok(())
}

/// Little-endian y coordinates of the points of small order, without the sign bit: 0, 1, -1 and the
/// two of the points of order eight.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

fn check_ed25519(x: &[u8; 32]) -> Result<(), KeyError> {
    let mut y = *x;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    // Canonical: y below 2^255 - 19, which little-endian is ed ff .. ff 7f.
    let [low, middle @ .., high] = y;
    if low >= 0xed && high == 0x7f && middle.iter().all(|octet| *octet == 0xff) {
        return Err(KeyError::InvalidPoint);
    }
    if SMALL_ORDER.contains(&y) { Err(KeyError::InvalidPoint) } else { Ok(()) }
}

/// The prime of a curve's field, big-endian (SEC 2 §2.4.2, §2.5.1, §2.6.1).
const fn field_prime(key_type: KeyType) -> Option<&'static [u8]> {
    match key_type {
        KeyType::P256 => Some(b"\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        KeyType::P384 => Some(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"),
        KeyType::P521 => Some(b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        KeyType::Rsa | KeyType::Ed25519 => None,
    }
}

fn to_jwk(material: &Material) -> String {
    let mut out = String::from("{");
    match material {
        Material::Ec { key_type, x, y } => {
            let crv = match key_type {
                KeyType::P384 => "P-384",
                KeyType::P521 => "P-521",
                _ => "P-256",
            };
            write_members(&[("crv", crv), ("kty", "EC")], &[("x", x), ("y", y)], &mut out);
        }
        Material::Rsa { n, e } => {
            write_members(&[], &[("e", e)], &mut out);
            write_members(&[("kty", "RSA")], &[("n", n)], &mut out);
        }
        Material::Ed25519 { x } => {
            write_members(&[("crv", "Ed25519"), ("kty", "OKP")], &[("x", x)], &mut out);
        }
    }
    out.push('}');
    out
}

fn write_members(texts: &[(&str, &str)], numbers: &[(&str, &[u8])], out: &mut String) {
    let name_member = |name: &str, out: &mut String| {
        if out.len() > 1 {
            out.push(',');
        }
        json::write_string(name, out);
        out.push(':');
    };
    for (name, text) in texts {
        name_member(name, out);
        json::write_string(text, out);
    }
    for (name, number) in numbers {
        name_member(name, out);
        out.push('"');
        base64url::encode_into(number, out);
        out.push('"');
    }
}

#[cfg(test)]
mod tests;
