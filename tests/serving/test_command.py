"""The command line of the service."""

import socket

import pytest

from trefoil.data.errors import ConfigError, DataError
from trefoil.serve import bound, serve
from trefoil.serving.hosting.host import Model


def test_an_address_that_is_taken_is_told_before_a_run_is_loaded():
    with bound("127.0.0.1", 0) as free, socket.create_server(("127.0.0.1", 0)) as taken:
        assert free.getsockname()[1] > 0
        with pytest.raises(ConfigError, match="give another --port"):
            bound("127.0.0.1", taken.getsockname()[1])


def test_a_folder_that_is_no_run_is_told_with_what_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"no run 'nothere' can be read: no manifest\.json"):
        Model.load(tmp_path / "nothere")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--port", "99999"], "--port 99999: give 0 to 65,535"),
        (["--threads", "0"], "--threads 0: give 1 or more"),
        (["--rate", "-1"], r"--rate -1\.0: give 0 or more"),
    ],
)
def test_a_number_out_of_bounds_is_named_with_its_bounds(flags, said):
    with pytest.raises(ConfigError, match=said):
        serve(["runs/none", *flags])
