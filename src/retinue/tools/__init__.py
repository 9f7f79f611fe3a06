"""Tools: what agents can do. Their bodies run only through the gate (``turn.gate``)."""
