"""Protocols that users wrote: one Python file with a spec and ``MODELS``, its instances."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import msgspec

from samebeat_cli.errors import CommandError
from samebeat_models.catalog import CatalogError, Model
from samebeat_models.results import Exit
from samebeat_spec.language import Spec, SpecError, specs_in
from samebeat_spec.specs import SPEC_NAMES, load_spec

_HINT = 'write MODELS = [Model(name="...", sizes={...})], Model from samebeat_models'


def load_file(path: Path) -> tuple[tuple[Model, ...], dict[str, Spec]]:
    """Return the models of a user's file and its specs by name, the shipped ones among them.

    Raises:
        CommandError: it cannot be read or run, or its spec is wrong; the message names the line.
        CatalogError: ``MODELS`` is missing or wrong.
    """
    module = _run(path)
    try:
        specs = {spec.name: spec for spec in specs_in(module)}
    except SpecError as error:
        raise _spec_error(path, module.__name__, str(error)) from None
    return _models(path, module, specs), specs


def _run(path: Path) -> ModuleType:
    """Import a file under a name of its own, without leaving compiled files beside it."""
    name = f"samebeat_file_{path.stem}"
    found = spec_from_file_location(name, path)
    if not path.is_file() or found is None or found.loader is None:
        raise CommandError(f"{path}: no such file" if not path.exists() else f"{path}: not a file")
    module = module_from_spec(found)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    keeps, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found.loader.exec_module(module)
    except SyntaxError as error:
        guilty = Path(error.filename or path)
        place = f"{path if guilty.resolve() == path.resolve() else guilty}:{error.lineno or 1}"
        raise CommandError(f"{place}: {error.msg}", Exit.SPEC_ERROR) from None
    except SpecError as error:
        raise _spec_error(path, name, str(error), error) from None
    except (Exception, SystemExit) as error:
        place = f"{path}:{_line(path, error)}"
        problem = f"{type(error).__name__}: {error}"
        raise CommandError(f"{place}: {problem}", Exit.SPEC_ERROR) from None
    finally:
        sys.dont_write_bytecode = keeps
        if folder in sys.path:
            sys.path.remove(folder)
    return module


def _line(path: Path, error: BaseException) -> int:
    """Return the last line of the file that an error passed through."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _spec_error(
    path: Path, module: str, message: str, error: BaseException | None = None
) -> CommandError:
    said = message.replace(f"{module}: ", "")
    if f"{path.name}:" not in said:
        said = f"{path}:{_line(path, error) if error else 1}: {said}"
    return CommandError(f"spec error: {said}", Exit.SPEC_ERROR)


def _models(path: Path, module: ModuleType, specs: dict[str, Spec]) -> tuple[Model, ...]:
    given = getattr(module, "MODELS", None)
    if given is None:
        raise CatalogError(f"{path}: it has no MODELS; {_HINT}")
    if not isinstance(given, (list, tuple)) or not given:
        raise CatalogError(f"{path}: MODELS must be a list of models; {_HINT}")
    own = tuple(specs)
    models: list[Model] = []
    for i, model in enumerate(given):
        if not isinstance(model, Model):
            raise CatalogError(f"{path}: MODELS[{i}] is no Model but {model!r}; {_HINT}")
        if not str(model.name).strip():
            raise CatalogError(f"{path}: MODELS[{i}] has no name; {_HINT}")
        if any(model.name == earlier.name for earlier in models):
            raise CatalogError(f"{path}: two models are called {model.name!r}")
        models.append(_complete(path, model, own, specs))
    return tuple(models)


def _complete(path: Path, model: Model, own: tuple[str, ...], specs: dict[str, Spec]) -> Model:
    """Return a model with its spec named and its values checked as those of the catalog are."""
    try:
        checked = msgspec.convert(msgspec.to_builtins(model), Model)
    except msgspec.ValidationError as error:
        raise CatalogError(f"{path}: model {model.name}: {str(error).replace('$.', '')}") from None
    if not checked.spec:
        if len(own) != 1:
            which = f"several specs ({', '.join(own)})" if own else "no spec"
            raise CatalogError(
                f'{path}: model {model.name}: the file has {which}; say Model(spec="...")'
            )
        return msgspec.structs.replace(checked, spec=own[0])
    if checked.spec not in specs and checked.spec in SPEC_NAMES:
        specs[checked.spec] = load_spec(checked.spec)
    if checked.spec not in specs:
        known = ", ".join([*specs, *SPEC_NAMES])
        raise CatalogError(
            f"{path}: model {model.name}: no spec is called {checked.spec!r}; there are {known}"
        )
    return checked
