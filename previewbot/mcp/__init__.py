"""`previewbot mcp`: previews for coding agents, over the Model Context Protocol on stdin and stdout.

Only this package imports `mcp`, the official SDK, which the extra `mcp` installs. It reads and
waits; nothing in it changes anything. What it knows, it asks as `previewbot wait` does (`previewbot.asking`).
"""
