"""The systems measured side by side, each run as a process of its own that obeys ``bench.child``."""
