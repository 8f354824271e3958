"""Ratings of a network: where they start from, and the way back to the data's unit."""

import numpy as np
import torch

from data.interactions import Interactions
from fusion.network import JointNetwork
from fusion.star_scale import scale_of


def given_scale(events: Interactions) -> tuple[float, float]:
    """Mean and unit of the ratings given; zero and one where there are none."""
    if events.stars is None:
        return 0.0, 1.0
    return scale_of(events.stars[~np.isnan(events.stars)])


def start_stars(network: JointNetwork, events: Interactions) -> None:
    """Closed-form start of the rating biases: damped means, items first, then users.

    In units around the mean of the ratings: so a network learns them, whatever
    the scale of the data.
    """
    if events.stars is None:
        return
    rated = ~np.isnan(events.stars)
    if not rated.any():
        return
    mean, unit = given_scale(events)
    rest = (events.stars[rated] - mean) / unit
    user, item = events.user[rated], events.item[rated]

    def damped(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
        return np.bincount(rows, values, count) / (np.bincount(rows, minlength=count) + 5.0)

    by_item = damped(item, rest, len(network.star_item))
    by_user = damped(user, rest - by_item[item], len(network.star_user))
    with torch.no_grad():
        network.star_item.copy_(torch.from_numpy(by_item))
        network.star_user.copy_(torch.from_numpy(by_user))


def in_data_units(network: JointNetwork, events: Interactions) -> None:
    """Bring a trained network's ratings back to the unit of the data; they are linear in it."""
    mean, unit = given_scale(events)
    with torch.no_grad():
        for part in (network.star_mean, network.star_user, network.star_item, network.star_map):
            part.mul_(unit)
        network.star_mean.add_(mean)
