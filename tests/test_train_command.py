"""``train.py``: exit statuses, one message with place, value and remedy, and usable runs."""

import json

import pytest
from planted_shop import TOML, beside_progress, sets, write_shop

from trefoil import evaluate, train
from trefoil.data import read_dataset
from trefoil.fusion.network.checkpoints import Checkpoints, partial_of
from trefoil.fusion.recommender import Recommender
from trefoil.fusion.runs.leftovers import claimed

SIZE = {"users": 24, "per_maker": 6, "events": 5}


@pytest.fixture
def shop(tmp_path):
    return write_shop(tmp_path / "data", **SIZE)


def run(folder, *more):
    return train.main(["--data", str(folder), "--out", str(folder.parent / "run"), *sets(), *more])


def refused(capsys, folder, *more):
    """The one line that a refusal says, after those of progress."""
    assert run(folder, *more) == 2
    (said,) = beside_progress(capsys.readouterr().err)
    assert said.startswith("error: ")
    assert not (folder.parent / "run").exists()
    return said


def add(path, *lines):
    path.write_text(path.read_text("utf-8") + "".join(f"{line}\n" for line in lines), "utf-8")


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def test_a_run_holds_what_the_design_promises(shop, capsys):
    assert run(shop) == 0
    out = capsys.readouterr().out
    assert "written in" in out
    assert "python evaluate.py" in out
    folder = shop.parent / "run"
    for name in (
        "settings.toml", "model.safetensors", "text.safetensors", "vocabulary/items.parquet",
        "vocabulary/users.parquet", "graph", "history.jsonl", "tensorboard", "report.json",
        "MODEL_CARD.md", "manifest.json",
    ):  # fmt: skip
        assert (folder / name).exists(), name
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["dataset"]["fingerprint"] == read_dataset(shop).fingerprint
    assert manifest["seeds"] == {"seed": 0, "split_seed": 0}
    assert manifest["seconds"]["train"] > 0
    looks = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert [look["epoch"] for look in looks] == [2, 4]
    assert len(Recommender.load(folder).recommend("u0", k=3)) == 3
    assert not partial_of(folder).exists()


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("dataset.toml", "user_id", "usr_id", ["events.csv", "no column 'usr_id'", "'user_id'"]),
        ("dataset.toml", "rating =", "ratng =", ["dataset.toml, line", "'ratng'", "'rating'"]),
        ("dataset.toml", "events.csv", "event.csv", ["event.csv", "no such file"]),
        ("dataset.toml", "graph.ttl", "graf.ttl", ["graf.ttl", "no such graph file"]),
        ("dataset.toml", '"ratio"', '"random"', ["dataset.toml, line", "'random'"]),
        ("dataset.toml", "[items]", "[items", ["dataset.toml", "line"]),
        ("graph.ttl", "e:inYear e:year0 .", "e:inYear .", ["graph.ttl", "line"]),
    ],
)
def test_faults_of_structure_are_one_line_with_the_place(shop, capsys, name, before, after, said):
    edit(shop / name, before, after)
    message = refused(capsys, shop)
    for part in said:
        assert part in message


def test_missing_folders_and_unknown_names_say_what_there_is(tmp_path, capsys):
    message = refused(capsys, tmp_path / "nowhere")
    assert "nowhere" in message
    assert train.main(["--data", "movielens", "--out", str(tmp_path / "run")]) == 2
    assert "movielens-small" in capsys.readouterr().err


def test_no_events_are_refused_by_file(shop, capsys):
    (shop / "events.csv").write_text("user_id,item_id,stars,at,device\n")
    assert "events.csv: no usable event" in refused(capsys, shop)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ["--set", "embeding_size=8"],
            ["unknown setting 'embeding_size'", "did you mean 'embedding_size'"],
        ),
        (["--set", "network.epochs=none"], ["network.epochs = 'none'"]),
        (["--set", "network.learning_rate=nan"], ["network.learning_rate"]),
        (["--set", "width"], ["--set 'width'", "a.b=value"]),
        (["--set", "device=gpu"], ["device = 'gpu'", "'auto', 'cpu' or 'cuda'"]),
        (["--config", "nowhere.toml"], ["nowhere.toml: no such file"]),
        (["--from", "nowhere"], ["nowhere", "no manifest.json"]),
    ],
)
def test_wrong_flags_say_what_was_wrong(shop, capsys, flags, said):
    message = refused(capsys, shop, *flags)
    for part in said:
        assert part in message


def test_a_gpu_where_there_is_none_is_refused(shop, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    message = refused(capsys, shop, "--set", "device=cuda")
    assert "finds no GPU" in message
    assert "'auto' or 'cpu'" in message


def test_nothing_to_resume_is_said(tmp_path, capsys):
    assert train.main(["--resume", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: nothing to resume" in capsys.readouterr().err


def test_an_unknown_flag_is_status_2(capsys):
    with pytest.raises(SystemExit) as stop:
        train.main(["--dta", "demo"])
    assert stop.value.code == 2
    assert "--dta" in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_not_written_over(shop, capsys):
    photos = shop.parent / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_bytes(b"dear")
    assert train.main(["--data", str(shop), "--out", str(photos), *sets()]) == 2
    assert "photos: exists and is no run" in capsys.readouterr().err
    assert [path.name for path in photos.iterdir()] == ["one.jpg"]


@pytest.mark.parametrize("out", ["/dev/null/x", "notes/deeper/run"])
def test_a_place_that_cannot_be_written_is_refused_before_the_data_is_read(
    tmp_path, capsys, monkeypatch, out
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").write_text("dear")
    assert train.main(["--data", "nowhere", "--out", out]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert out in said
    assert "is a file, no folder" in said


def test_a_second_training_into_the_same_run_is_refused(shop, capsys):
    with claimed(partial_of(shop.parent / "run")):
        assert "another process is writing it" in refused(capsys, shop)


def test_names_of_the_data_are_printed_as_they_are_and_the_run_says_what_it_is_for(shop, capsys):
    edit(shop / "dataset.toml", 'name = "shop"', 'name = "[red]x[/red]:smile:"')
    edit(shop / "items.csv", "Title i0-1,", "[link=x],")
    assert run(shop) == 0
    assert "[red]x[/red]:smile:: " in capsys.readouterr().out
    folder = shop.parent / "run"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["purpose"] == "judge"
    assert manifest["data"]["at"] == str(shop.resolve())
    card, known = (folder / "MODEL_CARD.md").read_text(), manifest["beforehand"]
    assert "This run is for judging" in card
    assert known["reasons_of"] == known["people"] == manifest["dataset"]["users"]
    assert f"Of {known['people']} people the run holds" in card
    assert evaluate.main([str(folder), "--user", "u0"]) == 0
    out = capsys.readouterr().out
    assert "[red]x[/red]:smile:, full" in out
    assert "For u0" in out


def test_resuming_takes_over_that_a_run_is_final(tmp_path):
    out = tmp_path / "run"
    plan = train.fresh(train.parser().parse_args(["--out", str(out), "--final"]))
    plan.checkpoints.agree(plan.settings, {})
    again = train.resumed(train.parser().parse_args(["--resume", str(out)]))
    assert again.made_from["final"] is True
    assert train.about(again, 1.0)["purpose"] == "serve"


def quarantined(run_folder):
    lines = (run_folder / "quarantine.jsonl").read_text("utf-8").splitlines()
    return [(json.loads(line)["line"], json.loads(line)["reason"]) for line in lines]


def test_bad_rows_are_set_aside_counted_and_nothing_else_is_lost(shop, capsys):
    rows = len((shop / "events.csv").read_text().splitlines())
    add(
        shop / "events.csv",
        "u1,i0-1,much,1700000000,tv",
        "u2,i0-1,inf,1700000000,tv",
        ",i0-1,3,1700000000,tv",
        "u3,,3,1700000000,tv",
        "u4,i0-1,3,yesterday,tv",
        "u5,i0-2",
    )
    assert "unusable, more than the share" in refused(capsys, shop)
    assert run(shop, "--max-bad-share", "0.2") == 0
    assert "set aside" in capsys.readouterr().out
    found = quarantined(shop.parent / "run")
    assert [line for line, _ in found] == list(range(rows + 1, rows + 7))
    report = json.loads((shop.parent / "run/report.json").read_text())
    assert report["data"]["counts"]["events"] == rows - 1
    assert sum(report["data"]["quarantined"].values()) == 6


def test_a_broken_line_of_json_lines_is_set_aside(shop):
    head, *rows = (shop / "events.csv").read_text().splitlines()
    names = head.split(",")
    lines = [json.dumps(dict(zip(names, row.split(","), strict=True))) for row in rows]
    lines.insert(3, '{"user_id": "u1", ')
    (shop / "events.jsonl").write_text("\n".join(lines) + "\n")
    edit(shop / "dataset.toml", "events.csv", "events.jsonl")
    assert run(shop) == 0
    assert [line for line, _ in quarantined(shop.parent / "run")] == [4]


def test_a_broken_triple_of_ntriples_is_counted_and_the_rest_is_used(shop):
    makers = [
        f"<urn:item:i{m}-{n}> <urn:madeBy> <urn:maker{m}> ." for m in range(4) for n in range(6)
    ]
    makers *= 5  # repeated statements are one
    makers.insert(7, "<urn:item:i0-1> <urn:madeBy> .")
    (shop / "graph.nt").write_text("\n".join(makers) + "\n")
    edit(shop / "dataset.toml", "graph.ttl", "graph.nt")
    assert run(shop) == 0
    recommender = Recommender.load(shop.parent / "run")
    assert len(recommender.graph.edges["Item", "MADE_BY", "Entity"]) == 24


def test_links_to_unknown_items_and_items_with_nothing_known_end_in_a_usable_run(shop):
    add(shop / "items.csv", "bare,,,,")
    add(shop / "events.csv", "u1,only-in-events,3,1700000000,tv", "u2,bare,3,1700000000,tv")
    links = [f"i{m}-{n},urn:item:i{m}-{n}" for m in range(4) for n in range(6)]
    text = "\n".join(["item,entity", *links, "stranger,urn:item:i0-1", "i0-2,urn:nothing"])
    (shop / "links.csv").write_text(text + "\n")
    edit(
        shop / "dataset.toml", 'files = ["graph.ttl"]', 'files = ["graph.ttl"]\nlink = "links.csv"'
    )
    assert run(shop) == 0
    recommender = Recommender.load(shop.parent / "run")
    ranked = {one.item for one in recommender.recommend("nobody", k=99)}
    assert {"bare", "only-in-events"} <= ranked
    assert len(ranked) == 26


@pytest.mark.parametrize("odd", ["007", "7", "cafe\u0301", "caf\u00e9", "🎬", "x" * 100_000])
def test_odd_ids_are_kept_byte_by_byte(shop, odd):
    add(shop / "events.csv", *(f"{odd},i0-{n},3,1700000000,tv" for n in range(3)))
    add(shop / "items.csv", f"{odd},Odd,ocean,kind 1,5")
    assert run(shop) == 0
    recommender = Recommender.load(shop.parent / "run")
    answer = recommender.recommend(odd, k=99)
    assert all(one.known for one in answer)
    assert odd in {one.item for one in answer}


@pytest.mark.parametrize(("users", "items"), [(1, 12), (12, 1)], ids=["one user", "one item"])
def test_one_user_and_one_item_train_to_a_usable_run(tmp_path, users, items):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        f"u{u},i{i},{1 + i % 5},{1_700_000_000 + i},tv" for u in range(users) for i in range(items)
    ]
    (folder / "events.csv").write_text("\n".join(["user_id,item_id,stars,at,device", *rows]) + "\n")
    (folder / "dataset.toml").write_text(TOML.partition("[items]")[0] + '[split]\nby = "ratio"\n')
    assert run(folder) == 0
    recommender = Recommender.load(tmp_path / "run")
    assert len(recommender.recommend("nobody", k=99)) == items


def test_ctrl_c_keeps_the_checkpoint_and_says_how_to_go_on(shop, capsys, monkeypatch):
    save = Checkpoints.save

    def then_stop(self, network, learning):
        save(self, network, learning)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", then_stop)
    assert run(shop) == 130
    folder = shop.parent / "run"
    said = beside_progress(capsys.readouterr().err)
    assert said == [f"stopped; go on with: python train.py --resume {folder}"]
    assert not folder.exists()
    assert len(list(partial_of(folder).glob("*.safetensors"))) == 1
    monkeypatch.undo()
    assert train.main(["--resume", str(folder), "--set", "embedding_size=16"]) == 2
    assert "began with embedding_size = 8, not 16" in capsys.readouterr().err
    assert train.main(["--resume", str(folder), "--data", "demo"]) == 2
    assert "began with source" in capsys.readouterr().err
    assert train.main(["--resume", str(folder), "--out", "elsewhere"]) == 2
    assert "leave --out away" in capsys.readouterr().err
    assert train.main(["--resume", str(folder)]) == 0
    assert len(Recommender.load(folder).recommend("u0", k=2)) == 2


def test_data_that_changed_meanwhile_is_not_resumed(shop, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "load", stop)
    monkeypatch.setattr(Checkpoints, "save", stop)
    assert run(shop) == 130
    monkeypatch.undo()
    add(shop / "events.csv", "u1,i0-1,4,1700009999,tv")
    assert train.main(["--resume", str(shop.parent / "run")]) == 2
    assert "began with data" in capsys.readouterr().err


def test_a_run_starts_from_another_one(shop, tmp_path):
    assert run(shop) == 0
    small = write_shop(tmp_path / "small", users=12, per_maker=6, events=4, prefix="v")
    out = tmp_path / "second"
    start = ["--from", str(shop.parent / "run")]
    assert train.main(["--data", str(small), "--out", str(out), *start, *sets()]) == 0
    report = json.loads((out / "report.json").read_text())
    assert report["transfer"]["items"] == 24
    assert report["transfer"]["entities"] > 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["from"] == str(shop.parent / "run")


def test_divergence_is_one_line_with_the_setting_to_lower(shop, capsys):
    message = refused(capsys, shop, "--set", "network.learning_rate=1e30")
    assert "not finite" in message
    assert "lower network.learning_rate" in message


def test_progress_is_all_that_stderr_holds_when_all_is_well_and_stdout_has_none(shop, capsys):
    assert run(shop) == 0
    said = capsys.readouterr()
    assert said.err
    assert beside_progress(said.err) == []
    assert beside_progress(said.out) == said.out.splitlines()
