"""The source of the shop's prices; `app.py` runs on its own."""
