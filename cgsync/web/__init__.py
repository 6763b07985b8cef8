"""What is spoken over HTTP: metrics and health, for this machine, or for whoever the configuration says."""

from cgsync.web.server import Server

__all__ = ["Server"]
