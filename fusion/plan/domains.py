"""In which domain a case asks; items of other domains stand behind all others."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from trefoil.data.domains import DOMAIN
from trefoil.data.histories import Cases
from trefoil.data.interactions import Bools, Ints

FAR = 512.0  # what they lose: more than blends of z-scores tell items apart by


def asked_domain(scenario: Mapping[str, Ints]) -> Ints | None:
    """The domain that each case asks in, -1 for none; None where there are no domains."""
    return scenario.get(DOMAIN)


def without_contexts(cases: Cases) -> Cases:
    """The same cases asked in no context, but in their domains: these say what is ranked."""
    asked = asked_domain(cases.scenario)
    return replace(cases, scenario={} if asked is None else {DOMAIN: asked})


def outside(scenario: Mapping[str, Ints], domain: Ints | None) -> Bools | None:
    """Which of [cases, items] are of another domain; None where no case asks in one."""
    asked = None if domain is None else asked_domain(scenario)
    if asked is None or not (asked >= 0).any():
        return None
    return (asked[:, None] >= 0) & (np.asarray(domain) != asked[:, None])
