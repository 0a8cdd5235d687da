"""The exports say the same as the spec, in three languages.

`Workshop` uses every construct of the language; whether its exports mean what it means is for the
slow tests in ``test_second_opinion`` to ask real checkers.
"""

import os
import re
import subprocess
import sys

import pytest

from samebeat_models.exports import TARGETS, export
from samebeat_models.exports.promela import start_count
from samebeat_models.exports.text import Block, Names, lay_out
from samebeat_models.exports.trees import TRUE, before_step, change_of
from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import (
    Enumeration,
    Formula,
    Instance,
    Integer,
    Ordered,
    Sort,
    State,
    action,
    anything,
    count,
    element,
    every,
    exists,
    flag,
    following,
    forall,
    function,
    guard,
    implies,
    initial,
    invariant,
    ite,
    relation,
    spec_of,
    step_property,
    terminal,
    variable,
    witness,
)
from samebeat_spec.specs import load_spec


class Worker(Sort, symmetric=True):
    """Elements w1, w2: names that bound names would like to have."""


class Tool(Enumeration):
    """Elements with the names of keywords."""

    HAMMER = element("drives")
    end = element("cuts")


class Day(Ordered):
    """Days in order."""


class Level(Integer, low=-1, high=2):
    """Skill, which may be negative."""


class Workshop(State):
    """Every kind of variable, some of them with names that target languages keep."""

    boss = variable(Worker, constant=True)
    strict = flag(constant=True)
    likes = relation(Worker, Tool, constant=True)
    price = function(Tool, to=Level, constant=True)
    rival = function(Worker, Tool, to=Worker, constant=True)

    init = flag()
    today = variable(Day)
    holder = function(Tool, to=Worker)
    neighbour = function(Worker, to=Worker)
    full = relation(Worker)
    level = function(Worker, Tool, to=Level)
    seen = relation(Worker, Worker)


@initial
def quiet(s: Workshop, w: Worker) -> None:
    """Everybody looks at `w`, who may be anybody but in a strict workshop is the boss."""
    guard(implies(s.strict, w == s.boss), "strict workshops start from the boss")
    guard(~s.full[w], "nobody is full before the start")

    s.neighbour[every] = w
    s.level[w, every] = 0
    s.level[s.rival[w, Tool.end], Tool.end] = 1


@initial
def wild(s: Workshop) -> None:
    """Tools are anywhere."""
    s.holder[every] = anything
    s.full[s.boss] = anything
    s.seen[every, s.boss] = anything
    s.neighbour[every] = lambda w: s.rival[w, Tool.HAMMER]
    s.level[every, every] = lambda w, t: ite(s.likes[w, t], s.price[t], 0)


@action(claims=("1(a)",))
def swap(s: Workshop) -> None:
    """Both tools change hands at once; */ (* nobody waits */."""
    guard(s.holder[Tool.HAMMER] != s.holder[Tool.end], "the tools are with two workers")
    guard(exists(Worker, lambda w: ~s.full[w]), "somebody can still work")

    hammer, saw = s.holder[Tool.HAMMER], s.holder[Tool.end]
    s.holder[Tool.HAMMER] = saw
    s.holder[Tool.end] = hammer


@action()
def run(s: Workshop, w: Worker) -> None:
    """Everybody turns to the neighbour's neighbour, but `w` hands over what it has seen."""
    guard(s.init, "the workshop is open")
    guard(~s.full[w], "w can still work")

    beside = s.neighbour[w]
    s.neighbour[every] = lambda v: s.neighbour[s.neighbour[v]]
    s.seen[every, w] = lambda v: s.seen[w, v] | (v == beside)


@action()
def work(s: Workshop, w: Worker, t: Tool) -> None:
    """`w` learns or forgets."""
    busy = count(Worker, lambda w: s.full[w])
    guard(s.holder[t] == w, "w holds t")
    guard(busy < 2, "not everybody is full")
    guard(s.level[w, t] < 2, "there is more to learn")
    guard(implies(s.full[w], s.level[w, t] > s.price[t] - 1), "a full worker has learnt enough")

    s.full[s.neighbour[w]] = s.level[w, t] >= 1
    s.level[w, t] = ite(s.full[w], s.level[w, t] - 1, s.level[w, t] + 1)


@action()
def tomorrow(s: Workshop, t: Tool) -> None:
    """The next day begins: levels of `t` go round, the other tool's holder follows."""
    guard(exists(Day, lambda d: s.today < d), "a day is left")
    guard(s.init == (s.today != Day.first), "the workshop opened on the first day")

    first = s.today == Day.first
    s.init = forall(Worker, lambda w: exists(Worker, lambda v: s.neighbour[v] == w)) | first
    s.today = following(s.today)
    s.level[every, t] = lambda w: s.level[s.neighbour[w], t]
    s.holder[t] = s.neighbour[s.holder[t]]


@action()
def never(s: Workshop, w: Worker) -> None:
    """No instance with a different boss allows this."""
    guard(w == s.boss, "w is the boss")
    guard(s.rival[w, Tool.HAMMER] == w, "the boss is its own rival")

    s.full[w] = True


@invariant(claims=("4",))
def timeout(s: Workshop) -> Formula:
    """Whoever is full has a neighbour, and names may repeat at every depth."""
    some = exists(Worker, lambda w: s.full[w])
    return forall(
        Worker,
        lambda w: implies(
            some & s.full[w], exists(Worker, lambda w2: (w2 == s.neighbour[w]) | (w == w2))
        ),
    ) & forall(
        Worker,
        lambda w: implies(
            exists(Worker, lambda w: s.seen[w, w] & (w != s.boss)), s.today > Day.first
        ),
    )


@invariant()
def level_in_range(s: Workshop) -> Formula:
    """Levels stay small."""
    return forall(Worker, Tool, lambda w, t: (s.level[w, t] <= 2) & (s.level[w, t] + 1 >= 0))


@step_property(claims=("5",))
def days_pass(s: Workshop, t: Workshop) -> Formula:
    """Time never goes back, and a tool moves only in a swap or to a neighbour."""
    return (s.today <= t.today) & forall(
        Tool,
        lambda x: (
            (t.holder[x] == s.holder[x])
            | (t.holder[x] == s.neighbour[s.holder[x]])
            | exists(Tool, lambda y: (x != y) & (t.holder[x] == s.holder[y]))
        ),
    )


@terminal
def closed(s: Workshop) -> Formula:
    """The last day, or a day on which the workshop stayed shut."""
    return forall(Day, lambda d: d <= s.today) | ~s.init


@witness()
def everybody_seen(s: Workshop) -> Formula:
    """Everybody has been seen by everybody."""
    return forall(Worker, Worker, lambda v, w: s.seen[v, w])


def workshop(days: int = 3, strict: bool = False, cheap: int = 0) -> Instance:
    """Two workers, who are each other's rivals; with ``cheap`` -1 a level leaves its bounds."""
    rivals = {f"w{i},{t}": f"w{3 - i}" for i in (1, 2) for t in ("HAMMER", "end")}
    return Instance(
        f"workshop, {days} days",
        spec_of(Workshop),
        {"Worker": 2, "Day": days},
        {
            "boss": "w2",
            "strict": strict,
            "likes": [("w1", "end"), ("w2", "HAMMER")],
            "price": {"HAMMER": 1, "end": cheap},
            "rival": rivals,
        },
    )


def group(nodes: int = 2, changes: int = 1) -> Instance:
    asked = {f"c{i}": f"v{i + 1}" for i in range(1, changes + 1)}
    sizes = {"Node": nodes, "Change": changes, "Epoch": changes + 1, "Value": changes + 1}
    constants = {"start_value": "v1", "asked": asked}
    return Instance(f"group_{nodes}x{changes}", load_spec("group"), sizes, constants)


def text_of(instance: Instance, target: str) -> str:
    return "\n".join(export(instance, target).values())


@pytest.mark.parametrize("target", TARGETS)
def test_every_definition_is_there_with_its_reasons(target):
    instance = workshop()
    text = text_of(instance, target)
    spec = instance.spec
    assert spec.fingerprint in text
    for definition in (*spec.initials, *spec.actions):
        assert definition.name in text
        for g in definition.guards:
            assert g.why in text
    for p in spec.of_kind("invariant", "step", "terminal"):
        assert p.doc.split(",")[0] in text
    assert "(claims 1(a))" in text
    assert "boss = w2" in text
    assert "Not checked here: everybody_seen." in text


@pytest.mark.parametrize("target", TARGETS)
def test_text_is_plain_and_no_docstring_ends_a_comment(target):
    text = text_of(workshop(), target)
    assert text.isascii()
    assert text.count("*/") == text.count("/*")
    assert "(* nobody" not in text


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.slow
def test_an_export_is_the_same_in_every_process(target):
    """Python hashes strings differently in each process: no set may decide an order."""
    program = (
        "from samebeat_models.exports import export\n"
        "from samebeat_spec.language import Instance\n"
        "from samebeat_spec.specs import load_spec\n"
        "sizes = dict(Node=2, Change=2, Epoch=3, Value=3)\n"
        "constants = dict(start_value='v1', asked=dict(c1='v2', c2='v3'))\n"
        "i = Instance('group_2x2', load_spec('group'), sizes, constants)\n"
        f"print(*export(i, {target!r}).values(), sep='\\n', end='')\n"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == text_of(group(2, 2), target)


def test_tla_never_binds_a_name_that_the_module_defines():
    """TLA+ forbids it, and `w2`, the second `w` of a nest, is also the second worker."""
    module = export(workshop(), "tla")["workshop_3_days.tla"]
    bound = set(re.findall(r"(?:\\[AE] |\[|\{)(\w+) \\in", module))
    defined = set(re.findall(r"^(\w+)(?:\(.*\))? ==", module, re.MULTILINE))
    declared = re.search(r"^CONSTANTS (.+)$", module, re.MULTILINE)
    assert declared
    assert "w2" in declared.group(1)
    assert not bound & (defined | set(declared.group(1).split(", ")))


def test_tla_configuration_names_every_property():
    configuration = export(workshop(), "tla")["workshop_3_days.cfg"]
    assert "INVARIANTS\n  timeout\n  level_in_range\n  InBounds\n" in configuration
    assert configuration.endswith("PROPERTIES\n  days_pass\n")


def test_keywords_are_not_used_as_names():
    assert "enum { HAMMER, Tool_end }" in text_of(workshop(), "murphi")
    assert "bit init_2 = 0;" in text_of(workshop(), "promela")


def test_promela_leaves_out_what_can_never_happen():
    text = text_of(workshop(), "promela")
    assert "It can never change anything in this instance." in text
    assert "/* never w1 */" not in text
    assert "/* swap */" in text


def test_promela_uses_as_few_bits_as_a_cell_needs():
    text = text_of(workshop(), "promela")
    assert "bit full_w1 = 0;" in text
    assert "unsigned today : 2 = 0;" in text
    assert "short level_w1_HAMMER" in text
    assert "unsigned phase_n1_c1 : 3 = IDLE;" in text_of(group(), "promela")


@pytest.mark.parametrize("target", ["murphi", "promela"])
def test_old_values_are_copied_only_where_needed(target):
    assert "old_" in text_of(workshop(), target)
    assert "old_" not in text_of(group(), target)


def test_initial_states_are_counted():
    assert start_count(group()) == 1
    assert start_count(workshop()) == 2 + 4 * 2 * 4
    assert start_count(workshop(strict=True)) == 1 + 4 * 2 * 4


def test_chosen_properties_alone_are_checked():
    only = export(group(), "tla", ["agreement"])
    assert "INVARIANTS\n  agreement\n" in only["group_2x1.cfg"]
    assert "PROPERTIES" not in only["group_2x1.cfg"]
    assert "run TLC with -deadlock" in only["group_2x1.cfg"]
    assert "Terminal" not in only["group_2x1.tla"]
    last = export(group(), "promela", [DEADLOCK_FREE])["group_2x1.pml"]
    assert "assert(" not in last.split("proctype")[1].replace("assert(holds_bounds)", "")


def test_unknown_names_are_refused():
    with pytest.raises(KeyError):
        export(group(), "smv")
    with pytest.raises(KeyError):
        export(group(), "tla", ["no_such_property"])
    with pytest.raises(ValueError, match="a_commit is neither"):
        export(group(), "tla", ["a_commit"])


def test_a_step_property_about_other_variables_is_certain_before_the_step():
    spec = load_spec("group")
    epochs = spec.find_property("epoch_monotone").formula
    assert before_step(epochs, spec.find_action("apply")).key() == TRUE.key()
    assert before_step(epochs, spec.find_action("commit")).key() != TRUE.key()


def test_guards_tell_when_a_step_changes_something():
    spec = load_spec("group")
    assert change_of(spec.find_action("request")).key() == TRUE.key()
    assert change_of(spec.find_action("send_ok")).key() != TRUE.key()


def test_long_formulas_are_broken_into_lines():
    words = tuple(f"word_{i}" for i in range(40))
    text = lay_out(Block("(", words, " & ", ")"))
    assert len(text.splitlines()) == 42
    assert text.replace("\n", " ").split() == ["(", *" & ".join(words).split(), ")"]


def test_names_are_handed_out_once():
    names = Names({"end"})
    assert names.claim("end", "Tool_end") == "Tool_end"
    assert names.claim("end", "Tool_end") == "Tool_end_2"
    assert names.local("Tool_end", {"Tool_end_3"}) == "Tool_end_4"
