//! The walk: fetches what was demanded, side by side, and puts it into the graph.

mod spent;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use self::spent::Spent;
use super::{Part, Resolved, Served, Source};
use crate::graph::{Cause, Demand, Fetched, Graph, Known, LayerHead, ReferrerList, Root, RootKind, Tagged, Why};
use crate::oci::{Digest, Document, ImageConfig, Manifest, MediaType, Sbom, Statement, StatementText};
use crate::target::Target;

/// A config is at most this large, in bytes; so is a manifest.
const MAX_DOCUMENT: u64 = 4 << 20;
/// A statement or SBOM is at most this large, in bytes (BuildKit's own limit).
const MAX_STATEMENT: u64 = 40 << 20;
/// Layers up to this size, in bytes, are fetched whole, so that what is judged of them is hashed.
const SMALL_LAYER: u64 = 64 << 10;
/// The start of a larger layer that is looked at, in bytes: enough for every magic number.
const HEAD: u64 = 512;
/// Demands of one image that are under way at once; the transport limits the requests to one host.
const SIDE_BY_SIDE: usize = 64;
/// Statements that are held in memory at once, over all images, in mebibytes: two of the largest, or many small ones.
const STATEMENTS_AT_ONCE: usize = 2 * 41;

/// Other images that are looked at for one: its base, earlier releases.
const MAX_OTHERS: usize = 16;

/// Limits that all walks of a run share.
#[derive(Debug, Clone)]
pub struct Budget {
    statements: Arc<Semaphore>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { statements: Arc::new(Semaphore::new(STATEMENTS_AT_ONCE)) }
    }
}

/// The walk over one image.
pub struct Walk {
    source: Arc<dyn Source>,
    budget: Budget,
    deadline: Instant,
    spent: Arc<Spent>,
    others: Mutex<BTreeMap<Arc<Target>, Arc<Walk>>>,
}

/// The answer to one demand, ready to be put into the graph.
enum Answer {
    Manifest(Digest, Known<Arc<Document<Manifest>>>),
    Config(Digest, Known<Arc<Document<ImageConfig>>>),
    Statement(Digest, Known<Arc<Statement>>),
    StatementText(Digest, Known<Arc<StatementText>>),
    Sbom(Digest, Known<Arc<Sbom>>),
    Head(Digest, Known<LayerHead>),
    Referrers(Digest, Known<ReferrerList>),
    Tag(String, Known<Option<Tagged>>),
    Tags(Known<Vec<String>>),
    TagsOf(Arc<Target>, Known<Vec<String>>),
    Other(Arc<Target>, Box<Known<Graph>>),
}

impl Walk {
    /// A walk that reads from `source` until `deadline`.
    pub fn new(source: Arc<dyn Source>, budget: Budget, deadline: Instant) -> Self {
        Self { source, budget, deadline, spent: Arc::default(), others: Mutex::default() }
    }

    /// Resolves the target, once: everything that is judged hangs on the digest found here.
    pub async fn start(&self, target: &Target, now: Timestamp) -> Known<Graph> {
        let doing = || format!("reading {target}");
        let (served, kind) = match self.in_time(doing(), self.source.resolve()).await? {
            Resolved::Manifest(served) => (served, RootKind::Manifest),
            Resolved::SavedConfig(served) => (served, RootKind::SavedConfig),
        };
        let size = served.bytes.len() as u64;
        let root = |digest: &Digest, media_type: MediaType| Root {
            target: target.clone(),
            digest: digest.clone(),
            kind,
            media_type,
            size,
        };
        let digest = served.digest.clone();
        if kind == RootKind::SavedConfig {
            let config = read_config(served.bytes, &digest, doing());
            let media_type = served.media_type.unwrap_or_else(|| MediaType::from(""));
            let mut graph = Graph::new(root(&digest, media_type), now);
            graph.put_config(digest, config);
            return Ok(graph);
        }
        let (document, media_type) = read_root(served, doing())?;
        let mut graph = Graph::new(root(&digest, media_type), now);
        graph.put_manifest(digest, Ok(Arc::new(document)));
        Ok(graph)
    }

    /// Fetches everything demanded, side by side, and puts what came of it into the graph.
    pub fn fetch<'a>(&'a self, graph: &'a mut Graph, demands: BTreeSet<Demand>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let mut answers = stream::iter(self.errands(graph, demands)).buffer_unordered(SIDE_BY_SIDE);
            while let Some(answer) = answers.next().await {
                match answer {
                    Answer::Manifest(digest, known) => graph.put_manifest(digest, known),
                    Answer::Config(digest, known) => graph.put_config(digest, known),
                    Answer::Statement(digest, known) => graph.put_statement(digest, known),
                    Answer::StatementText(digest, known) => graph.put_statement_text(digest, known),
                    Answer::Sbom(digest, known) => graph.put_sbom(digest, known),
                    Answer::Head(digest, known) => graph.put_head(digest, known),
                    Answer::Referrers(digest, known) => graph.put_referrers(digest, known),
                    Answer::Tag(tag, known) => graph.put_tag(tag, known),
                    Answer::Tags(known) => graph.put_tags(known),
                    Answer::TagsOf(target, known) => graph.put_tags_of(target, known),
                    Answer::Other(target, known) => graph.put_other(target, *known),
                }
            }
        })
    }

    /// What has to be done to answer what is demanded and not known yet.
    fn errands(&self, graph: &mut Graph, demands: BTreeSet<Demand>) -> Vec<BoxFuture<'_, Answer>> {
        let fresh = demands.into_iter().filter(|demand| !graph.answers(demand));
        let (elsewhere, mut here): (Vec<_>, Vec<_>) =
            fresh.partition(|demand| matches!(demand, Demand::Other(_) | Demand::Within(..)));
        // The root's list of referrers is the probe for the whole repository, so it goes first.
        let probe = Demand::Referrers(graph.root.digest.clone());
        here.sort_by_key(|demand| *demand != probe);
        let now = graph.observed_at;
        let here = here.into_iter().map(|demand| Box::pin(self.answer(demand)) as BoxFuture<'_, Answer>);
        let elsewhere = by_target(elsewhere).into_iter().map(|(target, demands)| {
            let known = graph.take_other(&target);
            Box::pin(self.learn(target, known, demands, now)) as BoxFuture<'_, Answer>
        });
        here.chain(elsewhere).collect()
    }

    async fn answer(&self, demand: Demand) -> Answer {
        match demand {
            Demand::Manifest(digest) => {
                let known = self.manifest(&digest).await;
                Answer::Manifest(digest, known)
            }
            Demand::Config(digest) => {
                let known = self.config(&digest).await;
                Answer::Config(digest, known)
            }
            Demand::Statement { digest, media_type, size } => {
                let known = self.statement(&digest, &media_type, size).await;
                Answer::Statement(digest, known)
            }
            Demand::StatementText { digest, media_type, size } => {
                let known = self.statement_text(&digest, &media_type, size).await;
                Answer::StatementText(digest, known)
            }
            Demand::Sbom { digest, size } => {
                let known = self.sbom(&digest, size).await;
                Answer::Sbom(digest, known)
            }
            Demand::Head { digest, size } => {
                let known = self.head(&digest, size).await;
                Answer::Head(digest, known)
            }
            Demand::Referrers(digest) => {
                let doing = format!("listing what refers to {}", digest.short());
                let known = self.in_time(doing, self.source.referrers(&digest)).await;
                Answer::Referrers(digest, known)
            }
            Demand::Tag(tag) => {
                let known = self.tag(&tag).await;
                Answer::Tag(tag, known)
            }
            Demand::Tags => Answer::Tags(self.tags().await),
            Demand::TagsOf(target) => {
                let known = match self.walk_of(&target).await {
                    Ok(walk) => walk.tags().await,
                    Err(why) => Err(why),
                };
                Answer::TagsOf(target, known)
            }
            Demand::Other(_) | Demand::Within(..) => unreachable!("invariant: `fetch` sets these apart"),
        }
    }

    /// Finds another image if it is not known yet, and fetches what is demanded of it.
    async fn learn(
        &self,
        target: Arc<Target>,
        known: Option<Known<Graph>>,
        demands: BTreeSet<Demand>,
        now: Timestamp,
    ) -> Answer {
        let known = match self.walk_of(&target).await {
            Err(why) => Err(why),
            Ok(walk) => match known {
                None => walk.start(&target, now).await,
                Some(known) => known,
            }
            .map(|graph| (walk, graph)),
        };
        match known {
            Err(why) => Answer::Other(target, Box::new(Err(why))),
            Ok((walk, mut graph)) => {
                walk.fetch(&mut graph, demands).await;
                Answer::Other(target, Box::new(Ok(graph)))
            }
        }
    }

    /// The walk over another image.
    async fn walk_of(&self, target: &Arc<Target>) -> Known<Arc<Walk>> {
        if let Some(walk) = self.others().get(target) {
            return Ok(Arc::clone(walk));
        }
        if self.others().len() >= MAX_OTHERS {
            let what = format!("{MAX_OTHERS} other images");
            return Err(Why::new(format!("looking for {target}"), Cause::Budget { what }));
        }
        let source = self.in_time(format!("opening {target}"), self.source.elsewhere(target)).await?;
        let walk = Self::new(source, self.budget.clone(), self.deadline);
        let walk = Arc::new(Self { spent: Arc::clone(&self.spent), ..walk });
        self.others().insert(Arc::clone(target), Arc::clone(&walk));
        Ok(walk)
    }

    fn others(&self) -> MutexGuard<'_, BTreeMap<Arc<Target>, Arc<Walk>>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been fetched over the network by this walk, other images included.
    pub fn fetched(&self) -> Fetched {
        let own = self.source.fetched();
        self.others()
            .values()
            .map(|walk| walk.fetched())
            .fold(own, |sum, more| Fetched { requests: sum.requests + more.requests, bytes: sum.bytes + more.bytes })
    }

    async fn manifest(&self, digest: &Digest) -> Known<Arc<Document<Manifest>>> {
        let doing = format!("reading manifest {}", digest.short());
        let bytes = self.in_time(doing.clone(), self.source.manifest(digest)).await?;
        self.spent.on_document(&doing, bytes.len())?;
        let document = Document::read_as(bytes, digest.clone());
        document.map(Arc::new).map_err(|error| Why::new(doing, Cause::Unreadable { detail: error.to_string() }))
    }

    async fn config(&self, digest: &Digest) -> Known<Arc<Document<ImageConfig>>> {
        let doing = format!("reading config {}", digest.short());
        let whole = Part::Whole { cap: MAX_DOCUMENT };
        let bytes = self.in_time(doing.clone(), self.source.blob(digest, whole)).await?;
        self.spent.on_document(&doing, bytes.len())?;
        read_config(bytes, digest, doing)
    }

    async fn statement(&self, digest: &Digest, media_type: &MediaType, size: u64) -> Known<Arc<Statement>> {
        let doing = format!("reading statement {}", digest.short());
        let (bytes, _permit) = self.large(&doing, digest, size).await?;
        let statement = Statement::read(&bytes, media_type).map_err(|error| Why::statement(&doing, &error))?;
        if let Some(Ok(sbom)) = &statement.sbom {
            self.spent.on_extract(&doing, sbom.weight())?;
        }
        Ok(Arc::new(statement))
    }

    async fn statement_text(&self, digest: &Digest, media_type: &MediaType, size: u64) -> Known<Arc<StatementText>> {
        let doing = format!("reading statement {}", digest.short());
        let (bytes, _permit) = self.large(&doing, digest, size).await?;
        let text = StatementText::read(&bytes, media_type).map_err(|error| Why::statement_text(&doing, &error))?;
        self.spent.on_extract(&doing, text.size())?;
        Ok(Arc::new(text))
    }

    async fn sbom(&self, digest: &Digest, size: u64) -> Known<Arc<Sbom>> {
        let doing = format!("reading SBOM {}", digest.short());
        let (bytes, _permit) = self.large(&doing, digest, size).await?;
        let sbom = Sbom::read(&bytes).map_err(|error| Why::sbom(&doing, &error))?;
        self.spent.on_extract(&doing, sbom.weight())?;
        Ok(Arc::new(sbom))
    }

    /// A statement or SBOM, and the permission to hold it in memory.
    async fn large(&self, doing: &str, digest: &Digest, size: u64) -> Known<(Bytes, SemaphorePermit<'_>)> {
        let cap = if size == 0 { MAX_STATEMENT } else { size.min(MAX_STATEMENT) };
        let permit = self.budget.statements.acquire_many(mebibytes(cap));
        let permit = timeout_at(self.deadline, permit).await.map_err(|_| Why::new(doing, Cause::Deadline))?;
        let permit = permit.map_err(|_| Why::new(doing, Cause::Cancelled))?;
        let bytes = self.in_time(doing.to_owned(), self.source.blob(digest, Part::Whole { cap })).await?;
        self.spent.on_statement(doing, bytes.len())?;
        Ok((bytes, permit))
    }

    async fn head(&self, digest: &Digest, size: u64) -> Known<LayerHead> {
        let whole = (1..=SMALL_LAYER).contains(&size);
        let part = if whole { Part::Whole { cap: SMALL_LAYER } } else { Part::Start { length: HEAD, size } };
        let doing = format!("reading the start of layer {}", digest.short());
        let bytes = self.in_time(doing, self.source.blob(digest, part)).await?;
        let kept = bytes.len().min(usize::try_from(HEAD).unwrap_or(usize::MAX));
        Ok(LayerHead { bytes: Bytes::copy_from_slice(&bytes[..kept]), whole })
    }

    async fn tag(&self, tag: &str) -> Known<Option<Tagged>> {
        let doing = format!("reading tag {tag}");
        let Some(served) = self.in_time(doing.clone(), self.source.tag(tag)).await? else { return Ok(None) };
        self.spent.on_document(&doing, served.bytes.len())?;
        let digest = served.digest.clone();
        let (document, _) = read_root(served, doing)?;
        Ok(Some(Tagged { digest, document: Arc::new(document) }))
    }

    async fn tags(&self) -> Known<Vec<String>> {
        self.in_time("listing the tags".to_owned(), self.source.tags()).await
    }

    async fn in_time<T>(&self, doing: String, reading: super::Reading<'_, T>) -> Known<T> {
        let in_time = timeout_at(self.deadline, reading).await;
        in_time.unwrap_or_else(|_| Err(Why::new("", Cause::Deadline))).map_err(|why| why.or_doing(doing))
    }
}

/// What is demanded of each other image.
fn by_target(demands: Vec<Demand>) -> BTreeMap<Arc<Target>, BTreeSet<Demand>> {
    let mut targets: BTreeMap<Arc<Target>, BTreeSet<Demand>> = BTreeMap::new();
    for demand in demands {
        match demand {
            Demand::Other(target) => drop(targets.entry(target).or_default()),
            Demand::Within(target, demand) => drop(targets.entry(target).or_default().insert(*demand)),
            _ => {}
        }
    }
    targets
}

/// A size in whole mebibytes, rounded up; at least one.
fn mebibytes(bytes: u64) -> u32 {
    u32::try_from(bytes >> 20).map_or(u32::MAX, |whole| whole.saturating_add(1))
}

fn read_config(bytes: Bytes, digest: &Digest, doing: String) -> Known<Arc<Document<ImageConfig>>> {
    let document = Document::read_as(bytes, digest.clone());
    document.map(Arc::new).map_err(|error| Why::new(doing, Cause::Unreadable { detail: error.to_string() }))
}

/// Reads what was served under a name, with its media type: what the document says, else what it was served as, else what
/// its shape tells. A served type that names another kind of manifest than the document does is a contradiction; a generic
/// one (`application/json`, none) says nothing.
fn read_root(served: Served, doing: String) -> Known<(Document<Manifest>, MediaType)> {
    let document: Document<Manifest> = match Document::read_as(served.bytes, served.digest) {
        Ok(document) => document,
        Err(error) => return Err(Why::new(doing, Cause::NotTheDocument { detail: error.to_string() })),
    };
    let said = document.value().media_type().filter(|said| !said.as_str().is_empty());
    let named = served.media_type.filter(|named| !named.is_generic());
    let media_type = match (said, named) {
        (Some(said), Some(named)) if *said != named => {
            let detail = format!("served as {named}, and says of itself {said}");
            return Err(Why::new(doing, Cause::NotTheDocument { detail }));
        }
        (Some(said), _) => said.clone(),
        (None, Some(named)) => named,
        (None, None) => document.value().effective_media_type(),
    };
    Ok((document, media_type))
}
