"""From queues as a configuration names them to what a session gets of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from previewbot.config.mirrord.queues import Queue, QueueType, Split
from previewbot.engine.parts import Broker, QueueSplit

BROKERS: Mapping[QueueType, Broker] = {
    "SQS": "sqs",
    "Kafka": "kafka",
    "RMQ": "rmq",
    "GCPPubSub": "gcpPubsub",
    "AzureServiceBus": "azureServiceBus",
    "RedisPubSub": "redisPubsub",
    "Temporal": "temporal",
    "BullMQ": "bullmq",
}
"""What a session's fields call the brokers that a configuration names."""


def splits_of(splits: Iterable[Split]) -> tuple[QueueSplit, ...]:
    """Return what a session gets of the queues of a mirrord file, as it is said there."""
    return in_order(
        QueueSplit(
            id=split.id,
            broker=BROKERS[split.queue.queue_type],
            message_filter=split.queue.message_filter,
            jq_filter=split.queue.jq_filter,
            mirror=split.queue.queue_mode == "mirror",
        )
        for split in splits
    )


def queues_of(queues: Mapping[str, Queue]) -> tuple[QueueSplit, ...]:
    """Return what a session gets of queues that preview.yaml names by their ids: what carries the key."""
    return in_order(
        QueueSplit(
            id=name,
            broker=queue.type,
            message_filter=queue.message_filter,
            jq_filter=queue.jq,
            mirror=queue.mode == "mirror",
        )
        for name, queue in queues.items()
    )


def in_order(splits: Iterable[QueueSplit]) -> tuple[QueueSplit, ...]:
    """Return queues as a session has them in order: another order in a file is not another session."""
    return tuple(sorted(splits, key=lambda split: (split.broker, split.id)))
