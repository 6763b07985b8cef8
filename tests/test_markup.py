"""The text of HTML that strangers wrote."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.markup import text_of

PARTS = st.sampled_from([
    "<p>", "</p>", "<script>", "</script>", "<!--", "-->", "&lt;", "&amp;", "a b", "<", ">", "\x1e", "\n", '<a href="',
    '"', "'", "='", "<!", "<?", "</", "<B>", "</STYLE>", "<style", "İ", "&#0;", "&#x110000;", "<td>",
])  # fmt: skip


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("a &amp; b &lt;c&gt;&nbsp;d &uuml;", "a & b <c> d ü"),
        ("<p>one</p><p>two\n  three</p>", "one\ntwo three"),
        ("a<b>b</b><i>c</i> d", "abc d"),
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("<div>a</div>b", "a\nb"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<script>if (a<b) x('</p>')</script>a<style>p {}</style >b", "ab"),
        ("<SCRIPT>x</Script>a", "a"),
        ("<html><head><title>t</title></head><body>a</body></html>", "a"),
        ("a<!-- <p>b</p> -->c", "ac"),
        ("<!DOCTYPE html><?xml version='1.0'?>a", "a"),
        ("<a title=\"x > y\" href='z>'>link</a>", "link"),
        ("<a title=it's>link</a> don't", "link don't"),
        ('<a title="never closed>link</a>', "link"),
        ("1 < 2 > 1", "1 < 2 > 1"),
        ("a<p", "a"),
        ("a<!-- b", "a"),
        ("a<script>b", "a"),
        ("İ<style>x</style>y", "İy"),
    ],
)
def test_what_a_reader_would_see(markup: str, text: str) -> None:
    assert text_of(markup) == text


@given(st.lists(PARTS).map("".join))
def test_whatever_comes_becomes_lines_of_text(markup: str) -> None:
    text = text_of(markup)
    assert all(line == " ".join(line.split()) and line for line in text.split("\n")) or text == ""


@given(st.text(alphabet=st.characters(exclude_characters="<&")))
def test_text_without_markup_loses_only_white_space(text: str) -> None:
    assert text_of(text).split() == text.split()


@pytest.mark.parametrize(
    "tags",
    ["<div>", "<ul><li>", "<table><tr><td>", "<!--", "<b>", "<a><p>", "<", '<a b="', "<a b='c\"", "<script>",
     "&#1",      "</", "<a =\"'>", "<style", "<!-"],
)  # fmt: skip
def test_html_costs_what_its_length_says(tags: str) -> None:
    """A megabyte of what is quadratic elsewhere takes less than the half second that 64 KiB took there."""
    markup = tags * (2**20 // len(tags))
    start = time.process_time()
    text_of(markup)
    assert time.process_time() - start < 3.0
