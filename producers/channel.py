"""A confirming AMQP channel with a thread of its own that also keeps the heartbeat going between batches."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Sequence
from typing import Any

import pika
import pika.exceptions
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel

from bridge.broker import pika_parameters
from bridge.topology import EVENT_CONTENT_TYPE

_REFUSALS = (
    pika.exceptions.ProbableAuthenticationError,
    pika.exceptions.ProbableAccessDeniedError,
    pika.exceptions.AuthenticationError,
)
#: A broker that cannot be reached is tried again this often within the limit.
_RETRY_SECONDS = 0.2


class Batch:
    """Messages (routing key, id, body) that are sent together, and what became of each."""

    def __init__(self, messages: Sequence[tuple[str, str, bytes]]) -> None:
        self.messages = messages
        self.returned: set[str] = set()
        self.refused: set[str] = set()
        self.confirmed: set[str] = set()
        self.ended = threading.Event()
        self._by_tag: dict[int, str] = {}

    @property
    def unknown(self) -> set[str]:
        """Ids of messages that the broker said nothing about."""
        return {one for _, one, _ in self.messages} - self.returned - self.refused - self.confirmed

    def sent(self, tag: int, message_id: str) -> None:
        """Note the delivery tag of a message."""
        self._by_tag[tag] = message_id

    def answered(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Note a confirm (``taken``) or a refusal of one tag, or of all up to it."""
        tags = [one for one in self._by_tag if one <= tag] if multiple else [tag]
        for one in tags:
            message_id = self._by_tag.pop(one, None)
            # A returned message is confirmed, too: the broker is done with it.
            if message_id is not None and message_id not in self.returned:
                (self.confirmed if taken else self.refused).add(message_id)
        if not self._by_tag:
            self.ended.set()


class ConfirmChannel:
    """Sends batches; connects when needed. One caller at a time."""

    def __init__(self, url: str, *, exchange: str) -> None:
        self._parameters = pika_parameters(url, name="publisher")
        self._exchange = exchange
        self._connection: SelectConnection | None = None
        self._channel: Channel | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._gone = threading.Event()
        self._gone.set()
        self._batch: Batch | None = None
        self._tag = 0
        #: The broker does not let us in: trying again is useless.
        self.is_refused = False
        #: What the connection last went through, in plain English and without secrets.
        self.state = "not connected"

    def send(self, batch: Batch, *, deadline: float) -> None:
        """Send ``batch`` and wait for its end, for the loss of the connection, or for ``deadline``."""
        while not self._connect(deadline):
            if self.is_refused or time.monotonic() + _RETRY_SECONDS >= deadline:
                self._drop()
                return
            time.sleep(_RETRY_SECONDS)
        connection = self._connection
        assert connection is not None
        self._batch = batch
        with contextlib.suppress(Exception):  # A loop that has just ended takes no callback.
            connection.ioloop.add_callback_threadsafe(functools.partial(self._publish, batch))
        if self._gone.is_set():
            batch.ended.set()
        if not batch.ended.wait(max(0.0, deadline - time.monotonic())):
            # Late confirms must not be taken for those of the next batch: begin anew.
            self.state = "no confirm came"
            self._drop()

    def close(self) -> None:
        """Close the connection."""
        self._drop()
        self.state = "not connected"

    # From here on to ``_lost``: on the connection's own thread.

    def _publish(self, batch: Batch) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            batch.ended.set()
            return
        try:
            for routing_key, message_id, body in batch.messages:
                self._tag += 1
                batch.sent(self._tag, message_id)
                properties = pika.BasicProperties(
                    content_type=EVENT_CONTENT_TYPE, delivery_mode=2, message_id=message_id
                )
                channel.basic_publish(self._exchange, routing_key, body, properties, mandatory=True)
        except pika.exceptions.AMQPError:
            batch.ended.set()

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        self._tag = 0
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._answered, callback=lambda _frame: self._is_ready(channel))

    def _is_ready(self, channel: Channel) -> None:
        self._channel = channel
        self.state = "connected"
        self._ready.set()

    def _answered(self, frame: Any) -> None:
        if self._batch is not None:
            taken = isinstance(frame.method, pika.spec.Basic.Ack)
            self._batch.answered(frame.method.delivery_tag, multiple=frame.method.multiple, taken=taken)

    def _returned(
        self, _channel: Channel, _method: Any, properties: pika.BasicProperties, _body: bytes
    ) -> None:
        if self._batch is not None and properties.message_id:
            self._batch.returned.add(properties.message_id)

    def _channel_closed(self, channel: Channel, reason: Exception) -> None:
        if isinstance(reason, pika.exceptions.ChannelClosedByBroker):
            self.state = f"the broker closed the channel: {reason.reply_code} {reason.reply_text}"
        if channel.connection.is_open:
            channel.connection.close()

    def _lost(self, connection: Any, reason: Any) -> None:
        if isinstance(reason, _REFUSALS):
            self.state = "the broker refused the user, the password or the virtual host"
            self.is_refused = True
        elif self.state in {"connected", "not connected"}:
            self.state = (
                "the connection broke" if self.state == "connected" else "no connection could be opened"
            )
        connection.ioloop.stop()

    # From here on: on the caller's thread, but for the body of ``_run``.

    def _connect(self, deadline: float) -> bool:
        if self._ready.is_set() and not self._gone.is_set():
            return True
        self._drop()
        self._ready.clear()
        self._gone.clear()
        self.state, self.is_refused = "not connected", False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()
        while not self._ready.wait(0.005):
            if self._gone.is_set() or time.monotonic() >= deadline:
                return False
        return True

    def _run(self) -> None:
        connection: SelectConnection | None = None
        try:
            connection = SelectConnection(
                self._parameters,
                on_open_callback=self._opened,
                on_open_error_callback=self._lost,
                on_close_callback=self._lost,
            )
            self._connection = connection
            connection.ioloop.start()
        except (pika.exceptions.AMQPError, OSError) as exc:
            self.state = f"no connection could be opened ({type(exc).__name__})"
        finally:
            if connection is not None:
                connection.ioloop.close()
            self._gone.set()
            self._ready.clear()
            self._channel = None
            if (batch := self._batch) is not None:
                batch.ended.set()

    def _drop(self) -> None:
        connection, thread = self._connection, self._thread
        if connection is not None and thread is not None and thread.is_alive():
            with contextlib.suppress(Exception):
                connection.ioloop.add_callback_threadsafe(functools.partial(_close, connection))
            thread.join(timeout=2.0)
        self._connection = self._thread = self._batch = None


def _close(connection: SelectConnection) -> None:
    if connection.is_open:
        connection.close()
    else:
        connection.ioloop.stop()
