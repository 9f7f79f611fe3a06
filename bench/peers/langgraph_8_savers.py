"""LangGraph, tuned: eight savers over one pool, each with its own lock; see ``langgraph``."""

import sys

from bench import child
from bench.peers.langgraph import LangGraph

if __name__ == "__main__":
    child.main(LangGraph(savers=8), sys.argv[1])
