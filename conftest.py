"""pytest wiring only."""

pytest_plugins = ["conformance.plugin"]
