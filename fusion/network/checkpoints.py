"""A run in the making: RUN.partial/ holds what it takes to go on after a stop."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file
from trefoil.fusion.settings import Settings

if TYPE_CHECKING:  # torch takes seconds, which --help and a wrong flag need not wait for
    from trefoil.fusion.network.training_state import Learning, Tensors, Values

log = logging.getLogger(__name__)

START = "start.json"
MAY_CHANGE = (
    "network.learning_rate",
    "behaviour.learning_rate",
)  # the remedy where training diverged
KEPT = 2  # looks per network; the older one stands in for a damaged newer one


def partial_of(run: Path) -> Path:
    """Where the checkpoints of a run lie until it is written."""
    return run.with_name(run.name + ".partial")


class Checkpoints:
    """The checkpoints of one training: start.json, and one file per look and network.

    A checkpoint carries its SHA-256 in its name and is written beside and
    renamed, so that a kill at any moment leaves a whole one.
    """

    def __init__(self, folder: Path, made_from: Mapping[str, Any], *, resumed: bool) -> None:
        self.folder, self.made_from, self.resumed = folder, dict(made_from), resumed

    @classmethod
    def new(cls, folder: Path, made_from: Mapping[str, Any] | None = None) -> "Checkpoints":
        """For a training from the start; ``made_from`` is kept for whoever resumes.

        What an earlier training left in ``folder`` goes when the first words are
        written. Raises ConfigError where something else is there.
        """
        if folder.exists() and not (folder / START).exists() and any(folder.iterdir()):
            raise ConfigError(f"{folder}: exists and holds no checkpoints; move it away")
        return cls(folder, made_from or {}, resumed=False)

    @classmethod
    def of(cls, run: Path) -> "Checkpoints":
        """The unfinished training of a run. Raises ConfigError where there is none."""
        folder = partial_of(run)
        if not (folder / START).is_file():
            said = "it is finished" if (run / "manifest.json").exists() else f"no {folder}"
            raise ConfigError(
                f"{run}: nothing to resume ({said}); train with --out {run}"
                + (f", or start anew from it with --from {run}" if run.exists() else "")
            )
        try:
            start = json.loads((folder / START).read_text("utf-8"))
            return cls(folder, start["made_from"], resumed=True)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder / START}: damaged ({error!r}); train anew") from None

    def settings(self) -> Settings:
        """The settings that the training began with. Raises ConfigError for unknown ones."""
        began = self._start()["settings"]
        if Settings.renamed(began, tell=False) != began:
            raise ConfigError(f"{self.folder}: begun by an earlier version; train anew")
        try:
            return Settings.model_validate(began)
        except ValidationError as error:
            name = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise ConfigError(
                f"{self.folder / START}: setting {name!r} is not of this version; train anew"
            ) from None

    def agree(self, settings: Settings, identity: Mapping[str, Any]) -> None:
        """Write down what is trained on what; when resumed, check that it is the same.

        Raises ConfigError naming the setting, or the part of ``identity``, that differs.
        """
        now: dict[str, Any] = {
            "made_from": self.made_from,
            "settings": settings.model_dump(mode="json"),
            "identity": dict(identity),
            "torch": metadata.version("torch"),
        }
        if not self.resumed:
            shutil.rmtree(self.folder, ignore_errors=True)
            write_file(self.folder / START, json.dumps(now, indent=1, ensure_ascii=False) + "\n")
            return
        before = self._start()
        was, is_now = _flat(before["settings"]), _flat(now["settings"])
        for name in sorted(was.keys() | is_now.keys()):
            if name not in MAY_CHANGE and was.get(name) != is_now.get(name):
                raise ConfigError(
                    f"{self.folder}: began with {name} = {was.get(name)!r}, not "
                    f"{is_now.get(name)!r}; resume with the same settings, or train anew"
                )
        for name, value in identity.items():
            if before["identity"].get(name) != json.loads(json.dumps(value)):
                raise ConfigError(
                    f"{self.folder}: began with {name} {before['identity'].get(name)!r}, now it is "
                    f"{value!r}; put it back, or train anew"
                )
        if before["torch"] != now["torch"]:
            log.warning("begun with torch %s; last digits may differ", before["torch"])

    def save(self, network: int, learning: "Learning") -> Path:
        """Write the state after a look and forget all but the newest two of this network."""
        from safetensors.torch import save

        tensors, values = learning.state()
        whole = {name: tensor.cpu().contiguous().clone() for name, tensor in tensors.items()}
        content = save(whole, {"values": json.dumps(values)})
        name = f"network-{network}.epoch-{learning.epoch:06}.{_digest(content)}.safetensors"
        write_file(self.folder / name, content)
        for old in self._looks(network)[KEPT:]:
            old.unlink(missing_ok=True)
        return self.folder / name

    def load(self, network: int) -> "tuple[Tensors, Values] | None":
        """The newest whole state of a network; None where it has not begun."""
        from safetensors.torch import load

        for path in self._looks(network):
            content = path.read_bytes()
            if _digest(content) != path.name.split(".")[-2]:
                log.warning("%s: damaged, so the checkpoint before it is used", path)
                continue
            try:
                with safe_open(path, "pt") as file:
                    return load(content), json.loads(file.metadata()["values"])
            except (SafetensorError, ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}: cannot be read ({error}); remove it") from None
        return None

    def newest(self) -> Path | None:
        """The checkpoint written last."""
        looks = self._looks("*")
        return max(looks, key=lambda path: path.stat().st_mtime_ns) if looks else None

    def last_good(self) -> str:
        """Words on the newest checkpoint, to end a message with."""
        path = self.newest()
        if path is None:
            return "there is no checkpoint yet"
        return f"the last good checkpoint is {path}; --resume may change {' and '.join(MAY_CHANGE)}"

    def remove(self) -> None:
        """The run is written: its checkpoints go."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _looks(self, network: int | str) -> list[Path]:
        found = self.folder.glob(f"network-{network}.epoch-*.safetensors")
        return sorted(found, key=lambda path: path.name.split(".")[1], reverse=True)

    def _start(self) -> dict[str, Any]:
        return json.loads((self.folder / START).read_text("utf-8"))


@dataclass(frozen=True)
class CheckpointStore:
    """What one network remembers of its training, whether it was stopped or not."""

    unfinished: Checkpoints
    network: int

    def recall(self, learning: "Learning") -> None:
        """Go on where training was stopped, if it was. Raises DataError for a foreign state."""
        state = self.unfinished.load(self.network) if self.unfinished.resumed else None
        if state is None:
            return
        try:
            learning.restore(*state)
        except (KeyError, ValueError, RuntimeError) as error:
            raise DataError(
                f"{self.unfinished.folder}: the state of network {self.network} does not fit "
                f"({str(error).splitlines()[0]}); train anew"
            ) from None

    def keep(self, learning: "Learning") -> None:
        self.unfinished.save(self.network, learning)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= (
            _flat(value, f"{above}{name}.") if isinstance(value, Mapping) else {above + name: value}
        )
    return flat
