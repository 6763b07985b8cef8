"""The mapping: what turns a record of a source into activities of the API, compiled once and applied often."""

from __future__ import annotations

from cgsync.mapping.activities import MAX_ACTIVITY, activity
from cgsync.mapping.mapper import Mapper, compile_mapping
from cgsync.mapping.options import option_template
from cgsync.mapping.review import flaws
from cgsync.mapping.spec import Flaw, Lookup, MappingSpec
from cgsync.mapping.templates import is_template

__all__ = [
    "MAX_ACTIVITY",
    "Flaw",
    "Lookup",
    "Mapper",
    "MappingSpec",
    "activity",
    "compile_mapping",
    "flaws",
    "is_template",
    "option_template",
]
