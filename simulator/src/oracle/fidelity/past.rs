//! What the sources held, and when it changed.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    cloud::{Content, Contents, File, put},
    world::{Change, Entity, EntityKey},
};

/// The past of all sources, by number.
#[derive(Clone, Default)]
pub(super) struct Past(Vec<OfSource>);

#[derive(Clone, Default)]
struct OfSource {
    /// What it holds now, in the order of the names; none when it is gone.
    files: Option<Arc<Vec<File>>>,
    /// What changed, in the order of time.
    changes: Vec<Changed>,
}

/// A file came, changed or went.
#[derive(Clone, Copy)]
struct Changed {
    at: DateTime<Utc>,
    name: u64,
    /// What it held before; none where there was no file.
    before: Option<Content>,
    is_by_users: bool,
}

impl OfSource {
    fn files(&self) -> &[File] {
        self.files.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl Past {
    /// What there is at the beginning.
    pub(super) fn of(contents: &Contents) -> Self {
        let held = contents.all();
        let past = held.map(|held| OfSource { files: held.files.clone(), changes: Vec::new() });
        Self(past.collect())
    }

    /// Users changed what a source holds.
    pub(super) fn edited(&mut self, contents: &Contents, number: u32, at: DateTime<Utc>) {
        let now = contents.held(number).and_then(|held| held.files.clone());
        let Some(past) = self.at(number) else { return };
        let before = std::mem::replace(&mut past.files, now);
        let before = before.as_deref().map_or(&[][..], Vec::as_slice);
        let after = past.files.as_deref().map_or(&[][..], Vec::as_slice);
        let changed = |(name, before)| Changed { at, name, before, is_by_users: true };
        past.changes.extend(differences(before, after).map(changed));
    }

    /// A restore wrote a file.
    pub(super) fn written(
        &mut self,
        number: u32,
        (before, after): (Option<File>, File),
        at: DateTime<Utc>,
    ) {
        let Some(past) = self.at(number) else { return };
        let before = before.map(|file| file.content);
        if let Some(files) = &mut past.files {
            put(Arc::make_mut(files), after);
        }
        past.changes.push(Changed { at, name: after.name, before, is_by_users: false });
    }

    /// Sources came or went, perhaps.
    pub(super) fn changed(&mut self, contents: &Contents, changes: &[Change], at: DateTime<Utc>) {
        for change in changes {
            let source = match change {
                Change::Put(Entity::Source(source)) => &source.id,
                Change::Remove(EntityKey::Source(source)) => source,
                Change::Put(_) | Change::Remove(_) => continue,
            };
            if let Some(number) = contents.number(source) {
                self.edited(contents, number, at);
            }
        }
    }

    /// Whether a file held this, or was not there, now or at some instant since then.
    pub(super) fn held(
        &self,
        number: u32,
        name: u64,
        content: Option<Content>,
        since: DateTime<Utc>,
    ) -> bool {
        let Some(past) = self.get(number) else { return content.is_none() };
        let files = past.files();
        let was_so = |change: &Changed| change.name == name && change.before == content;
        find(files, name) == content || past.since(since).any(was_so)
    }

    /// Whether users changed a file after that instant.
    pub(super) fn was_edited(&self, number: u32, name: u64, after: DateTime<Utc>) -> bool {
        let is_edit =
            |change: &Changed| change.name == name && change.is_by_users && change.at > after;
        self.get(number).is_some_and(|past| past.since(after).any(is_edit))
    }

    /// Files that were there all the time since then and are not among those.
    pub(super) fn there_since(
        &self,
        number: u32,
        since: DateTime<Utc>,
        those: &[File],
    ) -> Vec<u64> {
        let Some(past) = self.get(number) else { return Vec::new() };
        let files = past.files();
        let is_lacking = |file: &&File| {
            find(those, file.name).is_none()
                && !past.since(since).any(|it| it.name == file.name && it.before.is_none())
        };
        files.iter().filter(is_lacking).map(|file| file.name).collect()
    }

    fn get(&self, number: u32) -> Option<&OfSource> {
        self.0.get(usize::try_from(number).ok()?)
    }

    fn at(&mut self, number: u32) -> Option<&mut OfSource> {
        let place = usize::try_from(number).ok()?;
        if self.0.len() <= place {
            self.0.resize_with(place.saturating_add(1), OfSource::default);
        }
        self.0.get_mut(place)
    }
}

impl OfSource {
    fn since(&self, since: DateTime<Utc>) -> impl Iterator<Item = &Changed> {
        self.changes.iter().rev().take_while(move |change| change.at >= since)
    }
}

/// The names at which two lists differ, with what the first has there; both in the order of names.
fn differences<'a>(
    before: &'a [File],
    after: &'a [File],
) -> impl Iterator<Item = (u64, Option<Content>)> + 'a {
    let changed = before.iter().filter(|file| find(after, file.name) != Some(file.content));
    let new = after.iter().filter(|file| find(before, file.name).is_none());
    let changed = changed.map(|file| (file.name, Some(file.content)));
    changed.chain(new.map(|file| (file.name, None)))
}

fn find(files: &[File], name: u64) -> Option<Content> {
    let place = files.binary_search_by_key(&name, |file| file.name).ok()?;
    files.get(place).map(|file| file.content)
}
