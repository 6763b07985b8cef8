"""The door for tests of plugins."""
