"""The causal Transformer: later events and padding stay out; planted order is learned."""

import numpy as np
import pytest
import torch
from torch import nn

from trefoil.data.interactions import UNKNOWN_TIME
from trefoil.encoders.behaviour import SPANS, BehaviourEncoder, span

WIDTH, LENGTH = 16, 12


DAY = 86_400


@pytest.fixture
def encoder():
    """One that has learned to listen to distances: they start at zero."""
    torch.manual_seed(0)
    encoder = BehaviourEncoder(WIDTH, max_events=LENGTH, dropout=0.0).eval()
    for table in (encoder.distance, encoder.between, encoder.since):
        nn.init.normal_(table.weight)
    return encoder


def events(batch, length=LENGTH, seed=0):
    return torch.randn(batch, length, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("cut", [1, 4, LENGTH - 1])
def test_later_events_do_not_change_earlier_states(encoder, cut):
    one, other = events(3), events(3)
    other[:, cut:] = events(3, LENGTH - cut, seed=9)
    before, after = encoder.states(one), encoder.states(other)
    assert torch.allclose(before[:, :cut], after[:, :cut], atol=1e-6)
    assert not torch.allclose(before[:, cut:], after[:, cut:], atol=1e-2)


def test_padding_never_reaches_the_answer(encoder):
    lengths = torch.tensor([1, 5, LENGTH, 0])
    clean = events(4)
    dirty = clean.clone()
    for row, length in enumerate(lengths.tolist()):
        dirty[row, length:] = 1e4
    assert torch.equal(encoder(clean, lengths).vectors, encoder(dirty, lengths).vectors)


def test_a_longer_batch_gives_the_same_answer_as_being_alone(encoder):
    batch = events(3)
    lengths = torch.tensor([2, 7, LENGTH])
    together = encoder(batch, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = encoder(batch[row : row + 1, :length], lengths[row : row + 1])
        assert torch.allclose(together.vectors[row], alone.vectors[0], atol=1e-5)


def test_someone_without_events_is_unknown_and_zero(encoder):
    view = encoder(events(2), torch.tensor([0, 3]))
    assert view.known.tolist() == [False, True]
    assert not view.vectors[0].any()
    assert view.vectors[1].any()


def test_the_newest_event_is_the_answer(encoder):
    batch = events(1)
    states = encoder.states(batch)
    assert torch.equal(encoder(batch, torch.tensor([4])).vectors[0], states[0, 3])


def test_order_matters(encoder):
    batch = events(2)
    lengths = torch.full((2,), LENGTH)
    turned = batch.flip(1)
    assert not torch.allclose(
        encoder(batch, lengths).vectors, encoder(turned, lengths).vectors, atol=1e-2
    )


def times(batch, length=LENGTH, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 9 * DAY, (batch, length), generator=draw).cumsum(1)


def test_spans_are_doublings_of_a_second():
    later = torch.tensor([0, 1, 2, 3, 6, 7, DAY, 10**11, -5, UNKNOWN_TIME, 8])
    earlier = torch.zeros(len(later), dtype=torch.int64)
    earlier[-1] = UNKNOWN_TIME
    # A clock that runs backwards counts as no time at all.
    assert span(later, earlier).tolist() == [1, 2, 2, 3, 3, 4, 17, SPANS - 1, 1, 0, 0]


def test_time_between_events_is_read_and_the_calendar_is_not(encoder):
    batch, at = events(2), times(2)
    states = encoder.states(batch, at)
    assert torch.allclose(states, encoder.states(batch, at + 400 * DAY), atol=1e-5)
    slower = at * 40
    assert not torch.allclose(states, encoder.states(batch, slower), atol=1e-2)


@pytest.mark.parametrize("alone", ["distance", "between", "since"])
def test_each_of_the_three_distances_speaks(encoder, alone):
    batch, at = events(2), times(2)
    for name in {"distance", "between", "since"} - {alone}:
        nn.init.zeros_(getattr(encoder, name).weight)
    heard = encoder.states(batch, at)
    nn.init.zeros_(getattr(encoder, alone).weight)
    assert not torch.allclose(heard, encoder.states(batch, at), atol=1e-2)


@pytest.mark.parametrize("cut", [1, 4, LENGTH - 1])
def test_later_times_do_not_change_earlier_states(encoder, cut):
    batch, one, other = events(3), times(3), times(3)
    other[:, cut:] += 700 * DAY
    before, after = encoder.states(batch, one), encoder.states(batch, other)
    assert torch.allclose(before[:, :cut], after[:, :cut], atol=1e-6)
    assert not torch.allclose(before[:, cut:], after[:, cut:], atol=1e-2)


def test_an_unknown_time_is_no_time_long_ago(encoder):
    """The number that stands for it never enters a difference."""
    batch, at = events(1), times(1)
    at[0, 3] = UNKNOWN_TIME
    shifted = torch.where(at == UNKNOWN_TIME, at, at + 5 * DAY)
    states = encoder.states(batch, at)
    assert bool(states.isfinite().all())
    assert torch.allclose(states, encoder.states(batch, shifted), atol=1e-5)


def test_an_encoder_may_be_told_not_to_read_times():
    torch.manual_seed(0)
    encoder = BehaviourEncoder(WIDTH, max_events=LENGTH, time_gaps=False).eval()
    assert torch.equal(encoder.states(events(2)), encoder.states(events(2), times(2)))


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    encoder = BehaviourEncoder(WIDTH, max_events=LENGTH, dropout=0.0)
    encoder.states(events(2), times(2)).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match=r"width=10 .* heads=4"):
        BehaviourEncoder(10, max_events=3, heads=4)


def cycles(*, signal, users, items, length, rng):
    """Everyone walks one hidden cycle of items; with signal 0 every step is drawn anew."""
    after = np.empty(items, np.int64)
    ring = rng.permutation(items)
    after[ring] = np.roll(ring, -1)
    log = np.empty((users, length), np.int64)
    log[:, 0] = rng.integers(0, items, users)
    for step in range(1, length):
        drawn = rng.integers(0, items, users)
        log[:, step] = np.where(rng.random(users) < signal, after[log[:, step - 1]], drawn)
    return torch.from_numpy(log)


class NextItem(nn.Module):
    def __init__(self, items):
        super().__init__()
        self.table = nn.Embedding(items, WIDTH)
        self.encoder = BehaviourEncoder(WIDTH, max_events=LENGTH, layers=1, dropout=0.0)

    def forward(self, log):
        return self.encoder.states(self.table(log)) @ self.table.weight.T


@pytest.mark.parametrize(
    ("signal", "low", "high"), [(1.0, 0.9, 1.0), (0.0, 0.0, 0.12)], ids=["planted", "noise"]
)
def test_behaviour_learns_order_only_where_there_is_order(signal, low, high):
    # Chance is 1/20; 400 held-out steps have a standard error of .011, so .12 lies six above.
    log = cycles(signal=signal, users=300, items=20, length=9, rng=np.random.default_rng(7))
    torch.manual_seed(0)
    model = NextItem(items=20)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    train, held = log[:250], log[250:]
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(
            model(train[:, :-1]).flatten(0, 1), train[:, 1:].flatten()
        ).backward()
        optimiser.step()
    hit = model.eval()(held[:, :-1]).argmax(2) == held[:, 1:]
    assert low <= float(hit.float().mean()) <= high
