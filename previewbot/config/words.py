"""What every kind of mistake in a configuration file is called: one table, for both files.

The words are Markdown, with pieces of the file in backticks; a terminal may drop those.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from previewbot.config.keys import KEY
from previewbot.config.mirrord_words import ROWS
from previewbot.config.state_words import ROWS as STATE_ROWS

_NAMED = 3
_KNOWN_NAMED = 100
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Kind(NamedTuple):
    """A kind of mistake: what is wrong or expected, and what to write instead, with {names} to fill in.

    `told` says whether what was written may follow the first half; where it may be a secret, it never may.
    """

    expected: str
    advice: str = ""
    told: bool = True


class Raw(str):
    """A text that is no piece of a file, and stands in a message as it is."""

    __slots__ = ()


@dataclass(frozen=True)
class Words:
    """A kind of mistake with its names filled in; `value` is what was written, where it may be told."""

    kind: str
    expected: str
    advice: str = ""
    value: str = ""

    @property
    def subject(self) -> str:
        """What it is about if it is about no key; some words name it themselves."""
        return "the file" if self.kind in ("empty_file", "keys") else ""

    def __str__(self) -> str:
        return f"{self.expected}; {self.advice}" if self.advice else self.expected


_IMAGE = "ghcr.io/acme/checkout:{{head_sha}}"
KINDS: Mapping[str, Kind] = {
    # The file as a whole
    "alias": Kind("the alias {written} is not allowed", "write its value out"),
    "anchor": Kind("{written} begins with &, which YAML reads as an anchor", "put it in quotes"),
    "brace": Kind("{written} begins with {{, which YAML reads as keys", "put it in quotes"),
    "inside": Kind(
        "{written} has {sign} in it, which YAML reads as {reads} within a list", "put it in quotes"
    ),
    "block": Kind(
        "{written} begins with {sign}, which YAML reads as a text of several lines", "put it in quotes"
    ),
    "defaults_many": Kind(
        "`defaults` make more of all services together than can be read",
        "use fewer and shorter values",
        told=False,
    ),
    "empty_file": Kind("is empty", "it must hold keys{such}", told=False),
    "key_type": Kind("a key must be a word", told=False),
    "not_utf8": Kind("is not UTF-8", "save the file in that encoding"),
    "not_yaml": Kind("is not YAML ({problem})"),
    "odd_character": Kind("has a character that YAML does not allow"),
    "second_document": Kind("a second document begins here", "remove `---` and what follows"),
    "sign": Kind("{written} begins with a sign that YAML keeps for itself", "put it in quotes"),
    "star": Kind("{written} begins with *, which YAML reads as an alias", "put it in quotes"),
    "tab_before": Kind("is not YAML ({problem})", "indent with spaces, not tabs"),
    "tab_behind": Kind("has a tab behind the value", "remove it, or write a space instead"),
    "tag": Kind("{written} begins with !, which YAML reads as a tag", "put it in quotes, or remove the tag"),
    "too_deep": Kind("is nested too deeply"),
    "too_large": Kind("the file is larger than {most}", "make it smaller"),
    "too_many": Kind("here the file exceeds {most} keys and values", "make it smaller"),
    # Keys
    "cut": Kind("and {more} more mistakes", told=False),
    "extra_forbidden": Kind("is unknown", "{near}", told=False),
    "indent": Kind("has nothing under it", "indent what belongs there: {keys}", told=False),
    "missing": Kind("is missing", "write for example {line}", told=False),
    "missing_often": Kind("{key} is missing in {names}", "write it under `defaults`: {line}", told=False),
    "missing_keys": Kind("is missing", "write under it {what}", told=False),
    "no_value": Kind("has no value", "write one, or remove the line", told=False),
    "no_value_but_needed": Kind("has no value", "write for example {line}", told=False),
    "no_value_but_needed_keys": Kind("has no value", "write under it {what}", told=False),
    "secret": Kind("does not belong here", "a secret is read from {file} or from {variable}", told=False),
    "variable": Kind("is not a setting", "{near}", told=False),
    "variable_below": Kind("is not a setting: nothing is under {key}", told=False),
    "twice": Kind("is written twice, first in line {line}", "keep one", told=False),
    # Values
    "bool_type": Kind("must be true or false"),
    "duration": Kind("must be a duration, like 8h, 2h30m, 90s or 3d"),
    "duration_bounds": Kind("{bounds}"),
    "keys": Kind("must hold keys{such}"),
    "names": Kind("must hold {names}"),
    "list": Kind("must be a list{like}"),
    "literal_error": Kind("must be {expected}", "{meant}"),
    "other": Kind("cannot be used as it is written"),
    "port": Kind("must be a port, a number from 1 to 65535"),
    "string_type": Kind("must be a text"),
    "text_without_quotes": Kind("must be a text", "put {written} in quotes"),
    "text_in_braces": Kind("must be a text", "put what begins with {{ in quotes"),
    "one_line": Kind("must be a text on one line that is not empty, without invisible characters"),
    "too_short": Kind("must name at least one{like}"),
    "version": Kind("must be 1"),
    "whole_number": Kind("must be a whole number from 1"),
    # Names, addresses and files
    "client_id": Kind("must be the App's client ID, like Iv23liAbCdEfGhIjKlMn"),
    "sign_in_needs": Kind("is missing, and people are to sign in", "write for example {line}", told=False),
    "sign_in_https": Kind("must begin with https://, as browsers keep the cookie of a sign-in for no other"),
    "sign_in_path": Kind("must have no path where people sign in", "give the pages a host of their own"),
    "guard_access": Kind(
        "lets in people who have signed in, and with these settings nobody can sign in",
        "set `access` to `github` or `proxy`, or remove `guard`",
        told=False,
    ),
    "guard_grpc": Kind("must be HTTP before a guard, which speaks nothing else"),
    "guard_host_in": Kind("must be Host, which is where ExternalAuth has the host"),
    "guard_rewrite": Kind(
        "stands before the filter that asks the guard, which is told of another host or path then",
        "put it behind that filter",
        told=False,
    ),
    "guard_https": Kind("must be https before a guard, as browsers keep its cookies for nothing else"),
    "guard_lasts": Kind("must be at most 24h"),
    "guard_needs": Kind(
        "is missing, and the guard lets in nobody without", "write for example {line}", told=False
    ),
    "header_name": Kind("must be the name of a header, of letters, digits and -, like X-Forwarded-Email"),
    "network": Kind("must be an address, or a network without bits behind its end, like 10.20.0.0/24"),
    "network_of_all": Kind("is everybody, who could then be whoever they like", "name the proxy's addresses"),
    "proxy_needs": Kind(
        "says that people come by a proxy, and `proxy` does not say which",
        "write it, with `from` or `assertion`, and `repositories`",
        told=False,
    ),
    "proxy_neither": Kind(
        "says nothing by which the proxy is known",
        "write `from`, its addresses, or `assertion`, what it signs",
        told=False,
    ),
    "proxy_either": Kind("stands beside `from`", "the proxy is known by one of them: keep one", told=False),
    "proxy_header": Kind(
        "is missing, and the proxy says there who somebody is", "write for example {line}", told=False
    ),
    "proxy_keys": Kind(
        "is missing, and by it the signature is judged", "write for example {line}", told=False
    ),
    "proxy_cookie_keys": Kind(
        "is missing, and without it nothing can be taken of what people press who come by the proxy",
        "write for example {line}, or, where they are to look only, `may_say: false` under `proxy`",
        told=False,
    ),
    "proxy_https": Kind(
        "must begin with https://, as browsers tell for no other where what people press comes from",
        "for people by proxy who are to look only, `may_say: false` under `proxy` is enough",
    ),
    "proxy_path": Kind(
        "must have no path where people who come by a proxy press something",
        "give the pages a host of their own",
    ),
    "proxy_unsigned": Kind(
        "is not signed, and anybody could send it",
        "leave it out beside `assertion`, or write `from` instead",
        told=False,
    ),
    "domain": Kind("must be a domain, like preview.example.com"),
    "file": Kind("must be a text, the path of a file", told=False),
    "label": Kind("must be a name of at most 63 small letters, digits and -"),
    "prefix": Kind("must begin with a registry's host, without https://, like ghcr.io/acme/"),
    "registry": Kind("must be the host of a registry, like ghcr.io or registry.internal:5000", told=False),
    "credential_helper": Kind(
        "must be what stands behind `docker-credential-` in a program's name, like ecr-login", told=False
    ),
    "owner": Kind("must be an account of GitHub's, like acme"),
    "repository": Kind("must be owner/name, in which * stands for anything but /, like acme/shop or acme/*"),
    "repository_git": Kind("is the name of no repository", "write {instead}"),
    "target_pattern": Kind(
        "must be kind/name, like deployment/web-*, of a kind of workload or *",
        "which container, its author chooses",
    ),
    "entry_pattern": Kind("must be namespace/Service, like staging/web, and a port may follow, as in :80"),
    "url": Kind("must be an http:// or https:// URL, like {example}, without ? and #"),
    "url_secret": Kind("must not contain a user name or password", "everybody could read it", told=False),
    "workflow": Kind(
        "must be the file of a workflow in .github/workflows, like docker.yml", "its `name` is another thing"
    ),
    "check_name": Kind("must have at most {most} characters", told=False),
    "mention": Kind("must be a person or a team of GitHub's, like @octocat or @acme/product, not {written}"),
    "mention_agent": Kind(
        "names a bot, {written}, which may begin to work", "name the people who wait for it"
    ),
    "mentions_many": Kind("names too many", "at most {most}: a team counts as one", told=False),
    # What fits together
    "build": Kind(
        "must hold either `workflow` or `check`",
        "write for example `workflow: docker.yml`, or `check: build image`",
        told=False,
    ),
    "ca_file": Kind("is for TLS, which plain_http switches off", "leave one of them out", told=False),
    "page_host": Kind(
        "has the host {host}, to which no route of links.gateway can redirect",
        "give the pages a DNS name in small letters, or leave out links",
        told=False,
    ),
    "progress": Kind("must be at least {least}"),
    "token_server": Kind(
        "must begin with https://, since it gets a password", "or set plain_http beside it", told=False
    ),
    "ttl": Kind("must be at most ttl.max, which is {most}", told=False),
    "ttl_max": Kind("must be at least ttl.default, which is {least}", told=False),
    "same_target": Kind("has the same target as {other}", "join the two", told=False),
    "patterns_together": Kind("cannot be matched together", "use fewer and shorter ones", told=False),
    "wildcards": Kind(
        "have {found} `*`, `?` and `[…]` over all services",
        "name folders, at most {most} of these",
        told=False,
    ),
    "patterns": Kind("have {found} `paths` together", "name folders, at most {most} paths", told=False),
    # A rule for repositories
    "match_taken": Kind(
        "{written} can never count here: rule {rule} takes all of it", "remove it, or put this rule first"
    ),
    "match_owner": Kind("{written} can never count: owners has only {owners}"),
    "wider_namespace": Kind(
        "{written} is not among cluster.namespaces", "add it there, since a rule only narrows"
    ),
    "wider_image": Kind("{written} is not within images.allowed", "add it there, since a rule only narrows"),
    "wider_entry": Kind(
        "{written} is in none of cluster.namespaces", "add that there, since a rule only narrows"
    ),
    "wider_limit": Kind("must be at most {key}, which is {most}"),
    # What is added to routes
    "annotations": Kind("are larger together than Kubernetes takes", "at most 248 KiB", told=False),
    "filter_empty": Kind("says nothing", "write what its type needs", told=False),
    "filter_field": Kind("is missing", "a filter of type {type} needs it", told=False),
    "filter_other": Kind("is of another type", "this filter needs {needed} and nothing else", told=False),
    "filter_path": Kind("must not have a path of type `ReplaceFullPath`", "every page would be the same one"),
    "filter_refused": Kind("cannot be {type}: {reason}", told=False),
    "filter_twice": Kind("has two filters of type {type}", "a rule may have one", told=False),
    "filter_value": Kind(
        "holds a value that is no text, whole number, true or false", "use quotes for a text"
    ),
    "filters_many": Kind("has more filters than a rule may", "at most {most}", told=False),
    "label_key": Kind("must be a key as Kubernetes has them, like example.com/team"),
    "label_ours": Kind("must not begin with what is previewbot's or mirrord's own"),
    "label_value": Kind("must be at most 63 letters, digits, - _ and ."),
    "listener": Kind("must be the name of one of the Gateway's listeners, like https"),
    # Agents
    "agent_branch": Kind("must name something, or every branch would be an agent's", "like acme-claude/*"),
    "agent_key": Kind("must be a name of at most 40 small letters, digits and -, like copilot"),
    "agent_new": Kind("is an agent that the table has not", "{near}", told=False),
    "agent_signal": Kind("{wrong}"),
    "agent_without": Kind("has {value}, which is no signal of this agent in the table", "{near}", told=False),
    "agent_without_account": Kind(
        "has no number of an account in the table", "add one in agents.table, or leave it out", told=False
    ),
    "no_such_agent": Kind("is no agent that is known here", "{near}", told=False),
    "no_such_service": Kind("names {written}, which is not among `services`", "{near}"),
    # The entry
    "entry_twice": Kind("is the name of `entry`, which is there too", "give one of them another place"),
    "no_such_entry": Kind("names {written}, which is not among `entries`", "{near}"),
    "backend_request": Kind("must not be longer than request, which is {most}"),
    "gateway_duration": Kind("must be a duration as the Gateway API has it, like 30s, 500ms or 0s"),
    "path": Kind("must be a path of a URL as the Gateway API has it, like {example}"),
    "path_of_entry": Kind(
        "is not where the entry itself leads, which is {service}", "name that Service, or leave this path out"
    ),
    "path_twice": Kind("means the same as {other} above", "keep one"),
    "paths_many": Kind("has more paths than a route may", "at most {most}", told=False),
    # A service
    "glob": Kind("must be patterns as in .gitignore, like services/checkout/**, not {written}"),
    "glob_dot": Kind("must be written without ./ at its beginning: {instead}"),
    "glob_apart": Kind(
        "has {written}, which takes away from nothing: no path before it leads there",
        "remove it, or name what it is to take away from before it",
    ),
    "glob_nothing": Kind(
        "takes away, with !, all that it names", "remove the patterns with !, or name more before them"
    ),
    "ignore_all": Kind(
        "takes away all of {whose}: no change there would ever count",
        "name less here, or take a path back with !",
    ),
    "glob_backslash": Kind("has {written}, in which \\ is no sign between folders", "write {instead}"),
    "glob_braces": Kind(
        "has {written}: braces are a part of a name in .gitignore", "write a path for each: {instead}"
    ),
    "glob_choice": Kind(
        "has {written}: a choice in parentheses is a part of a name in .gitignore",
        "write a path for each: {instead}",
    ),
    "glob_name": Kind("has {written}, which no file is called", "write {instead}"),
    "glob_empty_part": Kind("has two slashes with nothing in between", "write {instead}"),
    "glob_regex": Kind(
        "has {written}, a regular expression", "write a pattern as in .gitignore, like services/checkout/**"
    ),
    "glob_twice_away": Kind("has {written}, with two signs that take away", "write one: {instead}"),
    "glob_up": Kind(
        "has {written}: all paths begin at the root of the repository", "write it without . and .. in between"
    ),
    "glob_first": Kind("must not begin with {written}, which takes away from nothing"),
    "glob_long": Kind("is too long: {written}", "use at most {most} characters"),
    "image": Kind(f"must be a registry, a repository and a tag, like {_IMAGE}, not {{written}}"),
    "image_digest": Kind(f"must name a tag, not a digest, like {_IMAGE}"),
    "image_field": Kind("has the unknown field {written}", "{near}"),
    "image_registry": Kind("must begin with a registry's name, in which no field may stand"),
    "image_small": Kind("must be written in small letters, like {instead}: GitHub's names may have capitals"),
    "image_scheme": Kind(f"must be written without https://, like {_IMAGE}"),
    "image_tag": Kind("must end with a tag, like {instead}"),
    "open": Kind("must begin with one /, like {instead}"),
    "open_characters": Kind("must be written as in a URL, other characters as %XX"),
    "picture_long": Kind("names a path of more than {most} characters"),
    "target": Kind("{expected}, not {written}", "{near}"),
    "mirrord": Kind(
        "must be the path of a mirrord file, like .mirrord/mirrord.json, or what would stand in it",
        told=False,
    ),
    "no_such_database": Kind("names {written}, which is not among `databases`", "{near}"),
    "name_is_word": Kind("cannot be called {written}, which says that there is none", "call it otherwise"),
    "database_too": Kind("names {written}, which stands in the mirrord file too", "keep one of the two"),
    "database_namespaces": Kind(
        "uses the database {written} in another namespace than {other}, in {namespace}: a copy is of one",
        "declare it once for each namespace",
    ),
    "database_differs": Kind(
        "has a database {written} which is not that of {other}: a preview has one of each name",
        "give one of them another name",
    ),
    "database_overridden_there": Kind(
        "leads the service by {written}, which its mirrord file sets to something else",
        "remove it there",
    ),
    "environment_long": Kind(
        "has more than 255 characters, which GitHub does not take for an environment", told=False
    ),
    "idle_short": Kind("must be at least 30s", told=False),
    "mirrord_missing": Kind(
        "names {written}, which is not in the repository",
        "add it, or correct the path, which begins at the root",
        told=False,
    ),
    "mirrord_other": Kind("is {other} in {where}", "keep one of the two, or write the same", told=False),
    "mirrord_too": Kind("stands in {where} too", "keep one of the two", told=False),
    "mirrord_ports": Kind(
        "names other ports than {where}, or some that are ignored there",
        "keep one of the two",
        told=False,
    ),
    "mirrord_takes_none": Kind(
        "names ports, but {where} takes no requests", "keep one of the two", told=False
    ),
    "mirrord_takes_requests": Kind(
        "is empty, so that no requests are taken, but {where} takes some", "keep one of the two", told=False
    ),
    # A mirrord file; what was written there is told where its words name it
    **{kind: Kind(expected, advice, told=False) for kind, (expected, advice) in ROWS.items()},
    # Databases and queues of a preview's own
    **{kind: Kind(expected, advice, told=False) for kind, (expected, advice) in STATE_ROWS.items()},
}


def fill(kind: str, named: Mapping[str, object], value: str = "") -> Words:
    """Return the words of a kind; texts among `named` are shown as pieces of a file, unless they are Raw."""
    # `type(...) is str` and not `isinstance`: a Raw is a str too, and must not be put into backticks.
    told = {name: shown(text) if type(text) is str else text for name, text in named.items()}
    words = KINDS[kind]
    may_tell = words.told and "{written}" not in words.expected
    return Words(
        kind, words.expected.format_map(told), words.advice.format_map(told), value if may_tell else ""
    )


def shown(text: str, most: int = 60) -> str:
    """Return a piece of the file for a message: printable, short, in backticks."""
    # The piece is shown inside a code span of Markdown, which a backquote of its own would end.
    clean = printable(text.replace(KEY, "{{ key }}")).replace("`", "?")
    return f"`{clean if len(clean) <= most else clean[: most - 1] + '…'}`"


def printable(text: str) -> str:
    """Return a text with a question mark for each character that a terminal or a browser would obey."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


def keys_within(at: str, value: object) -> tuple[str | int, ...]:
    """Return the keys of `at` (`checkout.paths`, or `1.path` in a list) within a value."""
    found: list[str | int] = []
    rest = at
    while rest:
        # A key may have dots in it: the name of an attribute, or of a variable.
        is_key = isinstance(value, Mapping) and rest in value
        part, _, rest = (rest, "", "") if is_key else rest.partition(".")
        found.append(int(part) if isinstance(value, list | tuple) else part)
        value = _inner(value, found[-1])
    return tuple(found)


def _inner(value: object, key: str | int) -> object:
    if isinstance(value, list | tuple) and isinstance(key, int):
        return value[key] if key < len(value) else None
    return value.get(key) if isinstance(value, Mapping) else None


def whole(text: str) -> str:
    """Return a text with NUL for each half of a character: what pydantic tells must be UTF-8."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\0", text)


def some_of(shown: Sequence[str], most: int = _NAMED) -> Raw:
    """Return the first of what is shown, and how many more there are."""
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return Raw(", ".join(shown[:most]) + more)


def did_you_mean(word: str, known: Iterable[str], *, always: bool = True) -> str:
    """Return half a sentence: what `word` was meant to be, or, if `always`, what there is."""
    choices = list(known)
    # Hyphens are the likeliest slip, since the keys have underscores.
    near = difflib.get_close_matches(word.lower().replace("-", "_"), choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean {shown(near[0])}?"
    # All keys of a part, but of names that a file gives there may be thousands: a comment has 64 KiB.
    return f"known here: {some_of(choices, _KNOWN_NAMED)}" if always else ""


_OTHER_WORDS = {
    "postgres": "pg",
    "postgresql": "pg",
    "mongo": "mongodb",
    "sqlserver": "mssql",
    "cockroach": "cockroachdb",
    "rabbit": "RMQ",
    "rabbitmq": "RMQ",
}
"""What others call what mirrord calls otherwise."""


def meant(word: str, choices: Iterable[str]) -> str:
    """Return half a sentence: which of these words was meant, or nothing where none is near."""
    by_small = {choice.lower(): choice for choice in choices}
    small = word.strip("\"'").lower()
    other = _OTHER_WORDS.get(small, "")
    near = [other.lower()] if other.lower() in by_small else difflib.get_close_matches(small, by_small, n=1)
    return f"did you mean {shown(by_small[near[0]])}?" if near else ""
