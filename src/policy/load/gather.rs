//! Reading what was named and all that it extends, and laying the files over each other.

use std::collections::BTreeSet;

use toml::Spanned;

use super::file::{self, Rules, Sheet};
use super::merge::{self, Layers};
use super::mistake::{Mistake, Span};
use super::sources::{FILES, Place};
use super::{Loader, data, parents};

/// How many files may extend one another, one by one.
const DEPTH: usize = 20;

impl<'a> Loader<'a> {
    /// Reads everything that was named, and returns the rules and the order in which the files count.
    pub(super) fn gather(&mut self, places: Vec<Result<Place, Mistake>>) -> (Rules<'a>, Vec<usize>) {
        let (mut union, mut all, mut budget) = (Rules::new(), Vec::new(), data::Budget::new());
        for place in places {
            let mut order = Vec::new();
            match place {
                Ok(place) => drop(self.follow(place, None, &mut order)),
                Err(mistake) => self.mistakes.add(mistake),
            }
            let mut layers = Layers::new(&mut budget, &mut self.mistakes);
            for &number in &order {
                layers.lay_over(&self.sheets[number], &file::below(&self.sheets, number));
            }
            let rules = layers.finish();
            merge::unite(&mut union, rules, &mut self.mistakes);
            all.extend(order);
        }
        let mut seen = BTreeSet::new();
        all.retain(|&number| seen.insert(number));
        (union, all)
    }

    /// Reads a file and what it extends, and appends them to the order in which they count: what is extended comes first, and
    /// what is extended twice counts once, where it came first. Returns the number of the file.
    fn follow(&mut self, place: Place, named_at: Option<Span>, order: &mut Vec<usize>) -> Option<usize> {
        let number = self.sheet(place, named_at.clone())?;
        if let Some(at) = self.active.iter().position(|&active| active == number) {
            self.mistakes.add(self.cycle(&self.active[at..], number).named_at(named_at));
            self.mistakes.miss_a_file();
            return None;
        }
        if order.contains(&number) {
            return Some(number);
        }
        if self.active.len() == DEPTH {
            let mistake = Mistake::nowhere(format!("more than {DEPTH} policies extend one another")).named_at(named_at);
            self.mistakes.add(mistake.help("extend fewer policies, one beside the other"));
            return None;
        }
        self.active.push(number);
        for base in self.bases(number) {
            let followed = match self.sheets[number].place.beside(base.get_ref()) {
                Ok(place) => self.follow(place, Some(base.span()), order),
                Err(mistake) => {
                    self.mistakes.add(mistake.named_at(Some(base.span())));
                    self.mistakes.miss_a_file();
                    None
                }
            };
            self.sheets[number].bases.extend(followed);
        }
        self.active.pop();
        order.push(number);
        Some(number)
    }

    /// What a file extends, as far as that is read.
    fn bases(&mut self, number: usize) -> Vec<Spanned<String>> {
        let mut bases = self.sheets[number].header.extends.clone();
        if let Some(first) = bases.get(FILES) {
            let mistake = Mistake::at(first.span(), format!("a policy is made of at most {FILES} files"));
            self.mistakes.add(mistake.help("put files together"));
        }
        bases.truncate(FILES);
        bases
    }

    /// The number of a file, which is read if it was not yet.
    fn sheet(&mut self, place: Place, named_at: Option<Span>) -> Option<usize> {
        let identity = place.identity();
        if let Some(&number) = self.known.get(&identity) {
            return Some(number);
        }
        let fetched = self.fetched.and_then(|fetched| fetched.get(place.shown())).filter(|_| place.is_remote());
        if place.is_remote() && fetched.is_none() {
            self.parents.push(parents::Wanted { name: place.shown().to_owned(), named_at });
            self.mistakes.miss_a_file();
            return None;
        }
        let (kept, mistake) = match self.sources.read(&place, fetched.map(Vec::as_slice)) {
            Ok(read) => read,
            Err(mistake) => {
                self.mistakes.add(mistake.named_at(named_at));
                self.mistakes.miss_a_file();
                return None;
            }
        };
        self.mistakes.extend(mistake);
        let number = self.sheets.len();
        self.sheets.push(Sheet::read(place, kept, &mut self.mistakes));
        self.known.insert(identity, number);
        Some(number)
    }

    fn cycle(&self, active: &[usize], number: usize) -> Mistake {
        let round = active.iter().chain([&number]).map(|&number| self.sheets[number].place.shown());
        let message = format!("the policy extends itself: {}", round.collect::<Vec<_>>().join(" → "));
        Mistake::nowhere(message).help("remove one of the steps")
    }
}
