"""What every kind of mistake in a mirrord configuration is called, and what has another effect than there.

Each row has what is wrong or expected, and what to write instead; `words.py` says what the {names} are.
"""

from __future__ import annotations

from collections.abc import Mapping

ROWS: Mapping[str, tuple[str, str]] = {
    # The file as a whole
    "json_comma": ("is not JSON: a comma stands before {sign}", "remove it"),
    "json_comment": (
        "is not JSON: comments are not allowed in it",
        "remove it, or use a file of YAML or TOML",
    ),
    "json_empty": ("is empty, which is no JSON", "write at least `{{}}`"),
    "json_ends": ("is not JSON: it ends where {what} was expected", "write what is missing"),
    "json_half": ("has one half of a character (\\ud800 to \\udfff)", "write the character itself"),
    "json_key": ("is not JSON: the key {written} has no double quotes", "put it in double quotes"),
    "json_quotes": ("is not JSON: a text begins with a single quote", "use double quotes"),
    "json_text": ("is not JSON: a text has a sign in it that must be escaped", "write \\n for a new line"),
    "json_text_ends": ("is not JSON: a text does not end", "add the double quote"),
    "mirrord_extension": (
        "a mirrord file ends with {ends}, not with {written}",
        "rename it; without such an end it is read as JSON",
    ),
    "not_json": ("is not JSON: {what} was expected, not {written}", ""),
    "not_toml": ("is not TOML ({problem})", ""),
    "odd_character_mirrord": (
        "has the character U+E000 or U+E001, which stand for templates here",
        "remove it",
    ),
    "template": (
        "{written} is not filled in: of mirrord's templates a preview has `{{{{ key }}}}` alone",
        "write the value out, or `{{{{ key }}}}` with one blank on each side",
    ),
    # Values
    "number": ("must be a whole number from 0, without quotes", ""),
    "number_most": ("must be at most {most}", ""),
    "small_number": ("must be a whole number from 0 to 65535, without quotes", ""),
    "port_pair": ("must be two ports, like `[8080, 80]`", ""),
    "list_of_ports": ("must be ports, like `[8080]`", ""),
    "port_twice": ("has {port} twice on one side", "keep one"),
    "retry": ("must be at most max_ms", ""),
    "address": ("has {written}, which is no name, address or subnet", "a port may follow, as in `:5432`"),
    "local_or_remote": ("must have either `local` or `remote`", ""),
    "roots_and_cert": ("cannot stand beside `trust_roots`", "keep one of the two"),
    "roots_none": ("names nothing", "leave it out"),
    "server_name": ("must be a DNS name or an address, not {written}", ""),
    "include_and_exclude": ("cannot stand beside `include`", "keep one of the two"),
    # The target
    "mirrord_target": ("{expected}, not {written}", "{near}"),
    "target_key": ("cannot have `{{{{ key }}}}` in it", "name a workload of staging"),
    "target_label": ("names pods by their labels, which mirrord's previews do not take", "name a workload"),
    "target_none": (
        "is targetless, but a preview stands in for a workload",
        "name one, like `deployment/web`",
    ),
    "target_object": ("must name one workload, by one of {kinds}, and its `container` if need be", ""),
    "target_type": ("must be a text like `deployment/web`", ""),
    "operator_needed": ("is false, but mirrord needs its operator for {what}", "remove it"),
    "copied_service": ("cannot stand beside a target that is a service", "name its workload"),
    # Requests
    "mode": ("must be `steal` or `off`, not {written}", "{near}"),
    "mode_mirror": (
        "copies requests to the preview while staging answers them, so that both act on each",
        'write `"steal"`: the preview answers the requests with its key, and no others',
    ),
    "ports_none": ("names no port", 'leave it out for all ports, or write `"incoming": "off"` for none'),
    "ports_and_ignored": ("cannot stand beside `ports`", "keep one of the two"),
    "deliveries": ("cannot stand beside `tls_delivery`", "keep that one"),
    "filter_text_empty": ("must not be empty", "write a pattern, or leave it out"),
    "filter_long": ("is too long", "use at most {most} characters"),
    "filters_none": ("names no filter", "name one, or leave it out"),
    "filter_kinds": ("cannot stand beside {other}", "write all of it under `all_of`"),
    "filter_any": (
        "would take requests without the preview's key",
        "use `all_of`, or exactly the headers {pair_0} and {pair_1}, in this order",
    ),
    "inner_filter": (
        "must be one filter: `header`, `path` or `method`, a `body` with `query` and `matches`, or a `query`",
        "write each as an item of its own",
    ),
    "json_path": ("is no JSONPath: {written}", "write for example `$.tenant`"),
    # Variables
    "override_name": ("has {written}, which no variable may be called", ""),
    "override_value": ("has a NUL character in the value of {written}", "remove it"),
    "env_file_line": ("names {written}, whose line {line} {wrong}", ""),
    # Files
    "file_folder": ("names {written}, which is a folder", "name a file in it"),
    "file_large": (
        "names {written}, which is larger than {most}",
        "make it smaller, or put it into the image",
    ),
    "file_link": ("names {written}, which is a link", "name the file itself"),
    "file_mark": ("names {written}, which has the character U+E000 in it", "remove it"),
    "file_missing": (
        "names {written}, which is not in the repository as {places}",
        "add it, or correct the path",
    ),
    "file_not_utf8": ("names {written}, which is not UTF-8", "save it in that encoding"),
    "files_large": (
        "makes the named files larger than 1 MiB together",
        "name fewer, or put them into the image",
    ),
    "mounts_large": (
        "makes the files larger than an object of the cluster can hold: {size} bytes there, of {most}",
        "mount fewer or smaller ones, or put them into the image",
    ),
    "path_absolute": (
        "has {written}, the path of somebody's machine",
        "write it from the folder of this file, or from the root of the repository",
    ),
    "path_odd": ("has {written}, in which a part is empty, a dot, or has a sign that is none of a path", ""),
    "path_up": ("has {written}, which leads out of its folder", "write it from the root of the repository"),
    "secrets_not_allowed": (
        "puts what may be a secret into the cluster, which the settings do not allow for this repository",
        "remove it, or ask the platform team for `secrets: true` in a rule under `repositories`",
    ),
    # What a preview is like
    "idle_never_wakes": (
        "would let the preview sleep and never wake: it takes no requests and splits no queue",
        "remove it, or take requests",
    ),
    "mirrord_ttl": ('must be a whole number, or `"infinite"`', ""),
    "mount_base64": ("must be base64, since its type is binary", "write `base64 -w0 <file>`'s output"),
    "mount_no_type": ("has a `payload` without `type`", 'write `"type": "text"`, or `"binary"` for base64'),
    "mount_path": ("must be the path of a file, like `/etc/web/preview.yaml`, not {written}", ""),
    "mount_source": ("has neither `payload` nor `from_file`", "write one of them"),
    "mount_sources": ("has both `payload` and `from_file`", "keep one"),
    "mount_twice": ("is the place of another file above: {written}", "give one of them another"),
    "mount_type_of_file": ("cannot stand beside `from_file`, of which mirrord finds it out", "remove it"),
    "replicas_none": ("is 0: the preview would never answer", "leave it out for one"),
    "secret_key": (
        "has `{{{{ key }}}}` in a secret, which is the same for all previews",
        "write the value out",
    ),
    "sleep_short": ("must be a whole number from 30", ""),
    "ttl_twice": ("cannot stand beside `ttl_mins`", "keep one of the two"),
    "ttl_zero": ("is 0: the preview would be gone at once", 'write how long it lives, or `"infinite"`'),
    "wake_zero": ("must be a whole number from 1", ""),
    "key_empty": (
        "is empty: mirrord would take the requests of all sessions",
        "remove it: previewbot has a key",
    ),
    # What is said and not refused
    "no_effect": ("has no effect on a preview", ""),
    "key_ours": ("has no effect: each pull request has a key of its own", ""),
    "image_ours": ("has no effect: a preview runs the image of the commit", ""),
    "deadline_ours": ("has no effect: previewbot's settings say how long a preview is waited for", ""),
    "steal_instead": ("has no `mode`: the preview answers the requests with its key, as with `steal`", ""),
    "header_needed": (
        "asks for the header {written} too: the link sends `baggage` alone, and would not reach the preview",
        "",
    ),
    "ttl_infinite": ("is as long as the settings allow: every preview ends", ""),
    "wake_without_sleep": ("has no effect without `sleep_after_secs` or `start_idle`", ""),
}
"""By the kind of a mistake, or of something that is said."""
