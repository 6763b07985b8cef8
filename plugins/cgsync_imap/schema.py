"""The options of the IMAP source as JSON Schema: what `cgsync check` judges by and editors complete from."""

from __future__ import annotations

from typing import Any

from cgsync.api import MEMBER_NAME
from cgsync.http import AUTH_SCHEMA, HTTP_PROPERTIES

LINE = {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[^\\u0000-\\u001f\\u007f]*$"}
FOLDER = {**LINE, "description": "A folder, as mail programs show it."}
FOLDERS = {"type": "array", "minItems": 1, "items": FOLDER}
KEYWORD = {"type": "string", "pattern": '^[^\\u0000-\\u0020\\u007f-\\uffff(){%*"\\\\\\]]+$'}
FLAG = {"type": "string", "pattern": "^\\\\?[A-Za-z0-9$_.-]+$"}
SIZE = {"$ref": "cgsync:size"}
FILE = {"type": "string", "pattern": "^/[^\\u0000]*$"}
DURATION = {"$ref": "cgsync:duration"}
COUNT = {"type": "integer", "minimum": 1}


def options(description: str, *, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        **more,
    }


def switch(description: str) -> dict[str, Any]:
    return {"type": "boolean", "default": True, "description": description}


OAUTH2: dict[str, Any] = {
    **AUTH_SCHEMA["properties"]["oauth2"],
    "description": "Tokens instead of a password, renewed before they end: Microsoft 365, Google.",
}

SEARCH = options(
    "Which messages; all that is given must hold. The server judges.",
    default={},
    properties={
        "from": {**LINE, "description": "Is contained in From."},
        "to": {**LINE, "description": "Is contained in To."},
        "cc": {**LINE, "description": "Is contained in Cc."},
        "subject": {**LINE, "description": "Is contained in the subject."},
        "header": {
            "type": "object",
            "description": "Name of a header: what is contained in it.",
            "propertyNames": {"pattern": "^[!-9;-~]+$"},
            "additionalProperties": LINE,
        },
        "unseen": {"type": "boolean", "description": "true: nobody has read it; false: somebody has."},
        "keyword": {**KEYWORD, "description": "It carries that keyword."},
        "unkeyword": {**KEYWORD, "description": "It does not carry that keyword."},
        "larger": {**SIZE, "description": "It is larger than that."},
        "smaller": {**SIZE, "description": "It is smaller than that."},
        "raw": {
            "type": "array",
            "minItems": 1,
            "items": LINE,
            "description": "Any criteria of IMAP SEARCH, word by word: [NOT, FROM, robot@example.com].",
        },
    },
)

AFTER: dict[str, Any] = {
    "description": "What happens to a message once its record is stored: none, delete, or flag or move.",
    "default": "none",
    "type": ["string", "object"],
    "if": {"type": "string"},
    "then": {"enum": ["none", "delete"]},
    "else": {
        "properties": {
            "flag": {
                "type": "array",
                "minItems": 1,
                "items": FLAG,
                "description": "Flags that it gets: \\Seen, \\Flagged, or a keyword as $cgsync.",
            },
            "move": {**LINE, "description": "The folder that it is moved to; made if it does not exist."},
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    },
}

SKIP = options(
    "What is left out and counted. false lets it through.",
    default={},
    properties={
        "auto_replies": switch("Answers of machines: out of office, vacation, confirmations."),
        "bounces": switch("What could not be delivered, and receipts: delivery and read reports."),
        "reports": switch("Reports of mail systems for mail systems: DMARC, TLS-RPT."),
        "lists": switch("Mailing lists and bulk mail."),
        "from": {
            "type": "array",
            "items": LINE,
            "default": [],
            "description": "Senders: addresses, or domains as @example.com. Name your own here.",
        },
    },
)

LIMITS = options(
    "Caps.",
    default={},
    properties={
        "message": {**SIZE, "default": "25MiB", "description": "Bytes of one message, attachments included."},
        "too_large": {
            "enum": ["headers", "reject", "skip"],
            "default": "headers",
            "description": "A larger one becomes a record of its headers, is rejected, or is left out and counted.",
        },
    },
)

ATTACHMENTS = options(
    "What becomes of attachments, beside being described.",
    default={},
    properties={
        "save": {**FILE, "description": "The folder that they are saved in; made, but not what is above it."},
        "largest": {**SIZE, "default": "10MiB", "description": "Bytes of one; a larger one is not saved."},
    },
)

TLS: dict[str, Any] = {
    **HTTP_PROPERTIES["tls"],
    "properties": {
        **HTTP_PROPERTIES["tls"]["properties"],
        "server_name": {**LINE, "description": "The name that its certificate has, if that is not host."},
    },
}

TIMEOUT = options(
    "How long things may take.",
    default={},
    properties={
        "connect": {**DURATION, "default": "10s", "description": "Until there is a connection."},
        "read": {**DURATION, "default": "30s", "description": "Between two pieces of an answer."},
    },
)

CONNECTIONS = options(
    "How many connections all IMAP sources of this daemon may have; where two entries disagree, the lowest counts.",
    default={},
    properties={
        "account": {**COUNT, "default": 4, "description": "To one account. Gmail allows 15, Dovecot mostly 10."},
        "host": {**COUNT, "default": 100, "description": "To this host. With fewer than mailboxes they take turns."},
        "all": {**COUNT, "default": 200, "description": "To all hosts together."},
    },
)

_ENTRY: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "description": "Mail of one mailbox, or of several.",
    "required": ["host"],
    "oneOf": [{"required": ["username"]}, {"required": ["accounts"]}],
    "if": {"required": ["username"]},
    "then": {"oneOf": [{"required": ["password"]}, {"required": ["oauth2"]}]},
    "additionalProperties": False,
    "properties": {
        "host": {**LINE, "description": "The server's name."},
        "port": {
            "type": "integer",
            "minimum": 1,
            "maximum": 65535,
            "description": "Default: 993, and 143 for starttls and none.",
        },
        "encryption": {
            "enum": ["implicit", "starttls", "none"],
            "default": "implicit",
            "description": "TLS from the first byte, after STARTTLS, or not at all (needs allow_insecure).",
        },
        "tls": TLS,
        "allow_insecure": {
            "type": "boolean",
            "default": False,
            "description": "true: encryption: none to other machines, and verify: false, are meant.",
        },
        "timeout": TIMEOUT,
        "connections": CONNECTIONS,
        "username": {**LINE, "description": "Who logs in; for a shared mailbox of Microsoft 365, its address."},
        "password": {"type": "string", "minLength": 1, "x-secret": True, "description": "The password."},
        "oauth2": OAUTH2,
        "mechanism": {
            "enum": ["xoauth2", "oauthbearer"],
            "default": "xoauth2",
            "description": "How a token is shown.",
        },
        "folders": {
            **FOLDERS,
            "default": ["INBOX"],
            "description": "Folders to read. * stands for anything, % for anything within one level.",
        },
        "exclude": {**FOLDERS, "description": "Folders to leave alone, written in the same way."},
        "special": {
            "type": "boolean",
            "default": False,
            "description": "true: wildcards find Sent, Drafts, Trash, Junk and All Mail, too.",
        },
        "relist": {**DURATION, "default": "10m", "description": "How often new folders are looked for."},
        "start": {
            "type": "string",
            "pattern": "^(now|all|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
            "default": "now",
            "description": "What is read at first: what comes from now on, all, or since a day as 2026-01-31.",
        },
        "search": SEARCH,
        "skip": SKIP,
        "attachments": ATTACHMENTS,
        "after": AFTER,
        "idle": switch("Let the server tell at once when something comes; false: only the schedule."),
        "idle_refresh": {**DURATION, "default": "9m", "description": "How often a silent connection is tried."},
        "uidvalidity": {
            "enum": ["dedupe", "restart", "stop"],
            "default": "dedupe",
            "description": "When a server has numbered a folder anew: read on from two days before the newest message "
            "read, begin again as start says, or leave the folder until `cgsync checkpoint reset`.",
        },
        "limits": LIMITS,
    },
}

SERVER = ("host", "port", "encryption", "tls", "allow_insecure", "timeout", "connections")
"""What is said once for all accounts."""


def _account() -> dict[str, Any]:
    """Options that may differ; what is not given has no default, but is as it is above."""
    own = {name: each for name, each in _ENTRY["properties"].items() if name not in SERVER}
    return {name: {key: part for key, part in each.items() if key != "default"} for name, each in own.items()}


ACCOUNTS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "description": "Several mailboxes, each a source of its own: usernames, or options that differ from those above.",
    "items": {
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": LINE,
        "else": {
            "required": ["username"],
            "properties": {
                "name": {
                    "type": "string",
                    "pattern": f"^{MEMBER_NAME}$",
                    "description": "Its name behind that of the entry. Default: what is before the @ of the username.",
                },
                **_account(),
            },
            "additionalProperties": False,
        },
    },
}

OPTIONS_SCHEMA: dict[str, Any] = {**_ENTRY, "properties": {**_ENTRY["properties"], "accounts": ACCOUNTS}}
