"""Tasks as objects: one of a user's own in a few lines, and no place that knows one by name."""

import ast
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
import torch
from planted_shop import TINY
from torch.nn import functional as F

from trefoil.data.errors import ConfigError
from trefoil.data.histories import Histories
from trefoil.data.interactions import Interactions
from trefoil.data.items import Entities, Labels
from trefoil.data.vocabulary import Vocabulary
from trefoil.fusion.features.training_data import TrainingData
from trefoil.fusion.network.heads import Sizes
from trefoil.fusion.network.inputs import training_inputs_of
from trefoil.fusion.network.naming import own
from trefoil.fusion.network.tasks.base import Rows, Target, Task, TaskData, taught
from trefoil.fusion.network.tasks.categories import Category, category_shares, mean_share
from trefoil.fusion.network.tasks.listed import saved_plans, tasks_of
from trefoil.fusion.network.training import config_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.settings import Settings, load_settings

ROOT = Path(__file__).parents[3]
LEAN = ("rating_process=false", "factors=false", "random_walks=false", "behaviour.on=false")


@dataclass(frozen=True)
class Dear(Task):
    """Whether an item is dear, from its vector."""

    name: ClassVar[str] = "dear"

    def target(self, data):
        price = data.items.score.get("price")
        if price is None:
            return None
        dear = np.where(np.isnan(price), np.nan, price > np.nanmedian(price))
        return Target({"dear": torch.from_numpy(dear).float()}, outputs=1)

    def rows(self, step, target):
        dear = target.tensors["dear"]
        known = ~dear.isnan()
        return Rows((step.head(self.name)(step.vectors_of(self.name).items)[known, 0], dear[known]))

    def loss(self, logit, dear):
        return F.binary_cross_entropy_with_logits(logit, dear, reduction="none")


def test_this_is_the_task_that_the_page_shows():
    page = (ROOT / "docs/extending.md").read_text("utf-8")
    assert inspect.getsource(Dear) in page


@pytest.fixture(scope="module")
def taught_dear(shop):
    changes = [*TINY, *LEAN, "network.epochs=40", "network.patience=20"]
    return Recommender(load_settings(None, changes)).fit(shop, tasks=[Dear(weight=1.0)])


def told_apart(network, price):
    """How often the head says more of an item that is dear than of one that is not."""
    with torch.no_grad():
        logit = network.heads["dear"](network.pass_messages().items)[:, 0].numpy()
    dear = price > np.nanmedian(price)
    return (logit[dear][:, None] > logit[~dear]).mean()


def test_a_task_of_a_users_own_is_learned_and_told_of(shop, taught_dear):
    losses = [row["dear"] for row in taught_dear.model.record.history[0]]
    assert losses[-1] < 0.8 * losses[0]
    assert told_apart(taught_dear.model.networks[0], shop.items.score["price"]) > 0.9


def test_its_head_is_kept_through_runs_and_added_items_without_the_task(taught_dear, tmp_path):
    taught_dear.save(tmp_path / "run")
    again = Recommender.load(tmp_path / "run", live=False)
    before, after = (
        one.model.networks[0].heads["dear"].state_dict() for one in (taught_dear, again)
    )
    assert before.keys() == after.keys() == {"weight", "bias"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert again.recommend("u0") == taught_dear.recommend("u0")
    again.add_items(pl.DataFrame({"id": ["new"], "text": ["ocean storm"]}))
    kept = again.model.networks[0].heads["dear"].state_dict()
    assert all(torch.equal(before[name], kept[name]) for name in before)


def test_a_head_is_kept_whose_task_is_called_as_a_method_of_torch_is():
    tensors = {f"{own('type')}.weight": torch.zeros(1, 8)}
    head = saved_plans({"type": 1}, tensors, Settings())["type"].build(Sizes(1, 1, 8, 1))
    assert {name: one.shape for name, one in head.state_dict().items()} == {"weight": (1, 8)}


def test_a_task_that_may_read_every_item_keeps_large_data_from_steps_by_rows(shop, taught_dear):
    settings, known = load_settings(None, TINY), taught_dear.model.known
    for tasks, by_rows in (([], True), ([Dear()], False)):
        inputs = training_inputs_of(
            shop, known.events, known, settings, behaviour=False, tasks=tasks
        )
        assert config_of(settings, inputs, behaviour=False, by_rows=True).by_rows == by_rows


def test_listed_tasks_but_those_that_draw_items_keep_to_the_rows_of_a_step():
    names = {task.name for task in tasks_of(Settings()) if task.everywhere}
    assert names == {"facts", "texts"}


def test_the_final_fit_learns_it_too(shop):
    recommender = Recommender(load_settings(None, TINY)).fit(shop, final=True, tasks=[Dear()])
    assert "dear" in recommender.model.networks[0].heads


class Named(Dear):
    def __init__(self, name, weight=1.0):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "weight", weight)


@pytest.mark.parametrize(
    ("tasks", "said"),
    [
        ([Dear(), Dear()], "two tasks are called 'dear'"),
        ([Named("ranking")], "two tasks are called 'ranking'"),
        ([Named("a.b")], "'a.b': a name is letters"),
        ([Dear(weight=-1.0)], "'dear': weight = -1.0"),
        ([Dear(weight=float("nan"))], "'dear': weight = nan"),
    ],
)
def test_what_cannot_be_a_task_is_refused(shop, tasks, said):
    with pytest.raises(ConfigError, match=said):
        Recommender(load_settings(None, TINY)).fit(shop, tasks=tasks)


def test_a_task_without_weight_or_labels_is_left_out(shop, taught_dear):
    data = TaskData(shop.interactions, shop.items, taught_dear.model.known)
    none = TaskData(shop.interactions, shop.users, taught_dear.model.known)
    assert [one.task.name for one in taught([Dear()], data)] == ["dear"]
    assert taught([Dear(weight=0.0)], data) == ()
    assert taught([Dear()], none) == ()


def test_no_place_but_the_list_knows_a_task_by_name():
    """Names of heads and losses; parts of the network share two of them, and settings all."""
    words = {"ranking", "next_item", "facts", "texts"}  # of the network or of the data too
    names = {task.name for task in tasks_of(Settings())} - words
    names |= {f"heads.{name}" for name in names}
    listed = ROOT / "fusion/network/tasks"
    rooms = [*(ROOT / "fusion/network").rglob("*.py"), *(ROOT / "fusion/training").rglob("*.py")]
    for path in [*rooms, *(ROOT / "fusion/reporting").rglob("*.py")]:
        if listed in path.parents:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not names & {one for one in found if isinstance(one, str)}, path


def labelled(items):
    """One event, and what is said of items."""
    row = np.zeros(1, np.int64)
    events = Interactions(row, row, np.ones(1, bool))
    history = Histories.of(events, 1)
    known = TrainingData(events, history.matrix(len(items)), history, None, None, False)
    return TaskData(events, items, known)


def test_shares_of_categories_are_kept_as_pairs_and_averaged_over_what_is_taken():
    one = Labels(np.array([0, 2, 2, 3]), np.array([0, 2, 1]), ("x", "y", "z"))
    other = Labels(np.array([0, 1, 1, 1]), np.array([0]), ("w",))
    items = Entities(Vocabulary("abc"), category={"one": one, "other": other})
    target = Category().target(labelled(items))
    assert target is not None
    third = 1 / 3
    dense = torch.tensor([[third, 0, third, third], [0, 0, 0, 0], [0, 1, 0, 0]])
    assert torch.equal(torch.from_numpy(category_shares(items).toarray()), dense)
    assert {name: len(one) for name, one in target.tensors.items()} == {
        "start": 4,
        "code": 4,
        "share": 4,
    }
    taken = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([0, 0, 0, 2, 3])  # items, and by whom
    share, known = mean_share(target, taken[1], taken[0], 4)
    assert known.tolist() == [True, False, True, False]
    assert torch.allclose(share, torch.stack([(dense[0] + dense[2]) / 2, dense[0]]))
    assert Category().target(labelled(Entities(Vocabulary("abc")))) is None
