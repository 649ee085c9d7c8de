"""The HTTP API, version 1: a table of routes, each with its types, its handler and what it may refuse."""
