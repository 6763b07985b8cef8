"""The page: markup, style and scripts put together into one document that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The document, and the policy under which only this very script and style run."""

    document: bytes
    policy: str


def compose() -> Page:
    """Read the four files and make one page of them."""
    folder = resources.files(__package__)
    texts = {name: (folder / name).read_text("utf-8") for name in ("page.html", "page.css", "page.js", "detail.js")}
    style, script = texts["page.css"], texts["page.js"] + texts["detail.js"]
    document = texts["page.html"].replace("/*style*/", style).replace("/*script*/", script)
    return Page(document=document.encode(), policy=_policy(style, script))


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
