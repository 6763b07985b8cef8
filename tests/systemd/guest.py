"""What happens inside the booted container: the service is installed, started, reloaded, killed, hung and stopped.

Runs as root beside a real systemd, with the standard library only. It judges nothing: it writes what it saw as JSON.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

SOURCE = Path("/opt/cgsync/src")
PROGRAM = Path("/opt/cgsync/bin/cgsync")
CONFIG = Path("/etc/cgsync/config.yaml")
DROP = Path("/srv/drop")
PORT = 8788
DECODERS = """\
import asyncio, json, sys
sys.path[:0] = ["/opt/cgsync/src", "/opt/cgsync/src/plugins", "/opt/cgsync/packages"]
from cgsync.formats import Malformed, Workers, decode_settings

async def main():
    async with Workers(memory=300 * 1024 * 1024) as workers:
        small = await workers.decode(b"<a>1</a>", decode_settings({}))
        try:
            await workers.decode((b"," * 899 + b"\\n") * 40000, decode_settings({"format": "csv"}))
        except Malformed as error:
            print("decoders:", json.dumps([small.document, error.message]), flush=True)

asyncio.run(main())
"""
"""What a daemon does with a small body, and with one that would take all memory."""
PATIENCE = 20.0
"""Seconds until a condition counts as never met."""

CONFIGURATION = f"""\
customergauge:
  url: http://127.0.0.1:{PORT}/activities
  token_url: http://127.0.0.1:{PORT}/oauth2/token
  client_id: sandbox
  client_secret: ${{credential:cg-client-secret}}
  rate_limit: 1000/s
sources:
  orders:
    every: 1s
    files: {{ path: {DROP}, include: "*.csv", key: order_no, readiness: {{ rename: true }} }}
    as: order
    activity:
      account: "{{{{ order.customer }}}}"
      type: Order
      source: Shop
      happened_at: "{{{{ order.placed }}}}"
"""


def main(out: Path) -> None:
    seen: dict[str, Any] = {}
    install()
    receiver = subprocess.Popen([PROGRAM, "sandbox", "--port", str(PORT)], stdout=subprocess.DEVNULL)
    try:
        for step in (
            start,
            folders,
            control,
            deliver,
            decoders,
            reload,
            refused_reload,
            kill,
            hang,
            stop,
            refused_start,
        ):
            seen[step.__name__] = step()
    finally:
        journal = run("journalctl", "--unit=cgsync", "--output=cat", "--no-pager")["said"]
        print(journal)  # what a failing step leaves behind to look at
        out.write_text(json.dumps(seen | {"journal": journal}, indent=1))
        receiver.terminate()


def install() -> None:
    """By the operator guide's own words, but for the program itself, which is the source tree that is shown here."""
    guide = (SOURCE / "docs/operators.md").read_text()
    found = re.search(r"^```sh systemd\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    assert found is not None
    subprocess.run(["bash", "-euxc", found[1]], cwd=SOURCE, check=True)
    impatient = Path("/etc/systemd/system/cgsync.service.d/impatient.conf")
    impatient.parent.mkdir()
    impatient.write_text("[Service]\nRestartSec=100ms\n")
    subprocess.run(["useradd", "--groups", "cgsync", "member"], check=True)
    secret = Path("/etc/cgsync/credentials/cg-client-secret")
    secret.write_text("sandbox\n")
    secret.chmod(0o400)
    configure(CONFIGURATION)
    DROP.mkdir(mode=0o755)
    run("systemctl", "daemon-reload")


def configure(text: str) -> None:
    CONFIG.write_text(text)
    CONFIG.chmod(0o640)
    shutil.chown(CONFIG, group="cgsync")


def start() -> dict[str, Any]:
    begun = run("systemctl", "start", "cgsync")
    return begun | {"state": show("ActiveState"), "status": until(lambda: show("StatusText"))}


def folders() -> dict[str, Any]:
    return {path: rights(Path(path)) for path in ("/var/lib/cgsync", "/run/cgsync", "/run/cgsync/control.sock")} | {
        "ledger": sorted({rights(each) for each in Path("/var/lib/cgsync").iterdir() if each.is_file()})
    }


def control() -> dict[str, Any]:
    """May these people give commands?"""
    people = ("root", "cgsync", "member", "nobody")
    return {person: run("runuser", "-u", person, "--", PROGRAM, "status") for person in people}


def deliver() -> dict[str, Any]:
    drop("first.csv", first=1, count=20)
    until(lambda: applied() == 20)
    return {"applied": applied()}


def decoders() -> list[Any]:
    """Worker processes with all that the unit forbids, but for what only a daemon can do."""
    unit = Path("/etc/systemd/system/cgsync.service").read_text()
    unit = re.sub(
        r"^(NotifyAccess|ExecReload|Restart|WatchdogSec|StateDirectory|RuntimeDirectory).*\n",
        "",
        unit,
        flags=re.MULTILINE,
    )
    unit = re.sub(r"^Type=.*", "Type=oneshot", unit, flags=re.MULTILINE)
    library = os.environ.get("LD_LIBRARY_PATH", "")
    command = f"ExecStart={sys.executable} /etc/cgsync/decoders.py\nEnvironment=LD_LIBRARY_PATH={library}"
    unit = re.sub(r"^ExecStart=.*", command, unit, flags=re.MULTILINE)
    Path("/etc/systemd/system/decoders.service").write_text(unit)
    Path("/etc/cgsync/decoders.py").write_text(DECODERS)
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "decoders")
    said = run("journalctl", "--unit=decoders", "--output=cat", "--no-pager")["said"]
    found = re.search("^decoders: (.*)", said, re.MULTILINE)
    return json.loads(found[1]) if found else [said]


def reload() -> dict[str, Any]:
    before = show("MainPID")
    configure(CONFIGURATION.replace("every: 1s", "every: 2s"))
    done = run("systemctl", "reload", "cgsync")
    return done | {"same_process": show("MainPID") == before, "state": show("ActiveState")}


def refused_reload() -> dict[str, Any]:
    before = show("MainPID")
    configure(CONFIGURATION.replace("every: 1s", "evry: 1s"))
    done = run("systemctl", "reload", "cgsync")
    state = {"same_process": show("MainPID") == before, "state": show("ActiveState")}
    configure(CONFIGURATION)
    return done | state


def kill() -> dict[str, Any]:
    """kill -9 while there is work; whatever was read must arrive all the same."""
    drop("second.csv", first=21, count=2000)
    until(lambda: applied() > 20)
    at_kill = applied()
    os.kill(int(show("MainPID")), signal.SIGKILL)
    until(lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
    until(lambda: applied() == 2020)
    return {"at_kill": at_kill, "applied": applied(), "restarts": show("NRestarts"), "state": show("ActiveState")}


def hang() -> dict[str, Any]:
    """A stopped process is as silent as one whose loop hangs."""
    dropin = Path("/run/systemd/system/cgsync.service.d/watchdog.conf")
    dropin.parent.mkdir(parents=True)
    dropin.write_text("[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", "cgsync")
    time.sleep(4)  # twice the watchdog's limit: fed, it must not bite
    fed = show("NRestarts")
    os.kill(int(show("MainPID")), signal.SIGSTOP)
    until(lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
    return {"restarts_while_fed": fed, "restarts": show("NRestarts"), "state": show("ActiveState")}


def stop() -> dict[str, Any]:
    begun = time.monotonic()
    done = run("systemctl", "stop", "cgsync")
    return done | {
        "seconds": time.monotonic() - begun,
        "result": show("Result"),
        "exit": show("ExecMainStatus"),
        "left": [path.name for path in Path("/run").glob("cgsync/*")],
    }


def refused_start() -> dict[str, Any]:
    configure(CONFIGURATION.replace("every: 1s", "evry: 1s"))
    run("systemctl", "reset-failed", "cgsync")
    done = run("systemctl", "start", "cgsync")
    until(lambda: show("ActiveState") == "failed")
    ended = {"state": show("ActiveState"), "exit": show("ExecMainStatus"), "restarts": show("NRestarts")}
    return ended | {"start": done["exit"], "status": show("StatusText")}


def drop(name: str, *, first: int, count: int) -> None:
    rows = [f"{n},Acme,2024-05-01 10:00:00" for n in range(first, first + count)]
    part = DROP / f"{name}.part"
    part.write_text("\n".join(["order_no,customer,placed", *rows, ""]))
    part.rename(DROP / name)


def applied() -> int:
    """How many different activities the receiver holds."""
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/stats", timeout=5) as answer:
        return int(json.load(answer)["created"])


def run(*words: str | Path) -> dict[str, Any]:
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return {"exit": done.returncode, "said": done.stdout}


def show(key: str) -> str:
    return str(run("systemctl", "show", "cgsync", "--value", f"--property={key}")["said"].strip())


def rights(path: Path) -> str:
    status = path.stat()
    return f"{stat.S_IMODE(status.st_mode):04o} {path.owner()} {path.group()}"


def until(condition: Callable[[], Any]) -> Any:
    """The condition's value once it holds; what it is after ``PATIENCE`` when it never does."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


if __name__ == "__main__":
    main(Path(sys.argv[1]))
