"""What strangers can cost previewbot: each attack of `docs/security.md` that has a figure, as a table.

    python -m bench.siege [door|words|commands ...]

Everything runs on loopback: the demo's world in this process, previewbot in its own, the attackers in
another.
"""
