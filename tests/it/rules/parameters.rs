//! Every parameter counts: in some case the verdict is another one without it.

use std::collections::BTreeSet;

use ocilint::cases::Suite;
use ocilint::rules::{RULES, Rule};
use toml::{Table, Value};

#[test]
fn every_parameter_decides_a_verdict() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut idle = Vec::new();
    let mut counted = 0;
    for rule in RULES {
        let parameters: BTreeSet<&str> = (rule.parameters)().iter().copied().collect();
        let decisive = runtime.block_on(decisive(rule, &parameters));
        counted += parameters.len();
        idle.extend(parameters.difference(&decisive).map(|parameter| format!("{}: {parameter}", rule.name)));
    }
    println!("{} rules, {counted} parameters", RULES.len());
    assert!(idle.is_empty(), "no case of tests/rules is decided by these parameters:\n{}", idle.join("\n"));
}

/// The parameters of a rule without which a case shows something else, or without which the rule requires nothing.
async fn decisive<'p>(rule: &Rule, parameters: &BTreeSet<&'p str>) -> BTreeSet<&'p str> {
    let path = format!("tests/rules/{}.toml", rule.name);
    let file: Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut variants = Vec::new();
    let mut cases = Vec::new();
    for (number, case) in file["case"].as_array().unwrap().iter().enumerate() {
        let mut case = case.as_table().unwrap().clone();
        let Some(policy) = case.get("policy").or_else(|| file.get("policy")).and_then(Value::as_str) else { continue };
        if !case.contains_key("expect") || case.contains_key("refused") || case.get("image").is_some_and(Value::is_str)
        {
            continue;
        }
        let policy: Table = policy.parse().unwrap();
        only_verdicts(&mut case);
        for parameter in parameters {
            if let Some(without) = without(&policy, rule.name, parameter) {
                let name = format!("{number} without {parameter}");
                case.insert("policy".to_owned(), without.to_string().into());
                case.insert("name".to_owned(), name.clone().into());
                variants.push((name, *parameter));
                cases.push(Value::Table(case.clone()));
            }
        }
    }
    if cases.is_empty() {
        return BTreeSet::new();
    }
    let file = directory.path().join("variants.toml");
    std::fs::write(&file, Table::from_iter([("case".to_owned(), Value::Array(cases))]).to_string()).unwrap();
    let suite = Suite::read(&file).unwrap_or_else(|errors| panic!("{path}: {errors}"));
    let outcomes = suite.run().await;
    let differs = |name: &str| outcomes.iter().any(|case| case.name == name && !case.problems().is_empty());
    variants.iter().filter(|(name, _)| differs(name)).map(|(_, parameter)| *parameter).collect()
}

/// Leaves of what is expected the verdicts: another message is not another verdict.
fn only_verdicts(case: &mut Table) {
    case.retain(|key, _| !["exit", "asks"].contains(&key));
    for expected in case.get_mut("expect").and_then(Value::as_table_mut).into_iter().flatten().map(|(_, value)| value) {
        if let Some(verdict) = expected.get("verdict") {
            *expected = verdict.clone();
        }
    }
}

/// The policy without a parameter, if it has it.
fn without(policy: &Table, rule: &str, parameter: &str) -> Option<Table> {
    let mut policy = policy.clone();
    let instances = policy.get_mut("rules")?.as_table_mut()?;
    let mut taken = false;
    for (name, instance) in instances.iter_mut() {
        let instance = instance.as_table_mut()?;
        if name == rule || instance.get("rule").and_then(Value::as_str) == Some(rule) {
            taken |= instance.remove(parameter).is_some();
        }
    }
    taken.then_some(policy)
}
