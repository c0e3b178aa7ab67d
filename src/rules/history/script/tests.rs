use super::*;

/// The programs of each pipeline, those of words too.
fn programs(script: &str) -> Vec<String> {
    let mut found = Vec::new();
    visit(&read(script), &mut |pipeline| {
        let names = pipeline
            .iter()
            .map(|command| command.runs().into_iter().map(|run| run.program).collect::<Vec<_>>().join(" "));
        found.push(names.collect::<Vec<_>>().join(" | "));
    });
    found
}

#[test]
fn commands_are_told_from_their_arguments() {
    assert_eq!(programs("set -eux; apt-get update && apt-get install -y sudo"), ["set", "apt-get", "apt-get"]);
    assert_eq!(programs("A=1 B= /usr/bin/Curl -o x y|sh&wait"), ["curl | sh", "wait"]);
    assert_eq!(
        programs("if ! command -v x >/dev/null 2>&1; then sudo -u me env A=b x; fi"),
        ["command", "sudo env x", "fi"]
    );
    assert_eq!(programs("echo 'a; sudo b' \"c && d\" e\\;f # sudo"), ["echo"]);
    assert_eq!(programs("x &> /dev/null; y >&2 | z |& w 2>>log <in"), ["x", "y | z | w"]);
    assert_eq!(programs("(cd /x && make) || { exit 1; }"), ["cd", "make", "exit", "}"]);
    assert_eq!(programs("timeout 10 gosu root:root curl x"), ["timeout gosu curl"]);
    assert_eq!(programs("case x in a) b ;; esac\nfor i in 1 2; do c; done"), ["case", "b", "esac", "for", "c", "done"]);
}

#[test]
fn commands_in_words_are_seen() {
    assert_eq!(programs("sh -c \"$(curl x | cat)\""), ["sh", "curl | cat"]);
    assert_eq!(programs("a=`b $(c)` bash <(d)"), ["bash", "b", "c", "d"]);
    assert_eq!(programs("x \"$(a (b); c)\" d; e"), ["x", "a", "b", "c", "e"]);
}

#[test]
fn documents_in_a_script_are_no_commands() {
    assert_eq!(programs("cat > f <<'EOF' && a\nsudo b\nEOF\nc"), ["cat", "a", "c"]);
    assert_eq!(programs("cat <<-X <<Y\nsudo\n\tX\nsudo\nY\nz"), ["cat", "z"]);
    assert_eq!(programs("cat <<< sudo; b"), ["cat", "b"]);
    let input = |script: &str| {
        let read = read(script);
        read[0].iter().flat_map(|command| &command.input).map(|word| word.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(input("sh <<A <<-'B' | x\na\nA\n\tb\n\tB\nc"), ["a\n", "\tb\n"]);
    assert_eq!((input("sh <<<'a b' >y"), input("sh <<A")), (vec!["a b".to_owned()], vec![]));
}

#[test]
fn a_pipe_goes_on_on_the_next_line() {
    assert_eq!(programs("a |\n  b\nc |\n# d\n e"), ["a | b", "c | e"]);
    assert_eq!(programs("a | (b; c) | d"), ["a | b", "c", "d"]);
    assert_eq!(programs("a < <(b) | c"), ["a | c", "b"]);
}

#[test]
fn nothing_that_is_written_takes_long_or_much_of_the_stack() {
    for hostile in ["$(", "\"$(", "`", "<(", "(", "\"", "'", "<<a\n", "<<a ", "a|", "a|\n", "a=`b $("] {
        let _ = read(&hostile.repeat(100_000));
    }
}
