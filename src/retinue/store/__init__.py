"""The only SQL; one file per noun; functions take the transaction first."""
