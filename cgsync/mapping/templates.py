"""Templates into code: all fields of an activity are one compiled function, since a call costs more than a field.

Each field is parsed alone, so that a mistake in one cannot reach into the next. A lone ``{{ expression }}`` keeps its
type; what mixes text and expressions is joined; what has statements becomes a block of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Template, nodes, pass_context
from jinja2.runtime import Context

from cgsync.mapping.environment import Sandbox
from cgsync.mapping.values import words

RESULT = "cgsync_result"
WORDS = "cgsync_words"

Render = Callable[[Context], tuple[Any, ...]]


def is_template(text: str) -> bool:
    """Whether there is anything to compile in ``text``."""
    return "{{" in text or "{%" in text or "{#" in text


def lone_expression(tree: nodes.Template) -> nodes.Expr | None:
    """The expression, where the template is that and nothing else."""
    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            return expression
    return None


def compile_fields(sandbox: Sandbox, texts: Sequence[str]) -> Render:
    """One function that gives the value of each template, in order."""
    sandbox.filters[WORDS] = _words
    body: list[nodes.Node] = []
    values = [_value(sandbox.parse(text), f"cgsync_text_{number}", body) for number, text in enumerate(texts)]
    body.append(nodes.Assign(nodes.Name(RESULT, "store"), nodes.Tuple(values, "load")))
    tree = nodes.Template(body, lineno=1)
    tree.set_lineno(1).set_environment(sandbox)
    root = Template.from_code(sandbox, sandbox.compile(tree), {}).root_render_func

    def render(context: Context) -> tuple[Any, ...]:
        for _ in root(context):
            pass  # nothing is ever printed: what was asked for is in the variables afterwards
        result: tuple[Any, ...] = context.vars[RESULT]
        return result

    return render


def _value(tree: nodes.Template, name: str, body: list[nodes.Node]) -> nodes.Expr:
    """The expression that is the template's value; what it needs before that is added to ``body``."""
    if (lone := lone_expression(tree)) is not None:
        return lone
    for output in tree.find_all(nodes.Output):
        output.nodes = [_as_words(each) for each in output.nodes]
    if all(isinstance(each, nodes.Output) for each in tree.body):
        return nodes.Concat([part for each in tree.find_all(nodes.Output) for part in each.nodes])
    body.append(nodes.AssignBlock(nodes.Name(name, "store"), None, tree.body))
    return nodes.Name(name, "load")


def _as_words(node: nodes.Expr) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        return node
    return nodes.Filter(node, WORDS, [], [], None, None)


@pass_context  # what needs the context is never evaluated at compile time
def _words(_context: Context, value: object) -> str:
    return words(value)
