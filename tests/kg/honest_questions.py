"""Honest questions that the guard must not refuse, about ``graph_strategies.films()``."""

from __future__ import annotations

# for both stores
PORTABLE = """
MATCH (n) RETURN n
MATCH (n) RETURN n LIMIT 3
MATCH (n:Item) RETURN n.name
MATCH (n:Item) RETURN n.name AS name
MATCH (n:Item) RETURN n.name;
match (n:Item) return n.name as name order by name limit 2
MATCH (n:Item) WHERE n.year = 1979 RETURN n.id
MATCH (n:Item) WHERE n.year <> 1979 RETURN n.id
MATCH (n:Item) WHERE n.year >= 1970 AND n.year < 1980 RETURN n.id
MATCH (n:Item) WHERE n.year > 1970 OR n.year IS NULL RETURN n.id
MATCH (n:Item) WHERE NOT n.year = 1979 RETURN n.id
MATCH (n:Item) WHERE n.year IS NOT NULL RETURN n.id
MATCH (n:Item) WHERE n.name STARTS WITH 'S' RETURN n.id
MATCH (n:Item) WHERE n.name ENDS WITH 's' RETURN n.id
MATCH (n:Item) WHERE n.name CONTAINS 'a' RETURN n.id
MATCH (n:Item) WHERE n.name =~ '.*a.*' RETURN n.id
MATCH (n:Item) WHERE n.id IN ['q1', 'q2'] RETURN n.name
MATCH (n:Item) WHERE n.id IN $ids RETURN n.name
MATCH (n:Item {id: 'q1'}) RETURN n.name
MATCH (n:Item {id: $id}) RETURN n.name, n.year
MATCH (n:Item) RETURN n.name ORDER BY n.name
MATCH (n:Item) RETURN n.name ORDER BY n.year DESC, n.name ASC
MATCH (n:Item) RETURN n.name SKIP 1 LIMIT 2
MATCH (n:Item) RETURN DISTINCT n.year
MATCH (n:Item) RETURN count(*)
MATCH (n:Item) RETURN count(n) AS n, min(n.year) AS a, max(n.year) AS b, avg(n.score) AS c
MATCH (n:Item) RETURN sum(n.year) AS s, count(DISTINCT n.year) AS d
MATCH (n:Item) RETURN collect(n.name) AS names
MATCH (n:Item) RETURN toLower(n.name), toUpper(n.name), size(n.name)
MATCH (n:Item) RETURN n.name + '!' AS loud
MATCH (n:Item) RETURN n.year + 1, n.year - 1, n.year * 2, n.year / 2, n.year % 10
MATCH (n:Item) RETURN -n.year, abs(-1), floor(n.score), ceil(n.score), sqrt(n.score)
MATCH (n:Item) RETURN coalesce(n.text, 'none') AS text
MATCH (n:Item) RETURN CASE WHEN n.year > 1975 THEN 'new' ELSE 'old' END AS age
MATCH (n:Item) RETURN CASE n.year WHEN 1979 THEN 'then' ELSE 'not then' END AS age
MATCH (i:Item)-[:GENRE]->(g:Genre) RETURN i.name, g.name
MATCH (g:Genre)<-[:GENRE]-(i:Item) RETURN g.name, count(i) AS n ORDER BY n DESC
MATCH (i:Item)-[r:GENRE]->(g:Genre) RETURN type(r), i.id, g.id
MATCH (i:Item)-[:GENRE|DIRECTOR]->(x) RETURN i.name, x.name
MATCH (i:Item)-[r]->(x) RETURN type(r) AS t, count(*) AS n
MATCH (i:Item)--(x) RETURN count(*)
MATCH (i:Item)-->(x) RETURN count(*)
MATCH (i:Item)<--(x) RETURN count(*)
MATCH (i:Item)-[:GENRE*1..2]-(x) RETURN count(*)
MATCH (a:Item)-[:GENRE]->(g:Genre)<-[:GENRE]-(b:Item) WHERE a.id < b.id RETURN a.id, b.id, g.name
MATCH (a:Item)-[:GENRE]->(g:Genre), (a)-[:DIRECTOR]->(p:Person) RETURN a.name, g.name, p.name
MATCH (a:Item {id: 'q1'}), (b:Item {id: 'q4'}) RETURN a.name, b.name
MATCH (i:Item) OPTIONAL MATCH (i)-[:THEME]->(t:Theme) RETURN i.name, t.name
MATCH (i:Item)-[:GENRE]->(g:Genre) WITH i, count(g) AS n WHERE n > 1 RETURN i.name, n
MATCH (i:Item)-[:GENRE]->(g:Genre) WITH g.name AS genre, collect(i.name) AS f RETURN genre, f
MATCH (u:User)-[r:INTERACTED]->(i:Item) RETURN u.id, i.name, r.stars, r.kind
MATCH (u:User)-[r:INTERACTED]->(i:Item) WHERE r.stars >= 4 RETURN u.id, i.name
MATCH (u:User)-[:INTERACTED]->(i:Item) RETURN u.id, count(i) AS n ORDER BY n DESC LIMIT 1
MATCH (u:User {id: 'u1'})-[:INTERACTED]->(:Item)-[:GENRE]->(g:Genre) RETURN g.name, count(*) AS n
MATCH p = (u:User)-[:INTERACTED]->(i:Item)-[:DIRECTOR]->(d:Person) RETURN p
MATCH p = (a:Item)-[:GENRE*1..3]-(b:Item) RETURN length(p) LIMIT 5
MATCH p = (a:Item {id: 'q1'})-[:GENRE]->(b:Genre) RETURN nodes(p), relationships(p)
MATCH (i:Item) WHERE EXISTS { MATCH (i)-[:GENRE]->(:Genre {id: 'sf'}) } RETURN i.name
MATCH (i:Item) WHERE NOT EXISTS { MATCH (i)-[:DIRECTOR]->(:Person) } RETURN i.name
MATCH (i:Item) RETURN i.name, COUNT { MATCH (i)-[:GENRE]->(:Genre) } AS n
MATCH (i:Item) RETURN i.id AS id UNION MATCH (u:User) RETURN u.id AS id
MATCH (i:Item) RETURN i.id AS id UNION ALL MATCH (u:User) RETURN u.id AS id
UNWIND [1, 2, 3] AS x RETURN x, x * x AS square
UNWIND $ids AS id MATCH (i:Item {id: id}) RETURN i.name
UNWIND range(1, 5) AS x RETURN x
WITH 1 AS x, 'a' AS y RETURN x, y
RETURN 1
RETURN 1.5 AS x, 'text' AS y, true AS z, null AS nothing
RETURN 'CREATE (n); DROP TABLE Item' AS text
RETURN "it's; DELETE" AS text
RETURN 'a // no comment /* here */' AS text
RETURN '\\'quoted\\' \\\\ back-slash' AS text
MATCH (n:Item) /* a comment; DELETE */ RETURN n.name // and another: CREATE
MATCH (n:`Item`) RETURN n.`name` AS `DELETE n`
MATCH (n:Item) RETURN n.name AS `电影`
MATCH (n:Item) WHERE n.name = '寂静之夜' RETURN n
MATCH (create_me:Item) RETURN create_me.name AS settled, create_me.id AS deleted_at
MATCH (n:Item) WITH n ORDER BY n.year DESC LIMIT 2 RETURN n.name, n.year
MATCH (n:Item) WHERE n.tags IS NOT NULL RETURN n.name, size(n.tags) AS tags
MATCH (n:Item) WHERE 'sf' IN n.tags RETURN n.name
MATCH (n:Item) RETURN n.name, n.released, n.seen_at, n.colour
MATCH (a:Item), (b:Item) WHERE a.year = b.year AND a.id < b.id RETURN a.name, b.name
MATCH (i:Item)-[:INFLUENCED_BY]->(j:Item) RETURN i.name, j.name, count(*) AS times
MATCH (p:Person)-[:INFLUENCED_BY]->(p) RETURN p.name
MATCH (i:Item) WHERE (i.year > 1975 AND (i.score > 8 OR i.score IS NULL)) RETURN i.name
MATCH (i:Item) RETURN i.name, (i.year - 1970) * 2 AS x ORDER BY x
MATCH (i:Item)-[:DIRECTOR]->(p:Person) RETURN p.name AS name, count(i) AS n ORDER BY n DESC LIMIT 5
MATCH (u:User)-->(i:Item)<--(v:User) WHERE u.id <> v.id RETURN DISTINCT u.id, v.id
MATCH (n) WHERE n.id = 'q1' RETURN labels(n)
MATCH (n:Item) WHERE toString(n.year) = '1979' RETURN n.name
RETURN toInteger('5') + 1 AS six, toFloat('1.5') AS x
RETURN split('a,b', ',') AS parts, trim(' a ') AS a, replace('aba', 'b', 'c') AS c
RETURN 1 IN [1, 2] AS yes, 3 > 2 AND 2 > 1 XOR false AS also
MATCH (i:Item) RETURN avg(i.year) AS y, count(i.score) AS scores
MATCH (i:Item) WITH count(*) AS n MATCH (u:User) RETURN n, count(u) AS users
""".strip().splitlines()

NEO4J_ONLY = """
MATCH p = shortestPath((a:Item {id: 'q1'})-[*..6]-(b:Item {id: 'q4'})) RETURN p
MATCH p = allShortestPaths((a:Item {id: 'q1'})-[*..6]-(b:Item {id: 'q4'})) RETURN length(p)
MATCH p = SHORTEST 1 (a:Item {id: 'q1'})-[:GENRE]-+(b:Item {id: 'q4'}) RETURN p
MATCH p = ANY SHORTEST (a:Item {id: 'q1'})-[:GENRE]-+(b:Item {id: 'q4'}) RETURN p
MATCH p = ALL SHORTEST (a:Item {id: 'q1'})-[:GENRE]-{1,4}(b:Item {id: 'q4'}) RETURN p
MATCH (n:Item) RETURN n { .name, .year } AS film
MATCH (n:Item) RETURN n { .*, extra: 1 } AS film
MATCH (n:Item) RETURN [x IN n.tags WHERE x <> 'sf' | toUpper(x)] AS tags
MATCH (n:Item) RETURN [(n)-[:GENRE]->(g) | g.name] AS genres
MATCH (n:Item) RETURN reduce(s = 0, x IN [1, 2] | s + x) AS s
MATCH (n:Item) WHERE any(x IN n.tags WHERE x = 'sf') RETURN n.name
MATCH (n:Item) WHERE all(x IN n.tags WHERE x = 'sf') AND none(x IN n.tags WHERE x = 'a') RETURN n
MATCH (n:Item) CALL { WITH n MATCH (n)-[:GENRE]->(g) RETURN count(g) AS c } RETURN n.name, c
MATCH (n:Item) CALL (n) { MATCH (n)-[:GENRE]->(g) RETURN g LIMIT 1 } RETURN n.name, g.name
MATCH (n:Item) RETURN COLLECT { MATCH (n)-[:GENRE]->(g) RETURN g.name } AS genres
MATCH (n:Item) WHERE (n)-[:GENRE]->(:Genre) RETURN n.name
MATCH (n:Item&!Person) RETURN n.name
MATCH (n:Item|Person) RETURN n.name
MATCH (n WHERE n.year > 1975) RETURN n.name
MATCH (n:Item) WHERE n:Item RETURN count(*)
CALL db.labels() YIELD label RETURN label
CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType
CALL db.propertyKeys()
CALL db.schema.nodeTypeProperties() YIELD nodeType, propertyName RETURN nodeType, propertyName
RETURN date('2020-01-01') + duration('P1D') AS d, datetime().year > 2000 AS y
RETURN duration.between(date('2020-01-01'), date('2021-01-01')).years AS y
RETURN point.distance(point({x: 0, y: 0}), point({x: 1, y: 1})) AS d
MATCH (n:Item) RETURN keys(n), properties(n), elementId(n) LIMIT 1
MATCH (n:Item) RETURN head(n.tags), last(n.tags), tail(n.tags), n.tags[0], n.tags[0..1]
MATCH (n:Item)-[r:GENRE]->() RETURN startNode(r).name, endNode(r).name
MATCH (n:Item) RETURN percentileCont(n.score, 0.5), stDev(n.score)
OPTIONAL MATCH (n:Item {id: 'none'}) RETURN n IS NULL AS missing
MATCH (n:Item) RETURN toStringOrNull(n.year), isEmpty(n.tags)
MATCH (n:Item) ORDER BY n.year SKIP 1 LIMIT 2 RETURN n.name
""".strip().splitlines()

EMBEDDED_ONLY = """
MATCH p = (a:Item {id: 'q1'})-[:GENRE* SHORTEST 1..4]-(b:Item {id: 'q4'}) RETURN p
MATCH p = (a:Item {id: 'q1'})-[:GENRE* ALL SHORTEST 1..4]-(b:Item {id: 'q4'}) RETURN length(p)
MATCH p = (a:Item {id: 'q1'})-[* TRAIL 1..2]-(b) RETURN count(*)
MATCH p = (a:Item {id: 'q1'})-[* ACYCLIC 1..2]-(b) RETURN count(*)
MATCH (a:Item)-[r:GENRE*1..2 (r, n | WHERE n.id <> 'x')]-(b) RETURN count(*)
MATCH p = (a:Item {id: 'q1'})-[:GENRE]->(g) RETURN list_transform(nodes(p), x -> x.id) AS ids
MATCH p = (a:Item {id: 'q1'})-[:GENRE]->(g) RETURN properties(nodes(p), 'id') AS ids
MATCH (n:Item) RETURN list_contains(n.tags, 'sf'), n.tags[1:2]
MATCH (n:Item) RETURN label(n) AS l, count(*) AS n
MATCH (n:Item|Person) RETURN n.name
MATCH (n:Item) RETURN cast(n.year AS STRING) AS y
MATCH (n:Item) RETURN cast(n.year, 'DOUBLE') AS y
MATCH (n:Item) RETURN date_part('year', n.released) AS y
MATCH (n:Item) RETURN id(n), offset(id(n))
MATCH (n:Item) RETURN list_filter(n.tags, x -> x <> 'sf') AS tags
MATCH (n:Item) RETURN regexp_matches(n.name, 'S.*'), starts_with(n.name, 'S')
MATCH (n:Item) RETURN greatest(n.released, date('1975-01-01')), ifnull(n.text, '')
RETURN list_sort([3, 1, 2]) AS l, list_sum([1, 2]) AS s, levenshtein('ab', 'ac') AS d
RETURN date('2020-01-01') + interval('1 day') AS d
CALL show_tables() RETURN *
CALL table_info('Item') RETURN *
CALL show_connection('DIRECTOR') RETURN *
RETURN struct_extract({a: 1, b: 'x'}, 'a') AS a
RETURN map(['a'], [1]) AS m
""".strip().splitlines()

PARAMETERS = {"ids": ["q1", "q2"], "id": "q1"}
