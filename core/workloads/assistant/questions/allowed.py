"""What a question in SQL may consist of: types, operators, functions and clauses, by name. All else is refused."""

from __future__ import annotations

from typing import Final

TYPES: Final = frozenset(
    """text varchar bpchar int2 int4 int8 numeric float4 float8 bool date time timetz timestamp timestamptz interval
    json jsonb uuid""".split()
)
"""Types that a value may be cast to, and arrays of them."""

OPERATORS: Final = frozenset("+ - * / % ^ || = <> != < <= > >= ~ ~* !~ !~* -> ->> #> #>> @> <@ && ? ?| ?&".split())

MATCHING: Final = frozenset("~ ~* !~ !~* ~~ ~~* !~~ !~~*".split())
"""Operators whose right side is a pattern."""

LINKING: Final = frozenset("= < <= > >= @> <@ && ~~ ~~* ~".split())
"""Operators that tie one relation to another; `<>` leaves nearly all pairs."""

_AGGREGATES: Final = """
    count sum avg min max bool_and bool_or every any_value array_agg string_agg json_agg jsonb_agg json_object_agg
    jsonb_object_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_slope
    regr_intercept regr_r2 regr_count regr_avgx regr_avgy mode percentile_cont percentile_disc bit_and bit_or
"""
_WINDOWS: Final = "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value"
_ROWS: Final = """
    generate_series unnest string_to_table regexp_split_to_table regexp_matches jsonb_array_elements
    jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_each jsonb_each_text json_each
    json_each_text jsonb_object_keys json_object_keys
"""
_SCALARS: Final = """
    abs ceil ceiling floor round trunc sign mod div power pow sqrt cbrt exp ln log log10 gcd lcm degrees radians pi
    sin cos tan asin acos atan atan2 width_bucket random
    lower upper initcap length char_length character_length octet_length bit_length btrim ltrim rtrim trim substring
    substr left right overlay position strpos replace translate reverse split_part starts_with concat concat_ws ascii
    chr md5 regexp_replace regexp_match regexp_like regexp_count regexp_substr regexp_split_to_array
    string_to_array normalize lpad rpad to_char to_number to_date to_timestamp like_escape similar_to_escape
    now date_part extract date_trunc date_bin age timezone overlaps make_date make_time make_timestamp make_timestamptz
    make_interval justify_days justify_hours justify_interval isfinite date
    array_length array_position array_positions array_remove array_append array_prepend array_cat array_to_string
    array_lower array_upper array_ndims cardinality trim_array
    json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json json_typeof
    jsonb_typeof json_array_length jsonb_array_length json_extract_path json_extract_path_text jsonb_extract_path
    jsonb_extract_path_text jsonb_strip_nulls
"""

AGGREGATES: Final = frozenset(_AGGREGATES.split())
ROW_FUNCTIONS: Final = frozenset(_ROWS.split())
"""Functions that give rows, and so may stand in FROM."""

FUNCTIONS: Final = AGGREGATES | ROW_FUNCTIONS | frozenset(_WINDOWS.split()) | frozenset(_SCALARS.split())
"""All of pg_catalog; none reads a relation, a file, a setting or another session, and none waits."""

PATTERN_FUNCTIONS: Final = frozenset(name for name in FUNCTIONS if name.startswith("regexp_"))
"""Their second argument is a pattern."""

GATHERING: Final = frozenset("array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg".split())
"""Aggregates whose value is as long as there are rows."""

MOMENTS: Final = frozenset(
    "SVFOP_CURRENT_DATE SVFOP_CURRENT_TIMESTAMP SVFOP_CURRENT_TIMESTAMP_N SVFOP_LOCALTIMESTAMP SVFOP_LOCALTIMESTAMP_N "
    "SVFOP_CURRENT_TIME SVFOP_CURRENT_TIME_N SVFOP_LOCALTIME SVFOP_LOCALTIME_N".split()
)
"""Values without brackets that say when it is; the others say who asks."""

WALKED: Final[dict[str, frozenset[str]]] = {
    kind: frozenset(fields.split())
    for kind, fields in {
        "A_ArrayExpr": "elements", "A_Const": "", "A_Indices": "uidx lidx", "BoolExpr": "args", "BooleanTest": "arg",
        "CaseExpr": "arg args defresult", "CaseWhen": "expr result", "CoalesceExpr": "args", "GroupingFunc": "args",
        "GroupingSet": "content", "List": "items", "MinMaxExpr": "args", "NamedArgExpr": "arg", "NullTest": "arg",
        "RowExpr": "args", "WindowDef": "partitionClause orderClause startOffset endOffset", "SortBy": "node",
    }.items()
}  # fmt: skip
"""Nodes that hold others and mean nothing more -> the fields that hold them."""

PASSED_OVER: Final = frozenset(
    """location ival fval sval boolval isnull bsval is_slice boolop booltesttype kind op nulltesttype row_format
    colnames argnumber name refname frameOptions sortby_dir sortby_nulls""".split()
)
"""Fields of those nodes that hold no node."""

SAID: Final = {
    "InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE",
    "TruncateStmt": "TRUNCATE", "DropStmt": "DROP", "CreateStmt": "CREATE",
    "CreateTableAsStmt": "CREATE ... AS",
    "AlterTableStmt": "ALTER", "CopyStmt": "COPY", "DoStmt": "DO", "VariableSetStmt": "SET",
    "VariableShowStmt": "SHOW", "ExplainStmt": "EXPLAIN", "PrepareStmt": "PREPARE", "ExecuteStmt": "EXECUTE",
    "ListenStmt": "LISTEN", "NotifyStmt": "NOTIFY", "LockStmt": "LOCK", "CallStmt": "CALL", "TransactionStmt":
    "a command of transactions", "DeclareCursorStmt": "DECLARE", "FetchStmt": "FETCH", "ParamRef": "a parameter",
    "XmlExpr": "XML", "RangeTableFunc": "XMLTABLE", "JsonTable": "JSON_TABLE", "RangeTableSample": "TABLESAMPLE",
    "JsonFuncExpr": "JSON_VALUE and its like", "SetToDefault": "DEFAULT", "CurrentOfExpr": "CURRENT OF",
}  # fmt: skip
"""Kinds of nodes as people write them."""

WRITING: Final = frozenset(
    """InsertStmt UpdateStmt DeleteStmt MergeStmt TruncateStmt DropStmt CreateStmt CreateTableAsStmt AlterTableStmt
    DropOwnedStmt DropRoleStmt DropdbStmt RenameStmt GrantStmt GrantRoleStmt RefreshMatViewStmt""".split()
)
"""Statements that alter what is there."""
