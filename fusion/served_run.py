"""What a run answers with: its plan and catalogue; the ensemble is read when something learns."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.manifest import load_manifest
from trefoil.fusion.catalogue import Catalogue
from trefoil.fusion.plan.storage import ARRAYS, has_plan, read_plan
from trefoil.fusion.requests.held_model import HeldModel
from trefoil.fusion.runs.catalogue import load_catalogue
from trefoil.fusion.runs.folder import MODEL, MODELS

if TYPE_CHECKING:
    from trefoil.fusion.ensemble.ensemble import Ensemble
    from trefoil.fusion.settings import Settings


def served(
    folder: Path, settings: "Settings", files: Mapping[str, str]
) -> tuple[HeldModel, Catalogue]:
    """The plan and the catalogue of a run; of one without a plan, the ensemble."""
    if not has_plan(folder):
        from trefoil.fusion.runs.checkpoint import load_model

        ensemble, catalogue = load_model(folder, settings)
        return HeldModel(ensemble), catalogue
    catalogue, parts = load_catalogue(folder), read_plan(folder)
    if parts.items != len(catalogue.items):
        raise DataError(f"{folder}: the plan is of other items than the catalogue; train again")
    return HeldModel(parts=parts, read=partial(_ensemble, folder, settings, files)), catalogue


def _ensemble(folder: Path, settings: "Settings", files: Mapping[str, str]) -> "Ensemble":
    """The ensemble of a run. Raises DataError where the run went, or another has its place."""
    from trefoil.fusion.runs.checkpoint import load_model

    if MODEL not in files:
        raise ConfigError(
            f"{folder}: was saved in fewer bits, which keeps what answers and drops what learns; "
            "use the run that it was saved from, then save it again"
        )
    try:
        now = load_manifest(folder)["files"]
    except (OSError, DataError):
        now = {}
    if any(now.get(name) != files.get(name) for name in MODELS):
        raise DataError(f"{folder}: gone or replaced after it was loaded; load it again")
    return load_model(folder, settings)[0]


def model_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of what was learned, as a manifest has it."""
    return manifest["files"].get(MODEL) or manifest["files"].get(ARRAYS, "")
