"""What every kind of mistake in databases and queues of a preview's own is called.

Each row has what is wrong or expected, and what to write instead; `words.py` says what the {names} are. What
was written is never told: it may be a password.
"""

from __future__ import annotations

from collections.abc import Mapping

ROWS: Mapping[str, tuple[str, str]] = {
    # Queues
    "expression": ("has {written}, which is no regular expression", ""),
    "jq": ("is no jq program: {problem}", ""),
    "queue_attribute": ("must be the name of an attribute, like baggage", ""),
    "queue_attribute_taken": (
        "must have `{{{{ key }}}}` in it, since {attribute} is what carries the key",
        "or name another `attribute`",
    ),
    "queue_broker": (
        "cannot be {broker} here",
        "write that queue into a mirrord file, under `feature.split_queues`",
    ),
    "queue_filter_empty": ("says nothing", "name an attribute, or leave it out"),
    "queue_id": ("must be an id of mirrord's split configuration, without blanks", ""),
    "queue_jq": ("cannot be here: mirrord has no jq for RabbitMQ", "filter by headers"),
    "queue_modes": ("cannot differ between two queues called {written}: mirrord keeps it by that name", ""),
    "queue_protobuf": (
        "cannot be here: mirrord leaves it out of previews, so that the jq program would never match",
        "filter by headers",
    ),
    "queue_shared": (
        "has a filter without `{{{{ key }}}}`, so that two previews would take each other's messages",
        "write for example `message_filter: {{baggage: '.*mirrord-session={{{{ key }}}}.*'}}`",
    ),
    "queue_key_optional": (
        "has a filter that lets messages pass without `{{{{ key }}}}`, so that it would take other people's",
        "write it into each alternative of a pattern, and into no part that may be left out",
    ),
    "queues_many": ("has more queues than a preview may", "at most {most}"),
    "queue_twice": ("is named twice for {broker}, and mirrord would mix the two", "keep one"),
    "queue_unfiltered": (
        "has no filter, and mirrord would leave the queue out without a word",
        "write for example `message_filter: {{baggage: '.*mirrord-session={{{{ key }}}}.*'}}`",
    ),
    "queues_form": ("must hold queues by their ids, or be a list of queues with `queue_id`", ""),
    # How staging's database is reached
    "connection": ("must have either `url` or `params`", "write for example `url: DATABASE_URL`"),
    "connection_nothing": ("names nothing", "write for example `host: DB_HOST`"),
    "connection_type": ("is for variables named alone, and `url` says its own type", "remove it"),
    "database_literal": (
        "must not be written out: whoever reads this repository would read it",
        "name the variable or the Secret that has it",
    ),
    "gsm": (
        "must be a secret of Google's Secret Manager, like projects/acme/secrets/orders/versions/latest",
        "",
    ),
    "part_form": (
        "must be a variable's name, or one of `env_var_name` with `value_pattern`, `secret` with `key`, "
        "`gcp_secret_manager`",
        "",
    ),
    "part_name": ("must be a word, like host", ""),
    "secret_key_name": ("must be a key of a Secret, like password", ""),
    "secret_name": ("must be the name of a Secret, like orders-db", ""),
    "source_field": ("is missing", "{type} needs it"),
    "source_other": ("does not belong to {type}", "remove it"),
    "variable_name": ("must be the name of a variable, like DATABASE_URL", ""),
    # A copy
    "copy_mode": ("cannot be schema: {type} has none to copy", "write empty or all"),
    "copy_other": ("has no effect on a copy of {type} with mode {mode}", "remove it, or use another mode"),
    "database_id": (
        "must be `{{{{ key }}}}-` and a name of small letters, digits and -",
        "write for example `id: '{{{{ key }}}}-orders'`",
    ),
    "database_leads_nowhere": (
        "names no variable that leads the service to its copy: it would go on to use staging's",
        "write `env_var_name` beside the Secret",
    ),
    "database_name": ("must be a name of at most 22 small letters, digits and -, like orders", ""),
    "database_other": ("does not belong to a database of type {type}", "remove it"),
    "database_unnamed": (
        "has a database {written} without an id, and so has {other}: they may be two, and would be one copy",
        "give each an id, like `id: '{{{{ key }}}}-orders'`; the same, if it is one database",
    ),
    "database_ttls": ("cannot be there beside ttl_secs", "keep one"),
    "databases_many": ("has more databases than a preview may", "at most {most}"),
    "database_twice": (
        "would be another copy called {written}, and mirrord would lose one of the two",
        "write for example {line}",
    ),
    "database_version": ("cannot be there beside `image`, whose tag says it", "remove one of them"),
    "redis_name": ("must be the number of a database, in quotes: Redis has no names for them", ""),
    "setting_name": ("must be the name of a setting, like app.tenant", ""),
    "table_name": ("must be the name of a table, like orders", ""),
    # Migrations
    "folder_empty": ("names {written}, and there is no file in {places}", "name the folder of the SQL"),
    "folder_large": ("has {written}, which is larger than {most}", "keep migrations smaller"),
    "folder_link": ("has {written}, which is a link", "keep the file itself there"),
    "migrations_both": ("cannot be there beside `path`: the files are here or in `image`", "keep one"),
    "migrations_commit": ("is missing", "a mirrord file names the image that migrates"),
    "migrations_image": ("are within an image", "name it as `image`"),
    "migrations_name": ("need the database's name", "write it as `name`"),
    "migrations_nothing": ("have no files", "name a folder as `path`, or `locations` within `image`"),
    "migrations_other": ("does not belong to {flavor}", "remove it"),
    # An image of one's own
    "generic_gsm": (
        "has {written} from Google's Secret Manager, which mirrord cannot take for `generic`",
        "",
    ),
    "generic_parameter": (
        "has {written}, of which mirrord makes the name of a variable",
        "use letters, digits and _, and no name twice",
    ),
    "generic_reference": (
        "has {written}, which is no variable of it",
        "name a part of `connection.params` as $(MIRRORD_PARAM_…), or write $$( where a plain $( is meant",
    ),
    "generic_url": ("must have `params`: of `generic` mirrord leads host and port to the copy", ""),
    "generic_variable": ("is what mirrord itself sets", "call it something else"),
    "database_overridden": (
        "sets {written}, by which the service is led to a database of the preview's own",
        "remove it here, or that database from `db_branches`",
    ),
    # What is said, and not refused
    "database_deadline": ("has no effect: a copy may take as long as previewbot's settings allow", ""),
    "database_generic": (
        "is made, but mirrord 3.250 leads no preview to it: the service goes on to use staging's",
        "",
    ),
    "database_host": (
        "names no variable with the host: if the service is not led there, it goes on to use staging's",
        "name it as `host`",
    ),
    "database_local": ("is a Redis on somebody's own machine: a preview has none", ""),
    "database_parameter": ("has {written}, which mirrord's operator knows of no database of type {type}", ""),
    "database_renamed": ("is {line} in a preview: each has a copy of its own, which no other shares", ""),
    "database_ttl": ("has no effect: previewbot removes a copy with its preview", ""),
}
