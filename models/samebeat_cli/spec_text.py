"""A spec and its instances as readable text: what ``samebeat show`` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from textwrap import indent, wrap

from samebeat_models.catalog import Model
from samebeat_spec.language import (
    Action,
    Instance,
    Liveness,
    Property,
    Refinement,
    Spec,
    header,
)
from samebeat_spec.language.pretty import assignment, declaration, lines, variable_docs
from samebeat_spec.language.terms import SortClass

_WIDTH = 96
_KINDS = (
    ("invariant", "Invariants: hold in every reachable state"),
    ("step", "Step properties: hold of every step; x' is x after it"),
    ("always_reachable", "Always reachable: from every reachable state"),
    ("witness", "Witnesses: some reachable state shows them"),
    ("terminal", "Terminal states: here, and only here, nothing more happens"),
)


def model_text(model: Model, instance: Instance) -> str:
    """Return what a model is: sizes, constants, the guard taken out, and its pins."""
    return "\n".join(_model_lines(model, instance))


def spec_text(spec: Spec, instance: Instance | None = None) -> str:
    """Return a spec as text; with an instance, its sorts are listed with their elements."""
    sections = [
        f"SPEC {spec.name}\n\n{indent(header(spec), '  ')}",
        *_section("Sorts", [_sort(s, instance) for s in spec.sorts]),
        *_variables(spec),
        *_section("Initial states", [_action(a) for a in spec.initials]),
        *_section("Actions", [_action(a) for a in spec.actions]),
    ]
    for kind, title in _KINDS:
        sections += _section(title, [_property(p) for p in spec.of_kind(kind)])
    title = "Liveness: what every fair run comes to"
    sections += _section(title, [_liveness(p) for p in spec.liveness])
    title = "Refinements: each step of a run, projected, is a step of the other spec or none"
    sections += _section(title, [_refinement(r) for r in spec.refinements])
    return "\n\n".join(sections)


def _model_lines(model: Model, instance: Instance) -> Iterator[str]:
    yield f"MODEL {model.name} (spec {model.spec}, tier {model.tier})"
    if model.about:
        yield from _wrapped(model.about, "  ")
    for name, value in model.sizes.items():
        yield f"  {name}: {value if isinstance(value, int) else '..'.join(map(str, value))}"
    for name, value in model.constants.items():
        yield f"  {name} = {value}"
    if model.without is not None:
        yield f"  without the guard of {model.without.action}: {model.without.guard}"
    if model.unfair:
        yield f"  without fairness of {', '.join(model.unfair)}"
    bits = sum((len(cell.values) - 1).bit_length() for cell in instance.cells)
    yield f"  {len(instance.cells)} cells of {bits} bits in all"
    pins = {
        "states": model.states,
        "transitions": model.transitions,
        "depth": model.depth,
        "for every fair run": ", ".join(model.live),
        "violates": ", ".join(model.violates),
        "terminal": ", ".join(f"{name} in {n:,} states" for name, n in model.terminal.items()),
        "never reached": ", ".join(model.unreached),
        "never enabled": ", ".join(model.idle),
        "vacuous": ", ".join(model.vacuous),
        "refines": ", ".join(map(_projected, model.refines, repeat(model))),
    }
    for name, pinned in pins.items():
        if pinned not in (None, ""):
            said = f"{pinned:,}" if isinstance(pinned, int) else str(pinned)
            yield from _wrapped(f"{name}: {said}", "  expected ", "    ")


def _projected(name: str, model: Model) -> str:
    """Return a refinement with its pins."""
    counts = model.projected.get(name)
    never = ", ".join(model.uncovered.get(name, ()))
    said = [
        *([] if counts is None else [f"{counts[0]:,} states and {counts[1]:,} steps"]),
        *([f"never {never}"] if never else []),
    ]
    return name + (f" ({'; '.join(said)})" if said else "")


def _section(title: str, entries: Sequence[str]) -> list[str]:
    if not entries:
        return []
    gap = "\n\n" if any("\n" in entry for entry in entries) else "\n"
    name, colon, meaning = title.partition(":")
    return [name.upper() + colon + meaning + "\n\n" + indent(gap.join(entries), "  ")]


def _sort(sort: SortClass, instance: Instance | None) -> str:
    kind = ", symmetric" if sort.symmetric else ", ordered" if sort.ordered else ""
    doc = " ".join((sort.__doc__ or "").split())
    if sort.elements:
        width = max(len(e.label) for e in sort.elements)
        rows = [
            f"  {e.label:{width}}  {said}".rstrip()
            for e, said in zip(sort.elements, sort.docs, strict=True)
        ]
        return "\n".join([f"{sort.__name__}: {doc}".rstrip(": "), *rows])
    if instance is not None:
        domain = instance.domain(sort)
        names = [instance.label(sort, x) for x in domain]
        which = ", ".join(names) if len(names) <= 8 else f"{names[0]}, {names[1]} .. {names[-1]}"
        size = f"{len(domain)} elements ({which})" if len(domain) > 1 else f"1 element ({which})"
    elif sort.bounds:
        size = "{}..{}".format(*sort.bounds)
    else:
        size = "as many as the instance says"
    return f"{sort.__name__}: {size}{kind}" + (f". {doc}" if doc else "")


def _variables(spec: Spec) -> list[str]:
    docs = variable_docs(spec)
    declared = {v.name: declaration(v) for v in (*spec.constants, *spec.variables)}
    width = max(map(len, declared.values()), default=0)

    def entries(names: Sequence[str]) -> list[str]:
        return [f"{declared[n]:{width}}  {docs.get(n, '')}".rstrip() for n in names]

    return [
        *_section("Constants", entries([v.name for v in spec.constants])),
        *_section("State", entries([v.name for v in spec.variables])),
    ]


def _action(a: Action) -> str:
    parameters = ", ".join(f"{p.label}: {p.sort.__name__}" for p in a.parameters)
    rows = [f"{a.name}({parameters})", *_wrapped(a.doc, "  "), *_claims(a.claims)]
    for g in a.guards:
        rows.append(f"  needs  {g.why}" + (f" (limits the {g.limit})" if g.limit else ""))
        rows += [f"           {line}" for line in lines(g.condition, _WIDTH - 11)]
    for i, x in enumerate(a.assignments):
        rows.append(f"  {'then' if i == 0 else '    '}   {assignment(x)}")
    return "\n".join(rows)


def _property(p: Property) -> str:
    kind = " (internal)" if p.internal else ""
    rows = [f"{p.name}{kind}", *_wrapped(p.doc, "  "), *_claims(p.claims)]
    return "\n".join(rows + [f"    {line}" for line in lines(p.formula, _WIDTH - 6)])


def _liveness(p: Liveness) -> str:
    """Return a promise about infinite runs: what leads to what, and what is fair."""
    parameters = ", ".join(f"{x.label}: {x.sort.__name__}" for x in p.parameters)
    rows = [p.name + (f"({parameters})" if parameters else "")]
    rows += [*_wrapped(p.doc, "  "), *_claims(p.claims)]
    if p.kind == "leads_to":
        rows += [f"    {line}" for line in lines(p.given, _WIDTH - 6)]
    goal = lines(p.goal, _WIDTH - 17)
    word = "leads to" if p.kind == "leads_to" else "eventually"
    rows += [f"  {word:10} {goal[0]}", *(f"             {line}" for line in goal[1:])]
    for name, group in (("weak", False), ("strong", True)):
        fair = ", ".join(str(f) for f in p.fair if f.strong is group)
        rows += _wrapped(f"{name}ly fair: {fair}", "  ", "    ") if fair else []
    return "\n".join(rows)


def _refinement(r: Refinement) -> str:
    """Return a refinement: what it projects onto, each assignment, and what is copied."""
    parameters = "".join(f", {p.label}: {p.sort.__name__}" for p in r.parameters)
    rows = [f"{r.name}({r.concrete.spec_name} onto {r.abstract.spec_name}{parameters})"]
    rows += [*_wrapped(r.doc, "  "), *_claims(r.claims)]
    if r.at_most > 1:
        rows.append(f"  a step may be up to {r.at_most} steps")
    sizes = (f"{k}: {getattr(v, '__name__', v)}" for k, v in r.sizes.items())
    if r.sizes:
        rows.append(f"  sizes  {', '.join(sizes)}")
    for g in r.guards:
        rows.append(f"  for    {g.why}")
        rows += [f"           {line}" for line in lines(g.condition, _WIDTH - 11)]
    rows += [f"    {assignment(a)}" for a in r.assignments if a.variable.name not in r.copied]
    rows += _wrapped(f"copied: {', '.join(r.copied)}", "    ", "      ") if r.copied else []
    return "\n".join(rows)


def _claims(claims: tuple[str, ...]) -> list[str]:
    return _wrapped(f"claims {', '.join(claims)}", "  ", "         ") if claims else []


def _wrapped(said: str, first: str, rest: str | None = None) -> list[str]:
    return wrap(
        " ".join(said.split()),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
    )
