"""Keys of dataset.toml that say how a file or a time is written, and keys that change nothing."""

import json

import polars as pl
import pytest

from trefoil.data import ConfigError, DataError, EventColumns, dataset_of, read_dataset

HEAD = '[interactions]\nfile = "e.csv"\nuser = "u"\nitem = "i"\n'
TIMED = HEAD + 'time = "at"\n'
DAY = 1_795_824_000  # 2026-11-28T00:00:00Z


def read_times(folder, texts, more=""):
    rows = "".join(f"u{i},i,{one}\n" for i, one in enumerate(texts))
    return read_dataset(folder(TIMED + more, e_csv="u,i,at\n" + rows))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20261128", DAY), ("202611281030", DAY + 37_800), ("20261128103005", DAY + 37_805),
        ("20261128T103005Z", DAY + 37_805), (f"{DAY}.75", DAY), (f"{DAY}", DAY),
    ],
)  # fmt: skip
def test_days_without_marks_and_fractions_of_seconds_are_times(folder, text, seconds):
    dataset = read_times(folder, [text, text])
    assert dataset.interactions.at.tolist() == [seconds] * 2
    said = any("YYYYMMDD" in note for note in dataset.report.warnings)
    assert said == text.startswith("2026")


def test_days_as_numbers_are_days():
    frame = pl.DataFrame({"u": ["a", "b"], "i": ["1", "1"], "at": [20261128, 20261129]})
    events = dataset_of(frame, EventColumns("u", "i", time="at")).interactions
    assert events.at.tolist() == [DAY, DAY + 86_400]


def test_seconds_that_happen_to_look_like_a_day_stay_seconds(folder):
    dataset = read_times(folder, ["20261128", "20261199", "20268888"])
    assert dataset.interactions.at.tolist() == [20261128, 20261199, 20268888]


@pytest.mark.parametrize(
    ("key", "text", "seconds"),
    [
        ('time_unit = "ms"', f"{DAY}750", DAY),
        ('time_unit = "us"', f"{DAY}750000", DAY),
        ('time_format = "%d/%m/%Y %H:%M"', "28/11/2026 10:30", DAY + 37_800),
        ('time_format = "%d.%m.%Y"', "28.11.2026", DAY),
        ('time_format = "%Y"', "1970", 0),
        ('time_format = "%d/%m/%Y %H:%M %z"', "28/11/2026 02:00 +0200", DAY),
    ],
)
def test_a_key_says_how_times_are_written(folder, key, text, seconds):
    assert read_times(folder, [text], key + "\n").interactions.at.tolist() == [seconds]


def test_a_time_in_another_form_is_set_aside_with_the_form(folder):
    good = [f"{1 + i % 28}/1/2026" for i in range(200)]
    dataset = read_times(folder, [*good, "1/28/2026"], 'time_format = "%d/%m/%Y"\n')
    assert dataset.report.reasons == {"time does not follow time_format '%d/%m/%Y'": 1}


def test_events_without_a_time_are_counted_and_said_to_train(folder):
    dataset = read_times(folder, ["1", "", "NA"])
    assert dataset.report.counts["untimed"] == 2
    assert "events without a time, which train and are never held out: 2" in (
        dataset.report.warnings
    )


@pytest.mark.parametrize(
    ("file", "keys", "content"),
    [
        ("e.csv", 'delimiter = ";"\n', "u;i\na;1\nb;2\n"),
        ("e.dat", 'delimiter = "::"\n', "u::i\na::1\nb::2\n"),
        ("e.csv", "header = false\n", "a,1\nb,2\n"),
        ("e.csv", 'header = false\ncolumns = ["u", "i"]\n', "a,1\nb,2\n"),
        ("e.csv", 'encoding = "utf-16"\n', "u,i\na,1\nb,2\n".encode("utf-16")),
        ("e.txt", 'delimiter = "\\t"\nencoding = "latin-1"\n', "u\ti\na\t1\nb\t2\n"),
    ],
)
def test_a_key_says_how_a_file_is_written(folder, file, keys, content):
    numbered = "header = false" in keys and "columns" not in keys
    user, item = ("1", 2) if numbered else ('"u"', '"i"')
    toml = f'[interactions]\nfile = "{file}"\nuser = {json.dumps(user) if numbered else user}\n'
    path = folder(toml + f"item = {item}\n{keys}", **{file.replace(".", "_"): content})
    dataset = read_dataset(path)
    assert dataset.users.vocabulary.ids == ("a", "b")
    assert dataset.items.vocabulary.ids == ("1", "2")


def test_letters_of_another_encoding_arrive(folder):
    content = "u,i\né,1\nß,2\n".encode("latin-1")
    dataset = read_dataset(folder(HEAD + 'encoding = "latin-1"\n', e_csv=content))
    assert set(dataset.users.vocabulary.ids) == {"é", "ß"}


@pytest.mark.parametrize(
    ("keys", "content", "said"),
    [
        ("", "u;i\na;1\n", r'delimiter = ";"'),
        ("", "u\ti\na\t1\n", r'delimiter = "\\t"'),
        ("", "196,242\n186,302\n", "header = false if the first line is a row"),
        ('encoding = "utf-99"\n', "u,i\n", "encoding 'utf-99' is unknown"),
        ('encoding = "ascii"\n', "u,i\né,1\n", "not written as ascii"),
    ],
)
def test_a_file_in_another_form_is_refused_with_the_key(folder, keys, content, said):
    with pytest.raises(DataError, match=said):
        read_dataset(folder(HEAD + keys, e_csv=content))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (HEAD + 'columns = ["a"]\n', "line 5: [interactions] columns changes nothing"),
        (HEAD.replace("csv", "parquet") + 'delimiter = ";"\n', "delimiter changes nothing in a"),
        (HEAD.replace("csv", "jsonl") + "header = false\n", "header changes nothing in a .jsonl"),
        (HEAD + 'target = "buy"\n', "[interactions] target needs behaviour"),
        (HEAD + "[items]\nfile = 'i.csv'\nid = 'i'\nseparator = ';'\n", "without category"),
        (HEAD + "[users]\nfile = 'i.csv'\nid = 'i'\nscore = 'a'\nnumeric = 'b'\n", "[users] score"),
        (TIMED + "[split]\nby = 'leave-one-out'\ntest = 0.2\n", "line 8: [split] test changes"),
        (HEAD + "[split]\nby = 'rows'\nrepeats = true\n", "[split] repeats changes nothing"),
        (HEAD + "[graph]\nneo4j = 'bolt://h'\nnames = {}\n", "[graph] names changes nothing"),
        (HEAD + "[graph]\nfiles = 'g.nt'\nlink = 'l.csv'\niri = 'x:{id}'\n", "iri changes nothing"),
    ],
)
def test_a_key_that_changes_nothing_is_refused(folder, toml, said):
    with pytest.raises(ConfigError) as caught:
        read_dataset(folder(toml, e_csv="u,i,at\na,1,1\n"))
    assert said in str(caught.value)


def test_a_description_may_begin_with_a_byte_order_mark(folder):
    path = folder("\ufeff" + HEAD, e_csv="\ufeffu,i\na,1\n")
    assert len(read_dataset(path).interactions) == 1


@pytest.mark.parametrize(
    ("name", "said"), [("e.csv", "a dataset is a folder"), ("dataset.toml", "give the folder")]
)
def test_a_file_in_place_of_the_folder_is_told_what_to_do(folder, name, said):
    with pytest.raises(ConfigError, match=said):
        read_dataset(folder(HEAD, e_csv="u,i\na,1\n") / name)


@pytest.mark.parametrize(
    "lists",
    [
        pl.Series([["1", "2"], ["2"], None]),
        pl.Series([[1, 2], [2], []]),
        pl.Series([[1.0, 2.0], [2.0], None]),
        pl.Series([["1", "2"], ["2"], []], dtype=pl.List(pl.Categorical)),
        pl.Series([[1, 2], [2, None], [None, None]], dtype=pl.Array(pl.Int8, 2)),
    ],
    ids=["text", "int", "float", "categorical", "array"],
)
def test_lists_of_any_type_are_categories(folder, lists):
    toml = HEAD + '[items]\nfile = "items.parquet"\nid = "id"\ncategory = "genre"\n'
    path = folder(toml, e_csv="u,i\nx,a\n")
    items = pl.DataFrame({"id": ["a", "b", "c"], "genre": lists})
    items.write_parquet(path / "items.parquet")
    genre = read_dataset(path).items.category["genre"]
    assert genre.names == ("1", "2")
    assert genre.matrix().tolist() == [[True, True], [False, True], [False, False]]
