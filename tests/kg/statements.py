"""Statements for the guard: attacks that no store may see, and honest questions it must not refuse.

Attacks are sorted by what they try. ``disguised`` writes some of them in other
ways: comments, letter case, line ends, look-alike letters, hidden quotes.
"""

from __future__ import annotations

WRITES = """
CREATE (n:Item {id: 'x'})
CREATE (n)
MATCH (n) DELETE n
MATCH (n) DETACH DELETE n
MATCH (n) NODETACH DELETE n
MATCH (n:Item) SET n.name = 'x'
MATCH (n:Item) SET n += {name: 'x'}
MATCH (n:Item) SET n:Hacked
MATCH (n:Item) REMOVE n.name
MATCH (n:Item) REMOVE n:Item
MERGE (n:Item {id: 'x'})
MERGE (n:Item {id: 'x'}) ON CREATE SET n.a = 1 ON MATCH SET n.a = 2
MATCH (a:Item), (b:Item) CREATE (a)-[:GENRE]->(b)
MATCH (a:Item) MERGE (a)-[:GENRE]->(b:Genre {id: 'x'})
MATCH (a)-[r]->(b) DELETE r
MATCH (n) WITH n DELETE n
MATCH (n) WITH n LIMIT 1 DETACH DELETE n RETURN count(*)
MATCH (n) WITH * CREATE (m) RETURN m
MATCH (n) WHERE true CREATE (m) RETURN m
MATCH (n) WHERE n.id = 'q1' OR true SET n.name = 'x' RETURN n
MATCH (n) WHERE n.name IS NULL DELETE n
MATCH (n) WHERE n.name IS NOT NULL DELETE n
MATCH (n) RETURN n ORDER BY n.id DESC CREATE (m)
MATCH (n) RETURN n SKIP 1 CREATE (m)
MATCH (n) RETURN n LIMIT 1 CREATE (m)
MATCH (n) RETURN n LIMIT $n CREATE (m)
UNWIND [1, 2] AS x CREATE (n:Item {id: x})
UNWIND $rows AS row MERGE (n:Item {id: row.id}) SET n += row
WITH 1 AS x CREATE (n) RETURN n
WITH {a: 1} AS x CREATE (n) RETURN n
WITH [1] AS x CREATE (n) RETURN n
WITH 'a' AS x CREATE (n) RETURN n
WITH 1 AS `x` CREATE (n) RETURN n
WITH $x AS x CREATE (n) RETURN n
RETURN 1 AS x UNION CREATE (n) RETURN 1 AS x
RETURN 1 AS x UNION ALL CREATE (n) RETURN 1 AS x
RETURN 1 AS x UNION ALL MATCH (n) DELETE n RETURN 1 AS x
OPTIONAL MATCH (n) DELETE n
OPTIONAL MATCH (n:Nope) WITH coalesce(n, 1) AS m CREATE (k) RETURN k
MATCH (n) FOREACH (x IN [1] | CREATE (m))
MATCH p = (a)-->(b) FOREACH (n IN nodes(p) | SET n.marked = true)
MATCH (n) RETURN CASE WHEN true THEN 1 END CREATE (m)
MATCH (n) RETURN n.name AS name DELETE n
INSERT (n:Item {id: 'x'})
MATCH (n) INSERT (n)-[:GENRE]->(:Genre)
MATCH (n) WITH n, count(*) AS c SET n.c = c
MATCH (n) RETURN n.id, n.name DETACH DELETE n
MATCH (n) RETURN DISTINCT n DELETE n
MATCH (n)-[*1..3]-(m) DETACH DELETE n
MATCH (n) WITH n ORDER BY n.id ASC SET n.rank = 1
MATCH (n) RETURN * DELETE n
WITH * DELETE n
MATCH (n) FINISH
MATCH (n:Item {id: 'q1'}) SET n.name = n.name + '!' RETURN n.name
MATCH (n:Item) SET n = {}
MATCH (n:Item) SET n.`name` = null
CREATE UNIQUE (a)-[:R]->(b)
""".strip().splitlines()

SUBQUERIES = """
CALL { CREATE (n) RETURN n } RETURN n
CALL { MATCH (n) DELETE n } RETURN 1
CALL { MATCH (n) SET n.x = 1 RETURN n } RETURN n
MATCH (n) CALL { WITH n DETACH DELETE n } RETURN 1
MATCH (n) CALL (n) { SET n.x = 1 } RETURN n
MATCH (n) CALL (*) { CREATE (m) } RETURN n
CALL () { MERGE (n:X) } RETURN 1
CALL { MATCH (n) RETURN n } IN TRANSACTIONS RETURN n
MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS OF 10 ROWS
MATCH (n) CALL (n) { DELETE n } IN 4 CONCURRENT TRANSACTIONS
OPTIONAL CALL { CREATE (n) RETURN n } RETURN n
MATCH (n) WHERE EXISTS { CREATE (m) } RETURN n
MATCH (n) WHERE EXISTS { MATCH (m) DELETE m } RETURN n
MATCH (n) RETURN COUNT { CREATE (m) } AS c
MATCH (n) RETURN COUNT { MATCH (m) SET m.x = 1 } AS c
MATCH (n) RETURN COLLECT { MERGE (m) RETURN m } AS c
RETURN COLLECT { CALL { CREATE (n) RETURN n } RETURN n }
CALL { RETURN 1 AS x UNION CREATE (n) RETURN 1 AS x } RETURN x
MATCH (n) RETURN n { .name, x: COUNT { CREATE (m) } }
MATCH (n) RETURN [x IN [1] WHERE EXISTS { CREATE (m) } | x]
""".strip().splitlines()

SCHEMA = """
CREATE INDEX FOR (n:Item) ON (n.name)
CREATE INDEX my_index IF NOT EXISTS FOR (n:Item) ON (n.name)
CREATE FULLTEXT INDEX f FOR (n:Item) ON EACH [n.name]
CREATE VECTOR INDEX v FOR (n:Item) ON (n.x)
CREATE CONSTRAINT FOR (n:Item) REQUIRE n.name IS UNIQUE
DROP INDEX my_index
DROP CONSTRAINT my_constraint IF EXISTS
DROP TABLE Item
DROP TABLE IF EXISTS Item
ALTER TABLE Item ADD x STRING
ALTER TABLE Item RENAME TO Thing
ALTER TABLE Item DROP name
CREATE NODE TABLE Hacked(id STRING PRIMARY KEY)
CREATE NODE TABLE IF NOT EXISTS Hacked(id STRING PRIMARY KEY)
CREATE REL TABLE Hacked(FROM Item TO Item)
CREATE SEQUENCE s START 1
CREATE TYPE t AS INT64
CREATE MACRO f(x) AS x + 1
CREATE GRAPH g
COMMENT ON TABLE Item IS 'x'
CREATE DATABASE x
CREATE OR REPLACE DATABASE neo4j
DROP DATABASE neo4j
STOP DATABASE neo4j
START DATABASE neo4j
ALTER DATABASE neo4j SET ACCESS READ ONLY
CREATE ALIAS a FOR DATABASE neo4j
CREATE USER x SET PASSWORD 'secret123'
ALTER USER neo4j SET PASSWORD 'secret123'
ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'
DROP USER neo4j
RENAME USER neo4j TO x
CREATE ROLE r
GRANT ROLE admin TO x
GRANT ALL ON DATABASE * TO PUBLIC
DENY READ {*} ON GRAPH * TO PUBLIC
REVOKE ROLE admin FROM x
TERMINATE TRANSACTIONS 'neo4j-transaction-1'
SHOW USERS
SHOW DATABASES
SHOW TRANSACTIONS
SHOW SETTINGS
SHOW PRIVILEGES YIELD *
SHOW FUNCTIONS
USE system SHOW USERS
USE neo4j MATCH (n) RETURN n
ENABLE SERVER 'x'
DEALLOCATE DATABASES FROM SERVER 'x'
""".strip().splitlines()

OUTSIDE = """
LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
LOAD CSV FROM 'http://127.0.0.1:9/x' AS line RETURN line
LOAD CSV WITH HEADERS FROM 'file:///etc/passwd' AS line RETURN line
MATCH (n) LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
WITH 1 AS x LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
USING PERIODIC COMMIT LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
CALL { LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line } RETURN line
RETURN COLLECT { LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line }
LOAD FROM '/etc/passwd' RETURN *
LOAD FROM "/etc/passwd" (header=false, delim=':') RETURN *
LOAD WITH HEADERS (a STRING) FROM '/etc/passwd' RETURN *
LOAD FROM graph RETURN *
LOAD FROM $x RETURN *
LOAD EXTENSION httpfs
LOAD httpfs
INSTALL httpfs
INSTALL json
UNINSTALL json
UPDATE EXTENSION json
COPY Item FROM '/etc/passwd'
COPY Item FROM graph
COPY Item TO '/tmp/out.csv'
COPY (MATCH (n) RETURN n) TO '/tmp/out.parquet'
COPY (MATCH (n:Item) RETURN n.id) TO '/tmp/out.csv' (header=true)
EXPORT DATABASE '/tmp/out'
IMPORT DATABASE '/tmp/out'
ATTACH '/tmp/other.lbdb' AS other
ATTACH 'dbname=x host=127.0.0.1' AS pg (dbtype postgres)
DETACH other
USE other
CHECKPOINT
BEGIN TRANSACTION
BEGIN TRANSACTION READ ONLY
COMMIT
ROLLBACK
EXPLAIN MATCH (n) RETURN n
PROFILE MATCH (n) RETURN n
PROFILE CREATE (n)
EXPLAIN LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line
CYPHER 5 MATCH (n) RETURN n
CYPHER runtime=pipelined MATCH (n) RETURN n
""".strip().splitlines()

CALLS = """
CALL apoc.load.json('http://127.0.0.1:9/x') YIELD value RETURN value
CALL apoc.load.json('file:///etc/passwd')
CALL apoc.cypher.run('CREATE (n)', {}) YIELD value RETURN value
CALL apoc.cypher.doIt('CREATE (n)', {})
CALL apoc.export.csv.all('/tmp/out.csv', {})
CALL apoc.periodic.iterate('MATCH (n) RETURN n', 'DELETE n', {})
CALL apoc.systemdb.execute('SHOW USERS')
CALL dbms.listConfig()
CALL dbms.listConfig() YIELD name, value RETURN name, value
CALL dbms.security.createUser('x', 'y', false)
CALL dbms.security.listUsers
CALL dbms.components()
CALL dbms.procedures()
CALL dbms.queryJmx('*:*')
CALL dbms.killQuery('x')
CALL dbms.setConfigValue('a', 'b')
CALL dbms.showCurrentUser()
CALL tx.setMetaData({a: 1})
CALL db.createLabel('Hacked')
CALL db.createRelationshipType('HACKED')
CALL db.createProperty('hacked')
CALL db.clearQueryCaches()
CALL db.index.fulltext.createNodeIndex('a', ['B'], ['c'])
CALL db.index.fulltext.queryNodes('a', 'b')
CALL db.create.setNodeVectorProperty(n, 'x', [1])
CALL db.stats.collect('QUERIES')
CALL db.awaitIndexes(100000)
CALL db.ping()
CALL `db`.`createLabel`('Hacked')
CALL db.`createLabel`('Hacked')
MATCH (n) CALL apoc.create.node(['X'], {}) YIELD node RETURN node
OPTIONAL CALL db.createLabel('x')
CALL gds.graph.drop('g')
CALL genai.vector.encodeBatch(['x'], 'OpenAI', {token: 'x'})
RETURN apoc.load.json('http://127.0.0.1:9')
RETURN apoc.cypher.runFirstColumnSingle('CREATE (n) RETURN n', {})
RETURN genai.vector.encode('x', 'OpenAI', {token: 'x'})
RETURN dbms.listConfig()
RETURN db.createLabel('x')
RETURN file()
RETURN linenumber()
RETURN graph.byName('x')
MATCH (n) WHERE apoc.util.sleep(100000) RETURN n
CALL threads=1
CALL timeout=0
CALL home_directory='/tmp'
CALL file_search_path='/'
CALL enable_multi_copy=true
CALL current_setting('threads') RETURN *
CALL db_version() RETURN *
CALL show_functions() RETURN *
CALL storage_info('Item') RETURN *
CALL show_attached_databases() RETURN *
CALL clear_warnings()
CALL project_graph('g', ['Item'], ['GENRE'])
CALL create_fts_index('Item', 'i', ['name'])
CALL create_vector_index('Item', 'i', 'x')
CALL drop_vector_index('Item', 'i')
CALL read_csv_serial('/etc/passwd') RETURN *
CALL read_parquet('/tmp/x') RETURN *
CALL show_tables = 1
RETURN nextval('s')
RETURN currval('s')
RETURN current_setting('home_directory')
RETURN error('x')
RETURN setseed(0.5)
RETURN read_csv_serial('/etc/passwd')
""".strip().splitlines()

SEVERAL = [
    "MATCH (n) RETURN n; DROP TABLE Item",
    "MATCH (n) RETURN n; CREATE (m)",
    "RETURN 1; RETURN 2",
    "RETURN 1;; CREATE (n)",
    "RETURN 1;\nMATCH (n) DETACH DELETE n;",
    "; CREATE (n)",
    "RETURN ';' AS x; CREATE (n)",
    "RETURN 1 /* ; */ ; CREATE (n)",
    "RETURN 1 // ok\n; CREATE (n)",
    "RETURN `a;b` ; CREATE (n)",
]

HIDDEN = [
    "MATCH (n) /* harmless */ DELETE n",
    "MATCH (n) DELETE/**/n",
    "/* MATCH (n) RETURN n */ CREATE (m)",
    "// MATCH (n) RETURN n\nCREATE (m)",
    "MATCH (n) // \\\nDELETE n",
    "MATCH (n) RETURN n // comment\r DELETE n",
    "MATCH (n) RETURN n // comment\r\n DELETE n",
    "MATCH (n) RETURN n // comment\u2028 DELETE n",
    "MATCH (n) RETURN n // comment\u0085DELETE n",
    "MATCH (n) RETURN n /* /* */ DELETE n /* */",
    "MATCH (n) RETURN n /* unfinished DELETE n",
    "RETURN '\\u0027 CREATE (n) //' AS x",
    "RETURN '\\u0027; CREATE (n) //' AS x",
    "RETURN '\\\\u0027; CREATE (n) //' AS x",
    "RETURN '\\U00000027; CREATE (n) //' AS x",
    'RETURN "\\u0022; CREATE (n) //" AS x',
    "RETURN `\\u0060; CREATE (n) //` AS x",
    "MATCH (n:`\\u0060) DELETE n //`) RETURN n",
    "RETURN 'it''s' AS x; CREATE (n)",
    "RETURN 'a\\' AS x; CREATE (n) //'; CREATE (m)",
    "RETURN '\\q' AS x; CREATE (n)",
    "RETURN 'a\\",
    "RETURN 'a",
    'RETURN "a',
    "RETURN `a",
    "RETURN 'a\\'; CREATE (n)",
    "MATCH (n) \\u0044ELETE n",
    "MATCH (n) D\\u0045LETE n",
    "\\u0043REATE (n)",
    "CRE\u200bATE (n)",
    "CRE\u00adATE (n)",
    "\ufeffCREATE (n)",
    "\ufeffMATCH (n) DELETE n",
    "MATCH (n)\u00a0DELETE\u00a0n",
    "MATCH (n)\u3000DELETE\u3000n",
    "MATCH (n)\u2003DELETE n",
    "MATCH (n)\u180eDELETE n",
    "MATCH (n)\x0bDELETE n",
    "MATCH (n)\x1cDELETE n",
    "MATCH (n)\x00 DELETE n",
    "MATCH (n) RETURN n\x00; CREATE (m)",
    "ＣＲＥＡＴＥ (n)",
    "MATCH (n) ＤＥＬＥＴＥ n",
    "MATCH (n) DЕLETE n",  # Cyrillic Е
    "СREATE (n)",  # Cyrillic С
    "CREATЕ (n)",
    "MATCH (n) ЅET n.x = 1",  # Cyrillic Ѕ
    "MATCH (n) ſET n.x = 1",  # long s
    "MATCH (n) İNSERT (m)",
    "LOAD\u00a0CSV FROM 'file:///etc/passwd' AS l RETURN l",
    "ℒOAD CSV FROM 'file:///etc/passwd' AS l RETURN l",
    "MATCH (n) RETURN n；CREATE (m)",  # full-width semicolon
    "MATCH （n） DELETE n",
    "RETURN ‘a’; CREATE (n)",
    "RETURN 1.CREATE (n)",
    "RETURN 1CREATE (n)",
    "RETURN 0x1CREATE (n)",
    "RETURN 1e5CREATE (n)",
    "RETURN 'a'CREATE (n)",
    "RETURN `a`CREATE (n)",
    "MATCH (n)DELETE n",
    "MATCH (n)RETURN n.x.CREATE (m)",
    "RETURN $x CREATE (n)",
    "RETURN $xCREATE CREATE (n)",
    "RETURN {x} CREATE (n)",
    "MATCH (n:$(x)) RETURN n",
    "MATCH (n:$($x)) DELETE n",
    "RETURN [1, 2][0] CREATE (n)",
    "RETURN {CREATE (n)}",
    "RETURN { MATCH (n) DELETE n }",
    "RETURN {a: 1} CREATE (n)",
    "MATCH (n {a: 1}) DELETE n",
    "MATCH (n) RETURN n {.name} DELETE n",
    "MATCH (n:A|B) DELETE n",
    "MATCH (n:A&!B) DELETE n",
    "MATCH (n)-[:A|CREATE]->(m) DELETE n",
    "MATCH (n)-[r:A*1..2]->(m) DELETE r",
    "MATCH ((n)-->(m)){1,2} DELETE n",
    "(CREATE (n))",
    "{CREATE (n)}",
    "DELETE n",
    "SET n.x = 1",
    "",
    " ",
    ";",
    "/* nothing */",
    "GO",
    ":use system",
    ":param x => 1",
    "MATCH (n) RETURN n)",
    "MATCH (n RETURN n",
    "RETURN " + "(" * 200 + "1" + ")" * 200,
    "RETURN " + "CASE WHEN true THEN " * 20 + "1" + " END" * 20,
    "RETURN 1" + " + 1" * 3000,
    "RETURN '" + "a" * 60_000 + "'",
    "RETURN NOT " * 1 + "NOT " * 5000 + "true",
]


def disguised(statement: str) -> list[str]:
    """The same attack in other clothes."""
    return [
        statement.replace(" ", "/**/"),
        statement.replace(" ", "\n"),
        "".join(c.upper() if k % 2 else c.lower() for k, c in enumerate(statement)),
        "MATCH (z) RETURN z; " + statement,
        "MATCH (z) WITH z " + statement,
        "MATCH (z) RETURN z UNION ALL " + statement,
        "CALL { " + statement + " } RETURN 1",
        statement + " // harmless",
        statement.replace("E", "Е"),  # Cyrillic
        statement.replace(" ", "\u00a0"),
    ]


PLAIN = [*WRITES, *SUBQUERIES, *SCHEMA, *OUTSIDE, *CALLS, *SEVERAL, *HIDDEN]
ATTACKS = list(
    dict.fromkeys(
        [*PLAIN, *(text for one in [*WRITES, *OUTSIDE, *SCHEMA] for text in disguised(one))]
    )
)

# questions about graph_strategies.films(), for both stores
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
