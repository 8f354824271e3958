# ruff: noqa: E501
"""Questions and expressions as people write them for Neo4j, about ``graph_strategies.films()``.

The embedded store answers each as Neo4j does, or refuses it and says what works.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trefoil.data.errors import StoreError
from trefoil.kg.stores.base import GraphStore

QUESTIONS = """
MATCH (i:Item) RETURN i.name ORDER BY i.name
MATCH (i:Item) WHERE i.year = 1979 RETURN i.id AS id ORDER BY id
MATCH (i:Item) WHERE i.year IN [1972, 1979] AND NOT i.name STARTS WITH 'A' RETURN i.id AS id ORDER BY id
MATCH (i:Item) WHERE i.name =~ '(?i).*ALIEN.*' RETURN i.id
MATCH (i:Item) WHERE i.year IS NULL RETURN i.id
MATCH (i:Item) WHERE i.text CONTAINS '' RETURN count(i) AS n
MATCH (n) WHERE n:Item RETURN count(n) AS n
MATCH (n) WHERE n:Item OR n:Genre RETURN count(n) AS n
MATCH (n:Item|Genre) RETURN count(n) AS n
MATCH (n) WHERE NOT n:_Trefoil RETURN labels(n) AS l, count(*) AS n ORDER BY n DESC, l[0]
MATCH (n) WHERE NOT '_Trefoil' IN labels(n) RETURN labels(n)[0] AS l, count(*) AS n ORDER BY l
MATCH ()-[r]->() RETURN type(r) AS t, count(*) AS n ORDER BY t
MATCH (i:Item)-[:GENRE]->(g:Genre) RETURN g.name AS g, count(DISTINCT i) AS n ORDER BY n DESC, g
MATCH (i:Item)-[:GENRE]->(g) WITH i, collect(g.name) AS gs WHERE size(gs) > 1 RETURN i.name AS n, gs[0] IN gs AS x ORDER BY n
MATCH (i:Item) OPTIONAL MATCH (i)-[:DIRECTOR]->(p) RETURN i.id AS i, p.name AS p ORDER BY i
MATCH (p:Person) RETURN p.name AS n, COUNT { (p)<-[:DIRECTOR]-() } AS c ORDER BY n
MATCH (i:Item) WHERE EXISTS { (i)-[:GENRE]->(:Genre {id: 'horror'}) } RETURN i.id
MATCH (i:Item) WHERE EXISTS { MATCH (i)-[:GENRE]->(g) WHERE g.name = 'Drama' } RETURN i.id AS i ORDER BY i
MATCH (i:Item) WHERE EXISTS { MATCH (i)-[:DIRECTOR]->(p) RETURN p } RETURN count(i) AS n
MATCH (i:Item) WHERE NOT (i)-[:DIRECTOR]->() RETURN i.name
MATCH (i:Item) WHERE (i)-[:GENRE]->(:Genre {name: 'Horror'}) RETURN i.name
MATCH (i:Item) RETURN i.id AS i, [(i)-[:GENRE]->(g) | g.name] AS g ORDER BY i
MATCH (p:Person) RETURN p.name AS p, [(p)<-[:DIRECTOR]-(i) WHERE i.year > 1974 | i.name] AS f ORDER BY p
MATCH (i:Item) RETURN i {.name, .year} AS m ORDER BY i.id
MATCH (i:Item {id: 'q1'}) RETURN i {.*, extra: 1} AS m
MATCH (i:Item {id: 'q1'}) RETURN properties(i) AS p
MATCH (i:Item {id: 'q1'}) RETURN keys(i) AS k
MATCH (p:Person {id: 'p1'}) RETURN p
MATCH (:User {id: 'u1'})-[r:INTERACTED]->(:Item {id: 'q2'}) RETURN r
MATCH p = (:Item {id: 'q1'})-[:DIRECTOR]->(:Person) RETURN p
MATCH p = (:User {id: 'u2'})-[:INTERACTED]->()-[:DIRECTOR]->() RETURN length(p) AS l, [n IN nodes(p) | n.id] AS ids, [r IN relationships(p) | type(r)] AS ts
MATCH p = shortestPath((a:Item {id: 'q1'})-[*..6]-(b:Item {id: 'q4'})) RETURN length(p) AS l
MATCH (a:Item {id: 'q1'}), (b:Item {id: 'q5'}), p = shortestPath((a)-[*]-(b)) RETURN length(p) AS l
MATCH (a:Item {id: 'q1'}), (b:Item {id: 'q4'}) MATCH p = allShortestPaths((a)-[*..4]-(b)) RETURN count(p) AS n
MATCH (a:User {id: 'u1'})-[*1..2]->(x) RETURN count(x) AS n
MATCH (a:User {id: 'u1'})-[*]->(x:Person) RETURN count(x) AS n
MATCH (a:User {id: 'u1'})-[r:INTERACTED*1..3]-(x) RETURN count(*) AS n
MATCH (a:Item)-[r*2..2]-(b:Item) WHERE a.id < b.id RETURN a.id AS a, b.id AS b, count(*) AS n ORDER BY a, b LIMIT 5
MATCH (a:Person)-[:INFLUENCED_BY]-(b:Person) RETURN a.id AS a, b.id AS b ORDER BY a, b
MATCH (a)-[:INFLUENCED_BY]->(a) RETURN a.id AS a
MATCH (a)<-[:INFLUENCED_BY]->(b) RETURN count(*) AS n
MATCH (a:Item)-[:INFLUENCED_BY]->(b) RETURN a.id AS a, count(b) AS n
MATCH (a:Item)-[x:GENRE]->(g)<-[y:GENRE]-(b:Item) WHERE a.id < b.id RETURN a.name AS a, b.name AS b, count(g) AS n ORDER BY n DESC, a, b LIMIT 3
MATCH (a)-->(b)-->(c) RETURN count(*) AS n
MATCH (a)--(b) RETURN count(*) AS n
MATCH (u:User)-[e:INTERACTED]->(i) RETURN u.id AS u, avg(e.stars) AS a, sum(e.stars) AS s, min(e.at) AS f, max(e.at) AS l ORDER BY u
MATCH (u:User)-[e:INTERACTED]->(i) WHERE e.kind = 'buy' RETURN u.id AS u, i.id AS i ORDER BY u, i
MATCH (u:User)-[e:INTERACTED]->(i) WITH u, i ORDER BY i.id RETURN u.id AS u, collect(DISTINCT i.id) AS l ORDER BY u
MATCH (u:User)-[e:INTERACTED]->(i) RETURN u.id AS u, collect(i.id)[0..1] = [] AS e ORDER BY u
MATCH (u:User)-[:INTERACTED]->(i)<-[:INTERACTED]-(v:User) WHERE u <> v RETURN DISTINCT u.id AS u, v.id AS v ORDER BY u, v
MATCH (u:User) RETURN u.id AS u, size([(u)-[:INTERACTED]->(i) | i]) AS n ORDER BY u
MATCH (i:Item) WITH i.year AS y, count(*) AS n WHERE y IS NOT NULL RETURN y, n ORDER BY n DESC, y
MATCH (i:Item) RETURN i.year / 10 * 10 AS decade, count(*) AS n ORDER BY decade
MATCH (i:Item) WHERE i.year IS NOT NULL RETURN toString(i.year) + '!' AS s ORDER BY s LIMIT 2
MATCH (i:Item) RETURN CASE WHEN i.year < 1976 THEN 'old' WHEN i.year IS NULL THEN '?' ELSE 'new' END AS a, count(*) AS n ORDER BY a
MATCH (i:Item) RETURN CASE i.year WHEN 1979 THEN 'x' ELSE 'y' END AS a, count(*) AS n ORDER BY a
MATCH (i:Item) RETURN i.name AS name ORDER BY i.year DESC, name SKIP 1 LIMIT 3
MATCH (i:Item) RETURN i.name AS n ORDER BY size(i.name), n LIMIT 2
MATCH (i:Item) RETURN DISTINCT i.year AS y ORDER BY y
MATCH (i:Item) RETURN count(i.year) AS a, count(*) AS b, count(DISTINCT i.year) AS c
MATCH (i:Item) RETURN percentileCont(i.year, 0.5) AS m, percentileDisc(i.year, 0.5) AS d
MATCH (i:Item) WHERE i.year > 1900 RETURN stDev(i.year) AS s, stDevP(i.year) AS p
MATCH (i:Item) WHERE i.score > 8 RETURN i.id AS i ORDER BY i
MATCH (i:Item) WHERE 'sf' IN i.tags RETURN i.id AS i ORDER BY i
MATCH (i:Item) WHERE any(t IN i.tags WHERE t STARTS WITH 's') RETURN i.id AS i ORDER BY i
MATCH (i:Item) UNWIND i.tags AS t RETURN t, count(*) AS n ORDER BY n DESC, t
MATCH (i:Item) WHERE i.released < date('1980-01-01') RETURN i.id AS i
MATCH (i:Item) WHERE i.released IS NOT NULL RETURN i.released.year AS y ORDER BY y
MATCH (i:Item) WHERE i.seen_at > datetime('2020-06-01T00:00:00Z') RETURN i.id AS i
MATCH (i:Item {id: 'q1'}) RETURN duration.between(i.released, date('1975-04-25')).months AS m
MATCH (i:Item {id: 'q1'}) RETURN duration.inDays(i.released, date('1972-04-20')).days AS d
MATCH (u:User)-[e:INTERACTED]->() WHERE e.at IS NOT NULL RETURN max(datetime({epochSeconds: e.at})) AS t
UNWIND [1, 2, 2, null] AS x RETURN x, count(*) AS n ORDER BY x
UNWIND range(1, 5) AS x WITH x WHERE x % 2 = 1 RETURN collect(x) AS odd
WITH [3, 1, 2] AS l UNWIND l AS x WITH x ORDER BY x RETURN collect(x) AS sorted
UNWIND $ids AS id MATCH (i:Item {id: id}) RETURN i.name AS n ORDER BY n
MATCH (i:Item) WHERE i.id IN $ids RETURN count(*) AS n
MATCH (i:Item {id: $ids[0]}) RETURN i.name AS n
MATCH (n:Item) RETURN n.id AS id UNION MATCH (n:Genre) RETURN n.id AS id
MATCH (n:Item) RETURN 'x' AS k UNION ALL MATCH (n:Genre) RETURN 'x' AS k
MATCH (i:Item) CALL (i) { MATCH (i)-[:GENRE]->(g) RETURN count(g) AS c } RETURN i.id AS i, c ORDER BY i
MATCH (i:Item) CALL { WITH i MATCH (i)-[:GENRE]->(g) RETURN g.name AS g ORDER BY g LIMIT 1 } RETURN i.id AS i, g ORDER BY i
MATCH (i:Item) RETURN i.id AS i, COLLECT { MATCH (i)-[:GENRE]->(g) RETURN g.name ORDER BY g.name } AS g ORDER BY i
MATCH (i:Item WHERE i.year > 1975) RETURN i.id AS i ORDER BY i
MATCH (u:User)-[e:INTERACTED WHERE e.stars > 3]->(i) RETURN u.id AS u, i.id AS i ORDER BY u, i
MATCH (a:Person) ((x)-[:INFLUENCED_BY]->(y)){1,2} (b) RETURN a.id AS a, b.id AS b
MATCH p = SHORTEST 1 (a:Item {id: 'q1'})-[]-+(b:Item {id: 'q4'}) RETURN length(p) AS l
""".strip().splitlines()

EXPRESSIONS = """
toInteger(1.7)
toInteger(-1.7)
toInteger('1.7')
toInteger('abc')
toInteger(true)
toFloat('1e3')
toFloat('x')
toString(1.0)
toString(1.5)
toString(100000000.0)
toString(0.00001)
toString(true)
toString(null)
toString(date('2020-02-03'))
toString(datetime('2020-02-03T04:05:06Z'))
toBoolean('true')
toBoolean('x')
substring('abcdef', 1, 3)
substring('abc', 1)
left('abcdef', 2)
right('abcdef', 2)
[1, 2, 3, 4][1..3]
[1, 2, 3][0]
[1, 2, 3][-1]
[1, 2, 3][9]
[1, 2, 3][-2..]
'abc' CONTAINS ''
'1' = 1
1 = 1.0
1 IN [null]
1 IN [1, null]
null = null
[1, null] = [1, null]
log(10)
log10(100)
log(0)
sqrt(2)
sqrt(-1)
exp(1)
e()
round(2.5)
round(-2.5)
round(2.567, 2)
round(0.5)
floor(-1.5)
ceil(1.2)
abs(-3)
sign(-2.5)
5 / 2
-5 / 2
5 % 3
-5 % 3
5.0 / 2
1.0 / 0
1 / 0
2 ^ 3
2 ^ 0.5
head([1, 2])
last([1, 2])
tail([1, 2, 3])
head([])
reduce(s = 0, x IN [1, 2, 3] | s + x)
[x IN range(1, 5) WHERE x % 2 = 0 | x * x]
size('héé')
size([1, 2])
split('a,b,c', ',')
split('abc', '')
replace('aaa', 'a', 'b')
reverse('abc')
trim('  x ')
upper('ab')
toUpper('straße')
'a' + 1
1 + '1'
'a' + null
[1] + 2
[1] + [2]
[1] + null
'b' > 'a'
'a' < 1
coalesce(null, 2)
nullIf(1, 1)
isEmpty([])
isEmpty('')
char_length('abc')
all(x IN [1, null] WHERE x > 0)
any(x IN [1, null] WHERE x > 0)
none(x IN [] WHERE x)
single(x IN [1, 2, 2] WHERE x = 2)
true XOR null
NOT null
{a: 1}.a
{a: 1, title: 2}.title
keys({title: 1, b: 2})
range(0, 10, 5)
range(3, 1)
date('2020-01-31') + duration('P1M')
date('2020-03-01') - duration('P1D')
date('2020-01-01') < date('2020-01-02')
duration.between(date('2020-01-01'), date('2020-03-02')).months
duration.between(date('2020-01-01'), date('2020-03-02')).days
duration.inSeconds(datetime('2020-01-01T00:00:00+02:00'), datetime('2020-01-01T00:00:00Z')).seconds
duration('P1Y2M').months
datetime({epochSeconds: 1600000000})
datetime({epochMillis: 1600000000123}).year
date.truncate('month', date('2020-05-17'))
date('2020-01-01').week
date('2020-05-17').dayOfWeek
datetime('2020-02-03T04:05:06+01:00').epochSeconds
localtime('10:11:12').minute
toIntegerList(['1', 'x'])
toStringOrNull(1)
stDev(3)
count(null)
sum(null)
avg(null)
collect(null)
max([1, 3, 2])
9223372036854775807 + 1
1e308 * 10
haversin(0.5)
degrees(pi())
atan2(1, 2)
cot(1.0)
asin(2)
'abc' =~ 'A.*'
'Abc' =~ '(?i)a.*'
btrim('xxaxx', 'x')
normalize('a')
valueType(1)
point({latitude: 1, longitude: 2}).latitude
point.distance(point({latitude: 1, longitude: 1}), point({latitude: 1, longitude: 2}))
""".strip().splitlines()

IDS = ["q1", "q4"]

RECORD = Path(__file__).with_name("neo4j_answers.json")  # of Neo4j 5.26.12
REFUSED = "refused"


def statements() -> list[str]:
    return [*QUESTIONS, *(f"RETURN {expression} AS x" for expression in EXPRESSIONS)]


def answer(store: GraphStore, statement: str) -> Any:
    """The rows of an answer as JSON has them, or ``REFUSED``; sorted where nothing orders them."""
    given = {"ids": IDS} if "$ids" in statement else {}
    try:
        table = store.ask(statement, given).table
    except StoreError:
        return REFUSED
    rows = [[plain(cell) for cell in row] for row in table.rows()]
    return rows if "ORDER BY" in statement else sorted(rows, key=json.dumps)


def plain(cell: Any) -> Any:
    """A cell without what has no order or is Neo4j's own, and floats to nine digits."""
    if isinstance(cell, float):
        return repr(cell) if cell != cell or abs(cell) == float("inf") else round(cell, 9)
    if isinstance(cell, str) and cell.startswith("{"):
        return plain(json.loads(cell))
    if isinstance(cell, list):
        ordered = any(isinstance(part, Mapping) for part in cell)
        parts = [plain(part) for part in cell]
        return parts if ordered else sorted(parts, key=json.dumps)
    if isinstance(cell, Mapping):
        kept = {name: part for name, part in cell.items() if name not in ("_key", "id")}
        return {name: plain(part) for name, part in sorted(kept.items()) if part is not None}
    if isinstance(cell, dt.datetime):
        cell = cell.astimezone(dt.UTC) if cell.tzinfo else cell
        return cell.isoformat(" ")
    return cell if cell is None or isinstance(cell, bool | int) else str(cell)
