//! The format of cases: see FORMAT.md.

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct File {
    pub meta: Value,
    pub cases: Vec<Case>,
}

/// A case as it stands; steps of a sequence take what they lack from it.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Case(Map<String, Value>);

/// One request, with everything that is known of it.
pub struct Step(Map<String, Value>);

/// What the product said.
pub struct Observed {
    pub outcome: String,
    pub reason: Option<&'static str>,
    pub binding: Value,
}

impl Case {
    pub fn id(&self) -> &str {
        self.0.get("id").and_then(Value::as_str).unwrap_or("?")
    }

    pub fn role(&self) -> &str {
        self.0.get("role").and_then(Value::as_str).unwrap_or("rs")
    }

    pub fn steps(&self) -> Vec<Step> {
        match self.0.get("sequence").and_then(Value::as_array) {
            None => vec![Step(self.0.clone())],
            Some(sequence) => sequence
                .iter()
                .map(|step| {
                    let mut all = self.0.clone();
                    all.extend(step.as_object().cloned().unwrap_or_default());
                    Step(all)
                })
                .collect(),
        }
    }
}

impl Step {
    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn expected(&self) -> Vec<String> {
        let also = self.get("also_ok").and_then(Value::as_array).into_iter().flatten();
        self.get("expect").into_iter().chain(also).filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub fn binding_fits(&self, observed: &Observed) -> bool {
        let Some(expected) = self.get("expect_binding").and_then(Value::as_object) else { return true };
        observed.outcome != "accept"
            || expected
                .iter()
                // A resource server issues no tokens.
                .filter(|(name, _)| *name != "token_type" || observed.binding.get("token_type").is_some())
                .all(|(name, value)| observed.binding.get(name).unwrap_or(&Value::Null) == value)
    }
}
