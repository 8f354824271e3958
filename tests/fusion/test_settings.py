"""Settings: one frozen tree, unknown names refused with a suggestion, TOML there and back."""

import pytest
from pydantic import ValidationError

from trefoil.data.errors import ConfigError
from trefoil.fusion.settings import Network, Settings, Tasks, load_settings


def test_without_anything_said_the_tree_is_the_default():
    assert load_settings() == Settings()


def test_toml_goes_round(tmp_path):
    changes = ["seed=7", "text.model=ngrams", "linear.decays=[2.0]", "network.temperature=0.2"]
    made = load_settings(changes=changes)
    path = tmp_path / "settings.toml"
    path.write_text(made.toml(), "utf-8")
    assert load_settings(path) == load_settings(str(path)) == made
    assert load_settings(path).toml() == made.toml()


def test_changes_override_the_file_and_the_last_one_wins(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("seed = 1\nembedding_size = 32\n[network]\nepochs = 9\n", "utf-8")
    made = load_settings(path, ["embedding_size=48", "embedding_size=16"])
    assert (made.seed, made.embedding_size, made.network.epochs) == (1, 16, 9)


@pytest.mark.parametrize(
    ("change", "read", "expected"),
    [
        ("text.on=false", lambda s: s.text.on, False),
        ("network.learning_rate=1e-2", lambda s: s.network.learning_rate, 0.01),
        ("network.batch_size = 64", lambda s: s.network.batch_size, 64),
        ("text.model=my model=v2", lambda s: s.text.model, "my model=v2"),
        ("text.model='quoted'", lambda s: s.text.model, "quoted"),
        ("text.model=", lambda s: s.text.model, ""),
        ("linear.decays=[1, 2.5]", lambda s: s.linear.decays, (1.0, 2.5)),
        ("text.revision=v1.0", lambda s: s.text.revision, "v1.0"),
    ],
)
def test_a_change_is_a_toml_value_or_plain_text(change, read, expected):
    assert read(load_settings(changes=[change])) == expected


@pytest.mark.parametrize(
    ("change", "wrong", "right"),
    [
        ("embeding_size=3", "embeding_size", "embedding_size"),
        ("netwrok.width=3", "netwrok", "network"),
        ("sede=1", "sede", "seed"),
        ("behaviour.max_event=3", "behaviour.max_event", "max_events"),
    ],
)
def test_an_unknown_name_stops_with_a_suggestion(change, wrong, right):
    with pytest.raises(ConfigError) as caught:
        load_settings(changes=[change])
    assert repr(wrong) in str(caught.value)
    assert f"did you mean {right!r}?" in str(caught.value)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"embeding_size": 3}, "unknown setting 'embeding_size'; did you mean 'embedding_size'?"),
        ({"linear": {"onn": True}}, "unknown setting 'linear.onn'; did you mean 'on'?"),
        ({"text": {"on": "perhaps"}}, "text.on = 'perhaps'"),
    ],
)
def test_settings_made_in_python_say_the_same(tree, said):
    with pytest.raises(ValidationError) as caught:
        Settings(**tree)
    assert said in str(caught.value)


def test_an_unknown_name_far_from_all_lists_what_is_known():
    with pytest.raises(
        ConfigError, match=r"there is 'ranking', 'category', 'rating', 'attributes'"
    ):
        load_settings(changes=["tasks.zzzzzz=1"])


def test_an_unknown_name_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[text]\nmodle = 'x'\n", "utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml: unknown setting 'text\.modle'.*'model'"):
        load_settings(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("embedding_size=0", "embedding_size = 0"),
        ("embedding_size=many", "embedding_size = 'many'"),
        ("embedding_size=2.5", "embedding_size = 2.5"),
        ("network.learning_rate=-1.0", "network.learning_rate = -1.0"),
        ("network.learning_rate=nan", "network.learning_rate = nan"),
        ("network.learning_rate=inf", "network.learning_rate = inf"),
        ("tasks.rating=inf", "tasks.rating = inf"),
        ("behaviour.dropout=1", "behaviour.dropout = 1"),
        ("text.on=perhaps", "text.on = 'perhaps'"),
        ("text=5", "text = 5"),
        ("seed.a=5", "seed"),
        ("linear.decays=[0]", "linear.decays.0 = 0"),
    ],
)
def test_a_bad_value_is_named_with_its_place(change, named):
    with pytest.raises(ConfigError) as caught:
        load_settings(changes=[change])
    assert named in str(caught.value)


@pytest.mark.parametrize("change", ["width", "", "  "])
def test_a_change_without_a_value_says_how_to_write_one(change):
    with pytest.raises(ConfigError, match=r"write a\.b=value"):
        load_settings(changes=[change])


OLD = {"width": 32, "network": {"rate": 0.5, "batch": 7}, "tasks": {"numbers": 2.0}}


def test_names_of_0_1_0_are_read_with_a_warning_that_tells_the_new_one(tmp_path, caplog):
    path = tmp_path / "old.toml"
    path.write_text(
        "width = 32\n[network]\nrate = 0.5\nbatch = 7\n[tasks]\nnumbers = 2.0\n", "utf-8"
    )
    read = load_settings(path)
    assert len(caplog.records) == 4
    for old, new in (("width", "embedding_size"), ("network.rate", "network.learning_rate")):
        assert f"the setting {old} is called {new} now" in caplog.text
    changes = ["width=32", "network.rate=0.5", "network.batch=7", "tasks.numbers=2.0"]
    assert read == load_settings(changes=changes) == Settings.model_validate(OLD)
    network = Network(learning_rate=0.5, batch_size=7)
    assert read == Settings(embedding_size=32, network=network, tasks=Tasks(attributes=2.0))


def test_an_old_name_in_a_change_replaces_what_a_file_says_under_the_new_one(tmp_path):
    path = tmp_path / "new.toml"
    path.write_text("[network]\nlearning_rate = 0.1\n", "utf-8")
    assert load_settings(path, ["network.rate=0.5"]).network.learning_rate == 0.5


def test_a_setting_under_both_names_is_refused(tmp_path):
    path = tmp_path / "both.toml"
    path.write_text("[network]\nlearning_rate = 0.1\nrate = 0.2\n", "utf-8")
    with pytest.raises(ConfigError, match=r"both\.toml: network\.rate is called learning_rate now"):
        load_settings(path)


def test_a_change_below_a_value_is_refused():
    with pytest.raises(ConfigError, match="'seed' has no branches"):
        load_settings(changes=["seed=1", "seed.a=5"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = = 1", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"[text\n", "not valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_named(tmp_path, content, said):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"broken\.toml: {said}"):
        load_settings(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: no such file"):
        load_settings(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=tmp_path.name):
        load_settings(tmp_path)


def test_heads_must_share_the_width():
    with pytest.raises(ConfigError, match=r"embedding_size.*behaviour\.heads"):
        load_settings(changes=["behaviour.heads=3"])


def test_the_tree_is_frozen():
    with pytest.raises(ValidationError):
        Settings().seed = 3
