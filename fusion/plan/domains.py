"""Items of other domains than a case asks in: they stand behind all others."""

from collections.abc import Mapping

import numpy as np

from trefoil.data.domains import DOMAIN
from trefoil.data.interactions import Bools, Ints

FAR = 512.0  # what they lose: more than blends of z-scores tell items apart by


def outside(scenario: Mapping[str, Ints], domain: Ints | None) -> Bools | None:
    """Which of [cases, items] are of another domain; None where no case asks in one."""
    asked = None if domain is None else scenario.get(DOMAIN)
    if asked is None or not (asked >= 0).any():
        return None
    return (asked[:, None] >= 0) & (np.asarray(domain) != asked[:, None])
