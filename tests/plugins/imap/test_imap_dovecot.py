"""The server that the other tests rely on behaves as they take for granted."""

from __future__ import annotations

import pytest
from imapclient.exceptions import LoginError

from tests.plugins.imap.dovecot import token
from tests.plugins.imap.mailbox import Mailbox, letter


def test_a_mailbox_is_made_at_the_first_login(mailbox: Mailbox) -> None:
    mailbox.put(letter(1), letter(2))
    assert mailbox.uids() == [1, 2]
    assert mailbox.flags() == {1: set(), 2: set()}


@pytest.mark.parametrize("method", ["oauth2_login", "oauthbearer_login"])
def test_a_token_of_the_user_logs_in_and_a_forged_one_does_not(mailbox: Mailbox, method: str) -> None:
    mailbox.login_with(method, token(mailbox.user))
    with pytest.raises(LoginError):
        mailbox.login_with(method, token(mailbox.user)[:-4] + "AAAA")


def test_uidvalidity_changes_when_the_index_is_lost(mailbox: Mailbox) -> None:
    mailbox.put(letter(1))
    before = mailbox.status()[b"UIDVALIDITY"]
    mailbox.server.change_uidvalidity(mailbox.user)
    assert mailbox.status()[b"UIDVALIDITY"] != before
    assert mailbox.uids() == [1]
