"""A Dovecot of the tests' own: its folder, ports, certificate; any user name, the password ``secret``, or a token."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt

from tests.ports import free_port

PASSWORD = "secret"
KEY = "a-key-that-only-signs-tokens-of-tests"
PATIENCE = 60.0

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
listen = 127.0.0.1
protocols = imap
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = 8
mail_fsync = never
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf.ext
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    special_use = \\Sent
  }}
  mailbox Junk {{
    special_use = \\Junk
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
    ssl = yes
  }}
}}
"""
TOKENS = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""
CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost "
    "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"
)


PROGRAM = "/usr/sbin/dovecot"
"""Where Debian has it; a user's path often leads elsewhere."""


def available() -> bool:
    """Whether there is one here that these tests can configure."""
    if not (Path(PROGRAM).exists() and shutil.which("openssl")):
        return False
    told = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False).stdout
    return told.startswith("2.3")


def token(user: str, *, lifetime: timedelta = timedelta(hours=1)) -> str:
    """An access token that this server takes for one of that user."""
    now = int(time.time())
    claims = {"sub": user, "iat": now - 7200, "exp": now + int(lifetime.total_seconds())}
    return jwt.encode(claims, KEY, algorithm="HS256")


@dataclass
class Dovecot:
    """One server. As root it runs under the user ``nobody``, since Dovecot serves no mail of root's."""

    folder: Path
    plain: int = field(default_factory=free_port)
    tls: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def ca(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text() if path.exists() else ""

    @property
    def _owner(self) -> pwd.struct_passwd:
        return pwd.getpwuid(os.getuid()) if os.getuid() else pwd.getpwnam("nobody")

    def prepare(self) -> None:
        """Write what it reads."""
        for name in ("run", "state", "mail", "keys/default/HS256"):
            (self.folder / name).mkdir(parents=True)
        subprocess.run(CERTIFICATE.split(), cwd=self.folder, check=True, capture_output=True)
        (self.folder / "keys/default/HS256/default").write_text(base64.b64encode(KEY.encode()).decode())
        (self.folder / "oauth2.conf.ext").write_text(TOKENS.format(folder=self.folder))
        (self.folder / "dovecot.conf").write_text(self._config())
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _config(self) -> str:
        return CONFIG.format(
            folder=self.folder,
            user=self._owner.pw_name,
            group=grp.getgrgid(self._owner.pw_gid).gr_name,
            password=PASSWORD,
            plain=self.plain,
            tls=self.tls,
        )

    def start(self) -> None:
        """Return once it accepts connections."""
        owner = self._owner
        identity: dict[str, Any] = {}
        if not os.getuid():
            identity = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        command = [PROGRAM, "-c", str(self.folder / "dovecot.conf"), "-F"]
        self.process = subprocess.Popen(command, start_new_session=True, **identity)
        end = time.monotonic() + PATIENCE
        while not self._accepts():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.01)

    def _accepts(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.tls)) == 0

    def stop(self) -> None:
        """End it in order, with all connections, as systemd does: the master alone would leave those that idle."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process = None

    def kill(self) -> None:
        """End it without a word, and each of its processes."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
            self.process = None

    def change_uidvalidity(self, user: str) -> None:
        """Forget which UID was whose, as a server that was restored from a backup. Nobody may be logged in."""
        home = self.folder / "mail" / user
        validity = {path: re.search(r" V(\d+)", path.read_text()) for path in home.rglob("dovecot-uidlist")}
        for path in home.rglob("dovecot*"):
            path.unlink()
        for path, found in validity.items():
            assert found
            path.write_text(f"3 V{int(found[1]) + 1} N1\n")
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A running server; its folder is not below that of the test, which only root may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cgsync-dovecot-"))
    server = Dovecot(folder)
    try:
        server.prepare()
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
