"""Downloads: licence first, checksum always, and never half a folder."""

import hashlib
import io
import logging
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trefoil.data import ConfigError, DataError, SplitRule, read_dataset
from trefoil.data.files import cache_folder
from trefoil.data.sources import SOURCES, Remote, Source
from trefoil.data.sources.download import fetch


@pytest.fixture
def publisher():
    """A web server on this machine; ``files`` maps paths to content, or to (content, cut)."""
    files, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content, cut = files.get(self.path, (None, 0))
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) - cut])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    class Publisher:
        def put(self, path, content, cut=0):
            files[path] = (content, cut)
            return f"http://127.0.0.1:{server.server_port}{path}"

        requests = asked

    yield Publisher()
    server.shutdown()
    server.server_close()
    thread.join()


def packed(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"inner/{name}.csv", text)
    return out.getvalue()


def source(*remotes, read=None):
    return Source("toy", "for tests only", read, SplitRule(), "toy", ("events.csv",), remotes)


def sha(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def test_an_archive_is_fetched_once_checked_and_unpacked(publisher, tmp_path, caplog):
    content = packed(events="u,i\n", other="x")
    url = publisher.put("/toy.zip", content)
    toy = source(Remote(url, sha(content), members=("inner/events.csv",)))
    with caplog.at_level(logging.WARNING):
        folder = fetch(toy, tmp_path)
    assert [path.name for path in folder.iterdir()] == ["events.csv"]
    assert (folder / "events.csv").read_text() == "u,i\n"
    assert "for tests only" in caplog.text
    assert fetch(toy, tmp_path) == folder
    assert publisher.requests == ["/toy.zip"]


def test_the_licence_is_said_before_anything_is_asked_for(publisher, tmp_path, caplog, monkeypatch):
    url = publisher.put("/toy.csv", b"x")
    seen = []

    def note(record):
        seen.append((record.getMessage(), list(publisher.requests)))

    monkeypatch.setattr(caplog.handler, "emit", note)
    fetch(source(Remote(url, sha(b"x"), save_as="a/events.csv")), tmp_path)
    assert (tmp_path / "toy" / "a" / "events.csv").read_bytes() == b"x"
    assert "for tests only" in seen[0][0]
    assert seen[0][1] == []


def test_a_renewed_file_is_checked_by_the_checksum_beside_it(publisher, tmp_path):
    content = packed(events="u,i\n")
    digest = hashlib.md5(content).hexdigest()
    url = publisher.put("/toy.zip", content)
    beside = publisher.put("/toy.zip.md5", f"MD5 (toy.zip) = {digest}\n".encode())
    toy = source(Remote(url, checksum_at=beside, members=("inner/events.csv",)))
    assert (fetch(toy, tmp_path) / "events.csv").exists()


def bad_remotes(publisher):
    content = packed(events="u,i\n")
    whole = publisher.put("/toy.zip", content)
    return {
        "wrong": (Remote(whole, sha(b"other"), members=("inner/events.csv",)), "expected"),
        "cut": (Remote(publisher.put("/cut", content, 9), sha(content), save_as="e"), "broke off"),
        "gone": (Remote(whole + ".no", sha(content), save_as="e"), "Not Found"),
        "deaf": (Remote("http://127.0.0.1:9/x", sha(content), save_as="e"), "cannot be fetched"),
        "no zip": (Remote(publisher.put("/t", b"text"), sha(b"text"), members=("e",)), "archive"),
        "no member": (Remote(whole, sha(content), members=("other.csv",)), "archive"),
        "no md5": (Remote(whole, checksum_at=publisher.put("/m", b"<html>")), "holds no MD5"),
    }


@pytest.mark.parametrize("kind", ["wrong", "cut", "gone", "deaf", "no zip", "no member", "no md5"])
def test_a_failed_download_says_why_and_leaves_nothing(publisher, tmp_path, kind):
    good = Remote(publisher.put("/good", b"good"), sha(b"good"), save_as="good.csv")
    bad, said = bad_remotes(publisher)[kind]
    with pytest.raises(DataError, match=said) as caught:
        fetch(source(good, bad), tmp_path)
    assert bad.url in str(caught.value) or "/m" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(publisher, tmp_path, monkeypatch):
    remote = Remote(publisher.put("/a", b"a" * 200_000), sha(b"a" * 200_000), save_as="a")
    monkeypatch.setattr("trefoil.data.sources.download._unzip", None)

    def interrupted(_):
        yield b"a" * 1000
        raise KeyboardInterrupt

    monkeypatch.setattr("trefoil.data.sources.download._stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(source(remote), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_source_without_checksum_asks_for_a_folder(tmp_path):
    with pytest.raises(ConfigError, match=r"frappe has no fixed file .* --data-root"):
        fetch(SOURCES["frappe"], tmp_path)


def test_every_remote_has_a_checksum_and_a_safe_address():
    for named in SOURCES.values():
        for remote in named.remotes:
            assert remote.url.startswith("https://")
            assert (remote.checksum is None) != (remote.checksum_at is None)
            if remote.checksum is not None:
                kind, _, digest = remote.checksum.partition(":")
                assert len(digest) == {"md5": 32, "sha256": 64}[kind]


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("TREFOIL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TREFOIL_CACHE")
    assert cache_folder().parts[-2:] == (".cache", "trefoil")


def test_a_wrong_folder_is_refused_with_what_it_should_hold(tmp_path):
    with pytest.raises(DataError, match=r"not a folder of lastfm; .*ratings_final\.npy"):
        read_dataset("lastfm", root=tmp_path)
