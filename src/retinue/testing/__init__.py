"""For testing agents: ``models.ScriptedModels`` plays a model provider over HTTP. See docs/testing-agents.md."""
