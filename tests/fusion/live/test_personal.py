"""Nothing of a forgotten person is left; all that is known is told; two ids become one person."""

import json
import shutil

import numpy as np
import pytest
from planted_shop import TINY, write_shop

from trefoil.data import read_dataset
from trefoil.data.errors import ConfigError, UnknownId
from trefoil.data.files import write_file
from trefoil.data.privacy import FORGOTTEN, ForgottenPeople
from trefoil.encoders.text.answers import kept_answers
from trefoil.fusion.live.log import place_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.runs.folder import carry_over, new_run, write_manifest
from trefoil.fusion.settings import load_settings
from trefoil.fusion.training import update

CANARY = "canary-6f1e2d"  # found by its bytes
NEW = {"item": "i2-1", "time": 1_800_000_000, "stars": 5, "device": "tv"}


@pytest.fixture(scope="module")
def canary_data(tmp_path_factory):
    """The planted shop in which u7 has a name that stands nowhere else, and an unusable row."""
    folder = write_shop(tmp_path_factory.mktemp("canary") / "data")
    for name in ("events.csv", "users.csv"):
        text = (folder / name).read_text("utf-8").replace("\nu7,", f"\n{CANARY},")
        (folder / name).write_text(text, "utf-8")
    with (folder / "events.csv").open("a", encoding="utf-8") as file:
        file.write(f"{CANARY},i0-1,many,1700000000,tv\n")
    return folder


@pytest.fixture(scope="module")
def canary_run(canary_data, tmp_path_factory):
    """A run that learned from them, with what was set aside."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    dataset = read_dataset(canary_data, max_bad_share=0.1)
    recommender = Recommender(load_settings(None, [*TINY, "network.epochs=2"])).fit(dataset)
    with new_run(folder) as beside:
        recommender.write(beside)
        lines = [{"line": 1, "value": CANARY}, {"line": 2, "value": f"event of {CANARY}, many"}]
        lines.append({"line": 3, "value": "of nobody"})
        write_file(beside / "quarantine.jsonl", "".join(json.dumps(one) + "\n" for one in lines))
        write_file(beside / "report.json", json.dumps({"examples": [CANARY]}))
        write_manifest(beside, recommender.about)
    return folder


@pytest.fixture
def run(canary_run, tmp_path):
    shutil.copytree(canary_run, tmp_path / "run")
    return tmp_path / "run"


def found_in(folder, what=CANARY):
    """Names of files that hold these bytes."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and what.encode() in path.read_bytes()
    ]


def lists(recommender, users):
    table = recommender.recommend_many(users, k=10)
    return [table.filter(user=user)["item"].to_list() for user in users]


def test_nothing_of_a_forgotten_person_is_left(run, tmp_path):
    recommender = Recommender.load(run)
    others = [user for user in recommender.catalogue.users.ids if user != CANARY]
    assert CANARY in recommender.catalogue.users
    recommender.add_events([{**NEW, "user": CANARY, "id": "e1"}, {**NEW, "user": "anon-9c"}])
    recommender.add_events([{**NEW, "user": CANARY, "item": "later"}])
    recommender.merge("anon-9c", CANARY)
    before = found_in(tmp_path)
    assert "run.live/log.sqlite-wal" in before
    assert {"run/vocabulary/users.parquet", "run/report.json", "run/quarantine.jsonl"} < set(before)
    assert [name for name in before if name.startswith("run/graph")]
    receipt = recommender.forget(CANARY)
    assert found_in(tmp_path) == found_in(tmp_path, "anon-9c") == []
    assert (run / "quarantine.jsonl").read_text("utf-8") == '{"line": 3, "value": "of nobody"}\n'
    assert receipt.events == 10
    assert receipt.waiting == 1
    assert CANARY not in json.dumps(receipt.told())
    assert receipt.state == recommender.state.token
    late = recommender.add_events([{**NEW, "user": CANARY}])
    assert (late.events, late.left_out, late.users) == (0, 1, ())
    assert found_in(tmp_path) == []
    answers = lists(recommender, others)
    recommender.close()
    again = Recommender.load(run)
    assert lists(again, others) == answers
    assert again.state.token == recommender.state.token
    assert not again.recommend(CANARY).based_on.user_known
    assert again.add_events([{**NEW, "user": CANARY}]).left_out == 1
    assert again.model.known.matrix.shape[0] == len(others)
    again.add_events([{**NEW, "user": "new"}])
    assert again.recommend("new").based_on.events == 1
    with pytest.raises(UnknownId, match="unknown user 'nobody'"):
        again.forget("nobody")


def test_the_others_are_answered_as_before(run):
    recommender = Recommender.load(run)
    others = [user for user in recommender.catalogue.users.ids if user != CANARY]
    before = lists(recommender, others)
    recommender.forget(CANARY)
    after = lists(recommender, others)
    same = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(before, after, strict=True)])
    assert same > 0.9  # one of sixty people less in counts and messages


def test_a_dataset_read_without_forgotten_people_equals_one_without_their_rows(
    canary_data, run, tmp_path
):
    recommender = Recommender.load(run)
    recommender.forget(CANARY)
    read = read_dataset(canary_data, forgotten=place_of(run) / FORGOTTEN)
    other = tmp_path / "never"
    other.mkdir()
    for path in canary_data.iterdir():
        text = path.read_text("utf-8").splitlines(keepends=True)
        kept = "".join(line for line in text if CANARY not in line)
        (other / path.name).write_text(kept, "utf-8")
    never = read_dataset(other)
    assert read.fingerprint == never.fingerprint
    assert read.users.vocabulary == never.users.vocabulary
    settings = load_settings(None, [*TINY, "network.on=false"])
    runs = []
    for name, dataset in (("a", read), ("b", never)):
        Recommender(settings).fit(dataset).save(tmp_path / name)
        files = json.loads((tmp_path / name / "manifest.json").read_text("utf-8"))["files"]
        runs.append({k: v for k, v in files.items() if k.endswith((".safetensors", ".parquet"))})
    assert runs[0] == runs[1]
    assert "model.safetensors" in runs[0]


def test_the_list_goes_along_where_the_log_is_left_alone(run, tmp_path):
    recommender = Recommender.load(run)
    recommender.forget(CANARY)
    recommender.close()
    alone = Recommender.load(run, live=False)
    assert alone.add_events([{**NEW, "user": CANARY}]).left_out == 1
    alone.save(tmp_path / "copy")
    assert Recommender.load(tmp_path / "copy").add_events([{**NEW, "user": CANARY}]).left_out == 1


def test_an_id_of_several_words_is_found_in_a_line(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    lines = [f'{{"row": "{one},i0-1,many"}}\n' for one in ("Ann Lee", "Ann", "Lee", "Lee Ann")]
    (source / "quarantine.jsonl").write_text("".join(lines), "utf-8")
    carry_over(source, target, ForgottenPeople.nobody().with_user("Ann Lee"))
    assert (target / "quarantine.jsonl").read_text("utf-8") == "".join(lines[1:])


def test_what_was_forgotten_in_memory_is_not_carried_into_another_run(run, tmp_path):
    recommender = Recommender.load(run, live=False)
    recommender.forget(CANARY)
    for name, precision in (("full", "float32"), ("small", "int8")):
        recommender.save(tmp_path / name, precision=precision)
        assert found_in(tmp_path / name) == []


def test_who_is_forgotten_while_a_model_learns_on_stays_forgotten(run, monkeypatch):
    recommender = Recommender.load(run)
    recommender.add_events([{**NEW, "user": CANARY}, {**NEW, "user": "stays"}])
    learn = update.updated

    def meanwhile(*said, **more):
        after = learn(*said, **more)
        recommender.add_events([{**NEW, "user": "late"}])
        recommender.forget(CANARY)
        return after

    monkeypatch.setattr(update, "updated", meanwhile)
    recommender.update()
    assert CANARY not in recommender.catalogue.users
    assert recommender.recommend("late").based_on.events == 1
    assert recommender.add_events([{**NEW, "user": CANARY}]).left_out == 1
    assert recommender.model.known.matrix.shape[0] == 60  # one less of 60, and "stays"


def test_a_run_that_learned_beside_it_forgets_whom_the_first_was_to_forget(run, tmp_path):
    recommender = Recommender.load(run)
    recommender.add_events([{**NEW, "user": "known"}])
    Recommender.load(run).save(tmp_path / "next")
    recommender.add_events([{**NEW, "user": "between"}])
    recommender.forget("between")
    recommender.forget(CANARY)
    recommender.add_events([{**NEW, "user": "late"}])
    other = Recommender.load(tmp_path / "next")
    assert CANARY in other.catalogue.users
    assert other.follow(recommender) == 3
    assert other.recommend("late").based_on.events == 1
    assert found_in(tmp_path) == []
    for one in (CANARY, "between"):
        assert other.add_events([{**NEW, "user": one}]).left_out == 1
    other.close()
    again = Recommender.load(tmp_path / "next")
    assert again.catalogue.users.ids == other.catalogue.users.ids
    assert again.state.token == other.state.token


def test_nobody_becomes_a_person_who_was_forgotten(run):
    recommender = Recommender.load(run)
    recommender.forget(CANARY)
    with pytest.raises(ConfigError, match="was forgotten"):
        recommender.merge("u1", CANARY)
    assert "u1" in recommender.catalogue.users


def test_forgetting_that_was_stopped_goes_on_with_the_next_load(run, monkeypatch, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    recommender = Recommender.load(run)
    recommender.add_events([{**NEW, "user": CANARY}])

    class Stopped(BaseException):
        pass

    def stop(*_):
        raise Stopped

    monkeypatch.setattr(type(recommender.log), "forget", stop)
    with pytest.raises(Stopped):
        recommender.forget(CANARY, data=data)
    (data / FORGOTTEN).unlink()  # as if it had been stopped before this was written
    recommender.close()
    monkeypatch.undo()
    assert found_in(run.parent)
    again = Recommender.load(run)
    assert found_in(run.parent) == []
    assert CANARY not in again.catalogue.users
    assert CANARY in ForgottenPeople.read(data / FORGOTTEN)


def test_what_a_model_wrote_of_people_goes_with_who_is_forgotten(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TREFOIL_CACHE", str(tmp_path))
    with kept_answers(b"writer", of_people=True) as kept:
        kept.keep({"what does u7 like?": "loves films of the sea"})
    assert found_in(tmp_path, "films of the sea")
    Recommender.load(run).forget(CANARY)
    assert not found_in(tmp_path, "films of the sea")


def test_a_list_beside_the_data_holds_without_being_named(canary_data, run, tmp_path):
    shutil.copytree(canary_data, tmp_path / "data")
    Recommender.load(run).forget(CANARY, data=tmp_path / "data")
    dataset = read_dataset(tmp_path / "data")
    assert CANARY not in dataset.users.vocabulary
    assert len(dataset.users) == 59
    assert CANARY not in (tmp_path / "data" / FORGOTTEN).read_text("utf-8")


def test_all_that_is_known_of_a_person_is_told(run):
    recommender = Recommender.load(run)
    recommender.add_events(
        [{**NEW, "user": CANARY, "id": "e1"}, {**NEW, "user": CANARY, "item": "x"}]
    )
    told = json.loads(json.dumps(recommender.export(CANARY)))
    assert len(told["events"]) == 9
    assert told["events"][-1]["title"] == "Title i2-1"
    assert told["events"][-1]["part"] == "told since"
    assert {"i2-1", "x"} == {one["item"] for one in told["told"]}
    assert [one["item"] for one in told["waiting"]] == ["x"]
    assert len(told["learned"]["network 0"]) == 8
    assert told["recommended"]
    with pytest.raises(UnknownId):
        recommender.export("nobody")


def test_two_ids_become_one_person_as_if_from_the_start(run):
    recommender, other = Recommender.load(run), Recommender.load(run, live=False)
    events = [{**NEW, "item": item, "time": 1_800_000_000 + at} for at, item in
              enumerate(["i2-1", "i3-1", "i2-4"])]  # fmt: skip
    recommender.add_events([{**events[0], "user": "anon-3"}, {**events[2], "user": "anon-3"}])
    recommender.add_events([{**events[1], "user": "known"}, {**NEW, "user": "third"}])
    other.add_events([{**one, "user": "known"} for one in events])
    recommender.merge("anon-3", "known")
    answer = other.recommend("known", k=9)
    for one in (recommender, Recommender.load(run)):
        assert one.recommend("known", k=9) == answer
        assert not one.recommend("anon-3").based_on.user_known
        assert one.recommend("third").based_on.events == 1
        with pytest.raises(UnknownId):
            one.merge("anon-3", "known")
    recommender.merge("known", "new name")
    for one in (recommender, Recommender.load(run)):
        assert one.recommend("new name", k=9) == answer


def test_a_person_of_training_becomes_another(run):
    recommender = Recommender.load(run)
    rows = recommender.catalogue.users.rows(["u0", "u1"])
    events = recommender.catalogue.every_event
    both = np.isin(events.user, rows).sum()
    recommender.merge("u1", "u0")
    for one in (recommender, Recommender.load(run)):
        assert len(one.export("u0")["events"]) == both
        assert len(one.model.known.matrix.indptr) == 60
        assert one.recommend("u5", reasons=2)
