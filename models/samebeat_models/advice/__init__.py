"""Advice for an operator: is a wished change safe, in which order, by how much, and what if not.

``wish`` reads what is wished, ``judgement`` answers from the registry, ``harm`` plays what would
happen on the timed specs: ``heartbeat_harm`` where the second node watches, ``ack_harm`` where the
first does, each with a ``run``. ``words``, ``stories`` and ``data`` say it to people and programs.
"""
