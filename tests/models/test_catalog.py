"""The catalog: files that are wrong say where; ours are complete, and the museum is too."""

from collections import Counter

import pytest

from samebeat_models import Model, Tier, Without
from samebeat_models.catalog import CatalogError, load_catalog, parse_catalog
from samebeat_models.results import DEADLOCK_FREE
from samebeat_spec.language import Action, InstanceError, Liveness, Property
from samebeat_spec.specs import SPEC_NAMES, load_spec

GOOD = """
spec = "group"

[[model]]
name = "one"
sizes = { Node = 2, Change = 1, Epoch = 2, Value = 2 }
constants = { start_value = "v1", asked = { c1 = "v2" } }

[[model]]
name = "two"
tier = "full"
sizes = { Node = 2, Change = 1, Epoch = 2, Value = 2 }
constants = { start_value = "v1", asked = { c1 = "v2" } }
without = { action = "commit", guard = "n has heard every ok" }
violates = ["agreement"]
depth = 3
"""


# --- files ---------------------------------------------------------------------------------


def test_models_of_a_file_are_those_it_describes_in_order():
    one, two = parse_catalog(GOOD, "mine.toml")
    assert (one.name, one.spec, one.tier, one.is_control) == ("one", "group", Tier.FAST, False)
    assert (two.name, two.spec, two.tier, two.is_control) == ("two", "group", Tier.FULL, True)
    assert two.without == Without("commit", "n has heard every ok")
    assert (two.violates, two.depth, two.states) == (("agreement",), 3, None)


def test_constants_of_a_file_are_those_of_every_model_that_does_not_say_otherwise():
    text = GOOD.replace(
        'spec = "group"', 'spec = "group"\nconstants = { start_value = "v2", x = 1 }'
    )
    one, _ = parse_catalog(text, "mine.toml")
    assert one.constants == {"start_value": "v1", "asked": {"c1": "v2"}, "x": 1}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("spec =", "spec", "not TOML: "),
        ("depth = 3", "depth = 3\ndepth = 4", "not TOML: Cannot overwrite a value (at line "),
        ('spec = "group"\n', "", "Object missing required field `spec`"),
        ('spec = "group"', 'specs = "group"', "Object contains unknown field `specs`"),
        ('spec = "group"', "spec = 3", "Expected `str`, got `int` - at `spec`"),
        ("depth = 3", "depht = 3", "Object contains unknown field `depht` - at `model two`"),
        ("depth = 3", 'depth = "3"', "Expected `int | null`, got `str` - at `model two.depth`"),
        ("depth = 3", "depth = 3.5", "at `model two.depth`"),
        ('tier = "full"', 'tier = "slow"', "Invalid enum value 'slow' - at `model two.tier`"),
        ('["agreement"]', '"agreement"', "Expected `array`, got `str` - at `model two.violates`"),
        ('["agreement"]', "[1]", "Expected `str`, got `int` - at `model two.violates[0]`"),
        (
            'action = "commit", ',
            "",
            "Object missing required field `action` - at `model two.without`",
        ),
        ("guard =", "gard =", "at `model two.without`"),
        ('name = "two"\n', "", "Object missing required field `name` - at `model 1`"),
        ('name = "two"', 'name = "one"', "two models are called 'one'"),
        ("[[model]]", "[model]", "not TOML: "),
    ],
)
def test_a_file_that_is_wrong_names_itself_the_entry_and_the_key(old, new, problem):
    assert old in GOOD
    text = GOOD[: GOOD.rindex(old)] + new + GOOD[GOOD.rindex(old) + len(old) :]
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text, "mine.toml")
    said = str(caught.value)
    assert said.startswith("mine.toml: ")
    assert problem in said
    assert "\n" not in said


def test_one_name_in_two_files_is_an_error(monkeypatch, tmp_path):
    folder = tmp_path / "catalog"
    folder.mkdir()
    for name in ("a.toml", "b.toml"):
        (folder / name).write_text(GOOD, "utf-8")
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    with pytest.raises(CatalogError, match=r"^the catalog: two models are called 'one'"):
        load_catalog.__wrapped__()  # ours may have been read already


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"without": Without("commit", "nothing")}, "one: group has no guard 'commit: nothing'"),
        ({"without": Without("comit", "n has applied c")}, "one: group has no guard 'comit'"),
        ({"sizes": {"Node": 2}}, "one: the sort Change has no size"),
        ({"constants": {}}, "one: the constant asked has no value"),
    ],
)
def test_a_model_that_does_not_fit_its_spec_names_itself(change, problem):
    given = {
        "name": "one",
        "sizes": {"Node": 2, "Change": 1, "Epoch": 2, "Value": 2},
        "constants": {"start_value": "v1", "asked": {"c1": "v2"}},
        **change,
    }
    with pytest.raises(InstanceError) as caught:
        Model(**given).instance(load_spec("group"))
    assert str(caught.value).startswith(problem)


# --- ours ----------------------------------------------------------------------------------

MODELS = load_catalog()
CONTROLS = [m for m in MODELS if m.is_control]
SEARCHED = [m for m in MODELS if not m.is_control]


def named(models: list[Model]) -> list[object]:
    return [pytest.param(m, id=m.name) for m in models]


@pytest.mark.parametrize("model", named(list(MODELS)))
def test_every_model_fits_its_spec(model):
    assert model.spec in SPEC_NAMES
    model.instance(load_spec(model.spec))


@pytest.mark.parametrize("model", named(SEARCHED))
def test_every_model_says_what_it_shows_and_pins_what_it_counts(model):
    assert model.about.endswith(".")
    for pin in (model.states, model.transitions, model.depth):
        assert pin is not None
        assert pin > 0
    spec = load_spec(model.spec)
    assert model.terminal.keys() == {p.name for p in spec.of_kind("terminal")}
    assert {*model.unreached} <= {p.name for p in spec.of_kind("witness")}
    assert {*model.idle} <= {a.name for a in spec.actions}
    assert {*model.vacuous} <= {p.name for p in spec.of_kind("invariant", "step")} | {*model.live}


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_every_witness_and_action_of_a_spec_shows_in_some_model(name):
    spec, models = load_spec(name), [m for m in SEARCHED if m.spec == name]
    elsewhere = {d.name for of in EXTENDS.get(name, ()) for d in definitions(of)}
    elsewhere = set() if name == "composed" else elsewhere  # it shows all of it once more
    for witness in spec.of_kind("witness"):
        shown = any(witness.name not in m.unreached for m in models)
        assert shown or witness.name in elsewhere, witness.name
    for action in spec.actions:
        shown = any(action.name not in m.idle for m in models)
        assert shown or action.name in elsewhere, action.name
    for prop in spec.of_kind("invariant", "step"):
        shown = any(prop.name not in m.vacuous for m in models)
        assert shown or prop.name in elsewhere, prop.name
    for promise in spec.liveness:
        shown = any(promise.name in {*m.live} - {*m.vacuous} for m in models)
        assert shown or promise.name in elsewhere, promise.name
    for kind in spec.of_kind("terminal"):
        assert elsewhere or any(m.terminal[kind.name] > 0 for m in models), kind.name


def definitions(name: str) -> tuple[Action | Property | Liveness, ...]:
    """What a spec defines; a spec that extends it may leave it to the other to show it."""
    spec = load_spec(name)
    return (*spec.actions, *spec.properties, *spec.liveness)


def test_two_to_four_members_and_one_and_two_changes_are_there():
    sizes = {(m.sizes["Node"], m.sizes["Change"]) for m in SEARCHED if m.spec == "group"}
    assert sizes >= {(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)}


def test_some_models_are_run_every_time():
    assert {m.spec for m in SEARCHED if m.tier is Tier.FAST} == set(SPEC_NAMES)


# --- the museum ----------------------------------------------------------------------------


EXTENDS = {
    "composed": ("group",),
    "retries": ("transport",),
    "timed_cluster": ("cluster",),
    "timed_link": ("link",),
}
"""A spec that extends another: the guards of the other have their controls there."""


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_every_guard_has_exactly_one_control(name):
    """Fails when a guard is added: give it a control that an end property catches, or delete it.

    A guard that limits the environment needs none: without it there are only more faults.
    """
    guards = Counter((a.name, why) for a, why in load_spec(name).guards())
    for other in EXTENDS.get(name, ()):
        guards -= Counter((a.name, why) for a, why in load_spec(other).guards())
    controls = Counter(
        (m.without.action, m.without.guard) for m in CONTROLS if m.spec == name and m.without
    )
    assert controls <= guards
    assert {*(guards - controls)} <= environment(name)
    assert all(n == 1 for n in controls.values())


def environment(name: str) -> set[tuple[str, str]]:
    """The guards that only say how many faults and requests a model has."""
    return {
        (a.name, g.why)
        for a in load_spec(name).actions
        for g in a.guards
        if g.limit == "environment"
    }


def test_every_mechanism_of_the_hardened_protocol_is_switched_off_in_some_control():
    """What no model does without may not be needed: find the model, or delete the mechanism."""
    flags = {v.name for v in load_spec("cluster").constants if v.to is None and not v.arguments}
    searched = [m for m in SEARCHED if m.spec == "cluster"]
    mechanisms = {f for f in flags if all(m.constants[f] for m in searched)}
    assert len(mechanisms) == 12
    for mechanism in mechanisms:
        without = [m for m in CONTROLS if m.spec == "cluster" and not m.constants[mechanism]]
        assert any(m.violates for m in without), mechanism


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_every_promise_about_infinite_runs_has_a_control_without_some_fairness(name):
    controls = [m for m in CONTROLS if m.spec == name and m.unfair]
    for promise in load_spec(name).liveness:
        inherited = any(promise in load_spec(other).liveness for other in EXTENDS.get(name, ()))
        assert inherited or any(promise.name in m.violates for m in controls)


@pytest.mark.parametrize("control", named(CONTROLS))
def test_every_control_pins_which_end_properties_break_and_how_soon(control):
    assert control.violates
    assert len(set(control.violates)) == len(control.violates)
    assert control.depth is not None
    assert control.depth > 0
    assert (control.states, control.transitions) == (None, None)
    spec = load_spec(control.spec)
    for name in control.violates:
        assert name != DEADLOCK_FREE
        if name in (*control.refines, *control.live):
            continue
        prop = spec.find_property(name)
        assert not prop.internal
        assert prop.kind in ("invariant", "step", "always_reachable")
