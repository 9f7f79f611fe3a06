"""Measured claims, one file each: ``python -m bench NAME`` runs one, ``python -m bench all`` all of them."""
