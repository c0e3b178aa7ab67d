//! What of the manifests that were found counts.

use super::{Bound, Candidate, Carrier, Reason, Search};
use crate::oci::Role;
use crate::rules::carriers::content::{Told, contents, is_blank, open, unopened};
use crate::rules::carriers::{Content, Found, Home};
use crate::rules::prelude::*;

impl<'g> Search<'_, 'g> {
    /// Finds out which candidates are carriers and what they hold.
    pub(super) fn weigh(&mut self, candidates: Vec<Candidate<'g>>) -> Fact<()> {
        if candidates.iter().any(|candidate| candidate.manifest == Err(Stop::Pending)) {
            return Err(Stop::Pending);
        }
        let (mut told, mut closed) = (Vec::new(), Vec::new());
        for candidate in candidates {
            let Some((carrier, manifest)) = self.bind(candidate)? else { continue };
            for part in if self.sought.opens_statements() { unopened(manifest) } else { contents(manifest) } {
                match part {
                    Told::Content(content) => told.push((carrier.clone(), Ok(content))),
                    Told::Closed(layer) if self.may_hold(layer) => closed.push((carrier.clone(), layer)),
                    Told::Closed(_) => self.dismiss(carrier.name, "it holds a statement"),
                }
            }
        }
        self.examine(told)?;
        if !self.found.is_empty() && !self.exhaustive {
            return Ok(());
        }
        let view = self.view;
        self.examine(closed.into_iter().map(|(carrier, layer)| (carrier, open(layer, view))).collect())
    }

    /// Whether a blob that no descriptor tells about is worth reading.
    fn may_hold(&self, layer: &Descriptor) -> bool {
        self.sought.may_be_statement() || layer.media_type.role() == Role::Bundle
    }

    /// The carrier's manifest, if it is about the subject and kept in a home that counts.
    fn bind(&mut self, candidate: Candidate<'g>) -> Fact<Option<(Carrier<'g>, &'g ImageManifest)>> {
        let Candidate { name, digest, subject, bound, manifest } = candidate;
        let Some(manifest) = self.note(manifest)? else { return Ok(None) };
        let about = manifest.subject().map(|about| about.digest.as_ref());
        let reason = match (about, bound, manifest) {
            (None, Bound::Listed | Bound::Unlinked, _) => "it names no subject",
            (Some(about), ..) if about != Ok(&subject) => "its own subject is another manifest",
            (.., Manifest::Image(image)) if !self.counts_as_home(image, bound) => "`homes` leaves it out",
            (.., Manifest::Image(image)) if image.layers.iter().all(is_blank) => "it holds nothing",
            (.., Manifest::Image(image)) => {
                let fresh = self.carriers.insert((subject.clone(), digest.clone()));
                return Ok(fresh.then_some((Carrier { name, digest, about: subject }, image)));
            }
            _ => "it is no image manifest",
        };
        self.dismiss(name, reason);
        Ok(None)
    }

    /// Whether the home of a referrer counts, which depends on what it is.
    fn counts_as_home(&self, image: &ImageManifest, bound: Bound) -> bool {
        let own = image.artifact_type.iter().chain(image.config.iter().map(|config| &config.media_type));
        let is_bundle =
            own.chain(image.layers.iter().map(|layer| &layer.media_type)).any(|it| it.role() == Role::Bundle);
        bound != Bound::Listed || self.is_home(if is_bundle { Home::Bundles } else { Home::Referrers })
    }

    /// Sorts what carriers hold into what counts and what does not.
    fn examine(&mut self, contents: Vec<(Carrier<'g>, Fact<Content<'g>>)>) -> Fact<()> {
        let (sought, view) = (self.sought, self.view);
        let examined: Vec<_> = contents
            .into_iter()
            .map(|(carrier, content)| {
                let verdict = content.and_then(|content| {
                    if sought.wants(&content) {
                        let examined = sought.examine(&content, &carrier.about, view)?;
                        Ok(examined.map(|what| (what, content)).map_err(Reason::from))
                    } else {
                        Ok(Err(Reason::Holds(content)))
                    }
                });
                (carrier, verdict)
            })
            .collect();
        if examined.iter().any(|(_, verdict)| matches!(verdict, Err(Stop::Pending))) {
            return Err(Stop::Pending);
        }
        for (carrier, verdict) in examined {
            match self.note(verdict)? {
                Some(Ok((what, content))) => self.found.push(Found {
                    digest: carrier.digest,
                    carrier: carrier.name,
                    about: carrier.about,
                    content,
                    what,
                    proven: sought.proven(),
                }),
                Some(Err(reason)) => self.dismiss(carrier.name, reason),
                None => {}
            }
        }
        Ok(())
    }
}
