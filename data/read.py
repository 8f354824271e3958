"""From a name or a folder to a ``Dataset``."""

from __future__ import annotations

from pathlib import Path

from trefoil.data.dataset import Dataset, SplitRule
from trefoil.data.errors import ConfigError
from trefoil.data.given import path_of, shown
from trefoil.data.joining import joined
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople, key_from
from trefoil.data.readers.assemble import assemble
from trefoil.data.readers.corpora import with_corpus
from trefoil.data.readers.dataset_toml import corpus_of, read_folder
from trefoil.data.readers.description import FILE
from trefoil.data.readers.domains_toml import SeveralDomains, read_domains
from trefoil.data.sources import SOURCES, Source
from trefoil.data.sources.download import fetch
from trefoil.data.suggest import closest


def read_dataset(
    given: str | Path | Source,
    *,
    root: str | Path | None = None,
    rule: SplitRule | None = None,
    max_bad_share: float | None = None,
    forgotten: str | Path | None = None,
) -> Dataset:
    """A folder with a ``dataset.toml``, the name of a source, or a ``Source``.

    Where ``dataset.toml`` names several domains, they are joined; see ``data.joining``.

    ``root`` is a folder that already holds a named source; without it the
    source is downloaded from its publisher. ``rule`` replaces the split rule.
    More than ``max_bad_share`` of unusable rows in a table stops; where it is None,
    the folder's own share holds, or else 0.01. ``forgotten`` is a list of people to leave
    out, as ``Recommender.forget`` writes it; that of the folder, ``forgotten.json``, holds
    too, without being named. Raises ConfigError and DataError, which name file, line, value
    and remedy.
    """
    number = isinstance(max_bad_share, int | float) and 0 <= max_bad_share <= 1
    if not number and max_bad_share is not None:
        raise ConfigError(f"max_bad_share = {shown(max_bad_share)}: give a share from 0 to 1")
    source = SOURCES.get(given) if isinstance(given, str) else None
    missing_ids = key = corpus = None
    lists = [] if forgotten is None else [path_of("forgotten", forgotten)]
    if isinstance(given, Source):
        source, given = given, given.name
    path = path_of("dataset", given)
    if source is None:
        if not path.is_dir():
            raise ConfigError(_no_folder(path))
        if (several := read_domains(path)) is not None:
            return _several(path, several, rule, max_bad_share, forgotten)
        told, tables, own = read_folder(path)
        corpus = corpus_of(path, told)
        name, licence = told.name or path.resolve().name, told.licence
        max_bad_share = told.max_bad_share if max_bad_share is None else max_bad_share
        missing_ids, said = told.missing_ids, told.interactions.pseudonyms
        key = None if said is None else key_from(said)
        lists += [path / FORGOTTEN] if (path / FORGOTTEN).exists() else []
    else:
        folder = path
        if not source.embedded:
            folder = source.root(fetch(source) if root is None else path_of("root", root))
        name, tables, own, licence = source.name, source.read(folder), source.rule, source.licence
    chosen = own if rule is None else rule
    dataset = assemble(
        name,
        tables,
        chosen,
        licence=licence,
        max_bad_share=max_bad_share,
        missing_ids=missing_ids,
        pseudonym_key=key,
        forgotten=[_list(one) for one in lists],
    )
    return dataset if corpus is None else with_corpus(dataset, corpus)


def _several(
    folder: Path,
    told: SeveralDomains,
    rule: SplitRule | None,
    max_bad_share: float | None,
    forgotten: str | Path | None,
) -> Dataset:
    """All domains of a folder as one dataset; the list of forgotten people holds for each."""
    beside = folder / FORGOTTEN
    forgotten = beside if forgotten is None and beside.exists() else forgotten
    parts = {
        name: read_dataset(place, max_bad_share=max_bad_share, forgotten=forgotten)
        for name, place in told.folders(folder).items()
    }
    name, shared = told.name or folder.resolve().name, told.users == "shared"
    return joined(name, parts, rule or told.rule, users_shared=shared, licence=told.licence)


def _list(path: Path) -> ForgottenPeople:
    if not path.exists():
        raise ConfigError(f"{path}: no list of forgotten people; name the file, or leave it out")
    return ForgottenPeople.read(path)


def _no_folder(path: Path) -> str:
    """What is there instead of a folder, and what to give."""
    if path.is_file() and path.name == FILE:
        return f"{path}: give the folder in which it lies, {str(path.parent)!r}"
    if path.is_file():
        return (
            f"{path}: a file; a dataset is a folder whose {FILE} says which file means what, "
            f"such as interactions with file, user and item: write one beside {path.name}"
        )
    return (
        f"{str(path)!r} is neither a folder nor a named dataset; "
        f"{closest(str(path), SOURCES, limit=99)}"
    )
