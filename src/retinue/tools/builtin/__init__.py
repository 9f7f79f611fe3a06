"""Retinue's own starter tools (TOOL-21, TOOL-23); the entry point ``retinue.tools`` names this module."""

from retinue.tools.builtin import conversation, own, time

TOOLS = (time, conversation, own)
