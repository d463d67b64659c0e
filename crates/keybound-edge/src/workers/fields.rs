//! Fields of answers, merged into what is there.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use ::worker::{Headers, Response, ResponseBuilder, Result};

use crate::reply::{Field, Reply};

/// A response of our own.
pub(super) fn respond(reply: Reply, more: Vec<Field>) -> Result<Response> {
    let headers = Headers::new();
    for (name, value) in &reply.fields {
        headers.append(name, value)?;
    }
    merge(&headers, &more)?;
    let builder = ResponseBuilder::new().with_status(reply.status).with_headers(headers);
    Ok(if reply.body.is_empty() { builder.empty() } else { builder.fixed(reply.body.into_bytes()) })
}

/// A response of the caller's with more fields. Its headers are copied, since those of a fetched response
/// cannot be changed.
pub(super) fn finish(response: Response, fields: &[Field]) -> Result<Response> {
    if fields.is_empty() {
        return Ok(response);
    }
    let headers = response.headers().clone();
    merge(&headers, fields)?;
    Ok(response.with_headers(headers))
}

/// Adds to list fields what is not in them, and replaces nothing but the nonce, of which there is exactly
/// one (RFC 9449 §8).
fn merge(headers: &Headers, fields: &[Field]) -> Result<()> {
    for (name, value) in fields {
        match *name {
            "DPoP-Nonce" => headers.set(name, value)?,
            "Access-Control-Allow-Origin" if headers.has(name)? => {}
            "Access-Control-Allow-Origin" => headers.set(name, value)?,
            _ => append(headers, name, value)?,
        }
    }
    Ok(())
}

fn append(headers: &Headers, name: &str, value: &str) -> Result<()> {
    let there = headers.get(name)?.unwrap_or_default();
    let mut members: Vec<String> = there.split(',').map(|member| member.trim().to_ascii_lowercase()).collect();
    for member in value.split(',').map(str::trim) {
        let lower = member.to_ascii_lowercase();
        if !members.iter().any(|known| *known == lower || known == "*") {
            headers.append(name, member)?;
            members.push(lower.to_owned());
        }
    }
    Ok(())
}
