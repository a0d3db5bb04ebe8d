"""`defaults`, `shared`, `ignore` and services of one line: what they mean, and where mistakes are told."""

from __future__ import annotations

import pytest

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import RepositoryConfig, parse
from previewbot.errors import ConfigurationError
from previewbot.rules.changes import Matching, compare

SHORT = """\
version: 1
defaults:
  paths: ["src/{service}/**"]
  target: deployment/{service}
  namespace: staging
  image: ghcr.io/acme/{service}:{head_sha}
  ports: [8080]
services:
  cart:
  checkout: [services/checkout/**, libs/money/**]
  web: {ports: [3000, 3001], open: "/{service}"}
"""


def problems(content: str) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def changes(*paths: str, complete: bool = True) -> ChangedFiles:
    return ChangedFiles(tuple(ChangedFile(path) for path in paths), complete)


def of(config: RepositoryConfig, *paths: str) -> dict[str, int]:
    return dict(compare(config, changes(*paths)).files)


def test_a_service_has_from_defaults_what_it_leaves_out_with_its_own_name_filled_in() -> None:
    cart, checkout, web = parse(SHORT).services

    assert (cart.name, cart.paths, str(cart.target)) == ("cart", ("src/cart/**",), "deployment/cart")
    assert (cart.namespace, cart.image) == ("staging", "ghcr.io/acme/{service}:{head_sha}")
    assert (checkout.paths, checkout.ports) == (("services/checkout/**", "libs/money/**"), (8080,))
    assert (web.paths, web.ports, web.open) == (("src/web/**",), (3000, 3001), "/web")


def test_a_short_file_is_the_long_one() -> None:
    long = """\
version: 1
services:
  cart:
    paths: [src/cart/**]
    target: deployment/cart
    namespace: staging
    image: ghcr.io/acme/{service}:{head_sha}
    ports: [8080]
"""
    short = SHORT.partition("  checkout:")[0]

    assert parse(short).services == parse(long).services


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("deployment/{service}", "pods/{service}", (4, "`target` must be one of deployment/<name>")),
        ("deployment/{service}", "deployment/{name}", (4, "`target` must name a workload")),
        ("  namespace: staging", "  namespace: Staging", (5, "`namespace` must be a name of at most")),
        ("{head_sha}", "{sha}", (6, "`image` has the unknown field `{sha}`")),
        ("[8080]", "[http]", (7, "`ports` must be a port")),
        ("  ports: [8080]", "  prots: [8080]", (7, "`prots` is unknown; did you mean `ports`?")),
        ('["src/', '["./src/', (3, "without ./ at its beginning: `src/{service}/**`")),
        ('["src/{service}/**"]', "[]", (3, "`paths` must name at least one")),
    ],
)
def test_a_mistake_in_defaults_is_told_once_where_it_is_written(
    written: str, instead: str, told: tuple[int, str]
) -> None:
    (found,) = problems(SHORT.replace(written, instead))

    assert found[0] == told[0]
    assert told[1] in found[1]


def test_a_mistake_in_what_nobody_goes_by_is_told_too() -> None:
    only = SHORT.partition("  cart:")[0] + "  web: {ports: [80]}\n"

    assert problems(only.replace("[8080]", "[x]")) == [
        (7, "`ports` must be a port, a number from 1 to 65535")
    ]


def test_what_neither_a_service_nor_defaults_say_is_missing_where_the_service_stands() -> None:
    only = SHORT.replace("  namespace: staging\n", "").replace("  web: {", "  web: {namespace: a, ")
    one = only.replace("  checkout: [", "  checkout: {namespace: a, paths: [").replace(
        "money/**]", "money/**]}"
    )

    assert problems(one) == [
        (8, "`services.cart.namespace` is missing; write for example `namespace: staging`")
    ]


def test_a_key_that_several_services_lack_is_told_once() -> None:
    more = "".join(f"  s{at}:\n" for at in range(400))

    assert problems(SHORT.replace("  namespace: staging\n", "") + more) == [
        (
            8,
            "`namespace` is missing in `cart`, `checkout`, `web` and 400 more; write it under `defaults`: "
            "`namespace: staging`",
        )
    ]


def test_a_name_that_is_wrong_is_not_told_of_again_by_what_defaults_make_of_it() -> None:
    (found,) = problems(SHORT.replace("  cart:", "  Cart:"))

    assert found == (9, "`Cart` must be a name of at most 63 small letters, digits and -")


def test_each_service_may_have_a_namespace_and_an_entry_of_its_own() -> None:
    entries = "entries: {" + ", ".join(
        f"{name}: {{url: 'https://{name}.example.com', namespace: s, service: s, port: 80}}"
        for name in ("cart-ui", "checkout-ui", "web-ui")
    )
    found = parse(
        SHORT.replace("namespace: staging", 'namespace: "{service}-staging"\n  entry: "{service}-ui"')
        + entries
        + "}\n"
    )

    assert [service.namespace for service in found.services] == [
        "cart-staging",
        "checkout-staging",
        "web-staging",
    ]
    assert [service.entry for service in found.services] == ["cart-ui", "checkout-ui", "web-ui"]
    assert problems(SHORT.replace("namespace: staging", 'namespace: "{service}_x"')) == [
        (5, "`namespace` must be a name of at most 63 small letters, digits and -")
    ]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("[8080]", "8080"),
        ("[8080]", "'8080'"),
        ('["src/{service}/**"]', "src/{service}/**"),
        ("[3000, 3001]", "3000"),
    ],
)
def test_a_single_value_is_a_list_of_one(written: str, instead: str) -> None:
    assert parse(SHORT.replace(written, instead)) == parse(
        SHORT.replace(written, f"[{instead}]" if "{" not in instead else f'["{instead}"]')
    )


def test_single_values_stand_wherever_a_list_of_them_may() -> None:
    short = 'shared: libs/**\nignore: "*.md"\ntriggers: {labels: try}\nagents: {copilot: {services: cart}}\n'
    found = parse(SHORT + short)

    assert (found.shared, found.ignore, found.triggers.labels) == (("libs/**",), ("*.md",), ("try",))
    assert found.agents["copilot"].services == ("cart",)


def test_single_values_stand_below_whatever_name_people_give() -> None:
    text = (
        SHORT
        + "  mirrord: {paths: src/mirrord/**, databases: mirrord}\n"
        + (
            "databases: {mirrord: {type: pg, name: m, connection: {url: URL}, migrations: {command: up, "
            "flavor: container, image: m}}}\nagents: {mirrord: {services: mirrord}}\n"
        )
    )
    found = parse(text, agents=["mirrord"])

    assert found.services[-1].paths == ("src/mirrord/**",)
    declared = found.databases["mirrord"]
    assert declared is not None and declared.database.migrations is not None
    assert declared.database.migrations.command == ("up",)
    assert found.agents["mirrord"].services == ("mirrord",)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("ports: x", "`ports` must be a port, a number from 1 to 65535"),
        ("ports: false", "`ports` must be a list, like `[8080]`"),
        ("paths: ./x", "`paths` must be written without ./ at its beginning: `x`"),
        ("paths: 1.5", "`paths` must be a text; put `1.5` in quotes"),
    ],
)
def test_a_mistake_in_a_single_value_has_its_line(written: str, told: str) -> None:
    assert problems(SHORT.replace("{ports: [3000, 3001], ", "{" + written + ", ")) == [(11, told)]


def test_as_many_single_patterns_as_patterns_of_lists_are_taken() -> None:
    many = SHORT + "".join(f"  s{at}: {{paths: s{at}/**}}\n" for at in range(600))

    assert problems(many)[0][1] == "`services` have 604 `paths` together; name folders, at most 500 paths"


def test_a_mistake_of_a_services_own_stands_in_its_line() -> None:
    (found,) = problems(SHORT.replace("libs/money/**", "./libs/**"))

    assert found == (10, "`paths` must be written without ./ at its beginning: `libs/**`")


def test_the_line_of_a_value_is_that_of_defaults_where_it_comes_from_there() -> None:
    lines = parse(SHORT).lines

    assert lines["services.cart.namespace"] == lines["services.checkout.namespace"] == 5
    assert (lines["services.web.ports"], lines["services.cart.ports"]) == (11, 7)
    assert (lines["services.cart"], lines["services.checkout.paths"]) == (9, 10)


@pytest.mark.parametrize("name", ["open", "check", "image", "build", "entry", "target"])
def test_a_service_behind_an_empty_one_may_be_called_like_a_key(name: str) -> None:
    listed = SHORT.replace("  checkout:", f"  {name}:")
    empty = SHORT.replace("  checkout: [services/checkout/**, libs/money/**]", f"  {name}:")

    assert [service.name for service in parse(listed).services] == ["cart", name, "web"]
    assert [service.name for service in parse(empty).services] == ["cart", name, "web"]


def test_defaults_that_become_too_much_are_told_before_anything_is_made_of_them() -> None:
    many = "".join(f"  s{number}:\n" for number in range(2_000))
    long = SHORT.partition("  cart:")[0].replace("src/{service}/**", "{service}/" * 3_000)

    assert problems(long + many) == [
        (2, "`defaults` make more of all services together than can be read; use fewer and shorter values")
    ]


# What is shared, and what counts for nothing

BOTH = SHORT + 'shared: [libs/**, "!libs/docs/**"]\nignore: ["*.md", tests/]\n'


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (["src/cart/a", "libs/x", "libs/y"], {"cart": 3}),
        (["libs/x"], {}),
        (["libs/docs/x", "src/cart/a"], {"cart": 1}),
        (["libs/money/a"], {"checkout": 1}),
        (["libs/money/a", "libs/x"], {"checkout": 2}),
        (["libs/money/a", "src/web/x"], {"checkout": 1, "web": 2}),
        (["src/cart/README.md", "src/web/tests/a", "tests/b", "libs/x.md"], {}),
        (["src/cart/README.md", "src/cart/a", "libs/tests/x"], {"cart": 1}),
    ],
)
def test_shared_files_count_with_a_services_own_and_ignored_ones_never(
    paths: list[str], files: dict[str, int]
) -> None:
    assert of(parse(BOTH), *paths) == files


def test_how_many_shared_files_changed_is_known() -> None:
    config, changed = parse(BOTH), changes("libs/x", "libs/money/a", "libs/x.md", "README")
    matching = Matching(config)
    matching.read(file.path for file in changed.files)

    assert matching.changes(changed).shared == 2


def test_of_a_list_that_was_cut_off_every_service_counts() -> None:
    assert compare(parse(BOTH), changes("libs/x", complete=False)).files == {
        "cart": 1,
        "checkout": 1,
        "web": 1,
    }


def test_something_of_what_is_ignored_may_be_taken_back() -> None:
    config = parse(SHORT + 'ignore: [docs/, "*.md", "!src/cart/docs/menu.md"]\n')

    assert of(config, "src/cart/docs/a", "src/cart/docs/menu.md", "src/cart/a.md") == {"cart": 1}


def test_ignore_means_what_the_same_patterns_with_a_sign_mean_at_the_end_of_all_paths() -> None:
    one = parse(SHORT + 'ignore: ["**/*.md", "**/tests/**"]\n')
    other = parse(SHORT.replace('["src/{service}/**"]', '["src/{service}/**", "!**/*.md", "!**/tests/**"]'))
    for path in ("src/cart/a.md/b", "src/cart/a.md", "src/cart/tests/a", "src/cart/a", "tests/a"):
        assert of(one, path) == of(other, path), path


@pytest.mark.parametrize("key", ["shared", "ignore"])
def test_a_mistake_in_them_has_its_line(key: str) -> None:
    (found,) = problems(SHORT + f'{key}: ["!x"]\n')

    assert found == (12, "`" + key + "` must not begin with `!x`, which takes away from nothing")
