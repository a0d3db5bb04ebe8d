"""Queues a preview gets messages of: `feature.split_queues` of a mirrord file, `queues` of preview.yaml.

Fields, forms and what is refused are those of mirrord's CLI 3.250
(https://metalbear.com/mirrord/docs/sharing-the-cluster/queue-splitting). Stricter on purpose: a queue without
any filter, which the CLI leaves out without a word, and a filter that lets messages pass without the
environment key, with which two previews would take each other's messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationInfo,
    model_validator,
)

from previewbot.config import types as t
from previewbot.config.keys import KEY, value_pattern
from previewbot.config.mirrord.key_needed import needs_key
from previewbot.config.mirrord.values import Forms, Jq, Line, Pattern, SchemaOf
from previewbot.config.schema import Schema
from previewbot.config.types import about, mistake

QueueType = Literal[
    "SQS", "Kafka", "RMQ", "GCPPubSub", "AzureServiceBus", "RedisPubSub", "Temporal", "BullMQ"
]
Mode = Literal["steal", "mirror"]
_LONGEST_ID = 253
MOST_QUEUES = 100
"""Of one service. Each is a list of filters in the session's object, and perhaps a queue at the broker."""
# As an id may be `*`, or what somebody called a queue in a split configuration.
_ID = rf"^[^\s\x00-\x1f\x7f-\x9f]{{1,{_LONGEST_ID}}}$"


def _protobuf(value: object) -> object:
    raise mistake("queue_protobuf")


Attribute = Annotated[
    str,
    Field(strict=True, pattern=r"^.+$"),
    t.Called("queue_attribute"),
    about("attributes of a message (Kafka, RabbitMQ: headers)", "baggage"),
]
MessageFilter = Mapping[Attribute, Pattern]
QueueId = Annotated[
    str,
    Field(strict=True, pattern=_ID),
    t.Called("queue_id"),
    about("queues by their ids in mirrord's split configuration", "orders"),
]


class SplitQueue(t.Model):
    """One queue of a mirrord file, in the CLI's own words."""

    queue_type: QueueType = about("the broker", "SQS")
    queue_mode: Mode = about(
        "`steal`: staging does not get these messages; `mirror`: it gets them too", "steal", default="steal"
    )
    message_filter: MessageFilter | None = about(
        "a regular expression for each attribute; all must match",
        {"baggage": ".*mirrord-session={{ key }}.*"},
        default=None,
    )
    jq_filter: Jq | None = about(
        "a jq program that says true of the message",
        '.Body | fromjson | .tenant == "{{ key }}"',
        default=None,
    )
    payload_protobuf: Annotated[Any, BeforeValidator(_protobuf)] = about(
        "not carried into previews by mirrord", default=None
    )

    @model_validator(mode="after")
    def _takes_its_own(self) -> Self:
        if self.queue_type == "RMQ" and self.jq_filter is not None:
            raise mistake("queue_jq", at="jq_filter")
        if self.message_filter is None and self.jq_filter is None:
            raise mistake("queue_unfiltered")
        if not _names_key(self.message_filter, self.jq_filter):
            raise mistake("queue_shared")
        if not _needs_key(self.message_filter, self.jq_filter):
            raise mistake("queue_key_optional")
        return self


class ListedQueue(SplitQueue):
    """One queue of the list form, which names it itself."""

    queue_id: QueueId = about("its id in mirrord's split configuration", "orders")


class Split(NamedTuple):
    """A queue of a mirrord file, whichever form it had there."""

    id: str
    queue: SplitQueue


def _names_key(message_filter: Mapping[str, str] | None, jq_filter: str | None) -> bool:
    texts = [jq_filter or ""]
    for attribute, pattern in (message_filter or {}).items():
        texts += [attribute, pattern]
    return any(KEY in text for text in texts)


def _needs_key(message_filter: Mapping[str, str] | None, jq_filter: str | None) -> bool:
    """Return whether no message passes that is without the key; of a jq program only whether it has the key.

    All patterns must match, and the program as well, so that one of them is enough.
    """
    named = (KEY in attribute or needs_key(pattern) for attribute, pattern in (message_filter or {}).items())
    return any(named) or KEY in (jq_filter or "")


_NAMED = TypeAdapter(dict[QueueId, SplitQueue])
_LISTED = TypeAdapter(list[ListedQueue])


def _read(value: object, info: ValidationInfo) -> tuple[Split, ...]:
    """Read both forms: a mapping by id, and a list, in which one id may be of several brokers."""
    # The mistakes of a schema within are told as they are, with where they are.
    if isinstance(value, Mapping):
        found = _NAMED.validate_python(value, context=info.context)
        return _distinct([Split(name, queue) for name, queue in found.items()])
    if isinstance(value, list | tuple):
        queues = _LISTED.validate_python(list(value), context=info.context)
        return _distinct([Split(queue.queue_id, queue) for queue in queues])
    raise mistake("queues_form")


def _both_forms(schema_of: SchemaOf) -> Schema:
    return {
        "type": ["object", "array"],
        # So that a queue with nothing under it is one that lacks something, and not left out.
        "propertyNames": {"description": "queues by their ids", "examples": ["orders"]},
        "patternProperties": {_ID: schema_of(SplitQueue)},
        "items": schema_of(ListedQueue),
    }


def _distinct(splits: Sequence[Split]) -> tuple[Split, ...]:
    """Return the queues; raises for two of one broker and id, of which the CLI would send a mixture."""
    if len(splits) > MOST_QUEUES:
        raise mistake("queues_many", most=MOST_QUEUES)
    modes: dict[str, Mode] = {}
    seen: set[tuple[str, QueueType]] = set()
    for number, (name, queue) in enumerate(splits):
        if (name, queue.queue_type) in seen:
            raise mistake("queue_twice", at=f"{number}.queue_id", broker=queue.queue_type)
        # mirrord keeps the modes by id alone, whatever the broker.
        if modes.setdefault(name, queue.queue_mode) != queue.queue_mode:
            raise mistake("queue_modes", at=f"{number}.queue_mode", written=name)
        seen.add((name, queue.queue_type))
    return tuple(splits)


SplitQueues = Annotated[tuple[Split, ...], Forms(_read, _both_forms)]
"""`feature.split_queues` of a mirrord file."""

_ELSEWHERE = {
    "gcppubsub": "GCPPubSub",
    "azureservicebus": "AzureServiceBus",
    "redispubsub": "RedisPubSub",
    "temporal": "Temporal",
    "bullmq": "BullMQ",
}
_SAME = {"rabbitmq": "rmq"}


def _broker(value: object) -> object:
    if not isinstance(value, str):
        return value
    plain = value.lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain in _ELSEWHERE:
        raise mistake("queue_broker", broker=_ELSEWHERE[plain])
    return _SAME.get(plain, plain if plain in ("sqs", "kafka", "rmq") else value)


def _narrows(value: Mapping[str, str]) -> Mapping[str, str]:
    if not value:
        raise mistake("queue_filter_empty")
    return value


class Queue(t.Model):
    """A queue of preview.yaml: a preview gets the messages that carry its key."""

    type: Annotated[
        Literal["sqs", "kafka", "rmq"],
        BeforeValidator(_broker),
        about("the broker: SQS, Kafka or RabbitMQ", "sqs"),
    ]
    attribute: Annotated[
        Line, about("which attribute (Kafka, RabbitMQ: header) carries the key", "baggage")
    ] = "baggage"
    mode: Mode = about(
        "`steal`: staging does not get these messages; `mirror`: it gets them too", "steal", default="steal"
    )
    filter: Annotated[MessageFilter, AfterValidator(_narrows)] | None = about(
        "more that must match, a regular expression for each attribute", {"tenant": "^shop$"}, default=None
    )
    jq: Jq | None = about(
        "a jq program that must say true of the message, too",
        '.Body | fromjson | .kind == "order"',
        default=None,
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.type == "rmq" and self.jq is not None:
            raise mistake("queue_jq", at="jq")
        named = (self.filter or {}).get(self.attribute)
        if named is not None and KEY not in named:
            raise mistake("queue_attribute_taken", at=f"filter.{self.attribute}", attribute=self.attribute)
        if named is not None and not needs_key(named):
            raise mistake("queue_key_optional", at=f"filter.{self.attribute}")
        return self

    @property
    def message_filter(self) -> Mapping[str, str]:
        """What must match: the key's own pattern, and whatever more is said, which only narrows it."""
        return {self.attribute: value_pattern(KEY), **(self.filter or {})}
