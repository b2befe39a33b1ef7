"""`/mcp` and `ldn-evidence mcp`: the Model Context Protocol, so that an assistant reads evidence with its sources."""
