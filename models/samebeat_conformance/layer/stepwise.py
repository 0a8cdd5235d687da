"""A channel that takes one step at a time, so that other things can happen in between.

The production channel does all that is due on each input: what an ack makes room for is sent with
it, and what is given up makes the next message due. This one is the same code but for when it takes
a step: what the window lets out is sent by an input of its own, one message at a time, and so is
each timer. Each run of the production channel is one of its runs.
"""

from __future__ import annotations

from samebeat.channel import Channel, Holds


class StepwiseChannel(Channel):
    """A channel that sends a queued message when it is told to."""

    def _send(self, now_ms: int, holds: Holds) -> None:
        self._out(self.sending.news(now_ms, holds.epoch, holds.settings))

    def on_timer(self, now_ms: int, holds: Holds) -> None:
        """Do the first thing that is due."""
        self.receiving.forget_if_due(now_ms)
        flight = self.sending.flight
        self.give_up(now_ms)
        if self.sending.flight == flight:
            self._out(self.sending.retry(now_ms, holds.epoch, holds.settings))
        self._send(now_ms, holds)

    def send_next(self, now_ms: int, holds: Holds) -> None:
        """Send one message that the window lets out."""
        if self.sending.may_send(holds.settings):
            self._out(self.sending.send_next(now_ms, holds.epoch, holds.settings))
        self._send(now_ms, holds)
