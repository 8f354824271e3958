"""Statements that no store may see, sorted by what they try.

``disguised`` writes some of them in other ways: comments, letter case, line ends,
look-alike letters, hidden quotes.
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
