"""The source of the shop's packers; `app.py` runs on its own."""
