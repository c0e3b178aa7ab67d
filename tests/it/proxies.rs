//! Proxies from the environment: one that fails is named, and its password is not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::program::{Run, command, ended};
use crate::support::Registry;

const TARGET: &str = "reg.test/acme/app:1.0";

/// A proxy that gives everybody the same answer; its address.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// Checks an image through a proxy, with a password for it.
fn through(variable: &str, proxy: &str, more: &[&str]) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(directory.path());
    command.env(variable, format!("http://me:canary-password@{proxy}"));
    let run = ended(command.args(["check", TARGET, "--policy=ocilint:baseline", "--deadline=3s", "-v"]).args(more));
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("canary"), "{}{}", run.stdout, run.stderr);
    run
}

/// It could not be known, for this reason, and the proxy is named.
#[track_caller]
fn holds(run: &Run, proxy: &str, words: &str) {
    let told: Vec<&str> = run.stdout.split_whitespace().filter(|word| *word != "│").collect();
    let told = told.join(" ");
    assert_eq!(run.exit, 2, "{told}");
    assert!(told.contains(words) && told.contains(&format!("asked through the proxy {proxy}")), "{told}");
}

#[test]
fn a_proxy_that_wants_a_login_says_so_and_is_asked_once() {
    let proxy = answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    for run in [
        through("HTTPS_PROXY", &proxy, &[]),
        through("ALL_PROXY", &proxy, &[]),
        through("http_proxy", &proxy, &["--plain-http=reg.test"]),
    ] {
        holds(&run, &proxy, "the proxy wants a name and a password");
        assert_eq!(run.stderr.matches("GET ").count(), 1, "{}", run.stderr);
    }
}

#[test]
fn a_proxy_that_does_not_connect_is_named() {
    let proxy = answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    holds(&through("HTTPS_PROXY", &proxy, &[]), &proxy, "the proxy does not connect to the registry");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    holds(&through("HTTPS_PROXY", &closed, &[]), &closed, "Connection refused");
}

#[test]
fn this_machine_is_never_asked_for_through_a_proxy() {
    let registry = Registry::start();
    registry.store().load_layout("acme/app", std::path::Path::new("examples/layouts/oci-list"), "1.0");
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(directory.path());
    command.env("HTTP_PROXY", "http://127.0.0.1:1");
    let target = registry.reference("acme/app:1.0");
    let run = ended(command.args(["check", &target, "--plain-http", "--policy=ocilint:baseline"]));
    assert_eq!(run.exit, 0, "{}", run.stdout);
}
