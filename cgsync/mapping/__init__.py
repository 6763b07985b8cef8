"""The mapping: what turns a record of a source into activities of the API, compiled once and applied often."""

from __future__ import annotations

from cgsync.mapping.activities import MAX_ACTIVITY, activity
from cgsync.mapping.mapper import Mapper, compile_mapping
from cgsync.mapping.options import option_template
from cgsync.mapping.origins import Made, Origin, entry_of, made
from cgsync.mapping.references import Frame, default_reference, frame_of
from cgsync.mapping.review import flaws
from cgsync.mapping.spec import Flaw, Lookup, MappingSpec
from cgsync.mapping.templates import is_template

__all__ = [
    "MAX_ACTIVITY",
    "Flaw",
    "Frame",
    "Lookup",
    "Made",
    "Mapper",
    "MappingSpec",
    "Origin",
    "activity",
    "compile_mapping",
    "default_reference",
    "entry_of",
    "flaws",
    "frame_of",
    "is_template",
    "made",
    "option_template",
]
