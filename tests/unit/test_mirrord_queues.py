"""Queues of a mirrord file and of preview.yaml: what a session gets of them, and what is wrong with them."""

from __future__ import annotations

import json
import re
import warnings
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from previewbot.config.keys import KEY, with_marks
from previewbot.config.mirrord import read_mirrord
from previewbot.config.mirrord.expressions import is_expression
from previewbot.config.mirrord.files import Files
from previewbot.config.mirrord.key_needed import needs_key
from previewbot.config.mirrord.queues import Queue
from previewbot.config.repository import parse
from previewbot.engine.parts import QueueSplit, SessionParts, with_key
from previewbot.engine.session_spec import parts_spec
from previewbot.engine.translation.queues import BROKERS, queues_of, splits_of
from previewbot.errors import ConfigurationError

OURS = ".*mirrord-session={{ key }}.*"
QUEUES = TypeAdapter(dict[str, Queue])


def splits(written: object) -> tuple[QueueSplit, ...]:
    text = json.dumps({"feature": {"split_queues": written}}, indent=1)
    return splits_of(read_mirrord(text.encode(), "mirrord.json", Files()).queues)


def problems(written: object) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        splits(written)
    return [problem.message.replace("`feature.split_queues", "`…") for problem in refused.value.problems]


def queue(**more: object) -> dict[str, object]:
    return {"queue_type": "SQS", "message_filter": {"baggage": OURS}} | more


def short(**queues: dict[str, object]) -> tuple[QueueSplit, ...]:
    return queues_of(QUEUES.validate_json(with_marks(json.dumps(queues))))


def wrong(**written: object) -> str:
    with pytest.raises(ValidationError) as refused:
        short(orders=written)
    (error,) = refused.value.errors()
    return str(error["type"])


@pytest.mark.parametrize("queue_type", sorted(set(BROKERS) - {"Kafka"}))
def test_a_queue_of_each_broker_has_a_field_of_its_own(queue_type: str) -> None:
    spec = parts_spec("k", "staging", SessionParts(queues=splits({"orders": queue(queue_type=queue_type)})))
    (field,) = spec["queueSplitting"]
    assert field.lower() == f"{queue_type}QueueFilters".lower()
    assert spec["queueSplitting"][field] == {
        "orders": {"messageFilter": {"baggage": ".*mirrord-session=k.*"}}
    }


def test_kafka_has_fields_of_another_form() -> None:
    found = splits({"views": queue(queue_type="Kafka", jq_filter=".payload | fromjson | .a == 1")})
    assert parts_spec("k", "staging", SessionParts(queues=found))["queueSplitting"] == {
        "kafkaQueueFilters": {"views": {"baggage": ".*mirrord-session=k.*"}},
        "kafkaQueueJqFilters": {"views": ".payload | fromjson | .a == 1"},
    }


def test_one_id_may_be_that_of_queues_of_several_brokers() -> None:
    listed = [{"queue_id": "orders"} | queue(queue_type=broker) for broker in ("SQS", "Kafka")]
    assert [(split.id, split.broker) for split in splits(listed)] == [("orders", "kafka"), ("orders", "sqs")]


def test_staging_gets_a_mirrored_queues_messages_too() -> None:
    found = splits({"a": queue(queue_mode="mirror"), "b": queue(queue_mode="steal")})
    spec = parts_spec("k", "staging", SessionParts(queues=found))
    assert spec["queueSplitting"]["queueModes"] == {"a": "mirror"}


def test_every_queue_of_a_workload_may_be_split() -> None:
    assert [split.id for split in splits({"*": queue()})] == ["*"]


def test_the_key_may_stand_in_a_jq_program_or_in_an_attributes_name() -> None:
    assert splits({"a": {"queue_type": "SQS", "jq_filter": '.tenant == "{{ key }}"'}})
    assert splits({"a": {"queue_type": "SQS", "message_filter": {"preview-{{key}}": ".*"}}})


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"a": {"queue_type": "SQS"}}, "`….a` has no filter"),
        ({"a": queue(message_filter={})}, "`….a` has a filter without `{{ key }}`"),
        ({"a": queue(message_filter={"x": "^eu"})}, "`….a` has a filter without `{{ key }}`"),
        ({"a": queue(queue_type="RMQ", jq_filter="true")}, "`….a.jq_filter` cannot be here"),
        ({"a": queue(payload_protobuf={"message_type": "r.R"})}, "`….a.payload_protobuf` cannot be here"),
        ({"a": queue(queue_type="NATS")}, "`….a.queue_type` must be SQS or Kafka or RMQ"),
        ({"a": {"message_filter": {"a": OURS}}}, "`….a.queue_type` is missing"),
        ({"a": queue(message_filter={"a": "("})}, "`….a.message_filter.a` has `(`, which is no regular"),
        ({"a": queue(message_filter={"a": "{{ key }}("})}, "`….a.message_filter.a` has `{{ key }}(`"),
        ({"a": queue(jq_filter=".a |")}, "`….a.jq_filter` is no jq program: a value is missing"),
        ({"a": queue(jq_filter=5)}, "`….a.jq_filter` must be a text"),
        ({"a": queue(queue_mode="copy")}, "`….a.queue_mode` must be steal or mirror"),
        ({"a": queue(queue_id="b")}, "`….a.queue_id` is unknown"),
        ({"a b": queue()}, "`….a b` must be an id of mirrord's split configuration"),
        ([queue()], "`…[0].queue_id` is missing"),
        ([queue(queue_id="a"), queue(queue_id="a")], "`…[1].queue_id` is named twice for `SQS`"),
        (
            [queue(queue_id="a"), queue(queue_id="a", queue_type="RMQ", queue_mode="mirror")],
            "`…[1].queue_mode` cannot differ between two queues called `a`",
        ),
        ({"a": None}, "`….a.queue_type` is missing"),
        ({f"q{number}": queue() for number in range(101)}, "`…` has more queues than a preview may"),
        ("orders", "`…` must hold queues by their ids"),
    ],
)
def test_what_is_wrong_with_a_queue_is_told_where_it_is(written: object, told: str) -> None:
    (message,) = problems(written)
    assert message.startswith(told)


def test_every_queue_that_is_wrong_is_told() -> None:
    assert len(problems({"a": {"queue_type": "SQS"}, "b": queue(jq_filter=""), "c": queue()})) == 2


def test_a_queue_of_preview_yaml_gets_the_messages_with_the_key() -> None:
    assert short(orders={"type": "sqs"}, views={"type": "kafka", "attribute": "x-key", "mode": "mirror"}) == (
        QueueSplit("views", "kafka", {"x-key": f".*mirrord-session={KEY}.*"}, mirror=True),
        QueueSplit("orders", "sqs", {"baggage": f".*mirrord-session={KEY}.*"}),
    )


def test_what_more_must_match_only_narrows_it() -> None:
    (split,) = short(orders={"type": "SQS", "filter": {"tenant": "^shop$"}, "jq": ".Body | length > 0"})
    assert split.message_filter == {"baggage": f".*mirrord-session={KEY}.*", "tenant": "^shop$"}
    assert split.jq_filter == ".Body | length > 0"


def test_a_mistake_at_an_attribute_with_dots_in_its_name_is_told_where_it_stands() -> None:
    service = "{paths: [a], image: 'ghcr.io/acme/s:{head_sha}', namespace: staging, target: deployment/s,"
    queue = "queues: {q: {type: sqs, attribute: a.b,\n filter: {\n a.b: x}}}}"
    with pytest.raises(ConfigurationError) as refused:
        parse(f"version: 1\nservices:\n s: {service} {queue}\n")
    [problem] = refused.value.problems
    assert problem.line == 5
    assert problem.message.startswith("`a.b` must have `{{ key }}` in it")


def test_the_attribute_with_the_key_may_be_filtered_in_another_way() -> None:
    (split,) = short(
        orders={"type": "rabbitmq", "filter": {"baggage": "(^|,)mirrord-session={{ key }}(,|$)"}}
    )
    assert with_key(split.message_filter, "k") == {"baggage": "(^|,)mirrord-session=k(,|$)"}


def test_what_is_wrong_with_a_queue_of_preview_yaml_is_told() -> None:
    assert wrong(type="sqs", filter={"baggage": "^shop$"}) == "queue_attribute_taken"
    assert wrong(type="sqs", filter={}) == "queue_filter_empty"
    assert wrong(type="rmq", jq="true") == "queue_jq"
    assert wrong(type="Azure Service Bus") == "queue_broker"
    assert wrong(type="nats") == "literal_error"
    assert wrong(type="sqs", filter={"a": "["}) == "expression"


NAMES = st.text(st.sampled_from("abcdef-"), min_size=1, max_size=8)
PATTERNS = st.sampled_from(["^a$", ".*", "b+", "(x|y)"])
SHORT = st.fixed_dictionaries(
    {"type": st.sampled_from(["sqs", "kafka", "rmq"])},
    optional={
        "attribute": NAMES,
        "mode": st.sampled_from(["steal", "mirror"]),
        "filter": st.dictionaries(NAMES.map(lambda name: f"x{name}"), PATTERNS, min_size=1),
    },
)


@given(st.dictionaries(NAMES, SHORT))
def test_no_queue_of_preview_yaml_gets_a_message_of_another_key(
    written: dict[str, dict[str, object]],
) -> None:
    for split in short(**written):
        attribute = str(written[split.id].get("attribute", "baggage"))
        assert KEY in (split.message_filter or {})[attribute]


@given(st.dictionaries(NAMES, st.sampled_from(sorted(BROKERS)), min_size=1))
def test_both_forms_of_a_mirrord_file_say_the_same(written: dict[str, str]) -> None:
    named = {name: queue(queue_type=broker) for name, broker in written.items()}
    listed = [{"queue_id": name} | one for name, one in named.items()]
    assert splits(named) == splits(listed) == splits(listed[::-1])


@pytest.mark.parametrize(
    "of_queue", [f"jq: '.{'|.' * 25_000}'", f"filter: {{a: '{'((?:a{1,2}))' * 4_000}'}}"]
)
def test_what_many_services_have_from_defaults_is_looked_at_once(of_queue: str) -> None:
    service = "paths: [a], image: 'ghcr.io/acme/s:{head_sha}', namespace: staging, target: deployment/s"
    services = "".join(f"  s{number}: {{{service}{number}}}\n" for number in range(70))
    begun = process_time()
    written = f"version: 1\ndefaults:\n  queues:\n    q: {{type: sqs, {of_queue}}}\nservices:\n{services}"
    config = parse(written.encode(), "preview.yaml")

    assert process_time() - begun < 4
    assert len(config.services) == 70


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (".*mirrord-session={{ key }}.*", True),
        ("(^|,)mirrord-session={{ key }}(,|$)", True),
        ("^(?:a={{ key }}|b={{ key }})$", True),
        ("^(?i:x)?(?P<all>.*{{ key }})+$", True),
        ("(?=.*{{ key }}).*", True),
        ("a\\|b{{ key }}[|]", True),
        ("{{ key }}{1,2}", True),
        (".*|{{ key }}", False),
        ("(.*|.*{{ key }}).*", False),
        ("{{ key }}|", False),
        ("(.*{{ key }})?", False),
        ("(.*{{ key }})*.*", False),
        ("(.*{{ key }}){0,1}.*", False),
        ("{{ key }}?.*", False),
        ("{{ key }}{,1}.*", False),
        ("(?!{{ key }}).*", False),
        ("(?<!{{ key }}).*", False),
        ("[^]{{ key }}].*", False),
        ("[{{ key }}].*", False),
        ("[[:alnum:]]-{{ key }}", True),
        ("[a[b]{{ key }}].*", False),
        ("(?#{{ key }}).*", False),
        ("(?x) .* # {{ key }}", False),
        ("{{ key }}+?", True),
        ("({{ key }}){2,}?", True),
        ("{{ key }}{010}", True),
        ("{{ key }}+*", False),
        ("{{ key }}+??", False),
        ("({{ key }}){1}{0}.*", False),
        ("{{ key }}{2}+{3}{00,1}", False),
        ("(?({{ key }}).*)", False),
        ("(?(?=.*{{ key }}).*)", False),
    ],
)
def test_a_filter_of_which_the_key_can_be_left_out_takes_other_peoples_messages(
    pattern: str, needed: bool
) -> None:
    written = {"orders": queue(message_filter={"tenant": ".*", "baggage": pattern})}
    if needed:
        assert splits(written)
    else:
        assert "lets messages pass without `{{ key }}`" in problems(written)[0]
    assert needs_key(with_marks(pattern)) is needed


@pytest.mark.parametrize(
    "pattern",
    [
        "a{" + "0" * 60_000,
        KEY + "+" * 60_000,
        "(?:" * 20_000 + ")" * 20_000,
        "\\x{[}" * 13_000,
        "\\x{(?<}" * 9_000,
        "\\x{(?#}" * 9_000,
    ],
)
def test_a_pattern_is_gone_over_once_however_long_it_is(pattern: str) -> None:
    begun = process_time()
    assert is_expression(pattern)
    needs_key(pattern)
    # Some tenths of a second; what tries each end of each run of signs takes half a minute.
    assert process_time() - begun < 4


@given(st.text("(){}[]|?*\\^!:=<#a" + KEY, max_size=12))
def test_what_needs_the_key_matches_nothing_without_it(pattern: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            compiled = re.compile(pattern)
    except re.error:
        return
    if needs_key(pattern):
        for text in ("", "a", "aa", "#", "!", "()", "a:=<"):
            assert compiled.search(text) is None


@pytest.mark.parametrize(("written", "meant"), [("kafka", "Kafka"), ("RabbitMQ", "RMQ"), ("Sqs", "SQS")])
def test_a_broker_by_another_of_its_names_is_told_what_mirrord_calls_it(written: str, meant: str) -> None:
    (told,) = problems({"a": queue(queue_type=written)})
    assert told.endswith(f"; did you mean `{meant}`?")
