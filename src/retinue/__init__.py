"""Retinue: people and AI agents side by side, every turn durable, every effect gated."""
