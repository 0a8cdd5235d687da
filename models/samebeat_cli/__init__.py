"""The command line: the composition root that may import everything of ours.

``main`` is the entry point; ``app`` turns whatever happens into one line and an exit code;
``commands`` holds a module for each command, ``reports`` one for each output format. Heavy imports
wait until a command needs them.
"""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
