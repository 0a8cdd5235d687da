"""The commands, one module each; ``samebeat_cli.app`` puts them together.

A command is a typed function. It raises ``CommandError`` or lets the errors of spec and models
pass, and ends with ``typer.Exit`` where its exit code is not 0. One that judges something builds
a ``reports.Outcome`` and hands it to ``deliver``.
"""
