"""Statements that must not pass a read-only door: what would do harm, in many kinds of clothes.

A dress hides a clause that writes: in a subquery, behind a prefix, in a comment's shadow, in
letters that are decoded later. Each clause is sent in each dress; others administer or reach out.
"""

from __future__ import annotations

WRITING = (
    "CREATE (x:Hacked)",
    "MERGE (x:Hacked {id: 1})",
    "MATCH (x:Film) SET x.name = 'hacked'",
    "MATCH (x:Film) SET x:Hacked",
    "MATCH (x:Film) REMOVE x.name",
    "MATCH (x:Film) DETACH DELETE x",
    "MATCH ()-[x]->() DELETE x",
    "MATCH (a:Film), (b:Person) CREATE (a)-[x:HACKED]->(b)",
    "MATCH (x:Film) FOREACH (i IN [1] | CREATE (:Hacked))",
    "LOAD CSV FROM 'file:///hacked.csv' AS x CREATE (:Hacked)",
)
DRESSES = (
    "{}",
    "{} RETURN x",
    "{} RETURN count(*) AS n",
    "CALL {{ {} }} RETURN 1 AS one",
    "CALL {{ {} RETURN 2 AS two }} RETURN two",
    "CALL () {{ {} }} RETURN 1 AS one",
    "UNWIND [1, 2] AS i CALL (i) {{ {} }} RETURN i",
    "UNWIND [1, 2] AS i CALL (*) {{ {} }} RETURN i",
    "UNWIND [1, 2] AS i CALL (i) {{ {} }} IN TRANSACTIONS OF 1 ROW",
    "UNWIND [1, 2] AS i CALL {{ WITH i {} }} IN TRANSACTIONS",
    "UNWIND [1] AS i CALL (i) {{ {} }} IN 2 CONCURRENT TRANSACTIONS ON ERROR CONTINUE RETURN i",
    "OPTIONAL CALL () {{ {} RETURN 3 AS three }} RETURN three",
    "MATCH (f:Film) CALL (f) {{ {} RETURN 4 AS four }} RETURN f, four",
    "MATCH (f) WHERE EXISTS {{ {} }} RETURN f",
    "MATCH (f) RETURN COUNT {{ {} RETURN 1 AS one }} AS n",
    "RETURN COLLECT {{ {} RETURN 1 AS one }} AS l",
    "RETURN 1 AS one UNION {} RETURN 1 AS one",
    "RETURN 1 AS one UNION ALL {} RETURN 1 AS one",
    "MATCH (f:Film) WITH f LIMIT 1 {} RETURN f",
    "MATCH (f:Film) WITH * ORDER BY f.name SKIP 1 {}",
    "PROFILE {}",
    "EXPLAIN {}",
    "CYPHER 5 {}",
    "CYPHER planner=cost runtime=slotted {}",
    "CYPHER runtime = interpreted PROFILE {}",
    "USE neo4j {}",
    "USE graph.byName('neo4j') {}",
    "RETURN 1 AS one; {}",
    "/* MATCH (n) RETURN n */ {} // LIMIT 1",
    "// nothing\n{}",
    "RETURN '\\\\' AS a //'\n{}",
    "WITH 'it\\'s' AS `a``b` {}",
    'WITH "\\u0022 AS a {} //" AS b RETURN b',
    "WITH '\\u0027 AS a {} //' AS b RETURN b",
    "WITH '\\\\u0027 AS a {} //' AS b RETURN b",
    "WITH 1 AS `\\u0060 {} //` RETURN 1",
    "MATCH (n:`Film\\u0060) {} //`) RETURN n",
    "MATCH (n:Film {{name: '\\uD800'}}) {} RETURN n",
    "RETURN 1 AS one /* /* */ {} /* */",
    "\u00a0{}",
    "\ufeff{}",
    "WITH 1 AS one\u2028{}",
    "WITH 1 AS one // remark\r{}",
    "WITH 1 AS one // remark\u2029{}",
    "MATCH (n:$('Film')) {} RETURN n",
    "WITH 1 AS create, 2 AS set {}",
)
REACHING = """
LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l
LOAD CSV WITH HEADERS FROM 'http://127.0.0.1:9/' AS l RETURN l
MATCH (f:Film) LOAD CSV FROM 'http://127.0.0.1:9/' + f.name AS l RETURN l
CALL () { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l } RETURN l
MATCH (f) WHERE EXISTS { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l } RETURN f
RETURN COLLECT { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l } AS l
SHOW USERS
SHOW CURRENT USER
SHOW DATABASES
SHOW DATABASES YIELD name RETURN name
SHOW TRANSACTIONS
SHOW TRANSACTIONS YIELD transactionId AS t TERMINATE TRANSACTIONS t YIELD message RETURN message
TERMINATE TRANSACTIONS 'neo4j-transaction-1'
SHOW SETTINGS
SHOW PROCEDURES
SHOW PROCEDURES YIELD name RETURN name
SHOW FUNCTIONS EXECUTABLE
SHOW INDEXES
SHOW CONSTRAINTS
SHOW SERVERS
SHOW PRIVILEGES
SHOW SUPPORTED PRIVILEGES
SHOW ALIASES FOR DATABASE
USE system SHOW USERS
USE system CREATE USER hacked SET PASSWORD 'hacked-hacked'
CREATE USER hacked SET PASSWORD 'hacked-hacked' CHANGE NOT REQUIRED
ALTER CURRENT USER SET PASSWORD FROM 'some-password' TO 'hacked-hacked'
ALTER USER neo4j SET PASSWORD 'hacked-hacked'
DROP USER neo4j
CREATE DATABASE hacked
DROP DATABASE neo4j
STOP DATABASE neo4j
CREATE INDEX hacked FOR (n:Film) ON (n.name)
CREATE TEXT INDEX hacked IF NOT EXISTS FOR (n:Film) ON (n.name)
CREATE LOOKUP INDEX hacked FOR (n) ON EACH labels(n)
CREATE FULLTEXT INDEX hacked FOR (n:Film) ON EACH [n.name]
CREATE VECTOR INDEX hacked FOR (n:Film) ON n.vector OPTIONS {indexConfig: {`vector.dimensions`: 3}}
CREATE CONSTRAINT hacked FOR (n:Film) REQUIRE n.name IS UNIQUE
DROP INDEX hacked IF EXISTS
DROP CONSTRAINT hacked IF EXISTS
CALL db.createLabel('Hacked')
CALL db.createRelationshipType('HACKED')
CALL db.createProperty('hacked')
CALL `db`.`createLabel`('Hacked')
CALL db . createLabel ( 'Hacked' )
CALL/**/db/**/./**/createLabel('Hacked')
CALL db.create.setNodeVectorProperty(null, 'x', [1.0])
CALL db.index.fulltext.queryNodes('hacked', '*') YIELD node RETURN node
CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()
CALL db.awaitIndexes(1)
CALL db.resampleOutdatedIndexes()
CALL db.prepareForReplanning(1)
CALL db.clearQueryCaches()
CALL db.stats.clear('QUERIES')
CALL db.stats.collect('QUERIES', {durationSeconds: 1})
CALL db.stats.retrieve('GRAPH COUNTS')
CALL db.info()
CALL db.ping()
CALL dbms.components()
CALL dbms.info()
CALL dbms.listConfig('')
CALL dbms.listConfig('') YIELD name, value RETURN name, value
CALL dbms.queryJmx('*:*')
CALL dbms.listConnections()
CALL dbms.killConnection('bolt-1')
CALL dbms.killConnections(['bolt-1'])
CALL dbms.security.listUsers()
CALL dbms.setConfigValue('db.transaction.timeout', '1s')
CALL dbms.cluster.protocols()
CALL dbms.routing.getRoutingTable({})
CALL tx.getMetaData()
CALL tx.setMetaData({hacked: true})
CALL apoc.cypher.doIt('CREATE (:Hacked)', {}) YIELD value RETURN value
CALL apoc.cypher.run('CREATE (:Hacked)', {}) YIELD value RETURN value
CALL apoc.periodic.commit('MATCH (n) WITH n LIMIT 1 DELETE n RETURN count(*)')
CALL apoc.load.json('http://127.0.0.1:9/') YIELD value RETURN value
CALL apoc.export.csv.all('/tmp/hacked.csv', {})
CALL apoc.trigger.add('t', 'CREATE (:Hacked)', {})
CALL apoc.util.sleep(100000)
MATCH (f:Film) CALL db.createLabel(f.name) RETURN f
UNWIND ['Hacked'] AS l CALL db.createLabel(l) RETURN l
OPTIONAL CALL db.createLabel('Hacked') RETURN 1
CALL () { CALL db.createLabel('Hacked') } RETURN 1
RETURN COUNT { CALL db.createLabel('Hacked') } AS n
RETURN apoc.cypher.runFirstColumnSingle('CREATE (n:Hacked) RETURN n', {}) AS n
RETURN `apoc`.`create`.`uuid`() AS n
RETURN file() AS f
RETURN linenumber() AS l
RETURN graph.names() AS names
RETURN graph.propertiesByName('neo4j') AS p
RETURN genai.vector.encode('x', 'OpenAI', {token: 'x'}) AS v
INSERT (:Hacked)
MATCH (f:Film) INSERT (f)-[:HACKED]->(:Hacked)
MATCH (f:Film) NODETACH DELETE f
MATCH (f:Film) SET f.$name = 1
MATCH (f:Film) SET f[$key] = 1
MATCH (f:Film) SET f:$('Hacked')
MATCH (f:Film) REMOVE f:$(labels(f))
CREATE (:$('Hacked'))
CREATE (:Hacked|Film)
MERGE (f:Film {id: 1}) ON MATCH SET f.name = 'hacked'
MATCH (f:Film) FINISH
WHEN true THEN { CREATE (:Hacked) } ELSE { RETURN 1 }
MATCH (f:Film) LET x = 1 CREATE (:Hacked)
RETURN 1 AS one NEXT CREATE (:Hacked)
BEGIN CREATE (:Hacked) COMMIT
:begin
""".strip().splitlines()

ATTACKS = tuple(
    dict.fromkeys([*(dress.format(harm) for harm in WRITING for dress in DRESSES), *REACHING])
)
