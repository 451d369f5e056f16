//! Reads the conditions of a statement.

use super::{
    Reader,
    element::{broken, object, scalar, texts},
};
use crate::policy::{
    condition::Condition,
    document::Effect,
    invalid::Rule,
    json::{self, Broken, Member, Node},
    key,
    operator::{Operator, Quantifier, Test},
    warning::Doubt,
};

impl Reader<'_> {
    pub(super) fn conditions(
        &mut self,
        effect: Effect,
        node: &Node<'_>,
    ) -> Result<Vec<Condition>, Broken> {
        let mut conditions = Vec::new();
        for block in object(node, "Condition")? {
            let Some(operator) = Operator::named(self.dialect, &block.name) else {
                return Err(Broken::new(block.at, Rule::Operator(block.name.to_string())));
            };
            let entries = object(&block.value, &block.name)?;
            let before = conditions.len();
            for entry in entries {
                conditions.push(self.condition(operator, entry)?);
            }
            // Names that differ only in case are one key.
            let keys = conditions.iter().skip(before).map(|condition| &condition.key);
            if let Some(entry) = json::repeated(&keys).and_then(|number| entries.get(number)) {
                let rule = Rule::DuplicateKey(entry.name.to_string());
                return Err(Broken::new(entry.at, rule));
            }
        }
        if effect == Effect::Allow && conditions.iter().any(is_for_all) {
            self.doubt_for_all(node, &conditions)?;
        }
        Ok(conditions)
    }

    fn condition(&mut self, operator: Operator, entry: &Member<'_>) -> Result<Condition, Broken> {
        let key = entry.name.to_lowercase();
        match key::known(self.dialect, &key) {
            None => self.doubts.push((entry.at, Doubt::KeyUnknown(entry.name.to_string()))),
            Some(known) if !known.fits(operator.test) => {
                let (key, operator) = (entry.name.to_string(), operator.to_string());
                self.doubts.push((entry.at, Doubt::KeyType { key, operator }));
            }
            Some(_) => {}
        }
        let nodes = texts(&entry.value, &entry.name)?;
        let mut values = Vec::with_capacity(nodes.len());
        let mut has_variables = false;
        for node in nodes {
            let text = scalar(node, &entry.name)?.into_owned();
            if !operator.takes(self.dialect, &text) {
                let (operator, expected) = (operator.to_string(), operator.expected());
                return Err(broken(node, Rule::ConditionValue { operator, text, expected }));
            }
            has_variables |= operator.expands_variables() && self.has_variables(node, &text)?;
            values.push(text);
        }
        Ok(Condition { operator, key, values, has_variables })
    }

    /// A request without the key meets `ForAllValues`, so it allows unless its presence is asked.
    fn doubt_for_all(&mut self, node: &Node<'_>, conditions: &[Condition]) -> Result<(), Broken> {
        let must_be_there = |key: &str| {
            conditions.iter().any(|other| {
                let is_null = other.operator.test == Test::Null && other.key == key;
                is_null && other.values.iter().all(|value| value.eq_ignore_ascii_case("false"))
            })
        };
        for block in object(node, "Condition")? {
            if block.name.starts_with("ForAllValues:") {
                for entry in object(&block.value, &block.name)? {
                    if !must_be_there(&entry.name.to_lowercase()) {
                        self.doubts.push((entry.at, Doubt::ForAllValues(entry.name.to_string())));
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_for_all(condition: &Condition) -> bool {
    condition.operator.quantifier == Some(Quantifier::All)
}
