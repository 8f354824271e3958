"""Small made-up folders in the layouts of the named sources: a few rows of each file.

Every writer fills an empty folder. People, titles and texts are invented; only
names of files and columns, and how values are written, are those of the publishers.
"""

import gzip
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

ONTOLOGY, RESOURCE = "http://dbpedia.org/ontology/", "http://dbpedia.org/resource/"
USERS, ITEMS = 8, 12


def text(path: Path, *lines: str) -> None:
    """Lines of a file, packed where its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def statement(head: str, relation: str, tail: str) -> str:
    return f"<{head}> <{relation}> <{tail}> ."


def pairs() -> list[tuple[int, int]]:
    """Who met what: everyone six items, which differ."""
    return [(user, (3 * user + 5 * step) % ITEMS) for user in range(USERS) for step in range(6)]


def colakg(folder: Path, first_item: int, first_user: int = 2) -> None:
    """Five items of everyone in training and one in the test, under internal numbers."""
    for part, kept in (("train", slice(0, 5)), ("test", slice(5, 6))):
        of_user = {user: [i for u, i in pairs() if u == user][kept] for user in range(USERS)}
        lines = [f"{user} {' '.join(map(str, items))}" for user, items in of_user.items()]
        text(folder / f"{part}.txt", *lines)
    text(folder / "user_map.txt", *[f"{first_user + n} {n}" for n in range(USERS)])
    text(folder / "item_map.txt", *[f"{first_item + n} {n}" for n in range(ITEMS)])


def labelled(folder: Path) -> None:
    """All pairs: those that happened with label 1, the others with label 0."""
    met = set(pairs())
    rows = [(u, i, int((u, i) in met)) for u in range(USERS) for i in range(ITEMS)]
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "ratings_final.npy", np.array(rows, np.int32))
    triples = [(item, item % 2, ITEMS + item % 3) for item in range(ITEMS)]
    np.save(folder / "kg_final.npy", np.array(triples, np.int32))


def movielens_small(root: Path) -> None:
    rated = [f"{u + 1},{i + 1},{(u + i) % 9 / 2 + 0.5},{10**9 + 60 * i}" for u, i in pairs()]
    text(root / "ratings.csv.gz", "userId,movieId,rating,timestamp", *rated)
    films = [f'{i + 1},"Film, The {i} ({1980 + i})",Comedy|Drama' for i in range(ITEMS - 1)]
    films.append(f"{ITEMS},Film without,(no genres listed)")
    text(root / "movies.csv", "movieId,title,genres", *films)
    plots = [json.dumps({"movieId": i + 1, "plot": f"Plot number {i}."}) for i in range(5)]
    text(root / "derived" / "item_text.jsonl.gz", *plots)
    same = "http://www.w3.org/2002/07/owl#sameAs"
    films_of = range(1, ITEMS + 1)
    names = [statement(f"urn:kg:movie:{i}", same, f"{RESOURCE}Film_{i}") for i in films_of]
    names += [
        statement(f"urn:kg:movie:{i}", "urn:kg:actor", f"urn:kg:person:Ann_{i % 3}")
        for i in films_of
    ]
    text(root / "derived" / "kg_names.nt.gz", *names)
    directed = [
        statement(f"{RESOURCE}Film_{i}", f"{ONTOLOGY}director", f"{RESOURCE}Bo_{i % 2}")
        for i in films_of
    ]
    text(root / "derived" / "kg_dbpedia.nt.gz", *directed)


def movielens_100k(root: Path) -> None:
    rated = [f"{u + 1},{i + 1},{1 + (u + i) % 5},{881250949 + i}" for u, i in pairs()]
    text(root / "ratings.csv", "user_id,item_id,rating,timestamp", *rated)
    people = [f"{u + 1},{20 + u},{'MF'[u % 2]},other,0000{u}" for u in range(USERS)]
    text(root / "users_info.csv", "user_id,age,gender,occupation,zip_code", *people)
    films = [
        {
            "movielens_id": str(i + 1),
            "title": f"Film {i}",
            "plot": f"Plot {i}.",
            "genres": "Comedy, Drama",
            "year": str(1980 + i),
            "directors": f"Bo {i % 2}",
            "cast": f"Ann {i % 3}, Cy {i % 2}",
        }
        for i in range(ITEMS)
    ]
    text(root / "items_info.json.gz", json.dumps(films))
    abstracts = [f'{i + 1},"Abstract, of {i}."' for i in range(4)]
    header = "item_id::string,abstract::string"
    text(root / "frankgraphbench" / "enriched.csv.gz", header, *abstracts)
    links = [f"{i + 1},{i},{RESOURCE}Film_{i},1" for i in range(ITEMS - 1)]
    header = "movielens_id,imdb_id,dbpedia_uri,in_kg"
    text(root / "derived" / "item_entity.csv", header, *links, f"{ITEMS},{ITEMS},,0")
    starred = [
        statement(f"{RESOURCE}Film_{i}", f"{ONTOLOGY}starring", f"{RESOURCE}Ann_{i % 3}")
        for i in range(ITEMS - 1)
    ]
    text(root / "derived" / "kg.nt.gz", *starred)


def movielens_1m(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    user, item = zip(*pairs(), strict=True)
    frame = pl.DataFrame({"userID": user, "movieID": item}) + 1
    frame.write_parquet(root / "pairs_in_original_order.parquet")
    films = [f"{i + 1}::Film {i} ({1980 + i})::Comedy|Drama" for i in range(ITEMS + 1)]
    text(root / "movies.dat", *films)
    text(root / "users.dat", *[f"{u + 1}::F::25::{u}::00000" for u in range(USERS)])
    rest = "G::1 Jan 1990::Comedy::Bo::Bo::Ann"
    plots = [f"{i + 1}::Film {i}::1990::{rest}::Plot {i}.::x.jpg" for i in range(5)]
    text(root / "movies_extrainfos.dat.gz", *plots)
    told = {str(i + 1): f"Told of {i}." for i in range(3)}
    text(root / "colakg" / "llm_response_item.json.gz", json.dumps(told))
    colakg(root / "colakg", first_item=1, first_user=1)
    links = [f"{i + 1},{RESOURCE}Film_{i},,1" for i in range(6)]
    links += [f"{i + 1},,{RESOURCE}Film_{i},0" for i in range(6, 11)]
    header = "movieID,dbpedia_uri_lodrecsys,dbpedia_uri_frankgraphbench,in_kg"
    text(root / "derived" / "movie_dbpedia.csv", header, *links, f"{ITEMS},,,0")
    directed = [
        statement(f"{RESOURCE}Film_{i}", f"{ONTOLOGY}director", f"{RESOURCE}Bo_{i % 2}")
        for i in range(11)
    ]
    text(root / "derived" / "kg_dbpedia.nt.gz", *directed)


def lastfm(root: Path) -> None:
    labelled(root / "mcclk")
    genres = [f"{i}\t{('music.genre', 'music.origin')[i % 2]}\t{ITEMS + i % 3}" for i in range(12)]
    text(root / "kgcn" / "kg.txt", *genres)
    header = "artistID\tkgcn_entity\tname\tdbpedia_uri\tin_dbpedia_kg\tcolakg_item"
    names = [f"{51 + i}\t{i}\tBand {i}\t{RESOURCE}Band_{i}\t1\t{i}" for i in range(10)]
    text(root / "derived" / "artist_names.tsv", header, *names)
    told = {str(i): f"Told of band {i}." for i in range(10)}
    text(root / "colakg" / "llm_response_item.json.gz", json.dumps(told))
    colakg(root / "colakg", first_item=51)
    known = [
        statement(f"{RESOURCE}Band_{i}", f"{ONTOLOGY}{relation}", f"{RESOURCE}{tail}_{i % 2}")
        for i in range(10)
        for relation, tail in (("genre", "Genre"), ("associatedMusicalArtist", "Friend"))
    ]
    text(root / "derived" / "kg_dbpedia.nt.gz", *known)


def book_crossing(root: Path) -> None:
    labelled(root / "mcclk")
    links = [f"000{i},{i},{i},,Book {i},Author {i % 2}" for i in range(4)]
    header = "isbn,mkr_entity,mcclk_entity,caserec_item,title,author"
    text(root / "derived" / "isbn_link.csv", header, *links, "0009,,,,Nowhere,Nobody")


def frappe(root: Path) -> None:
    columns = "user item cnt daytime weekday isweekend homework cost weather country city"
    used = [
        f"{u}\t{i}\t1\t{('morning', 'night')[i % 2]}\tsunday\tweekend\tunknown\tfree\t"
        f"{('sunny', 'unknown')[u % 2]}\tSpain\t{u % 3}"
        for u, i in pairs()
    ]
    stores = "item package category downloads developer icon language description name price rating"
    apps = [
        f"{i}\tcom.app{i}\tTools\t1,000 - 5,000\tDev {i % 3}\ticon\ten\tAbout {i}\tApp {i}\tFree\t"
        f"{4.5 if i % 2 else 'unknown'}\t{'Short' if i else 'unknown'}"
        for i in range(ITEMS)
    ]
    root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(root / "Mobile_Frappe.zip", "w") as archive:
        lines = ["\t".join(columns.split()), *used]
        archive.writestr("Mobile_Frappe/frappe/frappe.csv", "\n".join(lines) + "\n")
        lines = ["\t".join([*stores.split(), "short desc"]), *apps]
        archive.writestr("Mobile_Frappe/frappe/meta.csv", "\n".join(lines) + "\n")


def amazon(root: Path) -> None:
    reviews: list[Mapping[str, object]] = [
        {
            "overall": 4.0,
            "reviewerID": f"A{u}",
            "asin": f"B{i}",
            "unixReviewTime": 10**9 + 86400 * i,
        }
        for u, i in pairs()
    ]
    text(root / "Magazine_Subscriptions_5.json.gz", *map(json.dumps, reviews))
    products = [
        {
            "asin": f"B{i}",
            "title": "<span class=scrap" if i == 0 else f"Salt &amp; Sea {i}",
            "description": [f"Issue {i}", "of a magazine."],
            "category": ["Magazine Subscriptions", "Arts &amp; Crafts"],
            "brand": f"House {i % 2}" if i else "",
            "also_buy": [f"B{(i + 1) % ITEMS}"],
        }
        for i in range(ITEMS)
    ]
    text(root / "meta_Magazine_Subscriptions.json.gz", *map(json.dumps, [*products, products[3]]))
