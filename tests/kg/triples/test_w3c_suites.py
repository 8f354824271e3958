"""The W3C suites of RDF 1.1: good files are read and come back equal, bad ones are refused.

They are not part of the project. TREFOIL_RDF_SUITES names a folder that holds turtle,
trig, ntriples, nquads and rdf-xml, each with its manifest.ttl: that of w3c/rdf-tests, or
``test/data/suites/w3c`` in the source distribution of rdflib 7.6.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyoxigraph as ox
import pytest

from trefoil.data import GraphDataError
from trefoil.kg.construction.build import read_rdf
from trefoil.kg.export.rdf import statements
from trefoil.kg.triples.statements import ntriples_lines

SUITES = {
    "turtle": "TurtleTests",
    "trig": "TriGTests",
    "ntriples": "NTriplesTests",
    "nquads": "NQuadsTests",
    "rdf-xml": "RDFXMLTests",
}
MANIFEST = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
FOLDER = Path(os.environ.get("TREFOIL_RDF_SUITES", "no-suites"))

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="TREFOIL_RDF_SUITES names no folder of the W3C suites"
    ),
]


def cases(suite):
    """Kind, file and expected result of each case of a suite."""
    store, manifest = ox.Store(), FOLDER / suite / "manifest.ttl"
    store.load(path=manifest, format=ox.RdfFormat.TURTLE, base_iri=manifest.absolute().as_uri())

    def named(case, what):
        found = store.quads_for_pattern(case, ox.NamedNode(MANIFEST + what), None)
        return next((Path(unquote(urlsplit(one.object.value).path)) for one in found), None)

    for one in store.quads_for_pattern(None, TYPE, None):
        kind, action = one.object.value.rpartition("#")[2], named(one.subject, "action")
        if kind.startswith("Test") and action is not None:
            yield kind, action, named(one.subject, "result")


def said(quads):
    data = ox.Dataset(ox.Quad(one.subject, one.predicate, one.object) for one in quads)
    data.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, data))


def comes_back(path, result, base):
    found = list(statements(read_rdf(path, base=base)))
    expected = list(ox.parse(path=result or path, base_iri=base, lenient=True))
    try:
        lines = "".join(ntriples_lines(found))
    except ValueError:  # an IRI that the parser takes in a prefixed name alone
        plain = {(one.subject.value, one.predicate.value, one.object.value) for one in expected}
        return {(s, p, o[0]) for s, p, o in found} == plain
    return said(ox.parse(lines, format=ox.RdfFormat.N_TRIPLES)) == said(expected)


@pytest.mark.parametrize("suite", list(SUITES))
def test_a_suite_is_read_and_comes_back(suite):
    good, unread, unequal, accepted = 0, [], [], []
    for kind, path, result in cases(suite):
        name = path.relative_to((FOLDER / suite).absolute()).as_posix()
        try:
            read_rdf(path)
        except GraphDataError as fault:
            if "Negative" not in kind:
                unread.append(f"{name}: {fault}")
            continue
        if "Negative" in kind:
            accepted.append(name)
            continue
        good += 1
        base = f"http://www.w3.org/2013/{SUITES[suite]}/{name}"
        if not comes_back(path, result, base):
            unequal.append(name)
    assert good > 40
    assert not accepted
    assert len(unread) <= 0.01 * good, unread
    assert len(unequal) <= 0.01 * good, unequal
