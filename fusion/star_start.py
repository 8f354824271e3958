"""Where ratings start from: biases of items and users in closed form."""

import numpy as np
import torch

from data.interactions import Interactions
from fusion.network import JointNetwork


def start_stars(network: JointNetwork, events: Interactions) -> None:
    """Closed-form start of the rating biases: damped means, items first, then users."""
    if events.stars is None:
        return
    rated = ~np.isnan(events.stars)
    if not rated.any():
        return
    stars, user, item = events.stars[rated], events.user[rated], events.item[rated]
    mean = float(stars.mean())
    rest = stars - mean

    def damped(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
        return np.bincount(rows, values, count) / (np.bincount(rows, minlength=count) + 5.0)

    by_item = damped(item, rest, len(network.star_item))
    by_user = damped(user, rest - by_item[item], len(network.star_user))
    with torch.no_grad():
        network.star_mean.fill_(mean)
        network.star_item.copy_(torch.from_numpy(by_item))
        network.star_user.copy_(torch.from_numpy(by_user))
