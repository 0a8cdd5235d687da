"""What another solver says of an obligation: cvc5 reads the same SMT-LIB and shares no code.

It is needed for development only, and imported where it is asked.
"""

from __future__ import annotations

from importlib.util import find_spec

RLIMIT = 2_000_000
"""What cvc5 may spend on one question, in its own unit of work."""

WAYS: tuple[dict[str, str], ...] = ({}, {"enum-inst": "true"}, {"finite-model-find": "true"})
"""How it is asked, until it knows: as it comes; trying elements one by one; looking for a model."""


def is_available() -> bool:
    """Return whether cvc5 is installed."""
    return find_spec("cvc5") is not None


def ask_cvc5(script: str, rlimit: int = RLIMIT) -> str:
    """Return what cvc5 says of an SMT-LIB script: "unsat", "sat", or "unknown" with a reason."""
    answer = "unknown"
    for options in WAYS:
        answer = _ask(script, options, rlimit)
        if not answer.startswith("unknown"):
            break
    return answer


def _ask(script: str, options: dict[str, str], rlimit: int) -> str:
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    for name, value in {"rlimit-per": str(rlimit), **options}.items():
        solver.setOption(name, value)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
    symbols, said = parser.getSymbolManager(), ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return said.strip()
