//! The server: a thread of its own that accepts, answers by the script, and ends when the handle is dropped.

use super::auth::{Access, Authority};
use super::delivery::{self, After, Stop};
use super::fault::Rule;
use super::h2;
use super::http::{Answer, Request, read_request};
use super::log::{Log, Ticket};
use super::routes::{Referrers, Site};
use super::store::Store;
use super::tls::Certificates;
use bytes::BytesMut;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A registry to be started.
pub struct Builder {
    address: String,
    store: Store,
    access: Access,
    authority: Option<Authority>,
    referrers: Referrers,
    tags_page: usize,
    latency: Duration,
    certificates: Option<Certificates>,
    protocols: Vec<&'static str>,
    rules: Vec<Rule>,
}

impl Builder {
    /// Listens on this address; 127.0.0.1 is the default, 127.0.0.2 and so on are other hosts.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    /// Serves this store, perhaps together with others.
    #[must_use]
    pub fn store(mut self, store: &Store) -> Self {
        self.store = store.clone();
        self
    }

    /// Asks this of readers. With tokens that are to be had at the registry itself, `/token` is served, too.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        if let Access::Bearer { authority, realm: None } = &access {
            self.authority = Some(authority.clone());
        }
        self.access = access;
        self
    }

    /// Serves the tokens of this authority at `/token`.
    #[must_use]
    pub fn authority(mut self, authority: &Authority) -> Self {
        self.authority = Some(authority.clone());
        self
    }

    /// Serves referrers like this; the default is the API with everything on one page.
    #[must_use]
    pub fn referrers(mut self, referrers: Referrers) -> Self {
        self.referrers = referrers;
        self
    }

    /// At most so many tags on a page.
    #[must_use]
    pub fn tags_page(mut self, size: usize) -> Self {
        self.tags_page = size;
        self
    }

    /// Every answer comes so much later, and the first of a connection by as much again for each handshake.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Speaks TLS with these.
    #[must_use]
    pub fn tls(mut self, certificates: &Certificates) -> Self {
        self.certificates = Some(certificates.clone());
        self
    }

    /// Speaks HTTP/2, too, with clients that ask for it in the TLS handshake.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.protocols = vec!["h2", "http/1.1"];
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Starts the server.
    pub fn start(self) -> Registry {
        let listener = std::net::TcpListener::bind((self.address.as_str(), 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("a bound listener has an address");
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{address}");
        let site = Site {
            store: self.store,
            access: self.access,
            authority: self.authority,
            referrers: self.referrers,
            tags_page: self.tags_page,
            origin: origin.clone(),
        };
        let service = Arc::new(Service {
            site,
            rules: Mutex::new(self.rules),
            log: Log::new(),
            latency: self.latency,
            acceptor: self.certificates.map(|it| it.acceptor(&self.protocols)),
        });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn({
            let service = Arc::clone(&service);
            move || run(listener, &service, stopped)
        });
        Registry { service, address, origin, running: Some((stop, thread)) }
    }
}

/// A running registry. It ends when this is dropped.
pub struct Registry {
    service: Arc<Service>,
    address: SocketAddr,
    origin: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Registry {
    /// A registry to be started: open, empty, without faults, on 127.0.0.1, without TLS.
    pub fn builder() -> Builder {
        Builder {
            address: "127.0.0.1".to_owned(),
            store: Store::default(),
            access: Access::Open,
            authority: None,
            referrers: Referrers::api(),
            tags_page: usize::MAX,
            latency: Duration::ZERO,
            certificates: None,
            protocols: vec!["http/1.1"],
            rules: Vec::new(),
        }
    }

    /// Starts one with the builder's defaults.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Its address and port, as in a reference.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its scheme, address and port.
    pub fn url(&self) -> &str {
        &self.origin
    }

    /// A reference to an image in it: `acme/app:1.0` → `127.0.0.1:43210/acme/app:1.0`.
    pub fn reference(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// What it holds; may be changed while it runs.
    pub fn store(&self) -> &Store {
        &self.service.site.store
    }

    /// What it was asked.
    pub fn log(&self) -> &Log {
        &self.service.log
    }

    /// Adds a fault from now on.
    pub fn rule(&self, rule: Rule) {
        self.service.rules().push(rule);
    }

    /// Ends all faults.
    pub fn clear_rules(&self) {
        self.service.rules().clear();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the scripted registry panicked");
        }
    }
}

/// What the tasks of all connections share.
pub struct Service {
    site: Site,
    rules: Mutex<Vec<Rule>>,
    log: Log,
    latency: Duration,
    acceptor: Option<TlsAcceptor>,
}

impl Service {
    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().expect("invariant: no holder of the lock panics")
    }

    /// Where requests are written down.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The answer by the script.
    pub fn answer(&self, mut request: Request) -> Answer {
        let rules = self.rules().clone();
        let faults: Vec<_> = rules.iter().filter_map(|rule| rule.strikes(&request)).collect();
        for fault in &faults {
            fault.prepare(&mut request);
        }
        let mut answer = self.site.answer(&request);
        answer.delivery.delay = self.latency;
        for fault in &faults {
            fault.apply(&request, &mut answer);
        }
        answer
    }
}

fn run(listener: std::net::TcpListener, service: &Arc<Service>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener of this runtime");
        tokio::select! {
            _ = stopped => {}
            () = accept(listener, service) => {}
        }
    });
}

async fn accept(listener: TcpListener, service: &Arc<Service>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let service = Arc::clone(service);
        tokio::spawn(async move {
            // A client that goes away is no concern of the server's: the log says how far it came.
            let _ = welcome(stream, &service).await;
        });
    }
}

async fn welcome(stream: TcpStream, service: &Arc<Service>) -> io::Result<()> {
    let connection = service.log.connected();
    stream.set_nodelay(true)?;
    tokio::time::sleep(service.latency).await;
    let Some(acceptor) = &service.acceptor else {
        return serve(stream, service, connection).await;
    };
    let stream = acceptor.accept(stream).await?;
    tokio::time::sleep(service.latency).await;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return h2::serve(stream, service, connection).await.map_err(io::Error::other);
    }
    serve(stream, service, connection).await
}

/// A stream whose socket can be reset.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn serve<S: Wire>(mut stream: S, service: &Service, connection: usize) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        let ticket = service.log.begin(&request, connection);
        let asked_to_close = request.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        let answer = service.answer(request.clone());
        match delivery::write(&mut stream, &request, &answer, &ticket).await? {
            After::KeepAlive if asked_to_close => return stream.shutdown().await,
            After::KeepAlive => {}
            After::End(stop) => return end(stream, stop, ticket).await,
        }
    }
    Ok(())
}

async fn end<S: Wire>(mut stream: S, stop: Stop, ticket: Ticket) -> io::Result<()> {
    match stop {
        Stop::Close => stream.shutdown().await,
        Stop::Reset => stream.socket().set_zero_linger(),
        Stop::Stall => {
            // Nothing is said until the client goes away.
            let mut ignored = [0; 1024];
            while stream.read(&mut ignored).await? > 0 {}
            drop(ticket);
            Ok(())
        }
    }
}
