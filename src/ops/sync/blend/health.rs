//! What passwords are held to, changed on two sides.

use std::collections::BTreeSet;

use crate::config::health::{HealthRule, IgnoreRule, LimitsRule};

/// Returns what two changes come to: the same whichever side is called ours. What both changed is as the stricter
/// of them has it.
pub(super) fn merged(base: &HealthRule, ours: &HealthRule, theirs: &HealthRule) -> HealthRule {
    let mut merged = HealthRule::default();
    merged.set_limits(limits(&base.limits(), &ours.limits(), &theirs.limits()));
    let names: BTreeSet<&String> = [base, ours, theirs].iter().flat_map(|rule| rule.folders.keys()).collect();
    for name in names {
        let of = |rule: &HealthRule| rule.folders.get(name).cloned();
        let folder = match (of(base), of(ours), of(theirs)) {
            (base, Some(ours), Some(theirs)) => Some(limits(&base.unwrap_or_default(), &ours, &theirs)),
            // What one changed and the other took out stays: nothing is held to less by that.
            (base, Some(one), None) | (base, None, Some(one)) => {
                Some(one).filter(|one| Some(one) != base.as_ref())
            }
            (_, None, None) => None,
        };
        merged.folders.extend(folder.map(|folder| (name.clone(), folder)));
    }
    merged.ignore = ignored(&base.ignore, &ours.ignore, &theirs.ignore);
    merged
}

fn limits(base: &LimitsRule, ours: &LimitsRule, theirs: &LimitsRule) -> LimitsRule {
    let fewest = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
    LimitsRule {
        min_length: part(base.min_length, ours.min_length, theirs.min_length, Option::max),
        min_score: part(base.min_score, ours.min_score, theirs.min_score, Option::max),
        max_age: part(base.max_age, ours.max_age, theirs.max_age, fewest),
        expires_within: part(base.expires_within, ours.expires_within, theirs.expires_within, Option::max),
        skip: part(base.skip.clone(), ours.skip.clone(), theirs.skip.clone(), |ours, theirs| {
            let (ours, theirs) = (ours?, theirs?);
            Some(
                ours.into_iter()
                    .filter(|kind| theirs.contains(kind))
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
            )
        }),
    }
}

/// Returns what becomes of one part; `both` says what if both changed it.
fn part<T: PartialEq>(base: T, ours: T, theirs: T, both: impl FnOnce(T, T) -> T) -> T {
    if ours == base || ours == theirs {
        theirs
    } else if theirs == base {
        ours
    } else {
        both(ours, theirs)
    }
}

/// Returns what neither took out, in its order, then what either added, sorted.
fn ignored(base: &[IgnoreRule], ours: &[IgnoreRule], theirs: &[IgnoreRule]) -> Vec<IgnoreRule> {
    let kept = base.iter().filter(|rule| ours.contains(rule) && theirs.contains(rule));
    let new: BTreeSet<&IgnoreRule> = ours.iter().chain(theirs).filter(|rule| !base.contains(rule)).collect();
    kept.chain(new).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn rule(text: &str) -> HealthRule {
        Config::of(Some(format!("version: 1\nhealth: {text}\n").as_bytes())).unwrap().health
    }

    #[test]
    fn comes_to_the_same_whoever_merges() {
        for (base, ours, theirs, wanted) in [
            (
                "{min_length: 10}",
                "{min_length: 14}",
                "{min_length: 10, max_age: 90}",
                "{min_length: 14, max_age: 90}",
            ),
            (
                "{}",
                "{min_length: 14, max_age: 90}",
                "{min_length: 16, max_age: 365}",
                "{min_length: 16, max_age: 90}",
            ),
            ("{max_age: 5}", "{max_age: 9}", "{}", "{max_age: 9}"),
            ("{}", "{skip: [no-url, weak]}", "{skip: [no-login, no-url]}", "{skip: [no-url]}"),
            ("{skip: [weak]}", "{}", "{skip: [weak]}", "{}"),
            (
                "{folders: {a: {max_age: 1}, b: {}}}",
                "{folders: {a: {max_age: 2}}}",
                "{folders: {b: {}}}",
                "{folders: {a: {max_age: 2}}}",
            ),
            (
                "{ignore: [{entry: a, why: x}, {entry: b, why: y}]}",
                "{ignore: [{entry: a, why: x}, {entry: d, why: z}]}",
                "{ignore: [{entry: c, why: z}, {entry: a, why: x}, {entry: b, why: y}]}",
                "{ignore: [{entry: a, why: x}, {entry: c, why: z}, {entry: d, why: z}]}",
            ),
        ] {
            let (base, ours, theirs) = (rule(base), rule(ours), rule(theirs));
            assert_eq!(merged(&base, &ours, &theirs), rule(wanted));
            assert_eq!(merged(&base, &theirs, &ours), rule(wanted));
        }
    }
}
