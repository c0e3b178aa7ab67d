//! Words for what was meant.

/// Candidates that are looked at: thousands of unknown names among thousands of known ones would take minutes.
const CANDIDATES: usize = 1_000;

/// The candidate that a word was probably meant to be.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let distance = |candidate: &&'c str| {
        let distance = strsim::damerau_levenshtein(&word, candidate);
        // An abbreviation is near however much it leaves out, and a slip of one character is nearer.
        if is_abbreviation(&word, candidate) { distance.min(2) } else { distance }
    };
    let length = word.chars().count();
    let near = |candidate: &&'c str| {
        let length = length.max(candidate.chars().count());
        distance(candidate) <= (length / 3).max(1) || is_abbreviation(&word, candidate)
    };
    let candidates = candidates.iter().copied().take(CANDIDATES);
    candidates.filter(near).min_by_key(distance)
}

/// `warn` for `warning`, `platform` for `platforms`.
fn is_abbreviation(word: &str, candidate: &str) -> bool {
    let (short, long) = if word.len() < candidate.len() { (word, candidate) } else { (candidate, word) };
    short.len() >= 3 && long.starts_with(short)
}

/// `did you mean …?`, if there is anything to say.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// `` `a`, `b` or `c` ``.
pub(super) fn any_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found() {
        let levels = ["error", "warning", "note", "off"];
        assert_eq!(nearest("warn", &levels), Some("warning"));
        assert_eq!(nearest("Eror", &levels), Some("error"));
        assert_eq!(nearest("deny", &levels), None);
        assert_eq!(nearest("zstd-chunked", &["zstd", "zstd:chunked"]), Some("zstd:chunked"));
        let rules = ["platforms", "platform-agreement", "labels"];
        assert_eq!(nearest("platform_agrement", &rules), Some("platform-agreement"));
        assert_eq!(nearest("lable", &rules), Some("labels"));
        assert_eq!(nearest("x", &rules), None);
        assert_eq!(nearest("", &rules), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(any_of(&["a"]), "`a`");
        assert_eq!(any_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
