"""Templates in a plugin's options, with the same rules as those of a mapping."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import TemplateError, TemplateSyntaxError

from cgsync.api import Template
from cgsync.errors import SourceMisconfigured
from cgsync.mapping.environment import open_context, open_sandbox
from cgsync.mapping.filters import filters_for
from cgsync.mapping.mapper import FAULTS
from cgsync.mapping.templates import compile_fields
from cgsync.mapping.values import json_value


def option_template(text: str) -> Template:
    """Compile an option. One single ``{{ expression }}`` keeps its type, all else becomes text."""
    sandbox = open_sandbox(filters_for(ZoneInfo("UTC"), {}))
    try:
        render = compile_fields(sandbox, [text])
    except TemplateSyntaxError as error:
        raise SourceMisconfigured(f"{text!r} is no template: {error.message}") from None

    def rendered(**values: Any) -> Any:
        try:
            return json_value(render(open_context(sandbox, values))[0])
        except (TemplateError, *FAULTS) as error:
            raise SourceMisconfigured(f"{text!r}: {error}") from None

    return rendered
