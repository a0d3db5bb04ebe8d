"""The source of the shop's orders; `app.py` runs on its own."""
