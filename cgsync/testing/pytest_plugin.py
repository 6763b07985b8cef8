"""Fixtures for tests of plugins."""
