"""Functions and procedures that compute from the graph and their arguments alone, by dialect."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


_BOTH = """
    abs acos all any asin atan atan2 avg ceil coalesce collect concat cos cot count date datetime
    degrees duration exists exp floor id keys labels last left length lower ltrim max min
    nodes none nullif percentilecont percentiledisc pi properties radians range reduce
    relationships replace reverse right round rtrim sign sin single size sqrt stdev substring sum
    tan timestamp tointeger tofloat tolower tostring toupper trim type upper split log log10
"""

_NEO4J = """
    allshortestpaths btrim char_length character_length ceiling collect_list date.realtime
    date.statement date.transaction date.truncate datetime.fromepoch datetime.fromepochmillis
    datetime.realtime datetime.statement datetime.transaction localdatetime.realtime
    localdatetime.statement localdatetime.transaction localtime.realtime localtime.statement
    localtime.transaction localtime.truncate time.realtime
    time.statement time.transaction datetime.truncate duration.between
    duration.indays duration.inmonths duration.inseconds e elementid endnode haversin head isempty
    isnan localdatetime localdatetime.truncate localtime ln normalize point point.distance
    point.withinbbox rand randomuuid shortestpath startnode stdevp tail time time.truncate
    toboolean tobooleanlist tobooleanornull tofloatlist tofloatornull tointegerlist
    tointegerornull tostringlist tostringornull valuetype vector.similarity.cosine
    vector.similarity.euclidean cosh sinh tanh coth
"""

_EMBEDDED = """
    array_append array_cat array_concat array_contains array_cosine_similarity array_cross_product
    array_distance array_dot_product array_extract array_has array_indexof array_inner_product
    array_position array_prepend array_push_back array_push_front array_slice
    array_squared_distance array_value bitwise_and bitwise_or bitwise_xor cast cbrt
    ceiling century concat_ws contains count_if current_date current_timestamp date_part
    date_trunc datepart datetrunc dayname element_at end_node ends_with epoch_ms even factorial
    gamma greatest histogram ifnull initcap interval is_acyclic is_trail label last_day lcase least
    levenshtein lgamma list_any_value list_append list_cat list_concat list_contains list_creation
    list_distinct list_element list_extract list_filter list_has list_has_all list_has_any
    list_indexof list_max list_min list_position list_prepend list_product list_reduce
    list_reverse list_reverse_sort list_slice list_sort list_sum list_to_string list_transform
    list_unique ln log2 lpad make_date map map_extract map_keys map_values md5 monthname negate
    octet_length offset pow prefix random regexp_extract regexp_extract_all
    regexp_full_match regexp_matches regexp_replace regexp_split_to_array rels repeat rpad sha256
    split_part start_node starts_with str_split string string_split string_to_array struct_extract
    struct_pack substr suffix time_bucket to_bool to_date to_days to_double to_epoch_ms to_float
    to_hours to_int128 to_int16 to_int32 to_int64 to_int8 to_interval to_microseconds
    to_milliseconds to_minutes to_months to_seconds to_string to_timestamp to_uint16 to_uint32
    to_uint64 to_uint8 to_uuid to_years typeof ucase cost wshortest
"""

FUNCTIONS: dict[str, frozenset[str]] = {
    "neo4j": words(_BOTH + _NEO4J),
    "embedded": words(_BOTH + _EMBEDDED),
    "kglite": words(_BOTH + _NEO4J),
}

# what a schema looks like, and nothing else
PROCEDURES: dict[str, frozenset[str]] = {
    "neo4j": words(
        "db.labels db.relationshiptypes db.propertykeys db.schema.visualization"
        " db.schema.nodetypeproperties db.schema.reltypeproperties"
    ),
    "embedded": words("show_tables table_info show_connection"),
    "kglite": words("db.labels db.relationshiptypes"),
}
