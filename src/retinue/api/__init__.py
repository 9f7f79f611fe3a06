"""HTTP: routers, one per noun, thin: parse, call, return a domain type. No SQL and no decision of its own."""
