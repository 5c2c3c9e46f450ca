"""Declare a setting once: its type, default, range, help, command-line option and use in checkpoints.

A class of settings is a frozen dataclass whose fields are made by `setting`. From the fields follow the checks, the
signature and documentation of the training functions, and the options of the command line.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import Field, dataclass, fields
from dataclasses import field as dataclass_field
from functools import wraps
from numbers import Integral, Real
from textwrap import fill, indent
from types import UnionType
from typing import Any, ClassVar, Concatenate, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from embedtrain.errors import SettingError
from embedtrain.machine.progress import listed

#: The groups of settings in documentation and ``--help``, in this order.
GROUPS = ("model", "vocabulary", "input", "run", "output")
FUNCTIONS: dict[str, type[Settings]] = {}  # those that `from_settings` decorates, by name
_CORPUS = """path, Corpus, iterable of str, or iterable of lists of str
        Text: a file, a folder, a pattern, or "-" for standard input, one sentence per line; or lines; or lists of
        tokens. It is read once, and may be a generator. A `Corpus` has options of reading.
"""
_LARGEST = 2**31 - 1  # of whole numbers, which kernels take as int32

P = ParamSpec("P")
Data = TypeVar("Data")
AnySettings = TypeVar("AnySettings")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Declaration:
    """The declaration of a field by `setting`."""

    help: str  # sentences, with settings in backquotes; --help leaves out those from "In Python" on
    group: Literal["model", "vocabulary", "input", "run", "output"] = "model"
    at_least: float = -np.inf  # these three are the range of a number
    above: float | None = None
    at_most: float = np.inf
    remedy: str = ""  # ends the message about a value out of range; if empty, the message gives the default
    kept: Literal["result", "resume", ""] = ""  # stored with the vectors, same in a resumed run; repeated by --resume
    option: str | None = ""  # of the command line; "" means -- and the name, None no option
    metavar: str | None = None  # placeholder of the value in --help
    aliases: tuple[str, ...] = ()  # names of the option in other programs

    def contains(self, value: float) -> bool:
        """Whether a value is in the range."""
        return self.at_least <= value <= self.at_most and (self.above is None or value > self.above)

    @property
    def range(self) -> str:
        """The range in words."""
        if self.above is not None:
            return f"above {self.above}" + (f" and at most {self.at_most}" if np.isfinite(self.at_most) else "")
        if np.isfinite(self.at_most):
            return f"between {self.at_least} and {self.at_most}"
        return f"at least {self.at_least}"


def setting(default: Any, help: str, **about: Any) -> Any:
    """Declare a field of a class of settings, with the fields of `Declaration`."""
    return dataclass_field(default=default, metadata={"setting": Declaration(help, **about)})


def other_default(base: type[Settings], name: str, default: Any) -> Any:
    """Declare a field of a base class with another default."""
    return dataclass_field(default=default, metadata=base.__dataclass_fields__[name].metadata)


def declaration(field: Field[Any]) -> Declaration:
    """The declaration of a field."""
    about: Declaration = field.metadata["setting"]
    return about


def declared(settings: type[Settings]) -> list[Field[Any]]:
    """The fields of a class of settings in the order of their groups, but those that it is without."""
    chosen = (field for field in fields(settings) if field.name not in settings.without)
    return sorted(chosen, key=lambda field: GROUPS.index(declaration(field).group))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: checks every field, and converts NumPy's numbers to Python's."""

    without: ClassVar[tuple[str, ...]] = ()  # fields of base classes that always have their defaults

    def __post_init__(self) -> None:
        types = types_of(type(self))
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.default is not None:
                object.__setattr__(self, field.name, _checked(field, value, types[field.name]))

    def kept(self, purpose: Literal["result", "resume"]) -> dict[str, Any]:
        """The settings that are kept for a purpose, see `Declaration`."""
        return {field.name: getattr(self, field.name) for field in fields(self) if declaration(field).kept == purpose}


def changed(settings: Settings, names: Iterable[str]) -> list[str]:
    """Those of the names whose setting differs from its default."""
    return [name for name in names if getattr(settings, name) != type(settings).__dataclass_fields__[name].default]


# --- Types and checks ------------------------------------------------------------------------------------------------


def types_of(settings: type[Settings]) -> dict[str, tuple[Any, ...]]:
    """The types that the value of each field may have, without None."""
    hints = get_type_hints(settings)
    return {
        name: tuple(kind for kind in get_args(hint) if kind is not type(None))
        if get_origin(hint) in (Union, UnionType)
        else (hint,)
        for name, hint in hints.items()
    }


def choices_of(types: tuple[Any, ...]) -> tuple[str, ...]:
    """The words of a `Literal`; none for other types."""
    return next((get_args(kind) for kind in types if get_origin(kind) is Literal), ())


def _checked(field: Field[Any], value: Any, types: tuple[Any, ...]) -> Any:
    """Convert a value to Python's own type; raises `SettingError` if it has another type or is out of range."""
    about = declaration(field)
    remedy = about.remedy or ("" if field.default is None else f"the default is {field.default}")
    choices = choices_of(types)
    if isinstance(value, str) and value in choices:
        return value
    if choices and int not in types:
        flags = (True, False) if bool in types else ()
        is_valid = bool(flags) and isinstance(value, bool)
        rule, remedy = listed(map(repr, (*choices, *flags)), "or"), ""
    elif types == (bool,):
        is_valid, rule, remedy = isinstance(value, (bool, np.bool_)), "True or False", ""
    elif types == (int,) or choices:
        most = int(min(about.at_most, _LARGEST))
        is_valid = isinstance(value, Integral) and about.at_least <= int(value) <= most
        rule = f"a whole number of at least {about.at_least}"
        if isinstance(value, Integral) and int(value) > most:
            rule = f"a whole number between {about.at_least} and {most}"
        rule += "".join(f" or {choice!r}" for choice in choices)
    elif types == (float,):
        is_valid, rule = isinstance(value, Real) and about.contains(float(value)), about.range
    else:
        if not isinstance(value, tuple(Real if kind is int else get_origin(kind) or kind for kind in types)):
            rule = described(types)
            article = "an" if rule.startswith("int") else "a"
            remedy = about.remedy and f"; {about.remedy}"
            raise SettingError(f"`{field.name}` must be {article} {rule}, got {type(value).__name__}{remedy}")
        return value
    if not is_valid:
        raise SettingError(f"`{field.name}` must be {rule}, got {value!r}{remedy and '; '}{remedy}")
    return types[0](value)  # NumPy's numbers would overflow, and recompile kernels


def described(types: tuple[Any, ...]) -> str:
    """Format types for the documentation."""
    if choices := choices_of(types):
        others = "".join(f"{kind.__name__} or " for kind in types if kind in (bool, int))
        return others + "{" + ", ".join(f'"{choice}"' for choice in choices) + "}"
    is_path = any(get_origin(kind) is os.PathLike for kind in types)
    names = {str: "path" if is_path else "str", Callable: "callable", Iterable: "iterable"}
    origins = [get_origin(kind) or kind for kind in types if get_origin(kind) is not os.PathLike]
    return listed(dict.fromkeys(names.get(origin) or origin.__name__ for origin in origins), "or")


# --- Functions of settings -------------------------------------------------------------------------------------------


def from_settings(
    settings: Callable[P, AnySettings],
) -> Callable[[Callable[[Data, AnySettings], Result]], Callable[Concatenate[Data, P], Result]]:
    """Decorate a function of data and settings so that it takes the fields of the settings as keywords.

    A line ``**settings`` of its docstring becomes the list of the fields; without a section of parameters, it gets one.
    """

    def decorate(function: Callable[[Data, AnySettings], Result]) -> Callable[Concatenate[Data, P], Result]:
        signature = inspect.signature(function)
        data = next(iter(signature.parameters.values()))
        names = {field.name for field in fields(settings)}  # type: ignore[arg-type]
        FUNCTIONS[function.__name__] = settings  # type: ignore[assignment]

        @wraps(function)
        def call(*args: Any, **keywords: Any) -> Result:
            if data.name in keywords:
                args = (*args, keywords.pop(data.name))
            if unknown := {name: value for name, value in keywords.items() if name not in names}:
                from embedtrain.training.foreign_names import keyword_hints  # of settings declared here

                hints = keyword_hints(unknown, settings)  # type: ignore[arg-type]
                raise TypeError(f"{function.__name__}() got an unexpected keyword argument {hints}")
            if len(args) != 1:
                raise TypeError(f"{function.__name__}() takes {data.name} and settings by name; got {len(args)} values")
            return function(args[0], settings(**keywords))  # type: ignore[call-arg]

        parameters = [
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
            for field in declared(settings)  # type: ignore[arg-type]
        ]
        call.__signature__ = signature.replace(parameters=[data, *parameters])  # type: ignore[attr-defined]
        text = function.__doc__ or ""
        if "    Parameters\n" not in text:
            parameters_of_text = f"    Parameters\n    ----------\n    {data.name} : {_CORPUS}    **settings\n\n"
            text = text.replace("    Returns\n", parameters_of_text + "    Returns\n")
        listed = indent(documented(settings), "    ")  # type: ignore[arg-type]
        call.__doc__ = text.replace("    **settings\n", listed)
        return call

    return decorate


def documented(settings: type[Settings]) -> str:
    """Format the fields of a class of settings as a section of parameters."""
    types, text = types_of(settings), ""
    for field in declared(settings):
        default = "optional" if field.default is None else f"default {field.default!r}"
        text += f"{field.name} : {described(types[field.name])}, {default}\n"
        text += indent(fill(declaration(field).help, 100), "    ") + "\n"
    return text
