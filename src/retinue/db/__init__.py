"""Connections, migrations and the embedded server. Knows SQL, knows no feature."""
