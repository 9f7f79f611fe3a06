"""Vocabulary: frozen types and pure decisions. No I/O, no clock, no randomness but for ids."""
