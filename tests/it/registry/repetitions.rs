//! What is asked again, when, and how many requests are under way.

use super::{REPOSITORY, Run, digest, manifest, served, source, with_image};
use crate::support::{Certificates, Fault, Gate, OCI_MANIFEST, Registry, Rule, Stop, When};
use futures_util::future::join_all;
use ocilint::graph::Cause;
use ocilint::oci::{Digest, Reference};
use ocilint::source::registry::RegistrySource;
use ocilint::source::{Event, Source as _};
use std::time::{Duration, Instant};

async fn resolve(run: &Run, registry: &Registry) -> Result<Digest, Cause> {
    let resolved = run.source(registry, "acme/app:1.0").resolve().await;
    resolved.map(|resolved| served(resolved).digest).map_err(|why| why.cause)
}

fn limited(retry_after: Option<&str>, times: usize) -> Registry {
    let (registry, _) = with_image();
    registry.rule(Rule::new(When::any(), Fault::rate_limit(retry_after)).times(times));
    registry
}

#[tokio::test]
async fn retry_after_is_kept_to() {
    let (run, registry) = (Run::new(), limited(Some("7"), 2));
    assert!(resolve(&run, &registry).await.is_ok());
    assert_eq!(run.pauses(), [Duration::from_secs(7); 2]);
    assert_eq!(registry.log().len(), 3);
}

#[tokio::test]
async fn a_rate_limit_that_stays_is_unknown_after_five_tries_of_at_most_a_minute() {
    for (retry_after, least) in
        [(Some("3600"), 60), (Some("Fri, 31 Dec 2100 23:59:59 GMT"), 60), (Some("soon"), 0), (None, 0)]
    {
        let (run, registry) = (Run::new(), limited(retry_after, usize::MAX));
        assert_eq!(resolve(&run, &registry).await, Err(Cause::RateLimited));
        assert_eq!(registry.log().len(), 5);
        let (least, most) = (Duration::from_secs(least), Duration::from_mins(1));
        let pauses = run.pauses();
        assert!(pauses.len() == 4 && pauses.iter().all(|pause| (least..=most).contains(pause)), "{pauses:?}");
    }
}

#[tokio::test]
async fn pauses_are_random_and_grow_up_to_a_limit() {
    let (mut run, registry) = (Run::new(), limited(None, usize::MAX));
    run.options.retry.tries = 12;
    assert_eq!(resolve(&run, &registry).await, Err(Cause::RateLimited));
    let limits = (0..11).map(|n| Duration::from_millis(500 * (1 << n)).min(Duration::from_mins(1)));
    let pauses = run.pauses();
    assert!(pauses.iter().zip(limits).all(|(pause, limit)| *pause <= limit), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(500)), "{pauses:?}");
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (run, (registry, wanted)) = (Run::new(), with_image());
        registry.rule(Rule::new(When::any(), Fault::status(status)).times(2));
        assert_eq!(resolve(&run, &registry).await, Ok(wanted), "{status}");
        assert_eq!(registry.log().len(), 3);
    }
    for fault in
        [Fault::Unsaid(Stop::Close), Fault::Unsaid(Stop::Reset), Fault::Cut(5, Stop::Close), Fault::Cut(5, Stop::Reset)]
    {
        let (run, (registry, wanted)) = (Run::new(), with_image());
        registry.rule(Rule::new(When::any(), fault.clone()).times(2));
        assert_eq!(resolve(&run, &registry).await, Ok(wanted), "{fault:?}");
    }
}

#[tokio::test]
async fn what_stays_broken_is_said_as_it_is() {
    let outcome = async |fault: Fault| {
        let (registry, _) = with_image();
        registry.rule(Rule::new(When::any(), fault));
        let cause = resolve(&Run::new(), &registry).await.unwrap_err();
        (cause, registry.log().len())
    };
    assert_eq!(outcome(Fault::Cut(5, Stop::Close)).await, (Cause::Truncated { got: 5 }, 5));
    let (cause, tries) = outcome(Fault::status(503)).await;
    assert!(matches!(cause, Cause::Status { code: 503, .. }) && tries == 5);
    let (cause, tries) = outcome(Fault::Unsaid(Stop::Reset)).await;
    assert!(matches!(cause, Cause::Unreachable { .. }) && tries == 5);

    let run = Run::new();
    let closed = { Registry::start().host() };
    let reference = Reference::parse(&format!("{closed}/acme/app:1.0")).unwrap();
    let why = RegistrySource::new(run.transport(), reference).resolve().await.unwrap_err();
    assert!(matches!(&why.cause, Cause::Unreachable { detail } if detail.contains("refused")), "{why}");
    assert_eq!(run.pauses().len(), 4);
}

#[tokio::test]
async fn nobody_waits_beyond_the_deadline() {
    let (run, registry) = (Run::new(), limited(Some("30"), usize::MAX));
    let source = run.source(&registry, "acme/app:1.0").with_deadline(Instant::now() + Duration::from_secs(20));
    assert_eq!(source.resolve().await.unwrap_err().cause, Cause::RateLimited);
    assert_eq!((registry.log().len(), run.pauses().len()), (1, 0));
}

#[tokio::test]
async fn a_stalled_answer_runs_out_of_time() {
    for fault in [Fault::Unsaid(Stop::Stall), Fault::Cut(5, Stop::Stall), Fault::Drip(1, Duration::from_millis(40))] {
        let (run, (registry, _)) = (Run::impatient(), with_image());
        registry.rule(Rule::new(When::any(), fault.clone()));
        let cause = resolve(&run, &registry).await.unwrap_err();
        assert!(matches!(cause, Cause::Timeout { .. }), "{fault:?}: {cause}");
    }
}

#[tokio::test]
async fn a_pause_is_told_with_its_reason() {
    let (run, registry) = (Run::new(), limited(Some("7"), 1));
    resolve(&run, &registry).await.unwrap();
    let url = format!("{}/v2/acme/app/manifests/1.0", registry.url());
    let events = run.ear.events.lock().unwrap();
    let [
        Event::Request { method: "GET", url: first },
        Event::Response { status: 429, .. },
        Event::Retry { url: again, after, reason },
        rest @ ..,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((first, again, *after), (&url, &url, Duration::from_secs(7)));
    assert!(reason.contains("429"), "{reason}");
    let length = manifest("1.0").len() as u64;
    assert!(
        matches!(rest, [Event::Request { .. }, Event::Response { status: 200, bytes, .. }] if *bytes == length),
        "{rest:?}"
    );
}

/// Asks for 50 manifests at once while no answer goes out; waits until `limit` requests have come, then lets all through.
async fn width(run: &Run, registry: &Registry, limit: usize) -> usize {
    let source = run.source(registry, "acme/app:1.0");
    source.resolve().await.expect("a manifest");
    let put = |n: usize| registry.store().put_manifest(REPOSITORY, None, manifest(&n.to_string()), OCI_MANIFEST);
    let digests: Vec<Digest> = (0..50).map(|n| digest(&put(n))).collect();
    let gate = Gate::new();
    registry.rule(Rule::new(When::any(), Fault::Hold(gate.clone())));
    let all = join_all(digests.iter().map(|digest| source.manifest(digest)));
    let open = async {
        registry.log().until(|entries| entries.len() == 1 + limit).await;
        gate.open();
    };
    let (got, ()) = tokio::join!(all, open);
    assert!(got.into_iter().all(|one| one.is_ok()));
    registry.log().max_in_flight()
}

#[tokio::test]
async fn requests_to_one_host_are_limited() {
    let (registry, _) = with_image();
    assert_eq!(width(&Run::new(), &registry, 8).await, 8);

    let (mut run, (registry, _)) = (Run::new(), with_image());
    run.options.jobs = Some(3);
    assert_eq!(width(&run, &registry, 3).await, 3);
}

#[tokio::test]
async fn a_rate_limit_halves_what_is_under_way() {
    let registry = limited(None, 1);
    assert_eq!(width(&Run::new(), &registry, 5).await, 4, "one more came before, that is refused");
}

#[tokio::test]
async fn http2_carries_more_over_one_connection() {
    let certificates = Certificates::new();
    let authority = certificates.authority_file();
    let registry = Registry::builder().tls(&certificates).http2().start();
    super::put_image(&registry);
    let mut run = Run::new();
    run.options.plain_http.loopback = false;
    run.options.ca_file = Some(authority.path().to_owned());
    assert_eq!(width(&run, &registry, 32).await, 32);
    assert_eq!(registry.log().connections(), 1);
    assert!(registry.log().entries().iter().all(|entry| entry.version == "HTTP/2"));
}

#[tokio::test]
async fn broken_streams_are_asked_for_again() {
    let certificates = Certificates::new();
    let authority = certificates.authority_file();
    for fault in
        [Fault::Unsaid(Stop::Reset), Fault::Unsaid(Stop::Close), Fault::Cut(5, Stop::Reset), Fault::Cut(5, Stop::Close)]
    {
        let registry = Registry::builder().tls(&certificates).http2().start();
        let wanted = super::put_image(&registry);
        registry.rule(Rule::new(When::any(), fault.clone()).times(2));
        let mut run = Run::new();
        run.options.plain_http.loopback = false;
        run.options.ca_file = Some(authority.path().to_owned());
        assert_eq!(resolve(&run, &registry).await, Ok(wanted), "{fault:?}");
    }
}

#[tokio::test]
async fn a_host_that_wants_silence_gets_it_from_all() {
    let (mut run, registry) = (Run::new(), limited(Some("30"), 1));
    run.options.retry.tries = 1;
    let transport = run.transport();
    let image = || source(&transport, &registry, "acme/app:1.0");
    assert_eq!(image().resolve().await.unwrap_err().cause, Cause::RateLimited);
    assert!(run.pauses().is_empty());
    image().resolve().await.expect("another image of the same host");
    let pauses = run.pauses();
    assert!(
        matches!(&pauses[..], [pause] if *pause <= Duration::from_secs(30) && *pause > Duration::from_secs(20)),
        "{pauses:?}"
    );

    let hurried = image().with_deadline(Instant::now() + Duration::from_secs(5));
    assert_eq!(hurried.resolve().await.unwrap_err().cause, Cause::RateLimited);
    assert_eq!(registry.log().len(), 2, "it is not even asked");
}

#[tokio::test]
async fn images_share_connections() {
    let (registry, _) = with_image();
    let transport = Run::new().transport();
    for _ in 0..5 {
        source(&transport, &registry, "acme/app:1.0").resolve().await.unwrap();
    }
    assert_eq!(registry.log().connections(), 1);
}
