"""Messages as bytes: MessagePack, with types and bounds checked as they are read."""

from __future__ import annotations

import msgspec

from samebeat.messages import Message

VERSION = 1
MAX_BYTES = 16_384
"""No message is longer; a report with as many open changes as there can be fits."""

LONGEST_REASON = 200
"""No reason why bytes are no message is longer."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


class ProtocolError(ValueError):
    """These bytes are no message; the text says why, in one line."""


def encode(message: Message) -> bytes:
    """Return a message as bytes."""
    data = _encoder.encode(message)
    assert len(data) <= MAX_BYTES, "a message of our own is within the bounds"
    return data


def decode(data: bytes) -> Message:
    """Return the message that the bytes are.

    Raises:
        ProtocolError: they are none, or one of another version, or too long.
    """
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"{len(data)} bytes are too long for a message")
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError, OverflowError) as error:  # DecodeError is a ValueError
        raise ProtocolError(_one_line(error)) from None


def _one_line(error: Exception) -> str:
    """Return the reason; it may quote what has come, so it is made short and printable."""
    said = str(error) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in said[:LONGEST_REASON])
