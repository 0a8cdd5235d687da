"""Garbage and hostile messages: what arrives is a message or one error, and memory is bounded.

``targets`` says what must hold for any bytes. ``without_guidance`` throws random ones at it, in
seconds and without further libraries; ``make fuzz`` lets atheris look for bytes that lead to places
in the core where it has not been.

Nothing is imported here: atheris must load the core itself, to see where it goes.
"""
