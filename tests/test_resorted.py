"""Sorting the events file anew changes no byte of the weights and no figure."""

import json
import random

from planted_shop import sets, write_shop

from trefoil import evaluate, train


def test_a_resorted_file_gives_the_same_run_and_figures(tmp_path):
    data = write_shop(tmp_path / "data", users=24, per_maker=6, events=5)
    file = data / "events.csv"
    head, *rows = file.read_text("utf-8").splitlines()
    days = [
        ",".join([*row.split(",")[:3], "2024-01-0" + str(1 + n % 3), "tv"])
        for n, row in enumerate(rows)
    ]
    runs, reports = [], []
    for seed in (0, 1):
        random.Random(seed).shuffle(days)
        file.write_text("\n".join([head, *days]) + "\n", "utf-8")
        run, told = tmp_path / f"run{seed}", tmp_path / f"{seed}.json"
        flags = sets("split.by=leave-one-out", "network.seeds=1", "network.epochs=2")
        assert train.main(["--data", str(data), "--out", str(run), *flags]) == 0
        assert evaluate.main([str(run), "--json", str(told)]) == 0
        runs.append(run)
        reports.append(json.loads(told.read_text("utf-8")))
    for name in ("model.safetensors", "settings.toml"):
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes(), name
    for key in ("dataset", "results", "slices", "significance"):
        assert reports[0][key] == reports[1][key], key
