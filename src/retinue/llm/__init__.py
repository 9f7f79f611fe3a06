"""Language models behind one interface: ``models.Models``. Knows no agents, threads or tools' bodies."""
