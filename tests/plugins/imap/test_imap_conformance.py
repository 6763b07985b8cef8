"""The IMAP source is held to the same contract as anyone's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cgsync_imap import cgsync_source_types

from cgsync.formats import MailOptions
from cgsync.formats.mail.message import read
from cgsync.testing import SourceConformance
from tests.plugins.imap.conftest import basic
from tests.plugins.imap.mailbox import Mailbox, letter

KIND = cgsync_source_types()[0]


def keys_of(*letters: bytes) -> frozenset[str]:
    return frozenset(read(each, MailOptions())["key"] for each in letters)


class TestTwoFolders(SourceConformance):
    """Two folders, and messages that are flagged once they are stored."""

    source_type = KIND
    keys = keys_of(*(letter(number) for number in range(12)))

    @pytest.fixture
    def mailbox(self, mailbox: Mailbox) -> Mailbox:
        mailbox.create("Sales")
        mailbox.put(*(letter(number) for number in range(9)))
        mailbox.put(*(letter(number) for number in range(9, 12)), folder="Sales")
        return mailbox

    @pytest.fixture
    def options(self, mailbox: Mailbox) -> Mapping[str, Any]:
        return {**basic(mailbox), "folders": ["INBOX", "Sales"], "after": {"flag": ["$cgsync"]}}

    @pytest.fixture(autouse=True)
    def _known(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def surroundings(self, folder: Path) -> Any:
        return self.mailbox.flags(), self.mailbox.flags("Sales")


class TestMovedAway(SourceConformance):
    """Messages leave the folder once they are stored."""

    source_type = KIND
    keys = keys_of(*(letter(number) for number in range(4)))

    @pytest.fixture
    def options(self, mailbox: Mailbox) -> Mapping[str, Any]:
        mailbox.put(*(letter(number) for number in range(4)))
        self.mailbox = mailbox
        return {**basic(mailbox), "after": {"move": "Done/Sent on"}}

    def surroundings(self, folder: Path) -> Any:
        return self.mailbox.flags()
