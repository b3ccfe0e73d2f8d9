"""Send one request with ``pika`` and read the decision."""

import json
import uuid
from typing import Any

import pika


def ask_to_start(url: str, run_id: str) -> Any:
    """Propose that a task run, made if it is unknown, becomes RUNNING; the decision's body."""
    body = {
        "run": {"kind": "task", "id": run_id},
        "create": {"name": "extract"},
        "state": {"type": "RUNNING"},
    }
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        replies = channel.queue_declare("", exclusive=True).method.queue
        properties = pika.BasicProperties(
            message_id=str(uuid.uuid4()), reply_to=replies, delivery_mode=2
        )
        channel.basic_publish("pointsman.requests", run_id[-2:], json.dumps(body), properties)
        _, _, decision = next(channel.consume(replies, auto_ack=True))
        return json.loads(decision)
