"""References that a receiver may take for one are one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.ledger import key

VECTORS = {
    "freshdesk-4711": "freshdesk-4711",
    "FreshDesk-4711": "freshdesk-4711",
    "order 7  \t": "order 7",
    "  order 7": "  order 7",
    "Müller": "muller",
    "Mu\u0308ller": "muller",
    "Straße": "strasse",
    "İstanbul": "istanbul",
    "ﬁle": "file",
    "Ⅻ": "xii",
    "ΣΊΣΥΦΟΣ": "σισυφοσ",
    "ＡＢＣ１": "abc1",
    "日本語": "日本語",
    "ガ": "カ",
    "": "",
}


@pytest.mark.parametrize(("reference", "normal"), VECTORS.items())
def test_key_never_changes(reference: str, normal: str) -> None:
    """Rows in the field are found by these."""
    assert key(reference) == normal


@given(st.text())
def test_key_of_a_key_is_itself(reference: str) -> None:
    assert key(key(reference)) == key(reference)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_key_does_not_depend_on_the_form_in_which_a_text_comes(reference: str) -> None:
    forms = {key(unicodedata.normalize(form, reference)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    assert forms == {key(reference)}


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_cut_for_ascii_agrees_with_the_long_way(reference: str) -> None:
    assert key(reference) == unicodedata.normalize("NFKD", reference).casefold().rstrip()
