"""The words of jq (https://jqlang.org/manual/v1.8/) and of jaq (https://gedenkt.at/jaq/manual/), together."""

from __future__ import annotations

KEYWORDS = frozenset(
    (
        *("and", "as", "break", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include"),
        *("label", "or", "reduce", "then", "try", "__loc__"),
    )
)

BUILT_IN = frozenset(
    """
    GROUP_BY IN INDEX JOIN UNIQUE_BY abs acos acosh add add_value all any arrays ascii ascii_downcase
    ascii_upcase asin asinh atan atan2 atanh booleans bsearch builtins capture cbrt ceil combinations
    contains copysign cos cosh date dateadd datesub debug del delpaths downcase drem empty endswith env
    erf erfc error exp exp10 exp2 explode expm1 fabs false fdim finites first flatten floor fma fmax fmin
    fmod format frexp from_entries fromdate fromdateiso8601 fromjson fromstream gamma get_jq_origin
    get_prog_origin get_search_list getpath gmtime group_by gsub halt halt_error has have_decnum
    have_literal_numbers hypot ilogb implode in index indices infinite input input_filename
    input_line_number inputs inside isboolean isempty isfinite isinfinite isnan isnormal isvalid iterables
    j0 j1 jn join keys keys_unsorted last ldexp leaf_paths length lgamma lgamma_r limit ln localtime log
    log10 log1p log2 logb ltrim ltrimstr map map_values match max max_by max_by_key min min_by mktime modf
    modulemeta nan nearbyint nextafter nexttoward normals not now nth null nulls numbers objects ok_or
    path paths pick pow pow10 range recurse recurse_down remainder repeat reverse rindex rint round rtrim
    rtrimstr scalars scalb scalbln scan select setpath significand sin sinh skip sort sort_by split splits
    sqrt startswith stderr strflocaltime strftime strings strptime sub sum tan tanh test tests tgamma
    to_entries toarray toboolean tobytes todate todateiso8601 tojson tonumber tostream tostring transpose
    trim trimstr true trunc truncate_stream type unique unique_by until upcase utf8bytelength values walk
    while with_entries y0 y1 yn
    """.split()  # noqa: SIM905 - a hundred quotes would be harder to read
)
