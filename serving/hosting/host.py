"""The models of one run: the one that answers, one on trial, and the one before."""

import hashlib
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.manifest import load_manifest
from trefoil.fusion.recommender import Recommender
from trefoil.serving.hosting.drift import LastDrift
from trefoil.serving.hosting.item_facts import ItemFacts
from trefoil.serving.hosting.item_view import ItemNames
from trefoil.serving.hosting.together import Together

ROOM = 1 << 64


@dataclass(frozen=True)
class Model:
    """A loaded run that answers. ``digest`` is that of its manifest, so of all its files."""

    recommender: Recommender
    folder: Path
    digest: str

    @property
    def name(self) -> str:
        """The folder's name and the digest: two models of one folder have two names."""
        return f"{self.folder.name}@{self.digest}"

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read a run, check its files and let it answer once. Raises DataError, ConfigError."""
        folder = folder.absolute()
        try:
            digest = digest_of(folder)
        except DataError:
            raise
        except (OSError, ValueError) as fault:  # no such folder, and names that none can have
            gone = isinstance(fault, FileNotFoundError)
            why = "no manifest.json is there" if gone else type(fault).__name__
            raise DataError(
                f"no run {folder.name[:80]!r} can be read: {why}; give the folder of a run, "
                "as train.py writes it"
            ) from None
        recommender = Recommender.load(folder)
        if digest_of(folder) != digest:
            raise DataError(f"{folder}: was replaced while it was read; load it again")
        model = cls(recommender, folder, digest)
        model.warm_up()
        return model

    def warm_up(self) -> None:
        """One answer with a reason: what is made when first needed is made now."""
        users = self.recommender.catalogue.users.ids
        self.recommender.recommend(users[0] if users else None, k=1, reasons=1)


def digest_of(folder: Path) -> str:
    """Twelve hex digits that stand for all files of a run."""
    manifest = load_manifest(folder)
    told = manifest.get("digest") or repr(sorted(manifest["files"].items()))
    return hashlib.sha256(str(told).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Line:
    """Who answers: ``canary`` has its ``share`` of users, ``before`` answered earlier."""

    current: Model
    canary: Model | None = None
    share: float = 0.0
    before: Model | None = None

    @property
    def models(self) -> tuple[Model, ...]:
        """All that are loaded, the one that answers first."""
        return tuple(one for one in (self.current, self.canary, self.before) if one is not None)


class Host:
    """One run by name. Its line of models is replaced as a whole, by one assignment.

    A request takes its model once and keeps it to the end, so no reply mixes two.
    """

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.line = Line(model)
        self.swaps = 0
        self.together = Together()
        self.names, self.facts, self.drift = ItemNames(), ItemFacts(), LastDrift()
        self.changing = threading.Lock()  # swaps and changes of what is known, one at a time

    @property
    def current(self) -> Model:
        """The model that answers whoever is not on trial."""
        return self.line.current

    def model_for(self, user: str | None) -> Model:
        """The model for a user: the canary for its share of users, always the same ones."""
        line = self.line
        if line.canary is None or user is None:
            return line.current
        return line.canary if place_of(user) < line.share else line.current

    def swap(self, model: Model) -> None:
        """From now on this one answers; the one before waits for a rollback."""
        with self.changing:
            self._answer(model)

    def trial(self, model: Model, share: float) -> None:
        """This one answers for a share of users, 0 to 1."""
        with self.changing:
            self._caught_up(model)
            self._line(replace(self.line, canary=model, share=share))

    def end_trial(self) -> None:
        """The canary answers nobody any more. Raises ConfigError where there is none."""
        with self.changing:
            if self.line.canary is None:
                raise ConfigError(f"{self.name}: there is no canary to end; start one first")
            self._line(replace(self.line, canary=None, share=0.0))

    def roll_back(self) -> None:
        """The model before answers again. Raises ConfigError where there is none."""
        with self.changing:
            if self.line.before is None:
                raise ConfigError(f"{self.name}: there is no model before this one; swap first")
            self._answer(self.line.before)

    def _answer(self, model: Model) -> None:
        before = self.line.current
        self._caught_up(model)
        before.recommender.close()  # its log, which may be that of the same folder
        self._line(Line(model, before=before))
        self.swaps += 1

    def _caught_up(self, model: Model) -> None:
        """The model with what the one that answers was told since both were one."""
        for other in self.line.models[1:]:
            if other is not model and other.folder == model.folder:
                other.recommender.close()  # one process writes a log: an older load lets go
        if model.folder != self.current.folder:
            model.recommender.follow(self.current.recommender)

    def _line(self, line: Line) -> None:
        """Another line; models that are in it no more give their logs back."""
        gone = [one for one in self.line.models if one not in line.models]
        self.line = line
        for model in gone:
            model.recommender.close()

    def folder_of(self, name: str) -> Path:
        """A run beside the served one. Raises ConfigError for a name that leads elsewhere."""
        if not name or name != Path(name).name or name.startswith("."):
            raise ConfigError(
                f"run = {name!r}: give the name of a folder beside {self.current.folder.name}"
            )
        return self.current.folder.parent / name


def place_of(user: str) -> float:
    """Where in 0..1 a user stands, the same in every process and for ever."""
    digest = hashlib.sha256(user.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / ROOM
