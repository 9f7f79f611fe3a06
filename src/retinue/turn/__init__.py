"""The verb: one event becomes one reply, whatever crashes in between."""
